"""What schedules are planned from: what workloads used and ran with, hour by hour, their classes, and their bounds."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import add_up, rounded
from apps.finops.tables import AUTOSCALER_HOURS, WORKLOAD_HOURS
from apps.insights.idle.ledger import Ledger, per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import LASTING, Metering, Stood
from apps.planning.methods.schedule.problem import Lesson
from apps.planning.timetable import newest
from apps.teams.models import UNALLOCATED

DAY = 24
DAYS, LEAST_DAYS = 42, 21
"""Two weeks are replayed, and a week before them is learned from at least."""
MOST = 60
LEAST_REPLICAS, VARIES = 4, 2
"""Without a timetable a workload is planned that once ran so many replicas, and so many times as many as at rest."""
THIN = "%(cluster)s: %(days)s days of use are metered; schedules need %(least)s."
NAMED = 5
UNSERVED = (
    "%(count)s modules of the timetable have classes to come and no workload that a schedule can "
    "be made for: %(names)s."
)
NOTHING = "No workload has classes in a timetable, or a number of replicas that comes and goes."


Key = tuple[str, str]


@dataclass(frozen=True)
class _Read:
    """What was read of a cluster at once: rows by workload, its bounds, and the ledger of its namespaces."""

    ran: dict[Key, list[Any]]
    bounds: dict[Key, tuple[int, int]]
    ledger: Ledger
    price: tuple[Decimal, str]


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every workload of a module of the timetable, and for those whose replicas come and go."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    classes, version = newest()
    count = 0
    told_of: set[str] = set()
    seen: set[str] = set()
    for cluster in metering.clusters():
        hours = Hours(metering.costed.end - _days(metering) * DAY, metering.costed.end)
        if hours.count < LEAST_DAYS * DAY:
            told = {"cluster": cluster, "days": f"{hours.count // DAY}", "least": f"{LEAST_DAYS}"}
            yield Case(cluster, withheld=Sentence(THIN, told))
            count += 1
            continue
        keys = _workloads(metering, cluster, hours, classes)[:MOST]
        if not keys:
            continue
        found = _of_cluster(metering, cluster, hours, keys)
        for key in keys:
            case = _case(metering, cluster, key, hours, classes, version, found)
            if case.subject in told_of:  # the same workload in another cluster
                case = replace(case, subject=f"{cluster}/{case.subject}")
            told_of.add(case.subject)
            seen |= {key[0], f"{key[0]}/{key[1]}"}
            yield case
            count += 1
    idle = _unserved(classes, seen, hours_end=metering.costed.end)
    if idle:
        told = {"count": f"{len(idle)}", "names": ", ".join(idle[:NAMED])}
        yield Case("", withheld=Sentence(UNSERVED, told))
    elif not count:
        yield Case("", withheld=Sentence(NOTHING))


def _unserved(classes: dict[str, list[Lesson]], seen: set[str], *, hours_end: int) -> list[str]:
    """Modules with classes to come for which no schedule is made: nobody runs them, asks for cores, or for longer."""
    return sorted(
        module for module, lessons in classes.items()
        if module not in seen and any(one.end > 60 * hours_end for one in lessons)
    )  # fmt: skip


def _of_cluster(metering: Metering, cluster: str, hours: Hours, keys: list[tuple[str, str, str]]) -> _Read:
    nodes = metering.nodes(cluster, metering.costed)
    standing = [node.node for node in nodes if node.stands]
    named = [[key[0] for key in keys], [key[1] for key in keys]]
    ran: dict[Key, list[Any]] = defaultdict(list)
    chosen = "(namespace, workload) IN (SELECT (unnest(?::VARCHAR[]), unnest(?::VARCHAR[])))"
    for namespace, workload, *row in metering.ask(
        f"""
        SELECT namespace, workload, clock, sum(cpu_used_core_hours),
            coalesce(sum(cpu_request_core_hours) / nullif(max(cpu_request_core_hours), 0), count(*)),
            coalesce(sum(cpu_request_core_hours) FILTER (node NOT IN (SELECT unnest(?::VARCHAR[])))
                / nullif(max(cpu_request_core_hours), 0), 0),
            max(cpu_request_core_hours)
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND {chosen} GROUP BY namespace, workload, clock""",
        standing, cluster, hours.first, hours.end, *named,
    ):  # fmt: skip
        ran[namespace, workload].append(row)
    bounds = {
        (namespace, workload): (least, most)
        for namespace, workload, least, most in metering.ask(
            f"""
            SELECT namespace, workload, arg_max(min_replicas, clock), arg_max(max_replicas, clock)
            FROM {metering.listener.rows(AUTOSCALER_HOURS)} WHERE cluster = ? AND clock >= ? AND {chosen}
            GROUP BY namespace, workload""",
            cluster, hours.end - 7 * DAY, *named,
        )
    }  # fmt: skip
    ledger = Ledger.read(metering.pinned, metering.window, {(cluster, namespace) for namespace, _, _ in keys}, ())
    return _Read(ran, bounds, ledger, _price(metering, cluster, nodes))


def _days(metering: Metering) -> int:
    return min(DAYS, (metering.costed.end - metering.hours.first) // DAY)


def _workloads(
    metering: Metering, cluster: str, hours: Hours, classes: dict[str, list[Lesson]]
) -> list[tuple[str, str, str]]:
    """Those with classes first, then those whose replicas vary most; whoever asked for no cores lately is in neither:
    what a replica carries is not known."""
    rows = metering.ask(
        f"""
        SELECT namespace, workload, any_value(workload_kind), max(pods), quantile_cont(pods, 0.05), sum(cores) FROM (
            SELECT namespace, workload, workload_kind, clock, count(DISTINCT pod) AS pods,
                sum(cpu_request_core_hours) AS cores
            FROM {metering.listener.rows(WORKLOAD_HOURS)}
            WHERE cluster = ? AND clock >= ? AND workload_kind IN {LASTING} GROUP BY ALL)
        GROUP BY namespace, workload HAVING sum(cores) FILTER (clock >= ?) > 0
        ORDER BY sum(cores) DESC, namespace, workload""",
        cluster, hours.first, hours.end - 7 * DAY,
    )  # fmt: skip
    named, others = [], []
    for namespace, workload, kind, most, rest, _cores in rows:
        if namespace in classes or f"{namespace}/{workload}" in classes:
            named.append((namespace, workload, kind))
        elif most >= LEAST_REPLICAS and most >= VARIES * max(rest, 1):
            others.append((namespace, workload, kind))
    return named + others[: max(0, MOST // 4)]


def _price(metering: Metering, cluster: str, nodes: list[Stood]) -> tuple[Decimal, str]:
    """What a core-hour asked for costs on nodes that come and go."""
    elastic = [node for node in nodes if not node.stands and not node.gpus]
    cost = metering.cost_of(node.resource for node in elastic)
    ((asked,),) = metering.ask(
        f"""
        SELECT sum(greatest(cpu_used_core_hours, cpu_request_core_hours))
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND node IN (SELECT unnest(?::VARCHAR[]))""",
        cluster, metering.costed.first, metering.costed.end, [node.node for node in elastic],
    )  # fmt: skip
    if not asked or cost.amount <= 0:
        return Decimal(0), cost.currency
    return rounded(Fraction(cost.amount) / Fraction(asked)), cost.currency


def _case(
    metering: Metering, cluster: str, key: tuple[str, str, str], hours: Hours, classes: dict[str, list[Lesson]],
    version: int, found: _Read,
) -> Case:  # fmt: skip
    namespace, workload, kind = key
    lessons = classes.get(f"{namespace}/{workload}") or classes.get(namespace) or []
    near = [one for one in lessons if 60 * hours.first <= one.start < 60 * (hours.end + 14 * DAY)]
    paid, team, currency = _paid(found.ledger, cluster, namespace, workload)
    price = found.price[0] if found.price[1] in ("", currency) else Decimal(0)  # money of two currencies has no sum
    least, most = found.bounds.get((namespace, workload), (None, None))
    local = datetime.fromtimestamp(3600 * hours.first, UTC).astimezone(metering.zone)
    meta = {
        "cluster": cluster, "namespace": namespace, "workload": workload, "kind": kind, "first": hours.first,
        "clock": local.hour, "weekday": local.weekday(), "version": version, "team": team,
        "currency": currency or found.price[1], "price": f"{price:.12f}", "least": least, "most": most,
        "cost_per_month": f"{per_month(paid, metering.days):.12f}", "zone": str(metering.zone),
        "since": str(metering.window.end - timedelta(days=1)), "names": [one.name for one in near],
    }  # fmt: skip
    arrays = {
        name: np.array([getattr(one, name) for one in near], dtype=np.int64) for name in ("start", "end", "students")
    }
    return Case(f"{namespace}/{workload}", pack(meta, **arrays, **_ran(found.ran[namespace, workload], hours)))


def _ran(rows: list[Any], hours: Hours) -> dict[str, Any]:
    """By hour: cores used, pod-hours, those of them on nodes that come and go or serverless; and a pod's request."""
    told = np.full((4, hours.count), np.nan)
    for clock, *values in rows:
        told[:, clock - hours.first] = [float(value or 0) for value in values]
    return {"used": told[0], "pods": told[1], "elastic": np.nan_to_num(told[2]), "request": told[3]}


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
