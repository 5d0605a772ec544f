"""Answers as Parquet: amounts are decimals, days are dates, text is text."""

import io
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rest_framework import renderers

from apps.finops.money import SCALE

_KINDS: tuple[tuple[type, pa.DataType], ...] = (
    (Decimal, pa.decimal128(38, SCALE)),
    (bool, pa.bool_()),
    (int, pa.int64()),
    (datetime, pa.timestamp("us", tz="UTC")),
    (date, pa.date32()),
    (str, pa.string()),
)
"""The first that fits is a column's."""


class ParquetRenderer(renderers.BaseRenderer):
    """The rows of an answer as one Parquet file; its metadata say publication and question."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        rows = data.get("rows", [data])
        columns = (renderer_context or {}).get("columns") or (list(rows[0]) if rows else [])
        told = {name: _column([row[name] for row in rows]) for name in columns}
        about = {name: str(data[name]) for name in ("publication", "query", "status") if name in data}
        out = io.BytesIO()
        pq.write_table(pa.table(told).replace_schema_metadata(about), out, compression="zstd")
        return out.getvalue()


def _column(values: list[Any]) -> pa.Array:
    return pa.array(values, _kind(values))


def _kind(values: Iterable[Any]) -> pa.DataType:
    """The type of a column: that of its first value; of a column without any it is text."""
    first = next((value for value in values if value is not None), "")
    return next(kind for python, kind in _KINDS if isinstance(first, python))
