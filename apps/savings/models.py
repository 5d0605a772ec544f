"""The savings ledger: what was stated of an initiative before it began, what was measured, and every step with who."""

from datetime import date, timedelta
from decimal import Decimal

from django.conf import settings
from django.db import models

from apps.operations.models import Recommendation


class Initiative(models.Model):
    """Something done to save, and what was stated of it: once stated, the statement is never changed.

    `scope` is the cost it is about: values by dimension of a CostQuery, or `resource` as billed. `controls` are scopes
    that it leaves alone, `drivers` names of unit drivers its cost follows. `start` is the first day of the change,
    `transition_days` how long it takes to roll out, `window_days` how long after that it is measured before a verdict.
    `promised_text` is money a month in `currency`. `is_about_price`: cheaper prices are what it wants, so they are not
    taken out of its saving. `detectable_text` is the smallest change, in percent, that could be told from noise when it
    was stated, `model` what it will be measured by. `stated_at` is when, `stated_in` the publication it rests on.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        STATED = "stated", "stated"
        VERIFIED = "verified", "verified"
        NOT_VERIFIED = "not_verified", "not verified"
        REVERTED = "reverted", "reverted"
        WITHDRAWN = "withdrawn", "withdrawn"

    name = models.CharField(max_length=200)
    hypothesis = models.TextField()
    title = models.JSONField(null=True, blank=True)
    team = models.CharField(max_length=60, db_index=True)
    scope = models.JSONField()
    currency = models.CharField(max_length=20)
    promised_text = models.CharField(max_length=45)
    start = models.DateField()
    transition_days = models.PositiveSmallIntegerField(default=0)
    window_days = models.PositiveSmallIntegerField(default=28)
    drivers = models.JSONField(default=list, blank=True)
    controls = models.JSONField(default=list, blank=True)
    is_about_price = models.BooleanField(default=False)
    model = models.CharField(max_length=40, blank=True)
    detectable_text = models.CharField(max_length=45, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT, db_index=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, blank=True)
    stated_at = models.DateTimeField(null=True, blank=True)
    stated_in = models.PositiveBigIntegerField(null=True, blank=True)
    recommendations = models.ManyToManyField(Recommendation, blank=True, related_name="initiatives")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=("draft", "withdrawn")) | models.Q(stated_at__isnull=False),
                name="savings_stated_at_a_time",
            ),
            models.CheckConstraint(condition=models.Q(window_days__gte=7), name="savings_window_of_a_week"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def promised(self) -> Decimal:
        return Decimal(self.promised_text)

    @property
    def measured_from(self) -> date:
        """The first day that counts: the roll-out is over."""
        return self.start + timedelta(days=self.transition_days)

    @property
    def decided_on(self) -> date:
        """The day after the last that the verdict rests on."""
        return self.measured_from + timedelta(days=self.window_days)


class Measurement(models.Model):
    """What was measured of an initiative in one publication: rows are only added, and the newest holds.

    The days `start` <= day < `end` are counterfactual less actual: `saving_text` of all of them, with the bounds of its
    95 % interval. `verdict` is one of VERDICTS, `grade` A, B or C; `is_final`: the window that was stated is over.
    `share_text` is the part of the saving that is its own where initiatives overlap, 1 where none does. `content` holds
    what the page shows: days, methods, corrections, months, reasons. `inputs` is the fingerprint of its numbers.
    """

    class Verdict(models.TextChoices):
        SAVED = "saved", "saved"
        NOT_SHOWN = "not shown", "not shown"
        COST_MORE = "cost more", "cost more"
        UNKNOWN = "unknown", "unknown"

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="measurements")
    publication = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    start = models.DateField()
    end = models.DateField()
    is_final = models.BooleanField(default=False)
    verdict = models.CharField(max_length=10, choices=Verdict)
    grade = models.CharField(max_length=1, blank=True)
    saving_text = models.CharField(max_length=45, blank=True)
    lower_text = models.CharField(max_length=45, blank=True)
    upper_text = models.CharField(max_length=45, blank=True)
    percent_text = models.CharField(max_length=20, blank=True)
    share_text = models.CharField(max_length=45, default="1")
    content = models.JSONField(default=dict)
    inputs = models.CharField(max_length=64)

    class Meta:
        indexes = [models.Index(fields=["initiative", "id"], name="savings_measured_in_order")]

    def __str__(self) -> str:
        return f"{self.initiative_id} until {self.end}"

    @property
    def share(self) -> Decimal:
        return Decimal(self.share_text)

    @property
    def is_known(self) -> bool:
        return self.verdict != self.Verdict.UNKNOWN

    def money(self, name: str) -> Decimal | None:
        """`saving`, `lower` or `upper` of all days, its own share of it; None where nothing could be measured."""
        text = getattr(self, f"{name}_text")
        return Decimal(text) * self.share if text else None


class InitiativeStep(models.Model):
    """One thing done to an initiative: who (empty: the machine), when, from which state to which, why. Only added."""

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="steps")
    at = models.DateTimeField()
    by = models.CharField(max_length=150, blank=True)
    action = models.CharField(max_length=12)
    from_state = models.CharField(max_length=12, blank=True)
    to_state = models.CharField(max_length=12)
    why = models.TextField(blank=True)
    values = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [models.Index(fields=["initiative", "id"], name="savings_steps_in_order")]

    def __str__(self) -> str:
        return f"{self.action} {self.initiative_id}"


class Outcome(models.Model):
    """Something measured beside the money, day by day: latency, data freshness, delivery lead time. Only added."""

    initiative = models.ForeignKey(Initiative, models.CASCADE, related_name="outcomes")
    name = models.CharField(max_length=80)
    unit = models.CharField(max_length=30, blank=True)
    day = models.DateField()
    value_text = models.CharField(max_length=45)
    note = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.day}"

    @property
    def value(self) -> Decimal:
        return Decimal(self.value_text)
