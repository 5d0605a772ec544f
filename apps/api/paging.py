"""Answers page by page: a cursor remembers the last row that was given, and goes on after it wherever it stands now."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from apps.api.errors import BadParameterError
from apps.api.parameters import PAGE, read
from apps.api.questions import digest_of

_SALT = "apps.api.paging"
_ASIDE = ("cursor", "limit")


class Rows(Sequence[Mapping[str, Any]]):
    """Rows of a table that may be long, or that cost much to make: only those of a page are read and made.

    `whole` reads what is still to be read of those that were chosen, all at once.
    """

    def __init__(
        self,
        found: QuerySet[Any] | Sequence[Any],
        row: Callable[[Any], Mapping[str, Any]],
        whole: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> None:
        self._found, self._row, self._whole = found, row, whole

    def __len__(self) -> int:
        return self._found.count() if isinstance(self._found, QuerySet) else len(self._found)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        found = self._found
        every = found.iterator(chunk_size=2_000) if isinstance(found, QuerySet) else found
        return map(self._row, self._whole(every))

    def __getitem__(self, at: Any) -> Any:
        if isinstance(at, slice):
            return [self._row(one) for one in self._whole(self._found[at])]
        return next(self._row(one) for one in self._whole([self._found[at]]))


class PageIsGone(APIException):
    """Rows of another publication do not go on where those of the first page ended."""

    status_code = 409
    default_code = "page_is_gone"


def cut(request: Request, body: Mapping[str, Any], identity: Sequence[str], default: int) -> dict[str, Any]:
    """The page of an answer that the request asks for, and where the next one begins.

    Rows that came or went before the page change nothing: none is given twice and none is left out, unless the very
    row the page before ended with is gone; then it goes on at the same place of the list.
    """
    rows: Sequence[Mapping[str, Any]] = body["rows"]
    asked = read(_only(request, _ASIDE), PAGE)
    limit = asked.get("limit", default)
    digest = digest_of(request.path, sorted(_only(request, _ASIDE, without=True).lists()))
    start = _start(asked["cursor"], digest, body, rows, identity) if "cursor" in asked else 0
    total = len(rows)
    chosen = rows[start : start + limit]
    end = start + len(chosen)
    last = [_row_digest(chosen[-1], identity), end] if chosen and end < total else None
    cursor = signing.dumps([digest, _publication(body), *last], salt=_SALT) if last else None
    page = {"rows": len(chosen), "rows_total": total, "next_cursor": cursor}
    return {**{name: value for name, value in body.items() if name != "rows"}, "page": page, "rows": chosen}


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


def _start(
    cursor: str, digest: str, body: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], identity: Sequence[str]
) -> int:
    try:
        theirs, publication, row, end = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError) as forged:
        raise BadParameterError("cursor", "cursor is not one that an answer gave") from forged
    if theirs != digest:
        raise BadParameterError("cursor", "cursor belongs to another question; ask with the same parameters as before")
    if publication != _publication(body):
        raise PageIsGone(f"The page before was of publication {publication}, the newest is {_publication(body)}.")
    if 0 < end <= len(rows) and _row_digest(rows[end - 1], identity) == row:
        return int(end)
    places = [place for place, one in enumerate(rows, start=1) if _row_digest(one, identity) == row]
    return int(min(places, key=lambda place: abs(place - end), default=end))


def _row_digest(row: Mapping[str, Any], identity: Sequence[str]) -> str:
    return digest_of(*(row.get(name) for name in identity or row))


def _publication(body: Mapping[str, Any]) -> Any:
    """The publication an answer is of, if it is of one: a number alone is given again after a restore."""
    found = body.get("publication")
    return f"{found['number']} of {found['created_at']}" if isinstance(found, Mapping) else found


def _only(request: Request, names: Sequence[str], *, without: bool = False) -> Any:
    """The parameters of a request with these names, or without them."""
    found = request.query_params.copy()
    for name in [name for name in found if (name in names) == without]:
        del found[name]
    return found
