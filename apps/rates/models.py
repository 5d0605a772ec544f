"""Exchange rates as they were brought, versions of them, and the months that are locked."""

from decimal import Decimal

from django.db import models


class RateVersion(models.Model):
    """One change of the rates: a file that was imported, or a base currency that was declared.

    Versions are only ever added. What holds at version N is, for each day and pair, the newest rate of a version up to
    N, and the newest declaration that begins on or before the day: an answer names its version and stays repeatable.
    An empty `base_currency` in a declaration withdraws the one before.
    """

    class Kind(models.TextChoices):
        RATES = "rates", "Rates"
        BASE = "base", "Base currency"

    number = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    file_name = models.CharField(max_length=255, blank=True)
    base_currency = models.CharField(max_length=3, blank=True)
    base_from = models.DateField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="rates", base_from=None) | models.Q(kind="base", base_from__isnull=False),
                name="rates_version_is_one_kind",
            )
        ]

    def __str__(self) -> str:
        return f"rates version {self.number}"


class Rate(models.Model):
    """What one unit of `from_currency` is in `to_currency` on a day.

    Kept as plain digits, as prices are: SQLite has no decimals. `quoted_day` is earlier than `day` where the rate of an
    earlier day was carried forward over days without one.
    """

    version = models.ForeignKey(RateVersion, models.PROTECT, related_name="rates")
    line = models.PositiveIntegerField()
    day = models.DateField()
    from_currency = models.CharField(max_length=3)
    to_currency = models.CharField(max_length=3)
    rate_text = models.CharField(max_length=40)
    quoted_day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "day", "from_currency", "to_currency"], name="rates_rate_once_per_version"
            ),
            models.CheckConstraint(
                condition=~models.Q(from_currency=models.F("to_currency")), name="rates_rate_between_two_currencies"
            ),
        ]
        indexes = [models.Index(fields=["day", "from_currency", "to_currency"], name="rates_rate_day_pair")]

    def __str__(self) -> str:
        return f"{self.from_currency}→{self.to_currency} {self.day}"

    @property
    def rate(self) -> Decimal:
        return Decimal(self.rate_text)


class MonthLock(models.Model):
    """A month whose rates can no longer change: its numbers were reported with them."""

    month = models.CharField(max_length=7, unique=True)
    locked_at = models.DateTimeField()
    locked_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"rates of {self.month} locked"


class RateBook(models.Model):
    """One row that whoever changes rates holds while doing so: imports, declarations and locks come one by one."""

    def __str__(self) -> str:
        return "the book of rates"
