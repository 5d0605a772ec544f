"""The daily amounts anomalies are looked for in: of the smallest places there are, and of the levels they add up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from apps.finops.tables import COST_MART, VOLUME_DAYS, WORKLOAD_DAYS, LakeTable
from apps.finops.windows import ONE_DAY
from apps.insights.history import complete_until
from apps.learning.calendars import Matrix
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.usage_days import usage_by_day
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

MOST_DAYS = 400
"""Older days tell little of what is usual now."""
USAGE = {
    "cpu": (WORKLOAD_DAYS, "cpu_claimed_core_hours", "core-hours"),
    "memory": (WORKLOAD_DAYS, "memory_claimed_gib_hours", "GiB-hours"),
    "gpu": (WORKLOAD_DAYS, "gpu_claimed_hours", "GPU-hours"),
    "volumes": (VOLUME_DAYS, "capacity_gib_hours", "GiB-hours"),
}
"""Measure of usage → its table of days, its column, its unit."""
LEVELS: dict[str, tuple[str, ...]] = {
    "total": (), "team": ("team",), "service": ("service",), "cluster": ("cluster",),
    "namespace": ("cluster", "namespace"), "team_service": ("team", "service"),
}  # fmt: skip
"""What a level names of a place; the widest first."""
FIELDS = ("team", "service", "cluster", "namespace")
Cell = tuple[str, str, str, str]
"""Team, service, cluster, namespace: the smallest place there is."""


@dataclass(frozen=True)
class Series:
    """One series of a level: which cells it is the sum of."""

    level: str
    cell: Cell
    members: NDArray[np.int64]


@dataclass(frozen=True)
class Cells:
    """Amounts of one measure in one unit on the days `start` <= day < `end`: days × cells."""

    measure: str
    unit: str
    start: date
    end: date
    keys: tuple[Cell, ...]
    amounts: Matrix

    @property
    def days(self) -> NDArray[np.datetime64]:
        return np.datetime64(self.start) + np.arange(len(self.amounts))

    def place(self, day: date) -> int:
        return (day - self.start).days

    def day(self, place: int) -> date:
        return self.start + timedelta(days=int(place))

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """All series of all levels. A place outside clusters has no cluster nor namespace to be a series of."""
        found = []
        for level, names in LEVELS.items():
            places = [FIELDS.index(name) for name in names]
            grouped: dict[Cell, list[int]] = {}
            for number, key in enumerate(self.keys):
                named = tuple(key[place] if place in places else "" for place in range(len(FIELDS)))
                grouped.setdefault((named[0], named[1], named[2], named[3]), []).append(number)
            for cell, members in sorted(grouped.items()):
                if all(cell[place] for place in places):
                    found.append(Series(level, cell, np.array(members)))
        return tuple(found)

    @cached_property
    def matrix(self) -> Matrix:
        """Days × series; NaN before a series' first amount, 0 on days without any after it."""
        columns = np.stack([self.amounts[:, one.members].sum(axis=1) for one in self.series], axis=1)
        there = columns != 0
        first = np.where(there.any(axis=0), there.argmax(axis=0), len(columns))
        columns[np.arange(len(columns))[:, None] < first] = np.nan
        return columns


def read(pinned: Publication, *, today: date) -> list[Cells]:
    """Every measure a publication holds, of complete days only; days from `today` on are not over."""
    if pinned.first_day is None or pinned.came_until is None:
        return []
    end = min(pinned.came_until, today)
    start = max(pinned.first_day, end - timedelta(days=MOST_DAYS))
    if start >= end:
        return []
    costs = _costs(pinned, start, end, today)
    return [*costs, *_usage(pinned, start, end, _owners(costs))]


def _costs(pinned: Publication, start: date, end: date, today: date) -> list[Cells]:
    months = f"{start:%Y-%m}", f"{end - ONE_DAY:%Y-%m}"
    chosen = [
        file
        for file in lake.files(COST_MART, at=pinned.versions[COST_MART.name])
        if months[0] <= file.partition["month"] <= months[1]
    ]
    rows = lake.scan(COST_MART, only=chosen)
    rows = rows.filter(rows.day >= start, rows.day < end)
    found = _added_up(rows, ["currency", "day", *FIELDS], rows.effective_cost)
    complete = _complete_until(pinned, start, end, today)
    return [
        _cells("cost", currency, start, complete.get(currency, end), of)
        for currency, of in sorted(_split(found).items())
    ]


def _complete_until(pinned: Publication, start: date, end: date, today: date) -> dict[str, date]:
    """By currency the day after the last complete one: as forecasts have it, by what each source usually charges."""
    begin = max(start, end - timedelta(days=45))
    sources: dict[str, dict[str, dict[date, Any]]] = {}
    query = CostQuery(begin, end, group_by=("day", "source"), as_of=pinned.number)
    for day, source, currency, cost in marts.answer(query).rows:
        sources.setdefault(currency, {}).setdefault(source or "", {})[day] = cost
    return {currency: complete_until(of, start=begin, end=end, today=today) for currency, of in sources.items()}


def _owners(costs: Iterable[Cells]) -> dict[tuple[str, str], str]:
    """Whose a namespace is: the team most of its cost is of."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    for one in costs:
        sums: dict[tuple[str, str, str], float] = {}
        for key, cost in zip(one.keys, one.amounts[-28:].sum(axis=0).tolist(), strict=True):
            place = (key[2], key[3], key[0])
            sums[place] = sums.get(place, 0.0) + cost
        for (cluster, namespace, team), cost in sorted(sums.items()):
            if namespace and cost > found.get((cluster, namespace), (0.0, ""))[0]:
                found[cluster, namespace] = (cost, team)
    return {place: team for place, (_, team) in found.items()}


def _usage(pinned: Publication, start: date, end: date, owners: dict[tuple[str, str], str]) -> list[Cells]:
    found = []
    for measure, (table, column, unit) in USAGE.items():
        rows = _measured(table, column, pinned, start, end)
        named = [
            (unit, day, owners.get((cluster, namespace), ""), "", cluster, namespace, amount)
            for day, cluster, namespace, amount in rows
            if amount
        ]
        if named:
            last = max(row[1] for row in named) + ONE_DAY
            found.append(_cells(measure, unit, start, last, named))
    return found


def _measured(
    table: LakeTable, column: str, pinned: Publication, start: date, end: date
) -> list[tuple[date, str, str, float]]:
    rows = usage_by_day(table, pinned.versions, start, end)
    keys = [rows.day, rows.cluster.fill_null("").name("cluster"), rows.namespace.fill_null("").name("namespace")]
    return rows_of(rows.group_by(keys).aggregate(amount=rows[column].sum().cast("float64")))


def _added_up(rows: ir.Table, keys: list[str], amount: ir.Value) -> list[tuple[Any, ...]]:
    """Sums as floats: what is money is asked for again, exactly, of the few places that matter."""
    groups = [rows[key].fill_null("").name(key) if key != "day" else rows[key] for key in keys]
    return rows_of(rows.group_by(groups).aggregate(amount=amount.sum().cast("float64")).order_by(ibis.asc("day")))


def _split(rows: list[tuple[Any, ...]]) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(row)
    return found


def _cells(measure: str, unit: str, start: date, end: date, rows: list[tuple[Any, ...]]) -> Cells:
    """`rows` are (unit, day, team, service, cluster, namespace, amount)."""
    first = min((row[1] for row in rows), default=start)
    keys = sorted({row[2:6] for row in rows})
    place = {key: number for number, key in enumerate(keys)}
    amounts = np.zeros((max(0, (end - first).days), len(keys)))
    for _, day, *key, amount in rows:
        if day < end:
            amounts[(day - first).days, place[tuple(key)]] += amount
    return Cells(measure, unit, first, end, tuple(keys), amounts)
