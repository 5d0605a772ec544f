"""What schedules are planned from: what workloads used and ran with, hour by hour, their classes, and their bounds."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from apps.calendars.selectors import working_days
from apps.finops.findings import Sentence
from apps.finops.money import add_up, rounded
from apps.finops.tables import AUTOSCALER_HOURS, WORKLOAD_HOURS, WORKLOAD_PEAKS
from apps.finops.windows import Window
from apps.insights.idle.ledger import Ledger, per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning import timetable
from apps.planning.arrays import pack
from apps.planning.drafts import MOST_LAG, Case
from apps.planning.metering import SQL_CORES, Metering, Stood
from apps.planning.methods.schedule.problem import Lesson, covered, in_class, standing_out
from apps.planning.scaling import API
from apps.teams.models import UNALLOCATED

DAY = 24
DAYS, LEAST_DAYS = 42, 21
"""Two weeks are replayed, and a week before them is learned from at least."""
AHEAD = 14
"""So many days are planned: what comes in both weeks comes every week."""
MOST = 60
LEAST_REPLICAS, VARIES = 4, 2
"""Without a timetable a workload is planned that once ran so many replicas, and so many times as many as at rest."""
KEEPS_DATA, BARE = "StatefulSet", "Pod"
PEAKED = 0.9
"""Peaks are learned from where so many of the pods' hours have one."""
THIN = "%(cluster)s: %(days)s days of use are metered; schedules need %(least)s."
NAMED = 5
UNSERVED = (
    "%(count)s modules of the timetable have classes to come and no workload that a schedule can "
    "be made for: %(names)s."
)
MUTE = (
    "%(cluster)s: %(count)s workloads have classes or replicas that come and go, and ask for no cores, so nobody knows "
    "what one replica carries: %(names)s. Set CPU requests (the right-sizing plan says how many)."
)
UNSCALABLE = (
    "%(cluster)s: %(count)s workloads of the timetable cannot be scaled by the clock: %(names)s. Only Deployments, "
    "StatefulSets, ReplicaSets, Rollouts and CloneSets can."
)
NOTHING = "No workload has classes in a timetable, or a number of replicas that comes and goes."

Key = tuple[str, str]
Classes = dict[str, list[Lesson]]


@dataclass(frozen=True)
class _Read:
    """What was read of a cluster at once: rows by workload, its autoscalers, and the ledger of its namespaces."""

    ran: dict[Key, list[Any]]
    scalers: dict[Key, tuple[int, int, str]]
    ledger: Ledger
    price: tuple[Decimal, str]


@dataclass(frozen=True)
class _When:
    """The hours that are known, how many days behind them the plan begins, and whether it is late: what is known ends
    so long ago that the plan begins there, in the past."""

    hours: Hours
    ahead: int
    is_late: bool

    @property
    def start(self) -> int:
        return self.hours.end + self.ahead * DAY


@dataclass
class _Workloads:
    """The workloads of a cluster: those to plan, and those a schedule was wanted for and cannot be made: they ask for
    no cores, or are nothing that scales."""

    planned: list[tuple[str, str, str]] = field(default_factory=list)
    mute: list[str] = field(default_factory=list)
    unscalable: list[str] = field(default_factory=list)


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every workload of a module of the timetable, and for those whose replicas come and go."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    first = metering.costed.end - _days(metering) * DAY
    classes = timetable.known(datetime.fromtimestamp(3600 * first, UTC))
    count = 0
    told_of: set[str] = set()
    seen: set[str] = set()
    for cluster, own in metering.clusters():
        if (days := _days(own)) < LEAST_DAYS:
            told = {"cluster": cluster, "days": f"{days}", "least": f"{LEAST_DAYS}"}
            yield Case(cluster, withheld=Sentence(THIN, told))
            count += 1
            continue
        when = _when(own, first, now)
        workloads = _workloads(own, cluster, when.hours, classes)
        for case in _unplannable(cluster, workloads):
            yield case
            count += 1
        seen |= {part for name in (*workloads.mute, *workloads.unscalable) for part in _modules(name)}
        keys = workloads.planned[:MOST]
        if not keys:
            continue
        found = _of_cluster(own, cluster, when.hours, keys)
        for key in keys:
            case = _case(own, cluster, key, when, classes, found)
            if case.subject in told_of:  # the same workload in another cluster
                case = replace(case, subject=f"{cluster}/{case.subject}")
            told_of.add(case.subject)
            seen |= {key[0], f"{key[0]}/{key[1]}"}
            yield case
            count += 1
    idle = _unserved(classes, seen, first=_when(metering, first, now).start)
    if idle:
        told = {"count": f"{len(idle)}", "names": _some(idle)}
        yield Case("", withheld=Sentence(UNSERVED, told))
    elif not count:
        yield Case("", withheld=Sentence(NOTHING))


def _when(metering: Metering, first: int, now: datetime) -> _When:
    """The whole days from this hour on to the end of the costed ones, and how long ago that was. Plans begin today;
    where no bill came for long they begin where it ended."""
    end = metering.costed.end
    lag = max((now.astimezone(metering.zone).date() - metering.window.end).days, 0)
    return _When(Hours(end - (end - first) // DAY * DAY, end), lag if lag <= MOST_LAG else 0, lag > MOST_LAG)


def _unplannable(cluster: str, workloads: _Workloads) -> Iterator[Case]:
    for subject, why, names in (
        (f"{cluster}: requests", MUTE, workloads.mute), (f"{cluster}: kinds", UNSCALABLE, workloads.unscalable),
    ):  # fmt: skip
        if names:
            told = {"cluster": cluster, "count": f"{len(names)}", "names": _some(names)}
            yield Case(subject, withheld=Sentence(why, told))


def _modules(name: str) -> tuple[str, str]:
    """The modules that a workload, told as `namespace/workload (kind)`, may be meant by."""
    workload = name.partition(" ")[0]
    return workload, workload.partition("/")[0]


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")


def _unserved(classes: Classes, seen: set[str], *, first: int) -> list[str]:
    """Modules with classes to come for which no schedule is made: nobody runs them, or for longer."""
    return sorted(
        module for module, lessons in classes.items()
        if module not in seen and any(one.end > 60 * first for one in lessons)
    )  # fmt: skip


def _of_cluster(metering: Metering, cluster: str, hours: Hours, keys: list[tuple[str, str, str]]) -> _Read:
    nodes = metering.nodes(cluster, metering.costed)
    standing = [node.node for node in nodes if node.stands]
    named = [[key[0] for key in keys], [key[1] for key in keys]]
    ran: dict[Key, list[Any]] = defaultdict(list)
    chosen = "(namespace, workload) IN (SELECT (unnest(?::VARCHAR[]), unnest(?::VARCHAR[])))"
    for namespace, workload, *row in metering.ask(
        f"""
        WITH pods AS (
            SELECT namespace, workload, pod, clock, sum(cpu_used_core_hours) AS used,
                sum(cpu_request_core_hours) AS request,
                sum(cpu_request_core_hours) FILTER (node NOT IN (SELECT unnest(?::VARCHAR[]))) AS elastic
            FROM {metering.listener.rows(WORKLOAD_HOURS)}
            WHERE cluster = ? AND clock >= ? AND clock < ? AND {chosen} GROUP BY ALL),
        peaks AS (
            SELECT namespace, workload, pod, clock, max(cpu_peak_cores) AS peak
            FROM {metering.listener.rows(WORKLOAD_PEAKS)}
            WHERE cluster = ? AND clock >= ? AND clock < ? AND {chosen} GROUP BY ALL)
        SELECT namespace, workload, clock, sum(used), coalesce(sum(request) / nullif(max(request), 0), count(*)),
            coalesce(sum(elastic) / nullif(max(request), 0), 0), max(request),
            sum(greatest(coalesce(peak, 0), used)), count(peak) / count(*)
        FROM pods LEFT JOIN peaks USING (namespace, workload, pod, clock) GROUP BY namespace, workload, clock""",
        standing, *(cluster, hours.first, hours.end, *named) * 2,
    ):  # fmt: skip
        ran[namespace, workload].append(row)
    scalers = {
        (namespace, workload): (least, most, name or "")
        for namespace, workload, least, most, name in metering.ask(
            f"""
            SELECT namespace, workload, arg_max(min_replicas, clock), arg_max(max_replicas, clock),
                arg_max(autoscaler, clock) FILTER (autoscaler <> '')
            FROM {metering.listener.rows(AUTOSCALER_HOURS)} WHERE cluster = ? AND clock >= ? AND {chosen}
            GROUP BY namespace, workload""",
            cluster, hours.end - 7 * DAY, *named,
        )
    }  # fmt: skip
    ledger = Ledger.read(metering.pinned, metering.window, {(cluster, namespace) for namespace, _, _ in keys}, ())
    return _Read(ran, scalers, ledger, _price(metering, cluster, nodes))


def _days(metering: Metering) -> int:
    return min(DAYS, (metering.costed.end - metering.hours.first) // DAY)


def _workloads(metering: Metering, cluster: str, hours: Hours, classes: Classes) -> _Workloads:
    """Those with classes first, then those whose replicas vary most. A module that is a namespace means what can be
    scaled in it and keeps no data; what is named as `namespace/workload` is meant whatever it is."""
    rows = metering.ask(
        f"""
        SELECT namespace, workload, any_value(workload_kind), max(pods), quantile_cont(pods, 0.05),
            coalesce(sum(cores) FILTER (clock >= ?), 0) FROM (
            SELECT namespace, workload, workload_kind, clock, count(DISTINCT pod) AS pods,
                sum(cpu_request_core_hours) AS cores
            FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE cluster = ? AND clock >= ? GROUP BY ALL)
        GROUP BY namespace, workload HAVING max(clock) >= ? ORDER BY sum(cores) DESC, namespace, workload""",
        hours.end - 7 * DAY, cluster, hours.first, hours.end - 7 * DAY,
    )  # fmt: skip
    found, others = _Workloads(), []
    for namespace, workload, kind, most, rest, cores in rows:
        name = f"{namespace}/{workload}"
        is_meant, is_named = name in classes, name in classes or namespace in classes
        varies = most >= LEAST_REPLICAS and most >= VARIES * max(rest, 1)
        if kind not in API or (kind == KEEPS_DATA and not is_meant):
            if is_meant or (is_named and kind == BARE):
                found.unscalable.append(f"{name} ({kind})")
        elif (is_named or varies) and not cores:
            found.mute.append(name)
        elif is_named:
            found.planned.append((namespace, workload, kind))
        elif varies:
            others.append((namespace, workload, kind))
    found.planned += others[: max(0, MOST // 4)]
    return found


def _price(metering: Metering, cluster: str, nodes: list[Stood]) -> tuple[Decimal, str]:
    """What a core-hour asked for costs on nodes that come and go."""
    elastic = [node for node in nodes if not node.stands and not node.gpus]
    cost = metering.cost_of(node.resource for node in elastic)
    ((asked,),) = metering.ask(
        f"""
        SELECT sum({SQL_CORES})
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND node IN (SELECT unnest(?::VARCHAR[]))""",
        cluster, metering.costed.first, metering.costed.end, [node.node for node in elastic],
    )  # fmt: skip
    if not asked or cost.amount <= 0:
        return Decimal(0), cost.currency
    return rounded(Fraction(cost.amount) / Fraction(asked)), cost.currency


def _case(
    metering: Metering, cluster: str, key: tuple[str, str, str], when: _When, classes: Classes, found: _Read
) -> Case:
    (namespace, workload, kind), hours = key, when.hours
    lessons = classes.get(f"{namespace}/{workload}") or classes.get(namespace) or []
    near = [one for one in lessons if 60 * hours.first <= one.start < 60 * (when.start + AHEAD * DAY)]
    paid, team, currency = _paid(found.ledger, cluster, namespace, workload)
    price = found.price[0] if found.price[1] in ("", currency) else Decimal(0)  # money of two currencies has no sum
    least, most, scaler = found.scalers.get((namespace, workload), (None, None, ""))
    local = datetime.fromtimestamp(3600 * hours.first, UTC).astimezone(metering.zone)
    ran, shares = _ran(found.ran[namespace, workload], hours), covered(near, hours.first, hours.count)
    used, peaks, has_peaks = ran["used"], ran.pop("peak"), float(np.nanmean(ran.pop("peaked"))) >= PEAKED
    demand = standing_out(used, peaks, shares) if has_peaks else in_class(used, shares)
    meta = {
        "cluster": cluster, "namespace": namespace, "workload": workload, "kind": kind, "first": hours.first,
        "clock": local.hour, "ahead": when.ahead, "is_late": when.is_late, "team": team,
        "free": _free(local, hours.count + (when.ahead + AHEAD) * DAY),
        "has_peaks": has_peaks,
        "currency": currency or found.price[1], "price": f"{price:.12f}", "least": least, "most": most,
        "scaler": scaler, "cost_per_month": f"{per_month(paid, metering.days):.12f}", "zone": str(metering.zone),
        "since": str(metering.window.end - timedelta(days=1)), "names": [one.name for one in near],
    }  # fmt: skip
    arrays = {
        name: np.array([getattr(one, name) for one in near], dtype=np.int64) for name in ("start", "end", "students")
    }
    return Case(f"{namespace}/{workload}", pack(meta, demand=demand, **arrays, **ran))


def _free(first: datetime, hours: int) -> list[int]:
    """By day from the first hour on, as the business calendar has it: 1 where nobody works."""
    days = Window(first.date(), first.date() + timedelta(days=(first.hour + hours) // DAY + 1))
    known = working_days(days)
    return [int(not known.is_working(day)) for day in days.days()]


def _ran(rows: list[Any], hours: Hours) -> dict[str, Any]:
    """By hour: cores used, pod-hours, those of them on nodes that come and go or serverless; a pod's request; the
    highest five minutes of every pod, added up; and the share of pods of which these are known."""
    told = np.full((6, hours.count), np.nan)
    for clock, *values in rows:
        told[:, clock - hours.first] = [float(value or 0) for value in values]
    named = dict(zip(("used", "pods", "elastic", "request", "peak", "peaked"), told, strict=True))
    return named | {"elastic": np.nan_to_num(named["elastic"])}


def _paid(ledger: Ledger, cluster: str, namespace: str, workload: str) -> tuple[Decimal, str, str]:
    """What the workload cost in the costed days, who pays most of it, and in which currency."""
    amounts: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
    for part in ledger.of_workload(cluster, namespace, workload):
        amounts[part.currency, part.team].append(ledger.left[part])
    sums = {key: add_up(costs) for key, costs in amounts.items()}
    if not sums:
        return Decimal(0), UNALLOCATED, ""
    currency, team = max(sums, key=lambda key: (sums[key], key))
    return add_up(amount for key, amount in sums.items() if key[0] == currency), team, currency
