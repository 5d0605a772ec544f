"""Arrow columns from whole numbers and names: exact decimals without a float on the way."""

from datetime import timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from apps.demo.timetable import EPOCH, HOUR_SECONDS, Ints

Column = Any  # pa.Array | pa.ChunkedArray; pyarrow ships no types


def decimals(values: Ints, scale: int, precision: int = 38) -> Column:
    """Whole numbers of 10^-scale as a decimal column."""
    words = np.empty((len(values), 2), dtype="<i8")
    words[:, 0] = values
    words[:, 1] = values >> 63
    return pa.Array.from_buffers(pa.decimal128(precision, scale), len(values), [None, pa.py_buffer(words.tobytes())])


def wide_decimals(values: list[int], scale: int) -> Column:
    """The same for Python's unlimited whole numbers."""
    words = b"".join(value.to_bytes(16, "little", signed=True) for value in values)
    return pa.Array.from_buffers(pa.decimal128(38, scale), len(values), [None, pa.py_buffer(words)])


def pick(names: list[str], index: Ints) -> Column:
    """The name at each index, as plain text."""
    return pa.array(names, pa.string()).take(pa.array(index))


def pick_or_null(names: list[str], index: Ints) -> Column:
    """The name at each index; an empty name becomes a missing value."""
    return pa.array([name or None for name in names], pa.string()).take(pa.array(index))


def same(value: str, length: int) -> Column:
    return pa.repeat(pa.scalar(value, pa.string()), length)


def hour_stamps(hours: Ints) -> Column:
    """Hours since 1970 as Parquet timestamps."""
    return pa.array(hours * (HOUR_SECONDS * 1_000_000)).cast(pa.timestamp("us", tz="UTC"))


def hour_texts(first_hour: int, count: int) -> list[str]:
    """`2026-10-01T13:00:00Z` for each of `count` hours."""
    return [(EPOCH + timedelta(hours=first_hour + i)).strftime("%Y-%m-%dT%H:%M:%SZ") for i in range(count)]
