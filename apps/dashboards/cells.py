"""Where the amounts of a page lead: to what explains them."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.urls import reverse

from apps.dashboards.asking import Asked
from apps.dashboards.lines import Key, Line, Part, Table
from apps.marts.cell import address, cell
from apps.marts.query import CostQuery

MOST_VALUES = 100
"""Of a line that adds up others: with more of them an address is seldom short enough."""


def link(query: CostQuery) -> str:
    """The page that explains a number; none where it holds accounts that explanations know nothing of, or where its
    address would be too long to be asked."""
    if query.scope.is_by_account:
        return ""
    return address(reverse("explain"), query)


def whole(asked: Asked, **filters: str) -> CostQuery:
    """The number at the bottom of a page: all of its cost in the currency it shows."""
    query = asked.query(**filters)
    return query if asked.reporting or not asked.currency else cell(query, currency=asked.currency)


def explained(table: Table, asked: Asked, *dimensions: str, **filters: str) -> Table:
    """A table whose amounts lead to what explains them; `dimensions` are those of its keys."""
    base = whole(asked, **filters)
    rest = explained_lines([table.rest] if table.rest else [], base, *dimensions)
    return replace(
        table,
        lines=explained_lines(table.lines, base, *dimensions),
        rest=rest[0] if rest else None,
        total=replace(table.total, explain=link(base) if table.total.cost else ""),
    )


def explained_lines(lines: Iterable[Line], base: CostQuery, *dimensions: str) -> tuple[Line, ...]:
    """The same lines with the addresses of their explanations."""
    return tuple(replace(line, explain=_of_keys(base, dimensions, line.keys) if line.cost else "") for line in lines)


def _of_keys(base: CostQuery, dimensions: tuple[str, ...], keys: tuple[Key, ...]) -> str:
    """The explanation of one key, or of several of one dimension; empty where one question cannot ask for them."""
    if len(keys) == 1:
        named: dict[str, Any] = dict(zip(dimensions, keys[0], strict=True))
        return link(cell(base, **named))
    if len(dimensions) != 1 or not 0 < len(keys) <= MOST_VALUES:
        return ""
    values = tuple(value for (value,) in keys)
    return link(replace(base, filters=(*base.filters, (dimensions[0], values))))


def explained_parts(parts: Iterable[Part], base: CostQuery) -> tuple[Part, ...]:
    """Kinds of cost with the addresses of their explanations."""
    return tuple(replace(part, explain=link(cell(base, kind=part.kind)) if part.cost else "") for part in parts)
