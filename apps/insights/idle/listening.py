"""What the clusters' monitoring heard, hour by hour: the signals of workloads, nodes, GPUs and load balancers."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a number or a declared text

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np

from apps.allocation.matching import kubernetes_resource
from apps.finops.tables import (
    DISK_HOURS,
    NETWORK_HOURS,
    NODE_HOURS,
    SERVICE_HOURS,
    VOLUME_HOURS,
    WORKLOAD_DAYS,
    WORKLOAD_HOURS,
    UsageTable,
)
from apps.insights.idle.silence import usually_silent_hours
from apps.learning.idle.activity import Activity, Matrix
from apps.marts.heard import heard_hours
from apps.marts.models import Publication
from apps.marts.usage_days import usage_by_day
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, connect, rows_of

LEARNED_DAYS = 90
"""So many days are listened to: 45 are looked at, the older ones are learned from."""
LEAST_CORES = 0.1
"""A pod that asks for less is measured against this: a hundredth of a core is no work."""
KB_OF_GIB = 1024 * 1024
_AGENTS = "('DaemonSet', 'Node')"
"""Kinds of workload that run on every node, and so tell nothing of its use."""

_HEARD = (WORKLOAD_HOURS, NODE_HOURS, NETWORK_HOURS, VOLUME_HOURS, DISK_HOURS, SERVICE_HOURS)
MOST_ROWS = 6_000_000
"""So many rows are asked about at once: more do not fit beside each other into a gigabyte."""

_NOT_TIMED = "job|daemonset|node|statefulset"
"""Kinds of workload that are not switched off by the clock."""

Days = tuple[str, str]
"""A first and a last day."""
Asked = Callable[[Callable[[UsageTable], str]], str]
"""A query of what stands for each table."""


@dataclass(frozen=True)
class Hours:
    """Consecutive hours since 1970: `first` <= hour < `end`."""

    first: int
    end: int

    @property
    def count(self) -> int:
        return self.end - self.first

    @property
    def stamps(self) -> np.ndarray[Any, Any]:
        return np.arange(self.first, self.end).astype("datetime64[h]")


@dataclass(frozen=True)
class Heard:
    """Activity of some subjects; `keys` names each column by parts (cluster, namespace, ...)."""

    activity: Activity
    keys: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Clocked:
    """A cluster that is switched off by the clock: the hours since 1970 in which it was, the last in which it was
    heard, and whether it has been off since by nothing else."""

    silent: frozenset[int]
    last: int
    is_off: bool


class Listener:
    """The usage tables as a publication pins them, of the days before `today`: later ones are not over."""

    def __init__(self, pinned: Publication, *, today: date) -> None:
        self._pinned, self._today = pinned, today
        self.hours = self._hours()

    def _hours(self) -> Hours | None:
        """The last hours that any cluster was metered; None where nothing is."""
        days = [date.fromisoformat(file.partition["day"]) for file in self._files(WORKLOAD_HOURS)]
        if not days:
            return None
        self._since = max(days) - timedelta(days=LEARNED_DAYS)
        table = self.rows(WORKLOAD_HOURS)
        ((first, last),) = _rows(f"SELECT epoch_us(min(hour)), epoch_us(max(hour)) FROM {table}")
        if first is None:
            return None
        return Hours(first // 3_600_000_000, last // 3_600_000_000 + 1)

    @property
    def last_hour(self) -> datetime | None:
        """The end of the last hour that was metered."""
        return datetime.fromtimestamp(self.hours.end * 3600, UTC) if self.hours else None

    def _files(self, table: UsageTable) -> Sequence[lake.StoredFile]:
        at = self._pinned.versions.get(table.name)
        return (
            [file for file in lake.files(table, at=at) if file.partition["day"] < str(self._today)]
            if at is not None
            else []
        )

    def _listened_to(self, table: UsageTable) -> list[lake.StoredFile]:
        return [file for file in self._files(table) if file.partition["day"] > str(self._since)]

    def rows(self, table: UsageTable, days: Days | None = None) -> str:
        """A usage table, or the part of it that is listened to, as a subquery with `clock`, the hour since 1970; that
        of some days only where they are given."""
        first, last = days or ("", "9999")
        chosen = [file for file in self._listened_to(table) if first <= file.partition["day"] <= last]
        if not chosen:
            columns = ", ".join(
                f"NULL::{_TYPES.get(kind, 'VARCHAR')} AS {name}" for name, kind in table.columns.items()
            )
            return f"(SELECT {columns}, NULL::BIGINT AS clock WHERE false)"
        return f"(SELECT *, epoch_us(hour) // 3600000000 AS clock FROM ({lake.query_of(table, chosen)}))"

    def workloads(self) -> Heard | None:
        """CPU as percent of what is requested, the busiest pod of the hour; what was sent; how busy the GPUs were."""
        return self._heard(
            ("cluster", "namespace", "workload"),
            ("cpu_peak", "gpu", "network"),
            lambda rows: (
                f"""
            WITH used AS (
                SELECT cluster, namespace, workload, clock,
                    max(100 * cpu_used_core_hours / greatest(cpu_request_core_hours, {LEAST_CORES})) AS cpu_peak,
                    100 * sum(gpu_used_hours) / nullif(sum(gpu_request_hours), 0) AS gpu
                FROM {rows(WORKLOAD_HOURS)} GROUP BY ALL),
            sent AS (
                SELECT cluster, namespace, workload, clock, sum(sent_gib) * {KB_OF_GIB} / 3600 AS network
                FROM {rows(NETWORK_HOURS)} GROUP BY ALL)
            SELECT cluster, namespace, workload, clock, cpu_peak, gpu, network
            FROM used LEFT JOIN sent USING (cluster, namespace, workload, clock)"""
            ),
        )

    def running(self) -> Heard | None:
        """What workloads claim that run until they are stopped and keep no data: no jobs, agents, stateful sets."""
        return self._heard(
            ("cluster", "namespace", "workload"),
            ("claimed",),
            lambda rows: (
                f"""
            SELECT cluster, namespace, workload, clock,
                sum(greatest(cpu_used_core_hours, cpu_request_core_hours)) AS claimed
            FROM {rows(WORKLOAD_HOURS)}
            WHERE NOT regexp_matches(lower(workload_kind), '{_NOT_TIMED}') GROUP BY ALL"""
            ),
        )

    def nodes(self) -> Heard | None:
        """The same of nodes, in percent of their capacity and without the agents that run on every node. Where nothing
        of the cluster was metered in the hour, nothing is known of its nodes."""
        return self._heard(
            ("cluster", "node", "provider_id"),
            ("cpu_peak", "gpu", "network"),
            lambda rows: (
                f"""
            WITH metered AS (SELECT DISTINCT cluster, clock FROM {rows(WORKLOAD_HOURS)}),
            used AS (
                SELECT cluster, node, clock, sum(cpu_used_core_hours) AS cpu, sum(gpu_used_hours) AS gpu
                FROM {rows(WORKLOAD_HOURS)} WHERE workload_kind NOT IN {_AGENTS} GROUP BY ALL),
            agents AS (
                SELECT DISTINCT cluster, namespace, workload FROM {rows(WORKLOAD_HOURS)}
                WHERE workload_kind IN {_AGENTS}),
            told AS (SELECT DISTINCT cluster, clock FROM {rows(NETWORK_HOURS)}),
            sent AS (
                SELECT cluster, node, clock, sum(sent_gib) * {KB_OF_GIB} / 3600 AS network
                FROM {rows(NETWORK_HOURS)}
                ANTI JOIN agents USING (cluster, namespace, workload) GROUP BY ALL),
            capacity AS (
                SELECT cluster, node, provider_id, clock, sum(cpu_capacity_core_hours) AS cores,
                    sum(gpu_capacity_hours) AS gpus
                FROM {rows(NODE_HOURS)} GROUP BY ALL)
            SELECT c.cluster, c.node, c.provider_id, c.clock,
                100 * coalesce(used.cpu, 0) / nullif(cores, 0) AS cpu_peak,
                100 * coalesce(used.gpu, 0) / nullif(gpus, 0) AS gpu,
                CASE WHEN told.clock IS NOT NULL THEN coalesce(network, 0) END AS network
            FROM capacity c SEMI JOIN metered USING (cluster, clock)
                LEFT JOIN used ON used.cluster = c.cluster AND used.node = c.node AND used.clock = c.clock
                LEFT JOIN sent ON sent.cluster = c.cluster AND sent.node = c.node AND sent.clock = c.clock
                LEFT JOIN told ON told.cluster = c.cluster AND told.clock = c.clock"""
            ),
        )

    def volumes(self) -> Heard | None:
        """1 in every hour that a workload mounts a volume, or that a node has a disk of its own; 0 where a volume is
        known and nobody mounts it."""
        return self._heard(
            ("volume",),
            ("attached",),
            lambda rows: (
                f"""
            SELECT volume, clock, max(CASE WHEN workload <> '' THEN 1 ELSE 0 END) AS attached
            FROM {rows(VOLUME_HOURS)} GROUP BY ALL
            UNION ALL SELECT disk, clock, 1 FROM {rows(DISK_HOURS)} GROUP BY ALL"""
            ),
        )

    def balancers(self) -> Heard | None:
        """1 in every hour that a Service stands behind a load balancer."""
        return self._heard(
            ("load_balancer",),
            ("attached",),
            lambda rows: (
                f"""
            SELECT load_balancer, clock, CASE WHEN sum(attached_hours) > 0 THEN 1 ELSE 0 END AS attached
            FROM {rows(SERVICE_HOURS)} WHERE load_balancer <> '' GROUP BY ALL"""
            ),
        )

    def node_presence(self) -> Heard | None:
        """1 in every hour that a server stood in a cluster as its node."""
        return self._heard(
            ("provider_id",),
            ("attached",),
            lambda rows: (
                f"""
            SELECT provider_id, clock, 1 AS attached FROM {rows(NODE_HOURS)} GROUP BY ALL"""
            ),
        )

    def by_the_clock(self, zone: ZoneInfo) -> dict[str, Clocked]:
        """The clusters that usually are silent in hours of the week."""
        if self.hours is None:
            return {}
        found = {}
        for cluster, told in heard_hours(self._pinned, self._since, self._today).items():
            loud = [one.at for one in told if one.observed]
            if silent := usually_silent_hours(loud, self.hours.end, zone):
                since = range(max(loud) + 1, self.hours.end)
                found[cluster] = Clocked(frozenset(silent), max(loud), is_off=silent.issuperset(since))
        return found

    def claims(self) -> dict[str, tuple[str, str, str]]:
        """Volume → the cluster, namespace and claim it was last known by."""
        query = f"""
            SELECT volume, max_by(cluster, clock), max_by(namespace, clock), max_by(claim, clock)
            FROM {self.rows(VOLUME_HOURS)} GROUP BY volume"""
        return {volume: (cluster, namespace, claim) for volume, cluster, namespace, claim in _rows(query)}

    def counted_claims(self) -> dict[tuple[str, str, str], int]:
        """How many claims a workload mounted, by cluster, namespace and workload."""
        query = (
            f"SELECT cluster, namespace, workload, count(DISTINCT claim) FROM {self.rows(VOLUME_HOURS)} GROUP BY ALL"
        )
        return {(cluster, namespace, workload): count for cluster, namespace, workload, count in _rows(query)}

    def gpu_shares(self, start: date, end: date) -> dict[tuple[str, str, str], tuple[Decimal, Decimal, Decimal]]:
        """Core-hours, GiB-hours and GPU-hours that workloads with GPUs claimed on nodes in these days."""
        days = usage_by_day(WORKLOAD_DAYS, self._pinned.versions, start, end)
        mine = days.filter(days.resource_id == "").group_by("cluster", "namespace", "workload")
        claimed = ("cpu_claimed_core_hours", "memory_claimed_gib_hours", "gpu_claimed_hours")
        summed = mine.aggregate(**{name: days[name].sum() for name in claimed})
        return {(c, n, w): (cpu, memory, gpu) for c, n, w, cpu, memory, gpu in rows_of(summed) if gpu}

    def cores(self) -> dict[tuple[str, str], float]:
        """The cores of every node that still stands."""
        query = f"""
            SELECT cluster, node, max(cpu_capacity_core_hours) FROM {self.rows(NODE_HOURS)} GROUP BY ALL"""
        return {(cluster, node): float(cores or 0) for cluster, node, cores in _rows(query)}

    def node_resources(self) -> dict[str, str]:
        """Provider id of a node → the billed resource behind it."""
        ids = _rows(f"SELECT DISTINCT provider_id FROM {self.rows(NODE_HOURS)}")
        return parsed((one for (one,) in ids), kubernetes_resource)

    def _heard(self, keys: tuple[str, ...], signals: tuple[str, ...], asked: Asked) -> Heard | None:
        """The answer as one matrix of hours × subjects per signal; signals nobody has are left out.

        It is asked of some days after others, as many as the engine holds at once: an hour is of one day.
        """
        if self.hours is None:
            return None
        with Workspace() as workspace:
            told = ""
            for days in self._spans():
                told = workspace.keep_query(asked(partial(self.rows, days=days)), into=told)
            names = ", ".join(keys)
            subjects = workspace.keep_query(
                f"SELECT {names}, row_number() OVER (ORDER BY {names}) - 1 AS number "
                f"FROM (SELECT DISTINCT {names} FROM {told})"
            )
            named = _rows(f"SELECT {names} FROM {subjects} ORDER BY number")
            if not named:
                return None
            matrices = _matrices(self.hours, signals, f"{told} JOIN {subjects} USING ({names})", len(named))
        known = {name: matrix for name, matrix in matrices.items() if not np.isnan(matrix).all()}
        written = tuple("/".join(key) for key in named)
        return Heard(Activity(self.hours.stamps, written, known), tuple(tuple(key) for key in named))

    def _spans(self) -> list[Days]:
        """First and last days that are asked about together: of so many rows, or one day."""
        rows: dict[str, int] = defaultdict(int)
        for table in _HEARD:
            for file in self._listened_to(table):
                rows[file.partition["day"]] += file.rows
        spans: list[Days] = []
        held = 0
        for day, count in sorted(rows.items()):
            held += count
            if not spans or held > MOST_ROWS:
                spans.append((day, day))
                held = count
            spans[-1] = (spans[-1][0], day)
        return spans


_TYPES = {"date": "DATE", "timestamp('UTC', 6)": "TIMESTAMPTZ", "decimal(18, 6)": "DECIMAL(18,6)", "int64": "BIGINT"}


def parsed(names: Iterable[str], parse: Callable[[ir.StringValue], ir.StringValue]) -> dict[str, str]:
    """Names as a cluster writes them → as a bill does."""
    listed = sorted(set(names))
    if not listed:
        return {}
    table = ibis.memtable({"name": listed}, schema=ibis.schema({"name": "string"}))
    return dict(rows_of(table.select("name", resource=parse(table["name"]))))


def _matrices(hours: Hours, signals: tuple[str, ...], told: str, subjects: int) -> dict[str, Matrix]:
    """Hours × subjects of each signal, some hours after others."""
    shape = (hours.count, subjects)
    found: dict[str, Matrix] = {name: np.full(shape, np.nan) for name in signals}
    values = ", ".join(f"max({name}::DOUBLE) AS {name}" for name in signals)
    step = max(1, MOST_ROWS // subjects)
    for first in range(0, hours.count, step):
        start, end = hours.first + first, hours.first + min(first + step, hours.count)
        arrays = connect().con.execute(
            f"SELECT number, clock - {hours.first} AS clock, {values} FROM {told} "
            f"WHERE clock >= {start} AND clock < {end} GROUP BY number, clock"
        ).fetchnumpy()  # fmt: skip
        at, number = (np.asarray(arrays[name]).astype(np.int64) for name in ("clock", "number"))
        for name, matrix in found.items():
            matrix[at, number] = np.ma.filled(np.ma.asarray(arrays[name], dtype=float), np.nan)
    return found


def _rows(query: str) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = connect().con.execute(query).fetchall()
    return found
