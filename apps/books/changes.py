"""The question why cost changed between two publications, and its answer."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import ibis.expr.types as ir
from django.conf import settings
from django.core.cache import cache

from apps.books.explaining import CLASSES, explain
from apps.books.versions import Pair
from apps.finops.money import add_up
from apps.finops.tables import COSTS, DIMENSIONS, MONEY
from apps.finops.windows import Window
from apps.marts.query import (
    EVERYTHING,
    MAX_GROUPS,
    MAX_ROWS,
    BadQuestion,
    CostQuery,
    PublicationFacts,
    Scope,
    check_groups,
)
from apps.marts.scoping import visible
from apps.marts.selectors import CACHE_SECONDS, answer, facts, publication
from apps.warehouse.engine import Workspace, rows_of

GROUPS = ("day", "month", *DIMENSIONS, "resource", "class")
_ALWAYS = Window(date(1970, 1, 1), date(2200, 1, 1))


@dataclass(frozen=True)
class ChangeQuery:
    """Why `metric` differs between publications `before` and `after`, over the days of `window` (all by default).

    `group_by` names at most six of GROUPS; `filters` pairs a dimension, `resource` or `class` with the values that
    may stand in it. Answers are always grouped by currency too.
    """

    before: int
    after: int
    group_by: tuple[str, ...] = ("team", "class")
    metric: str = "effective_cost"
    window: Window | None = None
    filters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    scope: Scope = EVERYTHING

    MOST_GROUPS = MAX_GROUPS + 2

    def __post_init__(self) -> None:
        check_groups(self.metric, self.group_by, GROUPS, most=self.MOST_GROUPS)
        for name, _ in self.filters:
            if name not in GROUPS[2:]:
                raise BadQuestion(f"filter: {name!r} is not one of {', '.join(GROUPS[2:])}")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the answer: the groups, `currency`, `change`."""
        groups = self.group_by if "currency" in self.group_by else (*self.group_by, "currency")
        return (*groups, "change")


@dataclass(frozen=True)
class Changes:
    """`rows` hold the columns of the query, the change as Decimal, without zeros, sorted by the groups."""

    query: ChangeQuery
    before: PublicationFacts
    after: PublicationFacts
    rows: tuple[tuple[Any, ...], ...]

    @property
    def totals(self) -> Mapping[str, Decimal]:
        """The change by currency."""
        place = self.query.columns.index("currency")
        currencies = sorted({row[place] for row in self.rows})
        return {name: add_up(row[-1] for row in self.rows if row[place] == name) for name in currencies}


def changes(query: ChangeQuery) -> Changes:
    """Answer why cost changed. The rows add up to exactly what the two publications say differently."""
    pair = Pair(publication(query.before), publication(query.after))
    window = query.window or _ALWAYS
    key = f"changes:{_identity(pair, query)}"
    rows: tuple[tuple[Any, ...], ...] | None = () if query.before == query.after else cache.get(key)
    if rows is None:
        with Workspace() as workspace:
            rows = _rows(explain(pair, query.metric, window, workspace), query)
        cache.set(key, rows, CACHE_SECONDS)
    told = [facts(pinned, window.start, window.end) for pinned in (pair.before, pair.after)]
    return Changes(query=query, before=told[0], after=told[1], rows=rows)


def _identity(pair: Pair, query: ChangeQuery) -> str:
    """What an answer depends on; numbers alone are given again when a database is restored from an older copy."""
    pins = [(one.number, one.created_at.timestamp(), sorted(one.versions.items())) for one in (pair.before, pair.after)]
    told = repr((settings.COSTOPS_LAKE, pins, replace(query, scope=EVERYTHING), query.scope.identity))
    return hashlib.sha256(told.encode()).hexdigest()[:40]


def _rows(told: ir.Table, query: ChangeQuery) -> tuple[tuple[Any, ...], ...]:
    told = told.mutate(month=told.day.strftime("%Y-%m"))
    for name, values in query.filters:
        told = told.filter(told[name].isin(values))
    told = visible(told, query.scope)
    groups = list(query.columns[:-1])
    summed = told.group_by(groups).aggregate(change=told.amount.sum().cast(MONEY))
    found = rows_of(summed.filter(summed.change != 0).order_by(groups).limit(MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise BadQuestion(
            f"The answer has more than {MAX_ROWS} rows; ask for fewer groups, a shorter window, or filter."
        )
    if "class" in groups:
        place = groups.index("class")
        found.sort(key=lambda row: (row[:place], CLASSES.index(row[place]), row[place:-1]))
    return tuple(found)


def costs_of(query: ChangeQuery, number: int, *groups: str) -> dict[tuple[Any, ...], Decimal]:
    """What one of the publications says: the metric by some groups and currency, over the days of the question."""
    pinned = publication(number)
    if pinned.first_day is None or pinned.end_day is None:
        return {}
    window = query.window or Window(pinned.first_day, pinned.end_day)
    known = tuple((name, values) for name, values in query.filters if name in DIMENSIONS)
    asked = CostQuery(
        window.start, window.end, metric=query.metric, group_by=groups, filters=known, as_of=number, scope=query.scope
    )
    return {row[:-1]: row[-1] for row in answer(asked).rows}


def month_window(month: str) -> Window:
    """The days of a calendar month, such as `2026-10`."""
    try:
        first = date.fromisoformat(f"{month}-01")
    except ValueError:
        first = date.min
    if not _ALWAYS.start <= first < _ALWAYS.end:
        raise BadQuestion(f"month: {month!r} is no month; write year-month, such as 2026-10")
    return Window(first, (first + timedelta(days=32)).replace(day=1))


def previous(number: int | None = None) -> tuple[int, int]:
    """The last one kept before a publication (the newest by default), and that; the first is its own predecessor."""
    later = publication(number)
    earlier = type(later).objects.filter(number__lt=later.number, let_go_at=None).order_by("-number").first()
    return (earlier or later).number, later.number


def in_every_basis(query: ChangeQuery) -> list[tuple[Any, ...]]:
    """The rows of a question with the change of all four costs, in the order of COSTS; rows of zeros left out.

    Costs that are the same in every row that changed (often list and contracted) are explained once.
    """
    pair = Pair(publication(query.before), publication(query.after))
    alike = pair.alike(query.window or _ALWAYS)
    answers = {basis: changes(replace(query, metric=basis)).rows for basis in sorted(set(alike.values()))}
    found: dict[tuple[Any, ...], dict[str, Decimal]] = {}
    for basis in COSTS:
        for row in answers[alike[basis]]:
            found.setdefault(row[:-1], dict.fromkeys(COSTS, Decimal(0)))[basis] = row[-1]
    return [(*key, *amounts.values()) for key, amounts in sorted(found.items())]
