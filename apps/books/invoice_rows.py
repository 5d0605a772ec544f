"""The charges on an invoice, one by one, each with the file and line it came from."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import ibis

from apps.books.versions import pinned_version
from apps.finops.focus import COST_METRICS
from apps.finops.tables import CHARGES
from apps.ingest.lines import places
from apps.ingest.models import LandedFile
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import count_of, rows_of

BASES = ("billed_cost", "effective_cost", "contracted_cost", "list_cost")
"""The four costs from what is paid to what it would be without any discount."""


@dataclass(frozen=True)
class InvoiceRow:
    """A charge; `place` is empty where its file is gone."""

    place: str
    day: date
    service: str
    resource: str
    category: str
    description: str
    billed: Decimal
    effective: Decimal
    contracted: Decimal
    listed: Decimal


def rows_on(
    pinned: Publication, invoice_id: str, account: str, currency: str, *, service: str | None, limit: int
) -> tuple[list[InvoiceRow], int]:
    """The charges of an invoice, or of one service on it, the largest first; and how many there are."""
    bill = lake.scan(CHARGES, at=pinned_version(CHARGES, pinned))
    bill = bill.filter(
        bill.InvoiceId.fill_null("") == invoice_id, bill.BillingAccountId == account, bill.BillingCurrency == currency
    )
    if service is not None:
        bill = bill.filter(bill.ServiceName.fill_null("") == service)
    told = bill.select(
        file_id=bill.x_FileId,
        row=bill.x_Row,
        day=bill.x_ChargeDay,
        service=bill.ServiceName.fill_null(""),
        resource=bill.ResourceId.fill_null(""),
        category=bill.ChargeCategory.fill_null(""),
        description=bill.ChargeDescription.fill_null(""),
        **{basis: bill[COST_METRICS[basis]].fill_null(0) for basis in BASES},
    )
    found = rows_of(told.order_by(ibis.desc(told.billed_cost.abs()), "day", "file_id", "row").limit(limit))
    where = _places({(row[0], row[1]) for row in found})
    return [InvoiceRow(where.get(row[:2], ""), *row[2:]) for row in found], count_of(told)


def _places(rows: set[tuple[str, int]]) -> dict[tuple[str, int], str]:
    """Where charges stand, by file and row, of the files that are known."""
    known = {f"f{key}" for key in LandedFile.objects.values_list("pk", flat=True)}
    return {
        (file_id, row): str(place)
        for file_id in {name for name, _ in rows} & known
        for row, place in places(file_id, [row for name, row in rows if name == file_id]).items()
    }
