"""Invoices tied to their charges: matched, unmatched, and the difference, down to zero, by invoice and by service."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Literal

from django.db import transaction

from apps.books.invoice_file import ServiceSum, read
from apps.books.invoice_rows import BASES
from apps.books.models import Invoice
from apps.books.services import note
from apps.books.versions import pinned_version
from apps.finops.focus import COST_METRICS
from apps.finops.money import add_up, less
from apps.finops.tables import CHARGES, COSTS, MONEY
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

Status = Literal["matched", "rounded", "different", "not uploaded", "no charges", "no invoice id"]
CENT = Decimal("0.01")
_EXACT = Context(prec=80)
_ZERO = Decimal(0)
Key = tuple[str, str, str]
"""(InvoiceId, BillingAccountId, currency)."""


def is_rounded(billed: Decimal, expected: Decimal) -> bool:
    """Whether what is charged is what is expected once it is rounded to cents, half up, as invoices are."""
    return billed.quantize(CENT, rounding=ROUND_HALF_UP, context=_EXACT) == expected


@dataclass(frozen=True)
class ServiceLine:
    """One service on an invoice: its charges in the four bases, and what the invoice says of it, where it does.

    `expected` is what its charges should add up to, None where the invoice is not told by service.
    """

    service: str
    charges: int
    billed: Decimal
    effective: Decimal
    contracted: Decimal
    listed: Decimal
    billed_tax: Decimal
    expected: Decimal | None = None

    @property
    def difference(self) -> Decimal | None:
        return None if self.expected is None else less(self.billed, self.expected)

    @property
    def status(self) -> Status | None:
        if self.expected is None:
            return None
        if not self.difference:
            return "matched"
        return "rounded" if is_rounded(self.billed, self.expected) else "different"


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

    def sum_of(self, name: str) -> Decimal:
        return add_up(getattr(line, name) for line in self.services)

    @property
    def billed(self) -> Decimal:
        """BilledCost of all charges, tax among it."""
        return self.sum_of("billed")

    @property
    def effective(self) -> Decimal:
        return self.sum_of("effective")

    @property
    def contracted(self) -> Decimal:
        return self.sum_of("contracted")

    @property
    def listed(self) -> Decimal:
        return self.sum_of("listed")

    @property
    def expected(self) -> Decimal:
        """What the charges should add up to: the total, less its tax where the bill carries no tax at all."""
        return _due(self.total or _ZERO, self.tax or _ZERO, has_tax=_has_tax(self.services) or not self.charges)

    @property
    def difference(self) -> Decimal:
        return less(self.billed, self.expected)

    @property
    def status(self) -> Status:
        if not self.invoice_id:
            return "no invoice id"
        if self.total is None:
            return "not uploaded"
        if not self.charges:
            return "no charges"
        if not self.difference:
            return "matched"
        return "rounded" if is_rounded(self.billed, self.expected) else "different"

    @property
    def is_matched(self) -> bool:
        return self.status in ("matched", "rounded")


def _has_tax(lines: Iterable[ServiceLine]) -> bool:
    return any(line.billed_tax for line in lines)


def _due(total: Decimal, tax: Decimal, *, has_tax: bool) -> Decimal:
    return total if has_tax else less(total, tax)


@dataclass(frozen=True)
class Sums:
    """One currency: what is billed on matched invoices, and what elsewhere; and by how much charges differ from
    invoices, which never cancels out: an id that was mistyped is charged without invoice and invoiced without charge.

    `over` is what is charged more than invoiced, `under` what less, of those that do not match: `open` counts them,
    `awaited` those of them that nobody uploaded yet. `rounding` is by how much the others are rounded to cents.
    """

    currency: str
    matched: Decimal
    unmatched: Decimal
    over: Decimal
    under: Decimal
    rounding: Decimal
    open: int
    awaited: int

    @property
    def apart(self) -> Decimal:
        """What does not match, in either direction."""
        return add_up((self.over, self.under))

    @property
    def difference(self) -> Decimal:
        """What charges and invoices differ by, be it but by rounding."""
        return add_up((self.apart, self.rounding))


def tie_out(pinned: Publication) -> list[TiedInvoice]:
    """Every invoice uploaded, and every InvoiceId charged: what does not match first, the largest difference first."""
    lines = _charged(pinned)
    uploaded = {(one.invoice_id, one.account, one.currency): one for one in Invoice.objects.all()}
    tied = [_tied(key, uploaded.get(key), lines.get(key, {})) for key in lines.keys() | uploaded.keys()]
    return sorted(tied, key=place_of)


def place_of(one: TiedInvoice) -> tuple[bool, Decimal, str, str, str]:
    return one.is_matched, -abs(one.difference), one.invoice_id, one.account, one.currency


def _charged(pinned: Publication) -> dict[Key, dict[str, ServiceLine]]:
    """What is charged of every invoice, by service."""
    bill = lake.scan(CHARGES, at=pinned_version(CHARGES, pinned))
    told = bill.select(
        invoice=bill.InvoiceId.fill_null(""), account=bill.BillingAccountId, currency=bill.BillingCurrency,
        service=bill.ServiceName.fill_null(""), is_tax=bill.ChargeCategory == "Tax",
        **{basis: bill[COST_METRICS[basis]].fill_null(0) for basis in COSTS},
    )  # fmt: skip
    summed = told.group_by("invoice", "account", "currency", "service").aggregate(
        charges=told.count(),
        **{basis: told[basis].sum().cast(MONEY) for basis in BASES},
        billed_tax=told.billed_cost.sum(where=told.is_tax).fill_null(0).cast(MONEY),
    )
    lines: dict[Key, dict[str, ServiceLine]] = defaultdict(dict)
    for invoice, account, currency, *rest in rows_of(summed.order_by("invoice", "account", "currency", "service")):
        lines[invoice, account, currency][rest[0]] = ServiceLine(*rest)
    return lines


def _tied(key: Key, invoice: Invoice | None, lines: Mapping[str, ServiceLine]) -> TiedInvoice:
    if invoice is None:
        return TiedInvoice(*key, None, None, None, tuple(lines.values()))
    services = _told_by_service(lines, invoice.services_told)
    return TiedInvoice(*key, invoice.date, invoice.total, invoice.tax, services)


def _told_by_service(lines: Mapping[str, ServiceLine], told: Mapping[str, ServiceSum]) -> tuple[ServiceLine, ...]:
    """The charges by service beside what the invoice says of each; nothing is expected of a service it leaves out."""
    if not told:
        return tuple(lines.values())
    has_tax = _has_tax(lines.values())
    found = []
    for service in sorted(lines.keys() | told.keys()):
        said = told.get(service, ServiceSum(_ZERO, _ZERO))
        line = lines.get(service, ServiceLine(service, 0, *[_ZERO] * 5))
        found.append(replace(line, expected=_due(said.total, said.tax, has_tax=has_tax or not lines)))
    return tuple(found)


def sums(tied: list[TiedInvoice]) -> list[Sums]:
    """The sums by currency; currencies are never added."""
    found = []
    for currency in sorted({one.currency for one in tied}):
        mine = [one for one in tied if one.currency == currency]
        matched = [one for one in mine if one.is_matched]
        apart = [one.difference for one in mine if not one.is_matched]
        found.append(
            Sums(
                currency,
                matched=add_up(one.billed for one in matched),
                unmatched=add_up(one.billed for one in mine if not one.is_matched),
                over=add_up(amount for amount in apart if amount > 0),
                under=add_up(amount.copy_negate() for amount in apart if amount < 0),
                rounding=add_up(one.difference.copy_abs() for one in matched),
                open=len(apart),
                awaited=sum(one.status == "not uploaded" for one in mine),
            )
        )
    return found


def import_invoices(content: bytes, *, name: str, by: str, now: datetime) -> tuple[int, int]:
    """Take the invoices of a CSV file, all or none; how many are new, and how many say otherwise than before.

    A file that says nothing new leaves no trace.
    """
    lines = read(content, name=name)
    new = changed = 0
    with transaction.atomic():
        known = {(one.invoice_id, one.account, one.currency): one for one in Invoice.objects.all()}
        for line in lines:
            held = known.get(line.key)
            if held and held.says(line):
                continue
            new, changed = new + (held is None), changed + (held is not None)
            Invoice.objects.update_or_create(
                invoice_id=line.invoice_id, account=line.account, currency=line.currency,
                defaults=Invoice.told(line) | {"imported_at": now, "imported_by": by},
            )  # fmt: skip
        if new or changed:
            note("imported invoices", name[:120], by=by, now=now, outcome=f"{new} new, {changed} changed")
    return new, changed
