"""The price table of what can be bought instead of hours on demand, and what in-memory databases need."""

from decimal import Decimal

from django.db import models


class Offer(models.Model):
    """One row of the price table: rows are only added, and of a name in a region the newest that is valid holds.

    `ratio` is its price ÷ the on-demand list price of the same; without it `price` is in `currency` per `unit`, and the
    ratio follows from the list price of the SKU that `family` names. Numbers are kept as plain digits: they are looked
    up, never added up. `region` and `family` are patterns (`cn-*`). A row that is not on sale takes an offer away.
    """

    class Kind(models.TextChoices):
        RESERVED = "reserved", "Reserved instance or subscription"
        SAVINGS_PLAN = "savings_plan", "Savings plan"
        SPOT = "spot", "Spot"
        SERVERLESS = "serverless", "Serverless"
        GENERATION = "generation", "Another instance generation"
        MEMORY = "memory", "Memory tier"

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=20, choices=Kind)
    region = models.CharField(max_length=120, default="*")
    family = models.CharField(max_length=200, default="*")
    term_months = models.PositiveSmallIntegerField(default=0)
    ratio_text = models.CharField(max_length=40, blank=True)
    price_text = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=120, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    work_ratio_text = models.CharField(max_length=40, blank=True)
    interruption_rate_text = models.CharField(max_length=40, blank=True)
    lost_hours_text = models.CharField(max_length=40, blank=True)
    availability_text = models.CharField(max_length=40, blank=True)
    mib_per_second_text = models.CharField(max_length=40, blank=True)
    latency_microseconds_text = models.CharField(max_length=40, blank=True)
    capacity_gib_text = models.CharField(max_length=40, blank=True)
    valid_from = models.DateField()
    is_on_sale = models.BooleanField(default=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(ratio_text="", price_text=""), name="planning_offer_has_a_price"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.region} {self.family} from {self.valid_from}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What a newer row takes the place of."""
        return self.kind, self.name, self.region, self.family

    def number(self, column: str, otherwise: str = "") -> Decimal | None:
        """A number of the row; None where it is not told and there is no other."""
        text = getattr(self, f"{column}_text") or otherwise
        return Decimal(text) if text else None


class MemoryNeed(models.Model):
    """What an in-memory database needs, by its billed resource: rows are only added, and the newest holds."""

    resource = models.CharField(max_length=300)
    name = models.CharField(max_length=120)
    gib_text = models.CharField(max_length=40)
    mib_per_second_text = models.CharField(max_length=40)
    latency_microseconds_text = models.CharField(max_length=40)
    tier = models.CharField(max_length=80, blank=True)
    by = models.CharField(max_length=150, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} ({self.resource})"
