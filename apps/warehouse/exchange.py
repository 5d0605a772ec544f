"""An exchange over HTTP that ends, in time and in size, whatever the other side does.

A time-out of a library is for each read: whoever sends a byte every few seconds is waited for without an end. So
connecting, headers and body have one moment by which all of them have come. And a library unpacks all that one read
brought before anybody sees how long it is: of a few bytes it makes gigabytes.
"""

import math
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from urllib.parse import urlsplit

import httpcore
import httpx

PIECE_BYTES = 64 << 10
_over: ContextVar[float] = ContextVar("exchange_over", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """What a `Transport` is asked inside has so many seconds in all; then it raises what a time-out raises."""
    token = _over.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _over.reset(token)


class Transport(httpx.HTTPTransport):
    """The one of httpx, with what `within` says; no proxy and no certificates of the environment."""

    def __init__(self, *, verify: ssl.SSLContext | bool = True, limits: httpx.Limits | None = None) -> None:
        super().__init__(verify=verify, trust_env=False, limits=limits or httpx.Limits())
        self._pool._network_backend = _Backend()  # it hands none over


@contextmanager
def asking(
    method: str,
    url: str,
    *,
    address: str,
    content: Any,
    headers: Mapping[str, Any],
    timeout: httpx.Timeout,
    seconds: float,
) -> Iterator[httpx.Response]:
    """Ask once, under the name of the host at an address that was checked, never redirected; `seconds` are for all of
    it, what is read of the answer inside too. It asks for an answer that is not packed; `pieces_of` reads it.

    Raises what `httpx` raises.
    """
    parts = urlsplit(url)
    told = httpx.Headers(headers)
    told["Host"], told["Accept-Encoding"] = parts.netloc, "identity"
    with (
        within(seconds),
        httpx.Client(transport=Transport(), follow_redirects=False, trust_env=False, timeout=timeout) as client,
        client.stream(
            method, httpx.URL(url).copy_with(host=address), content=content, headers=told,
            extensions={"sni_hostname": parts.hostname or ""},
        ) as response,
    ):  # fmt: skip
        yield response


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


def _left(timeout: float | None, late: type[httpcore.TimeoutException]) -> float | None:
    """So long may be waited now."""
    left = _over.get() - time.monotonic()
    if left <= 0:
        raise late("the whole exchange took too long")
    shorter = min(left, math.inf if timeout is None else timeout)
    return None if shorter == math.inf else shorter


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout, httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(super().connect_tcp(host, port, left, local_address, socket_options))
