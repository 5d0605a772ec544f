"""A long CSV file as pieces of whole rows, small enough to hold in memory, read one after another."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from apps.ingest.text.header import MAX_FIELD

SIZE = 64 << 20
_QUOTE, _BREAK = ord('"'), b"\n"


def pieces(path: Path, *, skip: int, size: int) -> Iterator[bytes]:
    """The rows of a CSV file behind its first `skip` bytes, the header; nothing when there are none.

    A row ends at a line break with an even number of quotes before it. Where quotes do not pair up a piece ends in the
    middle of a row, and whoever parses it stops there.
    """
    with path.open("rb") as stream:
        stream.seek(skip)
        rest = b""
        while block := stream.read(size):
            rest += block
            cut = _last_row_end(rest)
            if cut:
                yield rest[:cut]
                rest = rest[cut:]
        if rest:
            yield rest


def _last_row_end(content: bytes) -> int:
    """Where the last whole row of these bytes ends; 0 when none is sure to. They begin with a whole row."""
    last = end = content.rfind(_BREAK)
    quotes = _quotes(content[: last + 1])
    while end >= 0 and end > last - 2 * MAX_FIELD:
        if quotes % 2 == 0:
            return end + 1
        before = content.rfind(_BREAK, 0, end)
        quotes -= _quotes(content[before + 1 : end + 1])
        end = before
    return last + 1 if last > 2 * MAX_FIELD else 0


def _quotes(content: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(content, dtype=np.uint8) == _QUOTE))
