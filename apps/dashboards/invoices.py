"""The invoice tie-out as pages show it: all invoices, and one of them down to its charges."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.books.invoice_file import MOST_BYTES
from apps.books.invoice_rows import InvoiceRow, rows_on
from apps.books.invoices import ServiceLine, Sums, TiedInvoice, sums, tie_out
from apps.finops.sheets import BadSheet
from apps.marts.models import Publication
from apps.marts.selectors import publication

MOST_ROWS = 500
MOST_CHARGES = 100
STATUSES: dict[str, Promise] = {
    "matched": gettext_lazy("matched"),
    "rounded": gettext_lazy("matched, but for rounding"),
    "different": gettext_lazy("different"),
    "not uploaded": gettext_lazy("invoice not uploaded"),
    "no charges": gettext_lazy("no charges"),
    "no invoice id": gettext_lazy("charges without invoice id"),
}


@dataclass(frozen=True)
class InvoicesPage:
    """The page: the sums by currency, and every invoice with the words for its status."""

    publication: Publication
    sums: tuple[Sums, ...]
    rows: tuple[tuple[str, TiedInvoice], ...]
    more: int


def page() -> InvoicesPage:
    """Invoices against the charges of the newest publication."""
    pinned = publication()
    tied = _tied(pinned)
    return InvoicesPage(
        publication=pinned,
        sums=tuple(sums(tied)),
        rows=tuple((str(STATUSES[one.status]), one) for one in tied[:MOST_ROWS]),
        more=max(0, len(tied) - MOST_ROWS),
    )


def _tied(pinned: Publication) -> list[TiedInvoice]:
    return tie_out(pinned) if "charges" in pinned.versions else []


@dataclass(frozen=True)
class InvoicePage:
    """One invoice: its services with the words for their status, and its largest charges, of one service if chosen."""

    publication: Publication
    invoice: TiedInvoice
    status: str
    services: tuple[tuple[str, ServiceLine], ...]
    is_by_service: bool
    service: str | None
    charges: tuple[InvoiceRow, ...]
    more: int


def invoice_page(invoice_id: str, account: str, currency: str, service: str | None) -> InvoicePage | None:
    """One invoice against the charges of the newest publication; None where there is neither."""
    pinned = publication()
    key = (invoice_id, account, currency)
    found = next((one for one in _tied(pinned) if (one.invoice_id, one.account, one.currency) == key), None)
    if found is None:
        return None
    rows, count = rows_on(pinned, *key, service=service, limit=MOST_CHARGES)
    return InvoicePage(
        publication=pinned,
        invoice=found,
        status=str(STATUSES[found.status]),
        services=tuple((str(STATUSES[line.status]) if line.status else "", line) for line in found.services),
        is_by_service=any(line.status for line in found.services),
        service=service,
        charges=tuple(rows),
        more=count - len(rows),
    )


def brought(request: HttpRequest) -> tuple[str, bytes]:
    """The name and content of the file somebody brought."""
    file: Any = request.FILES.get("file")
    if file is None:
        raise BadSheet(_("Choose a file."))
    return str(file.name), file.read(MOST_BYTES + 1)
