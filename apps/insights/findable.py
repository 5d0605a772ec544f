"""What can be found by its name: places and billed resources of a publication, of the teams a viewer may see."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Any

import ibis.expr.types as ir

from apps.finops.tables import ALLOCATED, COST_MART, LakeTable
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.marts.scoping import visible
from apps.marts.selectors import identity
from apps.marts.team_rows import TeamRows
from apps.warehouse import lake
from apps.warehouse.engine import empty, rows_of

DAYS = 92
"""So far back a place is still looked for."""
RESOURCE_DAYS = 31
MOST = 200_000
Teams = frozenset[str] | None
Rows = Sequence[tuple[Any, ...]]
_team_rows = TeamRows()


@dataclass(frozen=True)
class Found:
    """A place or resource by its `name`; `text` is what is looked through, in lower case."""

    text: str
    name: str
    team: str
    cluster: str = ""
    namespace: str = ""
    service: str = ""


@dataclass(frozen=True)
class Findable:
    """Namespaces, workloads and resources, each by name."""

    namespaces: tuple[Found, ...] = ()
    workloads: tuple[Found, ...] = ()
    resources: tuple[Found, ...] = ()


def findable(pinned: Publication, scope: Scope) -> Findable:
    """What a viewer may find in a publication; made once for each, in every process."""
    if pinned.came_until is None or scope.teams == frozenset():
        return Findable()
    return _findable(identity(pinned), pinned.number, scope.teams)


@lru_cache(maxsize=16)
def _findable(_identity: str, number: int, teams: Teams) -> Findable:
    pinned = Publication.objects.get(number=number)
    places = sorted(_rows(_places, pinned, teams, names=4))
    namespaces = dict.fromkeys(row[:3] for row in places)
    costs = sorted(_rows(_costs, pinned, teams, names=4), key=lambda row: (row[0], -row[4], row[1]))
    resources = {row[0]: row for row in reversed(costs)}  # each where it costs most
    return Findable(
        namespaces=tuple(_found(name, team, cluster, name) for team, cluster, name in namespaces),
        workloads=tuple(_found(row[3], *row[:3]) for row in places if row[3]),
        resources=tuple(
            Found(f"{name} {service}".lower(), name, team, cluster, service=service)
            for name, team, cluster, service, _ in sorted(resources.values())
        ),
    )


def _rows(make: Callable[[Publication, Teams], ir.Table], pinned: Publication, teams: Teams, *, names: int) -> Rows:
    """At most MOST rows of some teams: out of those of all teams, unless there are too many."""
    found = None
    if teams is not None:
        key = f"{identity(pinned)} {make.__name__}"
        found = _team_rows.get(key, teams, lambda some: make(pinned, some), names=names)
    return [row[1:] for row in rows_of(make(pinned, teams).limit(MOST))] if found is None else found


def _places(pinned: Publication, teams: Teams) -> ir.Table:
    """`team`, and every place by `whose`, cluster, namespace and workload."""
    rows = _recent(COST_MART, pinned, DAYS, teams)
    places = rows.filter(rows.namespace != "").select("team", "cluster", "namespace", "workload").distinct()
    named = places.select("team", "cluster", "namespace", "workload", whose=places.team)
    return named.select("team", "whose", "cluster", "namespace", "workload").order_by(["whose", "cluster", "namespace"])


def _costs(pinned: Publication, teams: Teams) -> ir.Table:
    """`team`, and the cost of every billed resource by resource, `whose`, cluster and service."""
    rows = _recent(ALLOCATED, pinned, RESOURCE_DAYS, teams)
    rows = rows.filter(rows.resource != "").mutate(whose=rows.team)
    summed = rows.group_by(["team", "resource", "whose", "cluster", "service"]).aggregate(
        cost=rows.effective_cost.sum()
    )
    return summed.order_by(["resource", "whose", "cluster", "service"])


def _recent(table: LakeTable, pinned: Publication, days: int, teams: Teams) -> ir.Table:
    """The last days of a table that came, of some teams; what is billed ahead alone is not among them."""
    at, end = pinned.versions.get(table.name), pinned.came_until
    if at is None or end is None:
        return empty(table.schema)
    start = end - timedelta(days=days)
    (by,) = table.partition_by
    low = f"{start:%Y-%m}" if by == "month" else str(start)
    chosen = [file for file in lake.files(table, at=at) if file.partition[by] >= low]
    rows = lake.scan(table, only=chosen)
    rows = rows.filter(rows.day >= start, rows.day < end)
    return visible(rows, Scope(teams))


def _found(name: str, team: str, cluster: str, namespace: str) -> Found:
    return Found(f"{name} {cluster} {namespace}".lower(), name, team, cluster, namespace)
