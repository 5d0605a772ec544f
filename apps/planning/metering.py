"""What planners read of clusters: cores asked for and standing, hour by hour, and what nodes and pods really cost."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from django.conf import settings

from apps.calendars.selectors import today
from apps.finops.errors import CostOpsError
from apps.finops.money import add_up
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS
from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle.ledger import Ledger, complete_window
from apps.insights.idle.listening import Hours, Listener
from apps.marts.models import Publication
from apps.teams.models import UNALLOCATED
from apps.warehouse.engine import connect

Floats = npt.NDArray[np.float64]
WEEK = 168
AGENTS = "('DaemonSet', 'Node')"
LASTING = "('Deployment', 'ReplicaSet', 'Rollout', 'CloneSet', 'Pod')"
"""Kinds of workload that run until they are stopped and keep nothing on their node."""
JOBS = "('Job', 'CronJob', 'PyTorchJob', 'TFJob', 'MPIJob', 'SparkApplication', 'Workflow')"
SQL_CORES, SQL_GIB = (
    "greatest(cpu_used_core_hours, cpu_request_core_hours)",
    "greatest(memory_used_gib_hours, memory_request_gib_hours)",
)
"""What a pod claims of a node in an hour: the larger of request and use."""
FULLEST = 0.95
"""A node is never planned fuller than this, however full one once was."""
STANDING = 0.9
"""A node that is there in so many of the last hours stands; others come and go."""
SILENT = timedelta(days=7)
"""Where nothing was metered in the last so many days of the bill, nobody knows what there is still to plan."""


class Silent(CostOpsError):
    """Metering ended while bills went on: planners keep the plans they made until it goes on."""


@dataclass(frozen=True)
class Stood:
    """A node of the last weeks: its pool, its capacity, the share of hours it was there, and its billed resource."""

    cluster: str
    node: str
    pool: str
    instance_type: str
    resource: str
    cores: float
    memory_gib: float
    gpus: float
    there: float

    @property
    def stands(self) -> bool:
        return self.there >= STANDING


@dataclass(frozen=True)
class Cost:
    """Effective cost in the costed days, of the currency that holds most of it, and the team that carries most."""

    amount: Decimal
    currency: str
    team: str


NOTHING = Cost(Decimal(0), "", UNALLOCATED)


class Metering:
    """The usage and the cost of the clusters of a publication, or of one of them: `hours` that were metered, the
    `window` of days that prices are of, complete in the bill and metered from end to end, and its hours, `costed`. Of
    what ended before the day `lately` nobody knows what there is still to plan."""

    def __init__(
        self, pinned: Publication, listener: Listener, hours: Hours, window: Window, lately: date, zone: ZoneInfo
    ) -> None:
        self.pinned, self.listener, self.hours, self.window = pinned, listener, hours, window
        self.lately, self.zone = lately, zone
        first, end = (int(moment.timestamp()) // 3600 for moment in window.hours(zone))
        self.costed = Hours(first, end)

    @classmethod
    def of(cls, pinned: Publication, now: datetime) -> "Metering | None":
        """What is metered and billed; None where no day is both. Silent where none is lately: planners fail then, for
        to find nothing would say that nothing is left to plan."""
        zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
        billed = complete_window(pinned, today=today(now))
        listener = Listener(pinned, today=today(now))
        if billed is None or listener.hours is None:
            return None
        window, lately = _metered(billed, listener.hours, zone), billed.end - SILENT
        if window is None:
            return None
        if window.end < lately:
            last = window.end - ONE_DAY
            raise Silent(f"Metering ended on {last}, more than a week before bills do; look at the sources of usage.")
        return cls(pinned, listener, listener.hours, window, lately, zone)

    @property
    def days(self) -> int:
        """How many days prices are of."""
        return (self.window.end - self.window.start).days

    def ask(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a query over `rows_of` tables."""
        found: list[tuple[Any, ...]] = connect().con.execute(query, list(parameters)).fetchall()
        return found

    def clusters(self) -> list[tuple[str, "Metering"]]:
        """Every cluster that is metered lately, with the metering of its own: of one that came later or ended earlier
        than others fewer days are known, and its prices are of these."""
        rows = self.ask(
            f"""
            SELECT cluster, min(clock), max(clock) FROM {self.listener.rows(NODE_HOURS)}
            GROUP BY cluster ORDER BY cluster"""
        )
        return [(cluster, own) for cluster, first, last in rows if (own := self._own(first, last))]

    def _own(self, first: int, last: int) -> "Metering | None":
        """The metering from an hour to the end of the day of another: jobs may leave no node standing at night."""
        day = datetime.fromtimestamp(3600 * last, self.zone).date() + ONE_DAY
        midnight = datetime.combine(day, datetime.min.time(), self.zone)
        hours = Hours(max(first, self.hours.first), min(-(-int(midnight.timestamp()) // 3600), self.hours.end))
        window = _metered(self.window, hours, self.zone)
        if window is None or window.end < self.lately:
            return None
        return Metering(self.pinned, self.listener, hours, window, self.lately, self.zone)

    def weeks(self, most: int) -> Hours | None:
        """The last whole weeks, Monday to Sunday by local time, at most so many; None where there is none."""
        local = datetime.fromtimestamp(self.hours.end * 3600, UTC).astimezone(self.zone)
        monday = datetime.combine(local.date() - timedelta(days=local.weekday()), datetime.min.time(), self.zone)
        end = int(monday.timestamp()) // 3600
        count = min(most, (end - self.hours.first) // WEEK)
        return Hours(end - count * WEEK, end) if count > 0 else None

    def series(self, hours: Hours, query: str, *parameters: Any) -> Floats:
        """A query's (clock, value) as one value for each hour; NaN where it has none."""
        found = np.full(hours.count, np.nan)
        for clock, value in self.ask(query, *parameters):
            if value is not None and hours.first <= clock < hours.end:
                found[clock - hours.first] = float(value)
        return found

    def nodes(self, cluster: str, hours: Hours) -> list[Stood]:
        """Every node of these hours."""
        resources = self.listener.node_resources()
        rows = self.ask(
            f"""
            SELECT node, max(node_pool), max(instance_type), max(provider_id), count(DISTINCT clock),
                max(cpu_capacity_core_hours), max(memory_capacity_gib_hours), max(gpu_capacity_hours)
            FROM {self.listener.rows(NODE_HOURS)} WHERE cluster = ? AND clock >= ? AND clock < ?
            GROUP BY node ORDER BY node""",
            cluster, hours.first, hours.end,
        )  # fmt: skip
        return [
            Stood(cluster, node, pool or "", kind or "", resources.get(provider, ""), float(cores), float(memory),
                  float(gpus), there / hours.count)
            for node, pool, kind, provider, there, cores, memory, gpus in rows
        ]  # fmt: skip

    def claimed(self, cluster: str, where: str = "true") -> str:
        """A subquery: cores and GiB claimed (the larger of request and use) by cluster, node and hour; `where` narrows
        the rows."""
        return f"""(
            SELECT cluster, node, clock, sum({SQL_CORES}) AS cores, sum({SQL_GIB}) AS gib
            FROM {self.listener.rows(WORKLOAD_HOURS)} WHERE cluster = '{_quoted(cluster)}' AND {where} GROUP BY ALL)"""

    def fullest(self, cluster: str) -> float:
        """How full nodes of a cluster were, by the scarcer of cores and memory: 99 of 100 hours were not fuller."""
        ((fill,),) = self.ask(
            f"""
            SELECT quantile_cont(greatest(cores / nullif(cpu_capacity_core_hours, 0),
                gib / nullif(memory_capacity_gib_hours, 0)), 0.99)
            FROM {self.listener.rows(NODE_HOURS)} JOIN {self.claimed(cluster, "resource_id = ''")} c
                USING (cluster, node, clock) WHERE clock >= ? AND clock < ?""",
            self.costed.first, self.costed.end,
        )  # fmt: skip
        return min(FULLEST, float(fill or 0))

    def cost_of(self, resources: Iterable[str]) -> Cost:
        """What some billed resources cost together in the costed days."""
        named = {one for one in resources if one}
        return _cost(self._ledger(named), named)

    def costs_of(self, resources: Iterable[str]) -> dict[str, Cost]:
        """What each of some billed resources cost in the costed days; '' cost nothing."""
        named = set(resources)
        ledger = self._ledger(named - {""})
        return {one: _cost(ledger, {one} - {""}) for one in named}

    def _ledger(self, named: set[str]) -> Ledger:
        return Ledger.read(self.pinned, self.window, (), named) if named else Ledger(self.window, {})


def payers(ledger: Ledger, cluster: str, workloads: Iterable[tuple[str, str]]) -> list[str]:
    """Whose each workload (namespace, name) is: who pays for most of it."""
    found = []
    for namespace, workload in workloads:
        paid: dict[str, list[Decimal]] = defaultdict(list)
        for part in ledger.of_workload(cluster, namespace, workload):
            paid[part.team].append(ledger.left[part])
        sums = {team: add_up(amounts) for team, amounts in paid.items()}
        found.append(max(sums, key=lambda team: (sums[team], team), default=UNALLOCATED))
    return found


def _metered(window: Window, hours: Hours, zone: ZoneInfo) -> Window | None:
    """The days of a window that lie within these hours from end to end; None where none does."""
    before, after = (
        datetime.fromtimestamp(moment, zone).date() for moment in (3600 * hours.first - 1, 3600 * hours.end)
    )
    start, end = max(window.start, before + ONE_DAY), min(window.end, after)
    return Window(start, end) if start < end else None


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _cost(ledger: Ledger, resources: set[str]) -> Cost:
    amounts: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for resource in resources:
        for part in ledger.of_resource(resource):
            amounts[part.currency, part.team].append(ledger.left[part])
    return _largest({key: add_up(costs) for key, costs in amounts.items()})


def _largest(costs: dict[tuple[str, str], Decimal]) -> Cost:
    by_currency: dict[str, list[Decimal]] = defaultdict(list)
    for (currency, _), amount in costs.items():
        by_currency[currency].append(amount)
    sums = {currency: add_up(amounts) for currency, amounts in by_currency.items()}
    if not sums:
        return NOTHING
    currency = max(sums, key=lambda name: (sums[name], name))
    own = {team: amount for (of, team), amount in costs.items() if of == currency}
    return Cost(sums[currency], currency, max(own, key=lambda team: (own[team], team)))
