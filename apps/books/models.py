"""Closed months, invoices, and the trail of who did what, when and why."""

from decimal import Decimal
from typing import Any

from django.db import models

from apps.books.invoice_file import InvoiceLine, ServiceSum
from apps.marts.models import Publication

GENESIS = "0" * 64
"""What the first statement is chained to."""


class Close(models.Model):
    """A closed month: never changed, never deleted.

    `publication` is what the month is stated from. `entries` are the adjusting entries booked in this month for earlier
    ones, as `statement.Entry` says them, amounts as text. `objections` are what spoke against closing when it was
    forced, `reason` why it was. `sha256` is of the statement's JSON, which holds `previous_sha256` and `csv_sha256`.
    """

    number = models.PositiveIntegerField(unique=True)
    month = models.CharField(max_length=7, unique=True)
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="closes")
    entries = models.JSONField(default=list)
    closed_at = models.DateTimeField()
    closed_by = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    objections = models.JSONField(default=list)
    previous_sha256 = models.CharField(max_length=64)
    csv_sha256 = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)

    class Meta:
        permissions = [("close_month", "Can close a month")]

    def __str__(self) -> str:
        return f"{self.month}, closed"


class TrailEntry(models.Model):
    """One action on the books: who, when, what, on what, and why. Rows are only ever added."""

    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=30)
    subject = models.CharField(max_length=120)
    why = models.TextField(blank=True)
    outcome = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "trail entries"
        indexes = [models.Index(fields=["subject", "at"], name="books_trail_subject")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class Invoice(models.Model):
    """An invoice as somebody uploaded it: what is payable, and the tax in it; amounts as text, for they are exact.

    `services`: service → [total, tax], where it was told by service.
    """

    invoice_id = models.CharField(max_length=200)
    account = models.CharField(max_length=200)
    currency = models.CharField(max_length=20)
    total_text = models.CharField(max_length=45)
    tax_text = models.CharField(max_length=45)
    services = models.JSONField(default=dict)
    date = models.DateField()
    imported_at = models.DateTimeField()
    imported_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice_id", "account", "currency"], name="books_invoice_once")]

    def __str__(self) -> str:
        return f"{self.invoice_id} of {self.account}"

    @property
    def total(self) -> Decimal:
        return Decimal(self.total_text)

    @property
    def tax(self) -> Decimal:
        return Decimal(self.tax_text)

    @property
    def services_told(self) -> dict[str, ServiceSum]:
        """What it says of each service; empty where it does not."""
        return {name: ServiceSum(Decimal(total), Decimal(tax)) for name, (total, tax) in self.services.items()}

    def says(self, line: InvoiceLine) -> bool:
        """Whether a line of a file says the same."""
        mine = (self.total, self.tax, self.date, self.services_told)
        return mine == (line.total, line.tax, line.date, line.services)

    @staticmethod
    def told(line: InvoiceLine) -> dict[str, Any]:
        """What a line of a file says, as it is kept."""
        services = {name: [f"{one.total:f}", f"{one.tax:f}"] for name, one in line.services.items()}
        return {"total_text": f"{line.total:f}", "tax_text": f"{line.tax:f}", "date": line.date, "services": services}
