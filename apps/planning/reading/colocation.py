"""What co-location is planned from: what online work uses of nodes that stand, and the batch work bought elsewhere."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS
from apps.insights.idle.ledger import per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import JOBS, SQL_CORES, SQL_GIB, Metering, Stood
from apps.planning.reading.pools import is_online
from apps.warehouse.engine import connect

DAY = 24
DAYS = 42
LEAST_DAYS = 21
"""A week to learn from, and two to be replayed."""
THIN = "%(cluster)s: %(days)s whole days of use are metered; co-location needs %(least)s."
NO_NODES = "%(cluster)s: no node stands all the time, so there is nothing to share."
NO_BATCH = "%(cluster)s: no batch work was seen on nodes that come and go, so there is nothing to bring in."
Everywhere = dict[str, tuple[Metering, list[Stood]]]
"""By cluster, its metering and its nodes."""


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every online cluster."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    everywhere = {cluster: (own, own.nodes(cluster, own.costed)) for cluster, own in metering.clusters()}
    for cluster, (own, nodes) in everywhere.items():
        if nodes and not any(node.gpus for node in nodes) and is_online(own, cluster):
            yield _case(own, cluster, everywhere)


def _case(metering: Metering, cluster: str, everywhere: Everywhere) -> Case:
    hours = _days(metering)
    told = {"cluster": cluster}
    if hours.count < LEAST_DAYS * DAY:
        return Case(
            cluster, withheld=Sentence(THIN, told | {"days": f"{hours.count // DAY}", "least": f"{LEAST_DAYS}"})
        )
    standing = [node for node in everywhere[cluster][1] if node.stands]
    if not standing:
        return Case(cluster, withheld=Sentence(NO_NODES, told))
    batch = _batch(everywhere, hours)
    if batch is None:
        return Case(cluster, withheld=Sentence(NO_BATCH, told))
    meta, work = batch
    local = datetime.fromtimestamp(hours.first * 3600, UTC).astimezone(metering.zone)
    meta |= {
        "cluster": cluster, "first": hours.first, "day": str(local.date()), "nodes": len(standing),
        "since": str(metering.window.end - timedelta(days=1)), "days": metering.days,
    }  # fmt: skip
    return Case(cluster, pack(meta, **_online(metering, cluster, standing, hours), **work))


def _days(metering: Metering) -> Hours:
    """Whole local days up to the end of the costed ones; a day of another length in a change of the clock is cut."""
    end = metering.costed.end
    count = min(DAYS, (end - metering.hours.first) // DAY)
    return Hours(end - count * DAY, end)


def _online(metering: Metering, cluster: str, standing: list[Stood], hours: Hours) -> dict[str, Any]:
    """By hour: cores used on nodes that stand and are no jobs, their capacity, and the GiB nobody asked for there."""
    named = [node.node for node in standing]
    nodes = "node IN (SELECT unnest(?::VARCHAR[]))"
    use = metering.series(
        hours,
        f"""
        SELECT clock, sum(cpu_used_core_hours) FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND {nodes} AND workload_kind NOT IN {JOBS} GROUP BY clock""",
        cluster, named,
    )  # fmt: skip
    capacity = metering.series(
        hours,
        f"""
        SELECT clock, sum(cpu_capacity_core_hours) FROM {metering.listener.rows(NODE_HOURS)}
        WHERE cluster = ? AND {nodes} GROUP BY clock""",
        cluster, named,
    )  # fmt: skip
    free = metering.series(
        hours,
        f"""
        SELECT n.clock, sum(greatest(0, memory_capacity_gib_hours - coalesce(gib, 0)))
        FROM {metering.listener.rows(NODE_HOURS)} n
            LEFT JOIN {metering.claimed(cluster)} c ON c.node = n.node AND c.clock = n.clock
        WHERE n.cluster = ? AND n.{nodes} GROUP BY n.clock""",
        cluster, named,
    )  # fmt: skip
    last = float(capacity[~np.isnan(capacity)][-1])
    return {"use": use, "capacity": np.where(np.isnan(capacity), last, capacity), "free_gib": np.nan_to_num(free)}


def _batch(everywhere: Everywhere, hours: Hours) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Jobs on nodes that come and go, of the cluster that pays most for them: cores and GiB claimed by hour, its nodes,
    and what a node-hour costs."""
    best: tuple[Decimal, dict[str, Any], dict[str, Any]] | None = None
    for cluster, (metering, nodes) in everywhere.items():
        elastic = [node for node in nodes if not node.stands and not node.gpus]
        cost = metering.cost_of(node.resource for node in elastic)
        if cost.amount <= 0 or (best and cost.amount <= best[0]):
            continue
        claims = _jobs(metering, cluster, elastic, hours)
        if claims is None:
            continue
        node_hours = Decimal(str(round(sum(node.there for node in elastic) * metering.costed.count, 6)))
        meta = {
            "batch_cluster": cluster, "currency": cost.currency, "team": cost.team,
            "cost_per_month": f"{per_month(cost.amount, metering.days):.12f}",
            "node_hour": f"{cost.amount / node_hours:.12f}", "fill": metering.fullest(cluster),
            "cores": float(np.median([node.cores for node in elastic])),
            "gib": float(np.median([node.memory_gib for node in elastic])),
        }  # fmt: skip
        best = cost.amount, meta, claims
    return best[1:] if best else None


def _jobs(metering: Metering, cluster: str, elastic: list[Stood], hours: Hours) -> dict[str, Any] | None:
    """By hour: cores and GiB of jobs on these nodes, those of everything there, and how many nodes there were."""
    rows = (
        connect()
        .con.execute(
            f"""
        SELECT clock, sum(cores) FILTER (is_job), sum(gib) FILTER (is_job), sum(cores), sum(gib), count(DISTINCT node)
        FROM (
            SELECT node, clock, workload_kind IN {JOBS} AS is_job,
                sum({SQL_CORES}) AS cores,
                sum({SQL_GIB}) AS gib
            FROM {metering.listener.rows(WORKLOAD_HOURS)}
            WHERE cluster = ? AND clock >= ? AND clock < ? AND node IN (SELECT unnest(?::VARCHAR[])) GROUP BY ALL)
        GROUP BY clock""",
            [cluster, hours.first, hours.end, [node.node for node in elastic]],
        )
        .fetchall()
    )
    told = np.zeros((5, hours.count))
    for clock, *values in rows:
        told[:, clock - hours.first] = [float(value or 0) for value in values]
    if 2 * told[0].sum() < told[2].sum() or not told[0].any():
        return None
    return dict(zip(("job_cores", "job_gib", "all_cores", "all_gib", "there"), told, strict=True))
