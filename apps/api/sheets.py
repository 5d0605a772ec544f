"""Answers as a workbook: amounts are numbers, and text is never a formula."""

from collections.abc import Mapping
from typing import Any

from rest_framework import renderers

from apps.api.renderers import rows_of
from apps.finops.tabling import as_workbook


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
        return as_workbook("rows", columns, ([row[name] for name in columns] for row in rows))
