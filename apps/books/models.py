"""Closed months, invoices, disputes, and the trail of who did what, when and why."""

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
    ones, as `statement.Entry` says them, amounts as text; `manual` says of those that people booked who did and why, as
    `manual.document`. `objections` are what spoke against closing when it was forced, `reason` why it was. `sha256` is
    of the statement's JSON, which holds `previous_sha256` and `csv_sha256`.
    """

    number = models.PositiveIntegerField(unique=True)
    month = models.CharField(max_length=7, unique=True)
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="closes")
    entries = models.JSONField(default=list)
    manual = models.JSONField(default=list)
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


class Dispute(models.Model):
    """A number that a team does not accept, and how far it has come.

    `cell` is the question as `marts.cell.parameters` says it; it names one team and the publication, so that what is
    disputed stays the same. `amount_text` is what the publication says of it, in `currency`, exact. `settled_by` says
    what changed when it was settled.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"
        SETTLED = "settled", "Settled"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Settlement(models.TextChoices):
        ENTRY = "entry", "An adjusting entry"
        RULE = "rule", "Other rules"
        RESTATEMENT = "restatement", "A restatement"

    team = models.CharField(max_length=60)
    cell = models.JSONField()
    publication = models.ForeignKey(Publication, models.PROTECT, related_name="disputes")
    amount_text = models.CharField(max_length=45)
    currency = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    settled_by = models.CharField(max_length=12, choices=Settlement, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=150)

    class Meta:
        permissions = [("answer_dispute", "Can answer disputes")]
        indexes = [models.Index(fields=["team", "state"], name="books_dispute_team")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state="settled") ^ models.Q(settled_by=""), name="books_dispute_settled_by_something"
            )
        ]

    def __str__(self) -> str:
        return f"dispute {self.pk} of {self.team}"

    @property
    def amount(self) -> Decimal:
        return Decimal(self.amount_text)


class DisputeRemark(models.Model):
    """One thing said or done about a dispute. Rows are only ever added."""

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="remarks")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    action = models.CharField(max_length=10)
    text = models.TextField()

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"


class ManualEntry(models.Model):
    """Cost that finance moved from one team to another; never changed, never deleted, undone only by its opposite.

    It adjusts `original_month`, on all four cost bases alike, and is booked in the month that is open: `close` is the
    closed month whose statement holds it, empty until then.
    """

    from_team = models.CharField(max_length=60)
    to_team = models.CharField(max_length=60)
    amount_text = models.CharField(max_length=45)
    currency = models.CharField(max_length=20)
    original_month = models.CharField(max_length=7)
    service = models.CharField(max_length=200, blank=True)
    reason = models.TextField()
    dispute = models.ForeignKey(Dispute, models.PROTECT, null=True, blank=True, related_name="entries")
    booked_at = models.DateTimeField()
    booked_by = models.CharField(max_length=150)
    close = models.ForeignKey(Close, models.PROTECT, null=True, blank=True, related_name="manual_entries")

    class Meta:
        verbose_name_plural = "manual entries"
        permissions = [("book_entry", "Can book adjusting entries")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(from_team=models.F("to_team")), name="books_manual_entry_has_two_sides"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="books_manual_entry_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"entry {self.pk}: {self.amount_text} {self.currency} from {self.from_team} to {self.to_team}"

    @property
    def amount(self) -> Decimal:
        return Decimal(self.amount_text)
