"""Answers as JSON and as CSV: amounts exact, text harmless in a spreadsheet."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from rest_framework import renderers

FORMULA_STARTS = tuple("=+-@\t\r\n\x00＝＋－＠")  # half and full width


class JsonRenderer(renderers.JSONRenderer):
    """JSON with exact amounts as text, written fast: an answer may hold fifty thousand rows."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        return b"" if data is None else orjson.dumps(data, default=_json_value, option=orjson.OPT_UTC_Z)


def _json_value(value: Any) -> str:
    """Decimals as plain digits (`str` would write a zero as `0E-12`), and sentences not yet translated."""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


class CsvRenderer(renderers.BaseRenderer):
    """The rows of an answer as CSV (RFC 4180), with a header row; a single thing is one row."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        rows = data.get("rows", [data])
        columns = (renderer_context or {}).get("columns") or (list(rows[0]) if rows else [])
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows([cell(row[column]) for column in columns] for row in rows)
        return out.getvalue()


def cell(value: Any) -> str:
    """One value as CSV shows it. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(value, str):
        is_formula = value.lstrip(" ").startswith(FORMULA_STARTS)  # some spreadsheets trim before they look
        return f"'{value}" if is_formula else value
    return str(_PLAIN.get(type(value), str)(value))


_PLAIN: Mapping[type, Any] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    Decimal: lambda value: f"{value:f}",
    datetime: lambda value: value.isoformat(),
    dict: lambda value: json.dumps(value, ensure_ascii=False, default=str),
    list: lambda value: json.dumps(value, ensure_ascii=False, default=str),
}
