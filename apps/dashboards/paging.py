"""Long lists in pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

MOST = 50
T = TypeVar("T")


@dataclass(frozen=True)
class Paging(Generic[T]):
    """The rows of one page of a list, and the addresses of those before and after it ('' where there is none)."""

    rows: Sequence[T]
    number: int
    pages: int
    before: str
    after: str


def paged(found: Sequence[T], given: Mapping[str, str], *, by: str = "page") -> Paging[T]:
    """The page that an address asks for by its parameter `by`, whose others stay; the first of what is no number, the
    last of what lies behind it."""
    pages = max(1, -(-len(found) // MOST))
    asked = given.get(by, "")
    number = min(max(int(asked), 1), pages) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 1

    def address(page: int) -> str:
        kept = {name: value for name, value in given.items() if value and name != by}
        return f"?{urlencode(kept | {by: page})}" if 1 <= page <= pages else ""

    rows = found[MOST * (number - 1) : MOST * number]
    return Paging(rows, number, pages, address(number - 1), address(number + 1))
