"""Rows of CSV as columns of text cells: parsed once, and checked byte by byte for what the parser would let pass."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from apps.ingest.text import values
from apps.ingest.text.header import MAX_FIELD

_BLOCK, _LARGE_BLOCK = MAX_FIELD, 1 << 24
"""What is parsed at a time: the first fits the processor's cache, any row fits the second."""
_STEP = 1 << 19
_QUOTE, _COMMA, _LINE_FEED, _RETURN = b'",\n\r'
_BEFORE_OPENING, _BEHIND_CLOSING = np.zeros(256, bool), np.zeros(256, bool)
_BEFORE_OPENING[[_COMMA, _LINE_FEED, _QUOTE]] = True
_BEHIND_CLOSING[[_COMMA, _LINE_FEED, _RETURN, _QUOTE]] = True


class Misshapen(Exception):
    """The bytes are not the CSV that the parser takes them for. The careful reader tells people where."""


def name(at: int) -> str:
    """What the cells of a column are called, the first being 0."""
    return f"c{at}"


def read_cells(content: memoryview, columns: int) -> pa.Table:
    """The rows as text, NULL where a value is missing; Misshapen or ArrowInvalid where they are not strict CSV.

    The parser takes quotes inside a value, and a last value whose quote is never closed; it would count other rows
    where a lone carriage return ends one. So quotes and rows are counted apart from it.
    """
    try:
        table = _parsed(content, columns, _BLOCK)
    except pa.ArrowInvalid:  # perhaps a row is longer than a block
        table = _parsed(content, columns, _LARGE_BLOCK)
    _refuse_long_cells(table)
    _refuse_other_shapes(np.frombuffer(content, np.uint8), table.num_rows)
    return table


def has_any(cells: pa.ChunkedArray, characters: str) -> bool:
    """Whether some cell of a column holds one of these ASCII characters."""
    wanted = np.zeros(256, bool)
    wanted[list(characters.encode())] = True
    texts = (chunk.buffers()[2] for chunk in cells.chunks)
    return any(text and wanted[np.frombuffer(text, np.uint8)].any() for text in texts)


def _parsed(content: memoryview, columns: int, block: int) -> pa.Table:
    names = [name(at) for at in range(columns)]
    with csv.open_csv(
        pa.BufferReader(pa.py_buffer(content)),
        read_options=csv.ReadOptions(block_size=block, column_names=names, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=list(values.MISSING),
            strings_can_be_null=True,
        ),
    ) as reader:
        return reader.read_all()


def _refuse_long_cells(table: pa.Table) -> None:
    for chunk in (chunk for cells in table.columns for chunk in cells.chunks):
        text = chunk.buffers()[2]  # of all its cells
        if text and text.size > MAX_FIELD and pc.max(pc.binary_length(chunk)).as_py() > MAX_FIELD:
            raise Misshapen("a value is longer than a megabyte")


def _refuse_other_shapes(text: np.ndarray, rows: int) -> None:
    """Step by step, for what fits the processor's cache is looked at far faster."""
    quotes = lines = 0
    for start in range(0, len(text), _STEP):
        step = text[start : start + _STEP]
        found = np.flatnonzero(step == _QUOTE) + start
        # Every other quote opens a value; two inside one close and open it.
        before, behind = found[quotes % 2 :: 2] - 1, found[1 - quotes % 2 :: 2] + 1
        before, behind = before[before >= 0], behind[behind < len(text)]
        if not (_BEFORE_OPENING[text[before]].all() and _BEHIND_CLOSING[text[behind]].all()):
            raise Misshapen("a quote stands inside a value")
        quotes += len(found)
        lines += int(np.count_nonzero(step == _LINE_FEED))
    if quotes % 2:
        raise Misshapen("a quote is not closed")
    is_open_end = len(text) > 0 and text[-1] != _LINE_FEED
    if rows != lines + is_open_end and rows != _row_ends(text) + is_open_end:
        raise Misshapen("lines end in several ways")


def _row_ends(text: np.ndarray) -> int:
    """How many line feeds end a row: those outside quotes, behind something."""
    quotes, ends = np.flatnonzero(text == _QUOTE), np.flatnonzero(text == _LINE_FEED)
    ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    before, second = text[np.maximum(ends - 1, 0)], text[np.maximum(ends - 2, 0)]
    is_blank = (ends == 0) | (before == _LINE_FEED)
    is_blank |= (before == _RETURN) & ((ends == 1) | (second == _LINE_FEED))
    return int(np.count_nonzero(~is_blank))
