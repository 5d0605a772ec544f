"""A paper as a workbook: amounts are numbers, text is never a formula, and no digit is lost."""

import io
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from apps.finops.cells import allowed, put_text
from apps.finops.money import plain
from apps.reports.papers.paper import Cell, Heading, Notice, Paper, Table, Total, Words

AMOUNT, WHOLE, DAY = "#,##0.00", "#,##0", "yyyy-mm-dd"
MOST_DIGITS = 15
"""A double holds any decimal of so many digits, and Excel shows no more."""
NARROW, WIDE = 12, 60
INK, MUTED, RULE, HEAD = "1F2733", "6B7585", "E8ECF2", "F3F5F8"
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\']")


def workbook(paper: Paper, *, created_at: datetime, exact: str) -> bytes:
    """The paper as XLSX: a first sheet that reads like the letter, then a sheet for each table.

    `exact` heads the columns that hold, as text, amounts that a double cannot.
    """
    book = Workbook()
    book.remove(book.worksheets[0])
    book.properties.creator = allowed(paper.company)
    book.properties.title = allowed(paper.subject)
    book.properties.created = book.properties.modified = created_at.replace(tzinfo=None)
    names: set[str] = set()
    _cover(book.create_sheet(_name(paper.title, names)), paper)
    for table in paper.tables:
        _fill(book.create_sheet(_name(table.name, names)), table, exact)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def is_held(amount: Decimal) -> bool:
    """Whether a double holds an amount to its last digit, as spreadsheets write it."""
    return len(plain(amount).replace(".", "").strip("-0")) <= MOST_DIGITS


def _name(text: str, taken: set[str]) -> str:
    """A name for a sheet: at most 31 characters, none of those Excel refuses, and no name twice."""
    base = _NOT_IN_TITLES.sub(" ", allowed(text)).strip()[:31] or "Sheet"
    name, number = base, 2
    while name.casefold() in taken:
        end = f" {number}"
        name, number = base[: 31 - len(end)] + end, number + 1
    taken.add(name.casefold())
    return name


def _cover(sheet: Worksheet, paper: Paper) -> None:
    sheet.column_dimensions["A"].width = 100
    sheet.sheet_view.showGridLines = False
    lines: list[tuple[str, Font]] = [
        (paper.company, Font(color=MUTED)),
        (paper.title, Font(bold=True, size=16, color=INK)),
        (paper.period, Font(color=MUTED)),
    ]
    for block in paper.blocks:
        if isinstance(block, Total):
            lines += [(f"{block.amount} {block.currency}", Font(bold=True, size=14)), (block.sentence, Font())]
        elif isinstance(block, Heading):
            lines.append((block.text, Font(bold=True)))
        elif isinstance(block, Words | Notice) and block.text:
            lines.append((block.text, Font()))
    lines += [(fact, Font(color=MUTED, size=9)) for fact in paper.facts]
    for place, (text, font) in enumerate(lines, start=1):
        put_text(sheet.cell(place, 1), text)
        sheet.cell(place, 1).font = font
        sheet.cell(place, 1).alignment = Alignment(wrap_text=True, vertical="top")


def _fill(sheet: Worksheet, table: Table, exact: str) -> None:
    rows = [*table.rows, *([table.total] if table.total else [])]
    noted = any(cell.note for row in rows for cell in row)
    inexact = [place for place in range(len(table.columns)) if any(not _fits(row[place]) for row in rows)]
    heads = [column.title for column in table.columns]
    heads += [f"{table.columns[place].title} ({exact})" for place in inexact]
    for place, head in enumerate(heads, start=1):
        put_text(sheet.cell(1, place), head)
        sheet.cell(1, place).font = Font(bold=True, color=INK)
        sheet.cell(1, place).fill = PatternFill("solid", fgColor=HEAD)
        is_number = place <= len(table.columns) and table.columns[place - 1].is_number
        sheet.cell(1, place).alignment = Alignment(horizontal="right" if is_number else "left")
    for number, row in enumerate(rows, start=2):
        _row(sheet, number, row, inexact)
        if row is table.total:
            for place in range(1, len(heads) + 1):
                sheet.cell(number, place).font = Font(bold=True)
                sheet.cell(number, place).border = Border(top=Side(style="thin", color=MUTED))
        if noted:
            put_text(sheet.cell(number, len(heads) + 1), "; ".join(cell.note for cell in row if cell.note))
    sheet.freeze_panes = "A2"
    _widen(sheet)


def _fits(cell: Cell) -> bool:
    return not isinstance(cell.value, Decimal) or is_held(cell.value)


def _row(sheet: Worksheet, number: int, row: Sequence[Cell], inexact: list[int]) -> None:
    for place, cell in enumerate(row, start=1):
        if cell.value is None:
            put_text(sheet.cell(number, place), "" if cell.text == "–" else cell.text)
            if cell.link:
                sheet.cell(number, place).hyperlink = cell.link
                sheet.cell(number, place).data_type = "s"
            continue
        target = sheet.cell(number, place)
        target.value = cell.value
        target.number_format = _format(cell.value)
    for extra, place in enumerate(inexact, start=len(row) + 1):
        value = row[place].value
        put_text(sheet.cell(number, extra), f"{value:f}" if isinstance(value, Decimal) else "")


def _format(value: Decimal | int | date) -> str:
    if isinstance(value, Decimal):
        return AMOUNT
    return WHOLE if isinstance(value, int) else DAY


def _widen(sheet: Worksheet) -> None:
    for place, column in enumerate(sheet.iter_cols(), start=1):
        longest = max((_width(str(cell.value)) for cell in column if cell.value is not None), default=0)
        sheet.column_dimensions[get_column_letter(place)].width = min(max(longest + 2, NARROW), WIDE)


def _width(text: str) -> int:
    """Chinese letters are two wide."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
