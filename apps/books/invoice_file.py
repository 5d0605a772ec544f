"""Reading a CSV of invoices: all of it, or an error that names line and column."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount

COLUMNS = ("invoice_id", "account", "currency", "total", "tax", "date")
MOST_BYTES = 10_000_000
MOST_TEXT = 200


class BadInvoices(CostOpsError):
    """The file cannot be taken; nothing of it was."""


@dataclass(frozen=True)
class InvoiceLine:
    """One line of the file."""

    invoice_id: str
    account: str
    currency: str
    total: Decimal
    tax: Decimal
    date: date

    @property
    def key(self) -> tuple[str, str, str]:
        return self.invoice_id, self.account, self.currency


def read(content: bytes) -> list[InvoiceLine]:
    """The invoices of a file: UTF-8, comma-separated, the columns of COLUMNS in any order; an empty tax is zero."""
    if len(content) > MOST_BYTES:
        raise BadInvoices(f"The file is larger than {MOST_BYTES:,} bytes; split it.")
    try:
        text = content.decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except UnicodeDecodeError as wrong:
        raise BadInvoices(f"The file is not UTF-8 (byte {wrong.start + 1}); save it as CSV UTF-8.") from wrong
    except csv.Error as wrong:
        raise BadInvoices(f"The file is not CSV: {wrong}.") from wrong
    header = [name.strip() for name in rows[0]] if rows else []
    if sorted(header) != sorted(COLUMNS):
        raise BadInvoices(f"Line 1 names the columns {', '.join(header) or 'none'}; needed are {', '.join(COLUMNS)}.")
    lines = [_line(number, header, row) for number, row in enumerate(rows[1:], 2) if any(row)]
    seen: set[tuple[str, str, str]] = set()
    for line in lines:
        if line.key in seen:
            raise BadInvoices(f"Invoice {line.invoice_id} of account {line.account} stands in the file twice.")
        seen.add(line.key)
    return lines


def _line(number: int, header: list[str], row: list[str]) -> InvoiceLine:
    if len(row) != len(header):
        raise BadInvoices(f"Line {number} has {len(row)} cells; line 1 has {len(header)}.")
    cells = {name: cell.strip() for name, cell in zip(header, row, strict=True)}
    for name in ("invoice_id", "account", "currency"):
        if not 0 < len(cells[name]) <= MOST_TEXT or not cells[name].isprintable():
            raise BadInvoices(f"Line {number}, {name}: needs a text of at most {MOST_TEXT} characters.")
    try:
        day = date.fromisoformat(cells["date"])
    except ValueError:
        raise BadInvoices(f"Line {number}, date: {cells['date']!r} is not a date as 2026-10-31.") from None
    total, tax = (_amount(number, name, cells[name]) for name in ("total", "tax"))
    return InvoiceLine(cells["invoice_id"], cells["account"], cells["currency"].upper(), total, tax, day)


def _amount(number: int, name: str, text: str) -> Decimal:
    try:
        amount, was_rounded = parse_amount(text or "0") if text or name == "tax" else parse_amount(text)
    except NotAnAmount:
        raise BadInvoices(f"Line {number}, {name}: {text!r} is not a plain amount such as 1234.50.") from None
    if was_rounded:
        raise BadInvoices(f"Line {number}, {name}: {text!r} has more than twelve decimals.")
    return amount
