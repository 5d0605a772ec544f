"""What scopes cost day by day, by one publication, and which other cost a scope leaves alone."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from apps.finops.money import add_up
from apps.finops.tables import ALLOCATED, COST_MART, MONEY
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import CostQuery
from apps.marts.selectors import answer, window_of
from apps.savings.scopes import RESOURCE, Scope
from apps.units import selectors as units
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

CELL = ("team", "service")
"""What controls are made of: what a service costs a team."""
MOST_CELLS = 200
Cell = tuple[str, str]
BySource = dict[str, dict[date, Decimal]]


def daily(scopes: Sequence[Scope], currency: str, window: Window, pinned: Publication) -> dict[date, Decimal]:
    """Effective cost by day of what is within all of these scopes at once; days without cost are left out."""
    return dict(sorted(summed(_rows(scopes, currency, window, pinned, ("day",))).items()))


def by_source(scopes: Sequence[Scope], currency: str, window: Window, pinned: Publication) -> BySource:
    """The same by the source whose bill it stands on."""
    found: BySource = {}
    for day, source, cost in _rows(scopes, currency, window, pinned, ("day", "source")):
        found.setdefault(source or "", {})[day] = cost
    return found


def clusters(scopes: Sequence[Scope], currency: str, window: Window, pinned: Publication) -> frozenset[str]:
    """The clusters that scopes cost anything in."""
    return frozenset(row[0] for row in _rows(scopes, currency, window, pinned, ("cluster",)) if row[0] and row[-1])


def cells(scopes: Sequence[Scope], currency: str, window: Window, pinned: Publication) -> frozenset[Cell]:
    """The cells that a scope costs anything in."""
    return frozenset((row[0], row[1]) for row in _rows(scopes, currency, window, pinned, CELL) if row[-1])


def cells_by_day(currency: str, window: Window, pinned: Publication) -> dict[Cell, BySource]:
    """Effective cost of the largest cells, by source and day: a company may have more than a question may be answered
    with."""
    rows = _in_currency(currency, window, pinned)
    if rows is None:
        return {}
    sums = rows.group_by(CELL).aggregate(amount=rows.effective_cost.sum()).order_by(ibis.desc("amount"), *CELL)
    daily = rows.group_by(*CELL, "source", "day").aggregate(cost=rows.effective_cost.sum().cast(MONEY))
    found: dict[Cell, BySource] = {}
    for team, service, source, day, cost in rows_of(daily.semi_join(sums.limit(MOST_CELLS), CELL)):
        found.setdefault((team, service), {}).setdefault(source or "", {})[day] = cost
    return dict(sorted(found.items()))


def clusters_by_cell(currency: str, window: Window, pinned: Publication) -> dict[Cell, set[str]]:
    """The clusters that cells cost anything in."""
    rows = _in_currency(currency, window, pinned)
    if rows is None:
        return {}
    costs = rows.filter(rows.cluster != "").group_by(*CELL, "cluster").aggregate(cost=rows.effective_cost.sum())
    found: dict[Cell, set[str]] = {}
    for team, service, cluster in rows_of(costs.filter(costs.cost != 0).drop("cost")):
        found.setdefault((team, service), set()).add(cluster)
    return found


def _in_currency(currency: str, window: Window, pinned: Publication) -> ir.Table | None:
    rows = window_of(COST_MART, pinned, window.start, window.end)
    return None if rows is None else rows.filter(rows.currency == currency)


def driver(name: str, scope: Scope, window: Window) -> dict[date, Decimal]:
    """A driver's units by day: of the scope's teams, services or namespaces where it is told by them, else of all."""
    at = units.driver_version()
    for known, by in units.drivers():
        if known == name:
            told = units.quantities(name, by, window, at)
            subjects = set(scope.get(by, ()))
            own = subjects & {subject for _, subject in told}
            return summed((day, amount) for (day, subject), amount in told.items() if not own or subject in own)
    return {}


def summed(pairs: Iterable[tuple[date, Decimal]]) -> dict[date, Decimal]:
    found: dict[date, list[Decimal]] = {}
    for day, amount in pairs:
        found.setdefault(day, []).append(amount)
    return {day: add_up(amounts) for day, amounts in found.items()}


def _rows(
    scopes: Sequence[Scope], currency: str, window: Window, pinned: Publication, groups: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    filters = tuple((name, values) for scope in scopes for name, values in scope.items())
    plain = tuple((name, values) for name, values in filters if name != RESOURCE)
    query = CostQuery(
        window.start, window.end, group_by=groups, filters=(*plain, ("currency", (currency,))), as_of=pinned.number
    )
    if plain == filters:
        return [(*row[: len(groups)], row[-1]) for row in answer(query).rows]
    return _of_resources(query, filters, pinned)


def _of_resources(
    query: CostQuery, filters: Sequence[tuple[str, tuple[str, ...]]], pinned: Publication
) -> list[tuple[Any, ...]]:
    """The same of billed resources, which the marts do not tell apart: read from what was allocated."""
    version = pinned.versions.get(ALLOCATED.name)
    if version is None:
        return []
    rows = placed(lake.between(ALLOCATED, "day", query.start, query.end, at=version), query)
    for name, values in filters:
        if name == RESOURCE:
            rows = rows.filter(rows.resource.isin(values))
    summed = rows.group_by(list(query.group_by)).aggregate(amount=rows.effective_cost.sum().cast(MONEY))
    return [tuple(row) for row in rows_of(summed)]
