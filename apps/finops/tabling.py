"""A table as a workbook of one sheet, written fast: amounts are numbers, days are days, and text is never a formula."""

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from apps.finops.cells import allowed
from apps.finops.spreadsheets import cell as as_text

AMOUNT = "#,##0.00"
LONGEST = 32_767
"""Characters that a cell holds; what is beyond them is cut, as by every program that writes workbooks."""
_FORMATS = {
    "text": {"quote_prefix": True}, "amount": {"num_format": AMOUNT}, "day": {"num_format": "yyyy-mm-dd"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm:ss"}, "head": {"bold": True, "quote_prefix": True}, "plain": {},
}  # fmt: skip
"""The few styles of all cells, made once. A quoted cell stays text also for whoever edits it."""
_AS_IT_IS = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def as_workbook(name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """The bytes of a workbook with a header row that stays in sight. Numbers have the 16 digits that Excel knows."""
    import xlsxwriter  # most who import this write no workbook

    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, _AS_IT_IS)
    styles = {kind: book.add_format(told) for kind, told in _FORMATS.items()}
    sheet = book.add_worksheet(name)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, allowed(column), styles["head"])
    for line, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            _fill(sheet, line, place, value, styles)
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _fill(sheet: Any, line: int, place: int, value: Any, styles: dict[str, Any]) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | Decimal | float):
        sheet.write_number(line, place, value, styles["plain" if isinstance(value, int) else "amount"])
    elif isinstance(value, datetime):
        naive = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value  # Excel knows no zones
        sheet.write_datetime(line, place, naive, styles["moment"])
    elif isinstance(value, date):
        sheet.write_datetime(line, place, value, styles["day"])
    elif value is not None:
        text = value if isinstance(value, str) else as_text(value)
        sheet.write_string(line, place, allowed(text)[:LONGEST], styles["text"])
