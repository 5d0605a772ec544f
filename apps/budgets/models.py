"""Budgets, what was decided about them over time, and outlooks of what nothing else forecasts."""

from datetime import date
from decimal import Decimal

from django.conf import settings
from django.db import models

from apps.budgets.profiles import Profile

NONE, UNUSED, OVERSPENT, BOTH = ROLLOVERS = ("none", "unused", "overspent", "both")
GRAINS = ("month", "quarter", "year")


class Budget(models.Model):
    """What something may cost: all cost (an empty `dimension`), or what has `value` in one dimension, level or tag.

    What it is of, its periods, currency and cost basis never change; the rest is in its versions.
    """

    name = models.CharField(max_length=120, unique=True)
    dimension = models.CharField(max_length=150, blank=True)
    value = models.CharField(max_length=500, blank=True)
    grain = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    metric = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(grain__in=GRAINS), name="budgets_grain_is_known"),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetVersion(models.Model):
    """What holds of a budget from the period that begins on `valid_from`: the newest of the latest day decides.

    Rows are only added. Without an amount the budget ends there. `owner_team` answers for it and sees it, `owner` is
    the person asked first; both may be nobody.
    """

    budget = models.ForeignKey(Budget, models.PROTECT, related_name="versions")
    valid_from = models.DateField()
    amount_text = models.CharField(max_length=45, blank=True)
    profile = models.CharField(max_length=10, default="even")
    weights = models.CharField(max_length=300, blank=True)
    rollover = models.CharField(max_length=10, default=NONE)
    owner_team = models.CharField(max_length=60, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="budgets")
    why = models.TextField(blank=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(rollover__in=ROLLOVERS), name="budgets_rollover_is_known"),
        ]
        indexes = [models.Index(fields=["budget", "valid_from", "id"], name="budgets_versions_in_order")]

    def __str__(self) -> str:
        return f"{self.budget} from {self.valid_from}"

    @property
    def amount(self) -> Decimal | None:
        return Decimal(self.amount_text) if self.amount_text else None

    @property
    def spreads(self) -> Profile:
        return Profile.parse(self.profile, self.weights)


class Outlook(models.Model):
    """A forecast made for a budget, where none of the newest publication says the same.

    `days` are the means of the days from `first_day` on, `sums` of the first one, two, … days the bounds [low 80,
    high 80, low 95, high 95] less the mean, all text with six decimals. `why_not` says why there is none, a `Sentence`
    as JSON.
    """

    publication = models.PositiveBigIntegerField()
    budget = models.ForeignKey(Budget, models.CASCADE, related_name="outlooks")
    first_day = models.DateField(null=True)
    days = models.JSONField(default=list)
    sums = models.JSONField(default=list)
    why_not = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["publication", "budget"], name="budgets_outlook_once")]

    def __str__(self) -> str:
        return f"outlook of {self.budget} in publication {self.publication}"


def version_on(versions: "list[BudgetVersion]", day: date) -> "BudgetVersion | None":
    """What holds in a period that begins on a day: None before the first version and after the end."""
    begun = [one for one in versions if one.valid_from <= day]
    chosen = max(begun, key=lambda one: (one.valid_from, one.pk), default=None)
    return chosen if chosen is not None and chosen.amount_text else None
