"""What the elastic pools are planned from: demand and spare cores by hour, and the prices of nodes and bursts."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS
from apps.insights.idle.ledger import per_month
from apps.insights.idle.listening import Hours
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import AGENTS, FULLEST, LASTING, SQL_CORES, SQL_GIB, WEEK, Cost, Metering, Stood

THIN = "%(cluster)s: %(weeks)s whole weeks are metered without gaps; a plan needs %(least)s."
UNPRICED = "%(cluster)s: its standing nodes are not found in the bill, so nothing can be priced."
NO_BURST = "%(cluster)s: nothing but standing nodes was seen, so what a burst costs is not known."
MOST_WEEKS = 8
LEAST_WEEKS = 2
MOST_GAPS = 0.05
FEW_CORES = 1.0


@dataclass(frozen=True)
class _Burst:
    """What bursts run on, and what a core-hour asked for costs there."""

    where: str
    price: Decimal


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every cluster whose work mostly runs until it is stopped, on nodes without GPUs."""
    metering = Metering.of(pinned, now)
    hours = metering.weeks(MOST_WEEKS) if metering else None
    if metering is None or hours is None:
        return
    for cluster, own in metering.clusters():
        nodes = own.nodes(cluster, own.costed)
        if nodes and is_online(own, cluster) and not any(node.gpus for node in nodes):
            yield _case(own, cluster, nodes, hours)


def is_online(metering: Metering, cluster: str) -> bool:
    """Whether most of the cluster's work runs until it is stopped and keeps nothing on its node."""
    ((online, rest),) = metering.ask(
        f"""
        SELECT sum(cpu_request_core_hours) FILTER (workload_kind IN {LASTING}), sum(cpu_request_core_hours)
        FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE cluster = ? AND workload_kind NOT IN {AGENTS}""",
        cluster,
    )
    return bool(rest) and 2 * (online or 0) > rest


def _case(metering: Metering, cluster: str, nodes: list[Stood], hours: Hours) -> Case:
    standing = [node for node in nodes if node.stands]
    size, gib = (
        float(np.median([getattr(node, name) for node in standing or nodes])) for name in ("cores", "memory_gib")
    )
    demand = _demand(metering, cluster, hours, gib / size).reshape(-1, WEEK)
    spare = _spare(metering, hours).reshape(-1, WEEK)
    whole = [week for week in range(len(demand)) if np.isnan(demand[week]).mean() <= MOST_GAPS]
    told = {"cluster": cluster}
    if len(whole) < LEAST_WEEKS:
        return Case(cluster, withheld=Sentence(THIN, told | {"weeks": f"{len(whole)}", "least": f"{LEAST_WEEKS}"}))
    cost = metering.cost_of(node.resource for node in standing)
    if not standing or cost.amount <= 0:
        return Case(cluster, withheld=Sentence(UNPRICED, told))
    burst = _burst(metering, cluster, nodes, cost)
    if burst is None:
        return Case(cluster, withheld=Sentence(NO_BURST, told))
    size = max(FEW_CORES, size * metering.fullest(cluster) - _agents(metering, cluster, standing))
    count = len(standing)
    meta = {
        "cluster": cluster, "first": hours.first, "nodes": count, "size": round(size, 6), "currency": cost.currency,
        "team": cost.team, "cost_per_month": f"{per_month(cost.amount, metering.days):.12f}",
        "base": f"{rounded(Fraction(cost.amount) / (24 * metering.days * count * Fraction(round(size, 6)))):.12f}",
        "burst": f"{burst.price:.12f}", "where": burst.where, "since": str(metering.window.end - timedelta(days=1)),
    }  # fmt: skip
    return Case(cluster, pack(meta, demand=_filled(demand[whole]), spare=np.nan_to_num(spare[whole])))


def _demand(metering: Metering, cluster: str, hours: Hours, gib_per_core: float) -> Any:
    """Cores claimed by whatever is no agent, hour by hour; where memory is the scarcer, as many as come with it."""
    cores, gib = (f"sum({claim})" for claim in (SQL_CORES, SQL_GIB))
    return metering.series(
        hours,
        f"""
        SELECT clock, greatest({cores}, {gib} / {gib_per_core:.6f})
        FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE cluster = ? AND workload_kind NOT IN {AGENTS}
        GROUP BY clock""",
        cluster,
    )


def _spare(metering: Metering, hours: Hours) -> Any:
    """Cores of GPU nodes that nobody claims, hour by hour, of all clusters."""
    return metering.series(
        hours,
        f"""
        WITH gpu_nodes AS (FROM {metering.listener.rows(NODE_HOURS)} WHERE gpu_capacity_hours > 0),
        claimed AS (
            SELECT cluster, node, clock, sum({SQL_CORES}) AS cores
            FROM (FROM {metering.listener.rows(WORKLOAD_HOURS)} WHERE resource_id = '')
            SEMI JOIN gpu_nodes USING (cluster, node) GROUP BY ALL)
        SELECT clock, sum(greatest(0, {FULLEST} * cpu_capacity_core_hours - coalesce(cores, 0)))
        FROM gpu_nodes LEFT JOIN claimed USING (cluster, node, clock) GROUP BY clock""",
    )


def _agents(metering: Metering, cluster: str, standing: list[Stood]) -> float:
    """The cores of a standing node that agents claim."""
    hours = metering.costed
    ((agents,),) = metering.ask(
        f"""
        SELECT avg(cores) FROM {metering.claimed(cluster, f"workload_kind IN {AGENTS}")}
        WHERE clock >= ? AND clock < ? AND node IN (SELECT unnest(?::VARCHAR[]))""",
        hours.first, hours.end, [node.node for node in standing],
    )  # fmt: skip
    return float(agents or 0)


def _burst(metering: Metering, cluster: str, nodes: list[Stood], cost: Cost) -> _Burst | None:
    """The cheaper of nodes that come and go and serverless pods, per core-hour that was asked for on them."""
    hours = metering.costed
    rows = metering.ask(
        f"""
        SELECT resource_id <> '', sum({SQL_CORES}),
            list(DISTINCT resource_id)
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND clock >= ? AND clock < ? AND workload_kind NOT IN {AGENTS}
            AND (resource_id <> '' OR node IN (SELECT unnest(?::VARCHAR[])))
        GROUP BY ALL""",
        cluster, hours.first, hours.end, [node.node for node in nodes if not node.stands],
    )  # fmt: skip
    found = []
    for is_serverless, asked, resources in rows:
        named = resources if is_serverless else [node.resource for node in nodes if not node.stands]
        paid = metering.cost_of(named)
        if asked and paid.amount > 0 and paid.currency == cost.currency:
            price = rounded(Fraction(paid.amount) / Fraction(asked))
            found.append(_Burst("serverless" if is_serverless else "elastic", price))
    return min(found, key=lambda one: (one.price, one.where), default=None)


def _filled(demand: Any) -> Any:
    """Unknown hours as the same hour of the week usually is."""
    usual = np.nanmean(demand, axis=0)
    return np.where(np.isnan(demand), np.nan_to_num(usual, nan=float(np.nanmax(demand)))[None, :], demand)
