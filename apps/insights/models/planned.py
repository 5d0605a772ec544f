"""What people know of cost before it is charged."""

from decimal import Decimal

from django.db import models


class PlannedChange(models.Model):
    """Cost that somebody expects to change on a day, or a commitment that will be renewed.

    `amount_text` is what a day will cost more (less, below zero) in `currency`, `percent_text` by how many percent; of
    the team and the service where they are named, else of all. Rows are added and withdrawn, never changed.
    """

    class Kind(models.TextChoices):
        AMOUNT = "amount", "Amount per day"
        PERCENT = "percent", "Percent"
        RENEWAL = "renewal", "Renewal of a commitment"

    kind = models.CharField(max_length=10, choices=Kind)
    team = models.CharField(max_length=100, blank=True)
    service = models.CharField(max_length=500, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    first_day = models.DateField(null=True)
    amount_text = models.CharField(max_length=45, blank=True)
    percent_text = models.CharField(max_length=20, blank=True)
    commitment = models.CharField(max_length=500, blank=True)
    note = models.TextField()
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    withdrawn_by = models.CharField(max_length=150, blank=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="renewal", first_day__isnull=True)
                | (models.Q(kind__in=["amount", "percent"], first_day__isnull=False)),
                name="insights_planned_change_has_a_day",
            )
        ]

    def __str__(self) -> str:
        return f"planned change {self.pk}"

    @property
    def amount(self) -> Decimal | None:
        return Decimal(self.amount_text) if self.amount_text else None

    @property
    def percent(self) -> Decimal | None:
        return Decimal(self.percent_text) if self.percent_text else None
