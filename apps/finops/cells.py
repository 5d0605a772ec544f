"""Text in workbooks: what is a name here is no formula there, also for whoever edits it."""

from typing import Any

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE


def allowed(text: str) -> str:
    """The text without the characters a workbook cannot hold."""
    return str(ILLEGAL_CHARACTERS_RE.sub("", text))


def put_text(cell: Any, text: str) -> None:
    """Text into a cell, marked as such: `=1+1` stays four signs."""
    cell.value = allowed(text)
    cell.data_type = "s"
    cell.quotePrefix = True
