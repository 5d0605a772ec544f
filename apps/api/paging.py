"""Answers page by page: a cursor remembers the last row that was given, and goes on after it whatever came or went.

It is sealed: what rows are ordered by may be an address or an amount, and links are kept where answers are not.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any, Protocol

from django.db.models import Q, QuerySet
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apps.api.errors import BadParameterError
from apps.api.parameters import PAGE, read
from apps.api.questions import digest_of
from apps.api.renderers import JsonRenderer
from apps.warehouse import sealed

_PURPOSE = "cursors"
_ASIDE = ("cursor", "limit")
_UNIT = 10**40

Row = Mapping[str, Any]
Place = list[Any]
"""Where a row stands in an order, as JSON keeps it: what it is ordered by, and what tells it from all others."""


class Ordered(Protocol):
    """Rows in an order of which no two share a place: a page goes on after a place, whether its row is there or not."""

    def __len__(self) -> int: ...

    def page(self, after: Place | None, limit: int) -> tuple[list[Row], Place | None]:
        """So many rows after a place, and the place of the last one if others come after it."""


class Rows:
    """Rows of a table that may be long, by columns that are never null: only those of a page are read and made."""

    def __init__(self, found: QuerySet[Any], row: Callable[[Any], Row]) -> None:
        self._found, self._row = found, row
        self._order = [str(name) for name in found.query.order_by]

    def __len__(self) -> int:
        return self._found.count()

    def page(self, after: Place | None, limit: int) -> tuple[list[Row], Place | None]:
        found = self._found if after is None else self._found.filter(_later(self._order, after))
        read = list(found[: limit + 1])
        chosen = read[:limit]
        return [self._row(one) for one in chosen], self._place(chosen[-1]) if len(read) > limit else None

    def _place(self, one: Any) -> Place:
        values = (getattr(one, name.removeprefix("-")) for name in self._order)
        return [value if isinstance(value, int | str) else str(value) for value in values]


class SortedRows:
    """Rows that were sorted by a `key`: only those of a page are made.

    `whole` reads what is still to be read of those that were chosen, all at once.
    """

    def __init__(
        self,
        found: Sequence[Any],
        row: Callable[[Any], Row],
        key: Callable[[Any], Sequence[Any]],
        whole: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> None:
        self._found, self._row, self._key, self._whole = found, row, key, whole

    def __len__(self) -> int:
        return len(self._found)

    def page(self, after: Place | None, limit: int) -> tuple[list[Row], Place | None]:
        start = 0 if after is None else bisect_right(self._found, after, key=self._place)
        chosen = self._found[start : start + limit]
        is_last = start + limit >= len(self._found)
        return [self._row(one) for one in self._whole(chosen)], None if is_last else self._place(chosen[-1])

    def _place(self, one: Any) -> Place:
        return [_plain(value) for value in self._key(one)]


def _later(order: Sequence[str], place: Place) -> Q:
    """What comes after a place: later in one column, the same in those before it."""
    later, same = Q(), Q()
    for name, value in zip(order, place, strict=True):
        column = name.removeprefix("-")
        later |= same & Q(**{f"{column}__{'lt' if name.startswith('-') else 'gt'}": value})
        same &= Q(**{column: value})
    return later


def _plain(value: Any) -> Any:
    """A value of a key as JSON keeps it, in the same order: an amount in parts that none is finer than."""
    if isinstance(value, Decimal):
        return int(Fraction(value) * _UNIT)
    return value.isoformat() if isinstance(value, date) else value


class PageIsGone(APIException):
    """What a page would begin with cannot be told from the one before it."""

    status_code = 409
    default_code = "page_is_gone"


def cut(request: Request, body: Mapping[str, Any], identity: Sequence[str], default: int) -> dict[str, Any]:
    """The page of an answer that the request asks for, and where the next one begins.

    Rows that came or went before the page change nothing: none is given twice and none is left out. Those in no known
    order are told apart by `identity`, and end with a problem when the very row the page before ended with is gone.
    """
    rows: Ordered | Sequence[Row] = body["rows"]
    asked = read(_only(request, _ASIDE), PAGE)
    limit = asked.get("limit", default)
    digest = digest_of(request.path, sorted(_only(request, _ASIDE, without=True).lists()))
    where = _opened(asked["cursor"], digest, body) if "cursor" in asked else None
    if isinstance(rows, Sequence):
        chosen, last = _page(rows, where, limit, identity)
    else:
        chosen, last = rows.page(_place(where), limit)
        last = [last] if last else None
    cursor = sealed.seal_note([digest, _publication(body), *last], _PURPOSE) if last else None
    page = {"rows": len(chosen), "rows_total": len(rows), "next_cursor": cursor}
    return {**{name: value for name, value in body.items() if name != "rows"}, "page": page, "rows": chosen}


def etag_of_page(request: Request, body: Mapping[str, Any]) -> str:
    """The ETag of a page: of all it says but where the next one begins, for what is sealed never looks the same."""
    told = {name: value for name, value in body["page"].items() if name != "next_cursor"}
    form = getattr(request.accepted_renderer, "format", "")
    return f'"{digest_of(form, JsonRenderer().render({**body, "page": told}))}"'


def link_to_next(request: Request, response: Any) -> None:
    """Write the address of the next page into the page and into the header `Link`, which tables have as well."""
    page = response.data.get("page") if isinstance(getattr(response, "data", None), dict) else None
    if not isinstance(page, dict) or "next_cursor" not in page:
        return
    page["next"] = None
    if page["next_cursor"]:
        query = request.query_params.copy()
        query["cursor"] = page["next_cursor"]
        page["next"] = f"{request.path}?{query.urlencode()}"
        response["Link"] = f'<{page["next"]}>; rel="next"'


def _opened(cursor: str, digest: str, body: Mapping[str, Any]) -> list[Any]:
    """Where the page before ended, as a cursor says it."""
    try:
        theirs, publication, *where = list[Any](sealed.unseal_note(cursor, _PURPOSE))
    except ValueError as forged:
        raise BadParameterError("cursor", "cursor is not one that an answer gave") from forged
    if theirs != digest:
        raise BadParameterError("cursor", "cursor belongs to another question; ask with the same parameters as before")
    if publication != _publication(body):
        raise PageIsGone(f"The page before was of publication {publication}, the newest is {_publication(body)}.")
    return where


def _place(where: list[Any] | None) -> Place | None:
    if where is None:
        return None
    if len(where) != 1:
        raise BadParameterError("cursor", "cursor is of an earlier release; begin again without it")
    return list(where[0])


def _page(
    rows: Sequence[Row], where: list[Any] | None, limit: int, identity: Sequence[str]
) -> tuple[list[Row], list[Any] | None]:
    """The page after the row that was given last, wherever it stands by now."""
    start = 0 if where is None else _end_of(rows, where, identity)
    chosen = list(rows[start : start + limit])
    end = start + len(chosen)
    return chosen, [_row_digest(chosen[-1], identity), end] if chosen and end < len(rows) else None


def _end_of(rows: Sequence[Row], where: list[Any], identity: Sequence[str]) -> int:
    """The place after a row, looked for from where it was."""
    if len(where) != 2:
        raise BadParameterError("cursor", "cursor is of an earlier release; begin again without it")
    row, was = where
    for place in sorted(range(1, len(rows) + 1), key=lambda place: abs(place - was)):
        if _row_digest(rows[place - 1], identity) == row:
            return place
    raise PageIsGone("The row that the page before ended with is gone.")


def _row_digest(row: Mapping[str, Any], identity: Sequence[str]) -> str:
    return digest_of(*(row.get(name) for name in identity or row))


def _publication(body: Mapping[str, Any]) -> Any:
    """The publication an answer is of, if it is of one: a number alone is given again after a restore."""
    found = body.get("publication", body.get("after"))
    return f"{found['number']} of {found['created_at']}" if isinstance(found, Mapping) else found


def _only(request: Request, names: Sequence[str], *, without: bool = False) -> Any:
    """The parameters of a request with these names, or without them."""
    found = request.query_params.copy()
    for name in [name for name in found if (name in names) == without]:
        del found[name]
    return found
