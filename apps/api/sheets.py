"""Answers as a workbook: amounts are numbers, and text is never a formula."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell, MergedCell
from openpyxl.styles import Font
from rest_framework import renderers

from apps.api.renderers import rows_of
from apps.finops.cells import put_text
from apps.finops.spreadsheets import cell as as_text

AMOUNT = "#,##0.00"


class XlsxRenderer(renderers.BaseRenderer):
    """The rows of an answer as the one sheet of an Excel workbook, with a header row that stays in sight."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    format = "xlsx"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        rows = rows_of(data)
        columns = (renderer_context or {}).get("columns") or (list(rows[0]) if rows else [])
        book = Workbook()
        book.remove(book.worksheets[0])
        sheet = book.create_sheet("rows")
        for place, name in enumerate(columns, start=1):
            sheet.cell(1, place, name).font = Font(bold=True)
        for line, row in enumerate(rows, start=2):
            for place, name in enumerate(columns, start=1):
                _fill(sheet.cell(line, place), row[name])
        sheet.freeze_panes = "A2"
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()


def _fill(cell: Cell | MergedCell | Any, value: Any) -> None:
    """One value; text stays text."""
    if isinstance(value, datetime):
        cell.value = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value  # Excel knows no zones
    elif isinstance(value, str | list | dict):
        put_text(cell, value if isinstance(value, str) else as_text(value))
    else:
        cell.value = value
        if cell.data_type == "n" and not isinstance(value, int | None):
            cell.number_format = AMOUNT
