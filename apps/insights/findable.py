"""What can be found by its name: places and billed resources of a publication, of the teams a viewer may see."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import ibis
import ibis.expr.types as ir

from apps.finops.tables import ALLOCATED, COST_MART, LakeTable
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.marts.scoping import visible
from apps.marts.selectors import identity
from apps.warehouse import lake
from apps.warehouse.engine import empty, rows_of

DAYS = 92
"""So far back a place is still looked for."""
RESOURCE_DAYS = 31
MOST = 200_000


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
    if pinned.end_day is None or scope.teams == frozenset():
        return Findable()
    return _findable(identity(pinned), pinned.number, scope.teams)


@lru_cache(maxsize=16)
def _findable(_identity: str, number: int, teams: frozenset[str] | None) -> Findable:
    pinned = Publication.objects.get(number=number)
    costs = _recent(COST_MART, pinned, DAYS, teams)
    costs = costs.filter(costs.namespace != "")
    places = costs.select("team", "cluster", "namespace", "workload").distinct()
    rows = rows_of(places.order_by(places.columns).limit(MOST))
    namespaces = dict.fromkeys(row[:3] for row in rows)
    workloads = [row for row in rows if row[3]]
    return Findable(
        namespaces=tuple(_found(name, team, cluster, name) for team, cluster, name in namespaces),
        workloads=tuple(_found(name, team, cluster, namespace) for team, cluster, namespace, name in workloads),
        resources=tuple(_resources(pinned, teams)),
    )


def _resources(pinned: Publication, teams: frozenset[str] | None) -> Iterable[Found]:
    """Billed resources, each where it costs most."""
    rows = _recent(ALLOCATED, pinned, RESOURCE_DAYS, teams)
    rows = rows.filter(rows.resource != "")
    summed = rows.group_by(["resource", "team", "cluster", "service"]).aggregate(cost=rows.effective_cost.sum())
    most = ibis.row_number().over(group_by=summed.resource, order_by=[ibis.desc(summed.cost), summed.team])
    ranked = summed.mutate(place=most)
    first = ranked.filter(ranked.place == 0).select("resource", "team", "cluster", "service")
    for resource, team, cluster, service in rows_of(first.order_by("resource").limit(MOST)):
        yield Found(f"{resource} {service}".lower(), resource, team, cluster, service=service)


def _recent(table: LakeTable, pinned: Publication, days: int, teams: frozenset[str] | None) -> ir.Table:
    """The last days of a table, of some teams."""
    at, end = pinned.versions.get(table.name), pinned.end_day
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
