"""A long CSV file as pieces of whole rows, small enough to hold in memory, read one after another."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from apps.ingest.text.header import MAX_FIELD

SIZE = 64 << 20
_QUOTE, _BREAK = ord('"'), b"\n"
_STEP = 1 << 20


def pieces(path: Path, *, skip: int, size: int) -> Iterator[memoryview]:
    """The rows of a CSV file behind its first `skip` bytes, the header; nothing when there are none.

    All pieces lie in one buffer, one after another: a piece is gone when the next is asked for. A row ends at a line
    break with an even number of quotes before it. Where quotes do not pair up a piece ends in the middle of a row, and
    whoever parses it stops there.
    """
    buffer = bytearray(min(size, max(path.stat().st_size, 1)))
    held = 0
    with path.open("rb", buffering=0) as stream:
        stream.seek(skip)
        while read := _fill(stream, buffer, held):
            held += read
            cut = _last_row_end(buffer, held)
            if cut:
                yield memoryview(buffer)[:cut]
                buffer[: held - cut] = buffer[cut:held]
                held -= cut
            if held == len(buffer):
                buffer = buffer + bytearray(len(buffer))  # a row, or a file without line breaks, longer than the buffer
    if held:
        yield memoryview(buffer)[:held]


def _fill(stream: io.FileIO, buffer: bytearray, held: int) -> int:
    with memoryview(buffer) as view:
        return stream.readinto(view[held:]) or 0


def _last_row_end(content: bytearray, held: int) -> int:
    """Where the last whole row of these bytes ends; 0 when none is sure to. They begin with a whole row."""
    last = end = content.rfind(_BREAK, 0, held)
    quotes = _quotes(content, 0, last + 1)
    while end >= 0 and end > last - 2 * MAX_FIELD:
        if quotes % 2 == 0:
            return end + 1
        before = content.rfind(_BREAK, 0, end)
        quotes -= _quotes(content, before + 1, end + 1)
        end = before
    return last + 1 if last > 2 * MAX_FIELD else 0


def has_nul(content: memoryview) -> bool:
    """Whether there is a NUL byte among these."""
    return not np.frombuffer(content, np.uint8).all()


def _quotes(content: bytearray, start: int, end: int) -> int:
    """How many quotes there are; step by step, for what fits the processor's cache is counted far faster."""
    found = 0
    for at in range(start, end, _STEP):
        found += int(np.count_nonzero(np.frombuffer(content, np.uint8, min(_STEP, end - at), at) == _QUOTE))
    return found
