"""Answers as Parquet: amounts are decimals, days are dates, text is text."""

import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from rest_framework import renderers

from apps.api.renderers import JsonRenderer
from apps.finops.money import SCALE
from apps.finops.tables import COSTS
from apps.marts.shape import AHEAD, COMPARED

_KINDS: Mapping[str, pa.DataType] = {
    **dict.fromkeys((*COSTS, *COMPARED, AHEAD), pa.decimal128(38, SCALE)),
    **dict.fromkeys(("day", "week"), pa.date32()),
    "others": pa.int64(),
}
"""What a column holds, by its name: that of an answer without rows, or of which nothing is known, is none other. All
others are text."""


class ParquetRenderer(renderers.BaseRenderer):
    """The rows of an answer as one Parquet file; its metadata say publication and question, as the JSON does."""

    media_type = "application/vnd.apache.parquet"
    format = "parquet"
    charset = None
    render_style = "binary"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        rows = data.get("rows", [data])
        columns = (renderer_context or {}).get("columns") or (list(rows[0]) if rows else [])
        told = {name: pa.array([row[name] for row in rows], _KINDS.get(name, pa.string())) for name in columns}
        about = {name: _told(data[name]) for name in ("publication", "query", "status") if name in data}
        out = io.BytesIO()
        pq.write_table(pa.table(told).replace_schema_metadata(about), out, compression="zstd")
        return out.getvalue()


def _told(value: Any) -> str | bytes:
    """A word as it is, everything else as JSON."""
    return value if isinstance(value, str) else JsonRenderer().render(value)
