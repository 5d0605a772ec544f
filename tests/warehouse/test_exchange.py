"""An answer is unpacked no further than it is read."""

import gzip
import tracemalloc
from collections.abc import Iterator

import httpx
import pytest

from apps.warehouse.exchange import PIECE_BYTES, asking, pieces_of
from tests.servers.hooks import Receiver, running_receiver

BOMB = gzip.compress(bytes(200 << 20))


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with running_receiver() as found:
        yield found


def ask(server: Receiver, body: bytes, packed: str = "", *, most: int = 1 << 30) -> bytes:
    """The answer of a server as far as `most` bytes and a piece."""
    server.answer = (200, body, {"Content-Encoding": packed} if packed else {})
    found = b""
    with asking(
        "GET", f"{server.url}/x", address="127.0.0.1", content=None, headers={"accept-encoding": "gzip, br"},
        timeout=httpx.Timeout(5), seconds=10,
    ) as answer:  # fmt: skip
        for piece in pieces_of(answer):
            assert len(piece) <= PIECE_BYTES
            found += piece
            if len(found) > most:
                break
    return found


@pytest.mark.parametrize("said", [b"", b"short", b"x" * 1_000_000], ids=["nothing", "little", "much"])
def test_an_answer_comes_as_it_was_sent(server: Receiver, said: bytes) -> None:
    assert ask(server, said) == said
    assert ask(server, said, "identity") == said
    assert ask(server, gzip.compress(said), "gzip") == said
    assert ask(server, b"", "gzip") == b""
    assert server.posted[-1].headers["Accept-Encoding"] == "identity"


def test_a_small_answer_does_not_become_a_large_one(server: Receiver) -> None:
    tracemalloc.start()
    try:
        assert len(ask(server, BOMB, "gzip", most=1 << 20)) <= (1 << 20) + PIECE_BYTES
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("body", "packed", "said"),
    [
        pytest.param(b"x", "br", "packed by 'br'", id="packed by what we did not ask for"),
        pytest.param(b"x", "deflate", "packed by 'deflate'", id="packed in another way"),
        pytest.param(gzip.compress(gzip.compress(b"x")), "gzip, gzip", "packed by", id="packed twice"),
        pytest.param(b"plain", "gzip", "cannot be unpacked", id="not packed, as it says"),
        pytest.param(gzip.compress(b"x" * 99)[:-5], "gzip", "before its end", id="cut"),
    ],
)
def test_what_cannot_be_unpacked_is_said(server: Receiver, body: bytes, packed: str, said: str) -> None:
    with pytest.raises(httpx.DecodingError, match=said):
        ask(server, body, packed)
