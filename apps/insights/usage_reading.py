"""What is read for questions of efficiency: usage and what it cost, of all of a window or of the teams one may see."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import ibis.expr.types as ir
from django.core.cache import cache

from apps.allocation.matching import kubernetes_resource
from apps.finops.tables import ALLOCATED, MONEY, NODE_DAYS, NODE_HOURS, WORKLOAD_DAYS, WORKLOAD_HOURS
from apps.insights.own_hours import own_hours
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, MAX_ROWS, BadQuestion, Scope
from apps.marts.selectors import CACHE_SECONDS, identity
from apps.marts.team_rows import TeamRows, together
from apps.marts.usage_days import usage_by_day
from apps.warehouse import lake
from apps.warehouse.engine import empty, rows_of

RESOURCES = {"cpu": ("cpu_core", "core_hours"), "memory": ("memory_gib", "gib_hours"), "gpu": ("gpu", "hours")}
"""Resource → its name in the price ratio, and how its columns of usage end."""
LEVELS: dict[str, tuple[str, ...]] = {
    "cluster": ("cluster",),
    "node_pool": ("cluster", "node_pool"),
    "namespace": ("cluster", "namespace"),
    "workload": ("cluster", "namespace", "workload"),
}
"""What rows may be of → what names one."""
PLACE = ("cluster", "node_pool", "namespace", "workload")
_READ = (ALLOCATED, WORKLOAD_DAYS, NODE_DAYS, WORKLOAD_HOURS, NODE_HOURS)
Key = tuple[str, ...]
Teams = frozenset[str] | None
_team_rows = TeamRows()


@dataclass(frozen=True)
class EfficiencyQuery:
    """The days `start` <= day < `end`, rows `by` a level, narrowed to some values of `PLACE`, for a viewer."""

    start: date
    end: date
    by: str = "cluster"
    filters: tuple[tuple[str, str], ...] = ()
    as_of: int | None = None
    scope: Scope = field(default=EVERYTHING)

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise BadQuestion(f"end ({self.end}) must come after start ({self.start}); the end day is not included")
        if self.by not in LEVELS:
            raise BadQuestion(f"by: {self.by!r} is not one of {', '.join(LEVELS)}")
        if unknown := [name for name, _ in self.filters if name not in PLACE]:
            raise BadQuestion(f"filter: {unknown[0]!r} is not one of {', '.join(PLACE)}")

    def fits(self, place: Key) -> bool:
        told = dict(zip(PLACE, place, strict=False))
        return all(told.get(name, "") == value for name, value in self.filters)


Make = Callable[[EfficiencyQuery, Teams], ir.Table]
"""Rows of a question, of some teams or of all: `team` where not all may be seen, what names a row, and sums of it."""


def seen_rows(query: EfficiencyQuery, pinned: Publication, told: Any, make: Make, *, names: int) -> list[Any]:
    """Rows that the viewer may see, named by so many columns: all there are, or those of the viewer's teams added up.

    What is narrowed to a place is computed for the viewer's teams alone; else for all teams, month by month: those that
    a new publication left as they were stay known.
    """
    teams = query.scope.teams
    if teams is None:
        return few(make(query, None))
    found = None if query.filters else _of_months(query, pinned, told, make, names)
    return together((row[1:] for row in few(make(query, teams))), names) if found is None else found


def _of_months(query: EfficiencyQuery, pinned: Publication, told: Any, make: Make, names: int) -> list[Any] | None:
    """The rows of the viewer's teams; None where those of all teams are too many in one of the months."""
    teams, found = query.scope.teams or frozenset(), []
    for month in _months(query):
        key = f"{_read_in(month, pinned)} {told}"
        rows = _team_rows.get(key, teams, partial(make, month), names=names)
        if rows is None:
            return None
        found += rows
    return together(found, names)


def _months(query: EfficiencyQuery) -> Iterator[EfficiencyQuery]:
    """The question of each calendar month it touches."""
    start = query.start
    while start < query.end:
        end = min((start.replace(day=1) + timedelta(days=32)).replace(day=1), query.end)
        yield replace(query, start=start, end=end)
        start = end


def _read_in(query: EfficiencyQuery, pinned: Publication) -> str:
    """The days of a question, and the files that stand for all that is read of them."""
    low, high = str(query.start), str(query.end)
    paths = (
        file.path
        for table in _READ
        if table.name in pinned.versions
        for file in lake.files(table, at=pinned.versions[table.name])
        if low <= file.partition["day"] < high
    )
    return f"{low} {high} {hashlib.sha256(' '.join(paths).encode()).hexdigest()}"


def few(rows: ir.Table) -> list[tuple[Any, ...]]:
    """The rows, at most MAX_ROWS; BadQuestion where there are more."""
    found = rows_of(rows.limit(MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise BadQuestion(f"More than {MAX_ROWS} workloads ran in this window; ask for a shorter one.")
    return found


def by_team(query: EfficiencyQuery) -> tuple[str, ...]:
    """What rows are of besides: where not all of them may be seen, of a team."""
    return () if query.scope.teams is None else ("team",)


def usage_of(query: EfficiencyQuery, pinned: Publication, teams: Teams) -> ir.Table:
    """Usage by the day, each row with the pool of its node; outside nodes, as serverless pods are, in none.

    Where the viewer may not see everything, it is that of workloads that teams are charged for: what each of `teams`
    (all of them where they are None) pays of them on each day.
    """
    nodes = usage_by_day(NODE_DAYS, pinned.versions, query.start, query.end)
    days = usage_by_day(WORKLOAD_DAYS, pinned.versions, query.start, query.end)
    return in_pools(days if query.scope.teams is None else own_hours(days, charged(query, pinned), teams), nodes)


def in_pools(usage: ir.Table, nodes: ir.Table) -> ir.Table:
    """Rows of usage, each with the pool of its node on its day; outside nodes, as serverless pods are, in none."""
    on = ["day", "cluster", "node"]
    pools = nodes.group_by(on).aggregate(node_pool=nodes.node_pool.max())
    joined = usage.left_join(pools, on).drop(*(f"{name}_right" for name in on))
    return joined.mutate(node_pool=joined.node_pool.fill_null(""))


def costs_of(query: EfficiencyQuery, pinned: Publication, nodes: ir.Table, teams: Teams) -> ir.Table:
    """What nodes and serverless pods cost by workload and pool, of some teams, or of all."""
    of_all = charged(query, pinned)
    rows = of_all if teams is None else of_all.filter(of_all.team.isin(sorted(teams)))
    named = nodes.mutate(resource=kubernetes_resource(nodes.provider_id), pool_of=nodes.node_pool)
    behind = named.filter(named.resource != "")
    behind = behind.group_by(["day", "resource"]).aggregate(pool_of=behind.pool_of.max())
    placed = rows.drop("node_pool").left_join(behind, ["day", "resource"])
    placed = placed.mutate(node_pool=placed.pool_of.fill_null(""))
    keys = [*by_team(query), *PLACE, "currency"]
    return placed.group_by(keys).aggregate(cost=placed.effective_cost.sum().cast(MONEY))


def charged(query: EfficiencyQuery, pinned: Publication) -> ir.Table:
    """The rows of nodes and serverless pods that workloads are charged."""
    at = pinned.versions.get(ALLOCATED.name)
    rows = empty(ALLOCATED.schema) if at is None else lake.between(ALLOCATED, "day", query.start, query.end, at=at)
    return rows.filter(rows.pool.isin(["node", "serverless"]), rows.kind.isin(["direct", "unallocated"]))


def narrowed(rows: ir.Table, query: EfficiencyQuery) -> ir.Table:
    wanted = [rows[name] == value for name, value in query.filters]
    return rows.filter(*wanted) if wanted else rows


def named(scope: Scope) -> list[str] | None:
    return None if scope.teams is None else sorted(scope.teams)


def remembered(pinned: Publication, told: Any, make: Callable[[], Any]) -> Any:
    key = f"efficiency:{identity(pinned)}:{hashlib.sha256(repr(told).encode()).hexdigest()}"
    found = cache.get(key)
    if found is None:
        found = make()
        cache.set(key, found, CACHE_SECONDS)
    return found
