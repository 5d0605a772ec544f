"""Reading a CSV of invoices: all of it, or an error that names every wrong cell."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from apps.finops.money import add_up
from apps.finops.sheets import Wrong, WrongCell, amount, day, refuse, words
from apps.finops.sheets import read as read_sheet

COLUMNS = ("invoice_id", "account", "currency", "total", "tax", "date")
SERVICE = "service"
"""The column of an invoice that stands in several lines, one per service."""
MOST_BYTES = 10_000_000
MOST_TEXT, CURRENCY_TEXT = 200, 20


@dataclass(frozen=True)
class ServiceSum:
    """What an invoice says of one service: `total` is payable, `tax` the tax in it."""

    total: Decimal
    tax: Decimal


@dataclass(frozen=True)
class InvoiceLine:
    """One invoice of the file; `services` where it is told by service."""

    invoice_id: str
    account: str
    currency: str
    total: Decimal
    tax: Decimal
    date: date
    services: dict[str, ServiceSum] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        return self.invoice_id, self.account, self.currency


Row = tuple[int, InvoiceLine, str | None]
"""Line, what it says, and the service it is about."""


def read(content: bytes, *, name: str) -> list[InvoiceLine]:
    """The invoices of a file with the columns of COLUMNS, and `service` if it tells them by service; an empty tax is
    zero. Lines of one invoice, of different services, add up to it."""
    rows = read_sheet(content, name=name, headers=[COLUMNS, (*COLUMNS, SERVICE)], row=_row, most_bytes=MOST_BYTES)
    refuse(name, _repeats(rows))
    by_key: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        by_key.setdefault(row[1].key, []).append(row)
    return [_together(mine) for mine in by_key.values()]


def _row(line: int, cells: dict[str, str]) -> Row:
    invoice, account = (words(cells, column, most=MOST_TEXT) for column in ("invoice_id", "account"))
    currency = words(cells, "currency", most=CURRENCY_TEXT).upper()
    tax = amount(cells, "tax") if cells["tax"] else Decimal(0)
    if SERVICE in cells and len(cells[SERVICE]) > MOST_TEXT:
        raise WrongCell(SERVICE, f"is longer than {MOST_TEXT} characters")
    return (
        line,
        InvoiceLine(invoice, account, currency, amount(cells, "total"), tax, day(cells, "date")),
        cells.get(SERVICE),
    )


def _repeats(rows: list[Row]) -> list[Wrong]:
    """The lines that say again what an earlier one said, or give an invoice another date."""
    firsts: dict[tuple[str, ...], int] = {}
    dates: dict[tuple[str, str, str], date] = {}
    wrong = []
    for line, one, service in rows:
        key = (*one.key, "" if service is None else service)
        first = firsts.setdefault(key, line)
        if first != line:
            wrong.append(
                Wrong(line, f"column invoice_id: {one.invoice_id} of account {one.account} stands on line {first}")
            )
        elif dates.setdefault(one.key, one.date) != one.date:
            wrong.append(Wrong(line, f"column date: another line of {one.invoice_id} says {dates[one.key]}"))
    return wrong


def _together(rows: list[Row]) -> InvoiceLine:
    """The lines of one invoice as one."""
    first = rows[0][1]
    return InvoiceLine(
        *first.key,
        add_up(one.total for _, one, _ in rows),
        add_up(one.tax for _, one, _ in rows),
        first.date,
        {service: ServiceSum(one.total, one.tax) for _, one, service in rows if service is not None},
    )
