"""What was charged on an invoice: its bill rows, with file and line."""

from dataclasses import dataclass
from decimal import Decimal

import ibis

from apps.finops.tables import CHARGES, MONEY
from apps.insights.behind import files_of
from apps.insights.explain import BillRow, placed
from apps.marts.selectors import publication
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, rows_of


@dataclass(frozen=True)
class Invoiced:
    """The charges that carry an invoice's id, account and currency: the largest, and what all of them come to."""

    invoice_id: str
    account: str
    currency: str
    publication: int
    total: Decimal
    bill_row_count: int
    bill_rows: tuple[BillRow, ...]


def invoiced(invoice_id: str, account: str, currency: str, *, as_of: int | None = None, limit: int = 50) -> Invoiced:
    """The bill rows of an invoice, in billed cost; of charges without an id where `invoice_id` is empty."""
    pinned = publication(as_of)
    bill = lake.scan(CHARGES, only=files_of(CHARGES, pinned))
    mine = bill.filter(
        bill.InvoiceId.fill_null("") == invoice_id, bill.BillingAccountId == account, bill.BillingCurrency == currency
    )
    told = mine.select(
        file_id=mine.x_FileId,
        row=mine.x_Row,
        day=mine.x_ChargeDay,
        resource=mine.ResourceId.fill_null(""),
        service=mine.ServiceName.fill_null(""),
        description=mine.ChargeDescription.fill_null(""),
        currency=mine.BillingCurrency,
        amount=mine.BilledCost.fill_null(0),
    )
    with Workspace() as workspace:
        kept = workspace.keep(told)
        ((total, count),) = rows_of(kept.aggregate(total=kept.amount.sum().cast(MONEY), count=kept.count()))
        largest = rows_of(kept.order_by(ibis.desc(kept.amount.abs()), "day", "file_id", "row").limit(limit))
    return Invoiced(invoice_id, account, currency, pinned.number, total or Decimal(0), count, placed(largest))
