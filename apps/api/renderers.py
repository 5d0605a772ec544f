"""Answers as JSON and as CSV: amounts exact, text harmless in a spreadsheet."""

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from rest_framework import renderers

from apps.finops.spreadsheets import cell


class JsonRenderer(renderers.JSONRenderer):
    """JSON with exact amounts as text, written fast: an answer may hold fifty thousand rows."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_json_value, option=orjson.OPT_UTC_Z)


def _json_value(value: Any) -> str:
    """Decimals as plain digits (`str` would write a zero as `0E-12`), and sentences not yet translated."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class ProblemRenderer(JsonRenderer):
    """A failure (RFC 9457)."""

    media_type = "application/problem+json"
    format = "problem"


def rows_of(data: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The rows of an answer; a single thing, which may count rows, is one."""
    rows = data.get("rows")
    return rows if isinstance(rows, list) else [data]


class CsvRenderer(renderers.BaseRenderer):
    """The rows of an answer as CSV (RFC 4180), with a header row; a single thing is one row."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        rows = rows_of(data)
        columns = (renderer_context or {}).get("columns") or (list(rows[0]) if rows else [])
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows([cell(row[column]) for column in columns] for row in rows)
        return out.getvalue()
