"""What right-sizing is planned from: what workloads used and asked for, who owns them, and the nodes they run on."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import add_up
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS, WORKLOAD_PEAKS
from apps.insights.idle.ledger import Ledger, per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import Metering, Stood, payers
from apps.teams.selectors import rule_book
from apps.warehouse.engine import Workspace, connect

DAYS = 42
"""So many days are replayed."""
LEAST_DAYS = 14
SEEN_DAYS = 7
"""What ran for the last time longer ago is gone; jobs come every week at the latest."""
LEAST_CORES = 0.05
"""Workloads that ask for less all together are left as they are."""
DAY = 24
NO_MEMORY = "%(cluster)s: no use of memory is metered, so no request can be lowered without the risk of kills."
THIN = "%(cluster)s: %(days)s days of use are metered; right-sizing needs %(least)s."
NO_NODES = "%(cluster)s: its nodes are not found in the bill, so nothing can be priced."
ONLY_GPUS = "%(cluster)s: every node has GPUs, which decide how many nodes there are."

Keys = list[tuple[str, str, str]]


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every cluster."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    for cluster, own in metering.clusters():
        yield _case(own, cluster)


def _case(metering: Metering, cluster: str) -> Case:
    end = metering.costed.end
    days = min(DAYS, (end - max(metering.hours.first, end - DAYS * DAY)) // DAY)
    told = {"cluster": cluster}
    if days < LEAST_DAYS:
        return Case(cluster, withheld=Sentence(THIN, told | {"days": f"{days}", "least": f"{LEAST_DAYS}"}))
    priced = -(-metering.costed.count // DAY)  # in autumn they have an hour more than days
    hours = Hours(end - max(days, priced) * DAY, end)
    nodes = [node for node in metering.nodes(cluster, metering.costed) if not node.gpus]
    if not nodes:
        return Case(cluster, withheld=Sentence(ONLY_GPUS, told))
    stock = _stock(metering, cluster, nodes)
    if stock is None:
        return Case(cluster, withheld=Sentence(NO_NODES, told))
    keys, used, ran = _used(metering, cluster, hours, nodes)
    if not keys or np.isnan(used["memory"]).all():
        return Case(cluster, withheld=Sentence(NO_MEMORY, told))
    ledger = Ledger.read(metering.pinned, metering.window, {(cluster, namespace) for namespace, _, _ in keys}, ())
    ratio = rule_book()[1].price_ratio
    meta: dict[str, Any] = stock[0] | {
        "cluster": cluster, "first": hours.first, "since": str(metering.window.end - timedelta(days=1)),
        "workloads": [list(key) for key in keys], "teams": payers(ledger, cluster, [key[:2] for key in keys]),
        "has_peaks": bool(used.pop("has_peaks")), "ratio": [ratio.cpu_core, ratio.memory_gib],
        "serverless": _serverless(ledger, cluster, keys, ran, stock[0]["currency"]),
    }  # fmt: skip
    return Case(cluster, pack(meta, there=stock[1], **used))


def _stock(metering: Metering, cluster: str, nodes: list[Stood]) -> tuple[dict[str, Any], Any] | None:
    """The nodes without GPUs: size, how many stand and what each costs a month, what those that come and go cost."""
    standing = [node for node in nodes if node.stands]
    come_and_go = [node for node in nodes if not node.stands]
    paid = metering.costs_of(node.resource for node in standing)
    known = [cost for node in standing if (cost := paid[node.resource]).amount > 0]
    elastic = metering.cost_of(node.resource for node in come_and_go)
    currency = next((one.currency for one in (*known, elastic) if one.currency), "")
    if not currency:
        return None
    monthly = sorted(per_month(one.amount, metering.days) for one in known if one.currency == currency)
    whole = add_up([one.amount for one in known if one.currency == currency])
    whole += elastic.amount if elastic.currency == currency else 0
    hours = metering.costed
    there = metering.series(
        hours,
        f"""
        SELECT clock, count(DISTINCT node) FROM {metering.listener.rows(NODE_HOURS)}
        WHERE cluster = ? AND gpu_capacity_hours = 0 GROUP BY clock""",
        cluster,
    )
    elastic_hours = sum(node.there for node in come_and_go) * hours.count
    price = (
        elastic.amount / Decimal(str(round(elastic_hours, 6))) if elastic_hours and elastic.amount > 0 else Decimal(0)
    )
    return {
        "currency": currency, "cost_per_month": f"{per_month(whole, metering.days):.12f}", "days": metering.days,
        "standing": [f"{amount:.12f}" for amount in monthly], "node_hour": f"{price:.12f}",
        "cores": float(np.median([node.cores for node in nodes])),
        "gib": float(np.median([node.memory_gib for node in nodes])), "fill": metering.fullest(cluster),
        "stand": len(standing),
    }, np.nan_to_num(there)  # fmt: skip


def _used(metering: Metering, cluster: str, hours: Hours, nodes: list[Stood]) -> tuple[Keys, dict[str, Any], Any]:
    """By hour and workload the busiest pod's cores and GiB, pod-hours, all use, requests, and what the others claim;
    and by workload and day how long serverless pods ran and what they asked for. Of pods, use and claims only those on
    nodes count; a request serves serverless pods as well, so that the busiest may be one. What is gone is of the
    others: nobody lowers its requests."""
    costed = metering.costed
    with Workspace() as workspace:
        named = workspace.keep_query("SELECT unnest(?::VARCHAR[]) AS node", [[node.node for node in nodes]])
        pods = workspace.keep_query(
            f"""
            SELECT namespace, workload, max(workload_kind) AS kind, pod, clock, resource_id,
                resource_id = '' AS is_here, sum(cpu_used_core_hours)::DOUBLE AS cpu,
                sum(cpu_request_core_hours)::DOUBLE AS cpu_request, sum(memory_used_gib_hours)::DOUBLE AS memory,
                sum(memory_request_gib_hours)::DOUBLE AS memory_request
            FROM {metering.listener.rows(WORKLOAD_HOURS)}
            WHERE cluster = ? AND (resource_id <> '' OR node IN (SELECT node FROM {named}))
                AND clock >= ? AND clock < ? GROUP BY ALL""",
            [cluster, hours.first, hours.end],
        )
        peaks = workspace.keep_query(
            f"""
            SELECT namespace, workload, pod, clock, max(cpu_peak_cores)::DOUBLE AS cpu_peak,
                max(memory_peak_gib)::DOUBLE AS memory_peak
            FROM {metering.listener.rows(WORKLOAD_PEAKS)}
            WHERE cluster = ? AND clock >= ? AND clock < ? GROUP BY ALL""",
            [cluster, hours.first, hours.end],
        )
        run = connect().con.execute
        keys: Keys = run(
            f"""
            SELECT namespace, workload, max(kind) FROM {pods} WHERE workload <> ''
            GROUP BY namespace, workload HAVING sum(cpu_request) / {costed.count} >= {LEAST_CORES}
                AND max(clock) >= {hours.end - SEEN_DAYS * DAY}
            ORDER BY namespace, workload"""
        ).fetchall()
        index = workspace.keep_query(
            "SELECT unnest(?::VARCHAR[]) AS namespace, unnest(?::VARCHAR[]) AS workload, unnest(?::INT[]) AS number",
            [[key[0] for key in keys], [key[1] for key in keys], list(range(len(keys)))],
        )
        wide = run(
            f"""
            SELECT number, clock, max(greatest(coalesce(cpu_peak, 0), cpu)) AS cpu,
                max(greatest(coalesce(memory_peak, 0), memory)) AS memory,
                coalesce(sum(cpu_request) FILTER (is_here) / nullif(max(cpu_request), 0), count(*) FILTER (is_here))
                    AS pods,
                sum(cpu) FILTER (is_here) AS cpu_all, sum(memory) FILTER (is_here) AS memory_all,
                max(cpu_request) AS cpu_request, max(memory_request) AS memory_request, count(cpu_peak) AS peaks
            FROM {pods} JOIN {index} USING (namespace, workload)
                LEFT JOIN {peaks} USING (namespace, workload, pod, clock)
            GROUP BY number, clock"""
        ).fetchnumpy()
        rest = run(
            f"""
            SELECT clock, sum(greatest(cpu, cpu_request)), sum(greatest(memory, memory_request))
            FROM {pods} ANTI JOIN {index} USING (namespace, workload) WHERE is_here GROUP BY clock"""
        ).fetchall()
        ran = run(
            f"""
            SELECT number, list(DISTINCT resource_id), sum(cpu_request), sum(memory_request), max(cpu_request),
                max(memory_request)
            FROM {pods} JOIN {index} USING (namespace, workload)
            WHERE NOT is_here AND clock >= {costed.first}
            GROUP BY number, clock // {DAY} ORDER BY number, clock // {DAY}"""
        ).fetchall()
    return keys, _arrays(wide, rest, hours, costed, len(keys)), ran


def _arrays(wide: Any, rest: Any, hours: Hours, costed: Hours, count: int) -> dict[str, Any]:
    at = np.asarray(wide["clock"]).astype(np.int64) - hours.first
    number = np.asarray(wide["number"]).astype(np.int64)
    full = {}
    for name in ("cpu", "memory", "pods", "cpu_all", "memory_all", "cpu_request", "memory_request"):
        matrix = np.full((hours.count, count), np.nan, dtype=np.float32)
        matrix[at, number] = np.ma.filled(np.ma.asarray(wide[name], dtype=float), np.nan)
        full[name] = matrix
    last = slice(costed.first - hours.first, None)
    others = np.zeros((costed.count, 2))
    for clock, cores, gib in rest:
        if clock >= costed.first:
            others[clock - costed.first] = float(cores or 0), float(gib or 0)
    return {
        "cpu": full["cpu"], "memory": full["memory"],
        "pods": np.nan_to_num(full["pods"][last]).astype(np.float32),
        "cpu_all": np.nan_to_num(full["cpu_all"][last]), "memory_all": np.nan_to_num(full["memory_all"][last]),
        "cpu_request": _newest(full["cpu_request"]), "memory_request": _newest(full["memory_request"]),
        "others": others, "has_peaks": np.asarray(wide["peaks"]).sum() > 0,
    }  # fmt: skip


def _newest(requests: Any) -> Any:
    """What a pod of each workload asks for now: the most of its last three days, for an hour may be begun or ended."""
    known = [np.fmax.reduce(requests[start:], axis=0) for start in (-3 * DAY, 0) if len(requests) >= -start]
    return np.where(np.isnan(known[0]), known[-1], known[0]).astype(np.float64)


def _serverless(ledger: Ledger, cluster: str, keys: Keys, ran: Any, currency: str) -> list[list[Any]]:
    """Workloads with serverless pods: the place of each, what these cost, the kind of resource, and by day the hours of
    pods, with the cores and GiB they asked for."""
    days: dict[int, list[list[float]]] = defaultdict(list)
    resources: dict[int, set[str]] = defaultdict(set)
    for place, named, core_hours, gib_hours, cores, gib in ran:
        hours = core_hours / cores if cores else gib_hours / gib if gib else 0
        days[place].append([round(hours, 6), round(cores or 0, 6), round(gib or 0, 6)])
        resources[place] |= set(named)
    found: list[list[Any]] = []
    for place, told in sorted(days.items()):
        namespace, workload, _kind = keys[place]
        cost = add_up(
            ledger.left[part]
            for part in ledger.of_workload(cluster, namespace, workload)
            if part.resource in resources[place] and part.currency == currency
        )
        if cost > 0:
            found.append([place, f"{cost:.12f}", min(resources[place]), told])
    return found
