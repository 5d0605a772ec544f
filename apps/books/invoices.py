"""Invoices tied to their charges: matched, unmatched, and the difference, down to zero."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from django.db import transaction

from apps.books.invoice_file import read
from apps.books.models import Invoice
from apps.books.services import note
from apps.books.versions import pinned_version
from apps.finops.money import add_up
from apps.finops.tables import CHARGES, MONEY
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

Status = Literal["matched", "rounded", "different", "not uploaded", "no charges", "no invoice id"]
CENT = Decimal("0.01")
_EXACT = Context(prec=80)
_ZERO = Decimal(0)
Key = tuple[str, str, str]
"""(InvoiceId, BillingAccountId, currency)."""


@dataclass(frozen=True)
class ServiceLine:
    """What the charges of one service on an invoice add up to."""

    service: str
    charges: int
    billed: Decimal
    billed_tax: Decimal


@dataclass(frozen=True)
class TiedInvoice:
    """One invoice and its charges. `date`, `total` and `tax` are None where no invoice was uploaded."""

    invoice_id: str
    account: str
    currency: str
    date: date | None
    total: Decimal | None
    tax: Decimal | None
    services: tuple[ServiceLine, ...]

    @property
    def charges(self) -> int:
        return sum(line.charges for line in self.services)

    @property
    def billed(self) -> Decimal:
        """BilledCost of all charges, tax among it."""
        return add_up(line.billed for line in self.services)

    @property
    def expected(self) -> Decimal:
        """What the charges should add up to: the total, less its tax where the bill carries no tax at all."""
        total, tax = self.total or _ZERO, self.tax or _ZERO
        has_tax = any(line.billed_tax for line in self.services)
        return total if has_tax or not self.services else add_up([total, tax.copy_negate()])

    @property
    def difference(self) -> Decimal:
        return add_up([self.billed, self.expected.copy_negate()])

    @property
    def status(self) -> Status:
        if not self.invoice_id:
            return "no invoice id"
        if self.total is None:
            return "not uploaded"
        if not self.services:
            return "no charges"
        if not self.difference:
            return "matched"
        cents = self.billed.quantize(CENT, rounding=ROUND_HALF_UP, context=_EXACT)
        return "rounded" if cents == self.expected else "different"

    @property
    def is_matched(self) -> bool:
        return self.status in ("matched", "rounded")


@dataclass(frozen=True)
class Sums:
    """One currency: what is billed on matched invoices, what elsewhere, and what all charges differ from invoices."""

    currency: str
    matched: Decimal
    unmatched: Decimal
    difference: Decimal


def tie_out(pinned: Publication) -> list[TiedInvoice]:
    """Every invoice uploaded, and every InvoiceId charged: what does not match first, the largest difference first."""
    lines: dict[Key, list[ServiceLine]] = defaultdict(list)
    bill = lake.scan(CHARGES, at=pinned_version(CHARGES, pinned))
    told = bill.select(
        invoice=bill.InvoiceId.fill_null(""), account=bill.BillingAccountId, currency=bill.BillingCurrency,
        service=bill.ServiceName.fill_null(""), billed=bill.BilledCost.fill_null(0),
        is_tax=bill.ChargeCategory == "Tax",
    )  # fmt: skip
    summed = told.group_by("invoice", "account", "currency", "service").aggregate(
        charges=told.count(),
        billed=told.billed.sum().cast(MONEY),
        billed_tax=told.billed.sum(where=told.is_tax).fill_null(0).cast(MONEY),
    )
    for invoice, account, currency, *rest in rows_of(summed.order_by("invoice", "account", "currency", "service")):
        lines[invoice, account, currency].append(ServiceLine(*rest))
    uploaded = {(one.invoice_id, one.account, one.currency): one for one in Invoice.objects.all()}
    tied = [_tied(key, uploaded.get(key), lines.get(key, [])) for key in lines.keys() | uploaded.keys()]
    return sorted(
        tied, key=lambda one: (one.is_matched, -abs(one.difference), one.invoice_id, one.account, one.currency)
    )


def _tied(key: Key, invoice: Invoice | None, lines: list[ServiceLine]) -> TiedInvoice:
    if invoice is None:
        return TiedInvoice(*key, None, None, None, tuple(lines))
    return TiedInvoice(*key, invoice.date, invoice.total, invoice.tax, tuple(lines))


def sums(tied: list[TiedInvoice]) -> list[Sums]:
    """The sums by currency; currencies are never added."""
    found = []
    for currency in sorted({one.currency for one in tied}):
        mine = [one for one in tied if one.currency == currency]
        found.append(
            Sums(
                currency,
                matched=add_up(one.billed for one in mine if one.is_matched),
                unmatched=add_up(one.billed for one in mine if not one.is_matched),
                difference=add_up(one.difference for one in mine),
            )
        )
    return found


def import_invoices(content: bytes, *, name: str, by: str, now: datetime) -> tuple[int, int]:
    """Take the invoices of a CSV file, all or none; how many are new, and how many say otherwise than before."""
    lines = read(content)
    new = changed = 0
    with transaction.atomic():
        known = {(one.invoice_id, one.account, one.currency): one for one in Invoice.objects.all()}
        for line in lines:
            held = known.get(line.key)
            if held and (held.total, held.tax, held.date) == (line.total, line.tax, line.date):
                continue
            new, changed = new + (held is None), changed + (held is not None)
            Invoice.objects.update_or_create(
                invoice_id=line.invoice_id, account=line.account, currency=line.currency,
                defaults={
                    "total_text": f"{line.total:f}", "tax_text": f"{line.tax:f}", "date": line.date,
                    "imported_at": now, "imported_by": by,
                },
            )  # fmt: skip
        note("imported invoices", name[:120], by=by, now=now, outcome=f"{new} new, {changed} changed")
    return new, changed
