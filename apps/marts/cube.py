"""Two periods of cost side by side, by more dimensions than a page asks for: what a change is searched in."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import ibis
from django.core.cache import cache

from apps.finops.tables import COST_MART, DIMENSIONS, MONEY
from apps.finops.windows import Window
from apps.marts.query import MAX_ROWS, BadQuestion, CostQuery
from apps.marts.selectors import CACHE_SECONDS, identity, publication, seen, spelled, window_of, with_versions
from apps.rates.selectors import UsedRate, version_identity
from apps.teams.organising import tree_identity
from apps.warehouse.engine import rows_of

CubeRow = tuple[tuple[str, ...], str, Decimal, Decimal]
"""Values of the dimensions, currency, cost before, cost after."""


class TooManyRows(BadQuestion):
    """Two periods have more rows than a change is searched in: ask for fewer dimensions."""


@dataclass(frozen=True)
class Cube:
    """`rows` by `dimensions` and currency: what each cost before and after, converted with `rates`; their sums are the
    answers of two questions, to the last decimal. `query` has the versions it was answered with, `key` stands for the
    whole question in a cache."""

    query: CostQuery
    before: Window
    dimensions: tuple[str, ...]
    rows: tuple[CubeRow, ...]
    rates: tuple[UsedRate, ...]
    key: str


def cube(query: CostQuery, before: Window, dimensions: Sequence[str]) -> Cube:
    """The cost of the question's period and of the one before, with its filters, its scope and its currency."""
    named = tuple(dimensions)
    if unknown := set(named) - set(DIMENSIONS):
        raise BadQuestion(f"dimensions: {min(unknown)!r} is not one of {', '.join(DIMENSIONS)}")
    pinned = publication(query.as_of)
    asked = with_versions(replace(query, as_of=pinned.number, group_by=()))
    told = f"{spelled(asked)} {before} {named}"
    told += version_identity(asked.rates_as_of or 0) if asked.currency else ""
    told += tree_identity(asked.organisation_as_of or 0) if asked.levels else ""
    key = f"{identity(pinned)}:{hashlib.sha256(told.encode()).hexdigest()}"
    held = cache.get(f"cube:{key}")
    if held is None:
        held = _rows(asked, before, named)
        cache.set(f"cube:{key}", held, CACHE_SECONDS)
    rows, rates = held
    if rows is None:
        raise TooManyRows(f"A change is searched in at most {MAX_ROWS} rows; ask for a shorter window, or filter.")
    return Cube(asked, before, named, rows, rates, key)


def _rows(
    query: CostQuery, before: Window, dimensions: tuple[str, ...]
) -> tuple[tuple[CubeRow, ...] | None, tuple[UsedRate, ...]]:
    """The rows of a cube, None where they are too many, and the rates they were converted with."""
    whole = query.between(min(query.start, before.start), max(query.end, before.end))
    found = window_of(COST_MART, publication(query.as_of), whole.start, whole.end)
    if found is None:
        return (), ()
    is_now = (found.day >= query.start) & (found.day < query.end)
    was_before = (found.day >= before.start) & (found.day < before.end)
    rows, rates = seen(found.filter(is_now | was_before), whole)
    is_now = (rows.day >= query.start) & (rows.day < query.end)
    was_before = (rows.day >= before.start) & (rows.day < before.end)
    cost, nothing = rows[query.metric], ibis.literal(0).cast(MONEY)
    summed = rows.group_by([*(rows[name] for name in dimensions if name != "currency"), rows.currency]).aggregate(
        before=was_before.ifelse(cost, nothing).sum().cast(MONEY), after=is_now.ifelse(cost, nothing).sum().cast(MONEY)
    )
    told = rows_of(summed.order_by(summed.columns[:-2]).limit(MAX_ROWS + 1))
    if len(told) > MAX_ROWS:
        return None, ()
    return tuple((tuple(row[:-3]), *row[-3:]) for row in told), rates
