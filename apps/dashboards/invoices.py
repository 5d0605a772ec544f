"""The invoice tie-out as a page shows it."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.books.invoice_file import MOST_BYTES, BadInvoices
from apps.books.invoices import Sums, TiedInvoice, sums, tie_out
from apps.marts.models import Publication
from apps.marts.selectors import publication

MOST_ROWS = 500
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
    unmatched: int


def page() -> InvoicesPage:
    """Invoices against the charges of the newest publication."""
    pinned = publication()
    tied = tie_out(pinned) if "charges" in pinned.versions else []
    return InvoicesPage(
        publication=pinned,
        sums=tuple(sums(tied)),
        rows=tuple((str(STATUSES[one.status]), one) for one in tied[:MOST_ROWS]),
        more=max(0, len(tied) - MOST_ROWS),
        unmatched=sum(not one.is_matched for one in tied),
    )


def brought(request: HttpRequest) -> tuple[str, bytes]:
    """The name and content of the file somebody brought."""
    file: Any = request.FILES.get("file")
    if file is None:
        raise BadInvoices(_("Choose a file."))
    return str(file.name), file.read(MOST_BYTES + 1)
