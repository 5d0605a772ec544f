"""What an answer over HTTP says, in pieces of bounded size: nothing is unpacked further than it is read.

The library unpacks all that one read brought before anybody sees how long it is: of a few bytes it makes gigabytes.
"""

import zlib
from collections.abc import Iterable, Iterator

import httpx

PIECE_BYTES = 64 << 10


def pieces_of(answer: httpx.Response) -> Iterator[bytes]:
    """The body, from a server that packs by gzip or not at all; how much of it is taken is up to who reads.

    Raises what `httpx` raises.
    """
    packed = answer.headers.get("Content-Encoding", "").strip().lower()
    if packed in ("", "identity"):
        return answer.iter_raw()
    if packed in ("gzip", "x-gzip"):
        return _unpacked(answer.iter_raw())
    raise httpx.DecodingError(f"the answer is packed by {packed[:40]!r}, which was not asked for")


def _unpacked(packed: Iterable[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)  # 16: with the header of gzip
    is_empty = True
    try:
        for chunk in packed:
            is_empty = False
            left = chunk
            while left and not unpacking.eof:
                yield unpacking.decompress(left, PIECE_BYTES)
                left = unpacking.unconsumed_tail
        yield unpacking.flush()  # a few bytes: all that came was taken
    except zlib.error as error:
        raise httpx.DecodingError(f"the answer cannot be unpacked ({error})") from error
    if not (unpacking.eof or is_empty):
        raise httpx.DecodingError("the answer ends before its end")
