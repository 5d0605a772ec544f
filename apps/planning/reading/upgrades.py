"""What upgrades are compared on: the cores that stand, their busiest hour, what is stored on them, and the price."""

# ruff: noqa: S608  # identifiers are declared columns and tables of our own; every value is a parameter or quoted

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.money import rounded
from apps.finops.tables import VOLUME_HOURS, WORKLOAD_HOURS
from apps.insights.idle.ledger import per_month
from apps.marts.models import Publication
from apps.planning.arrays import pack
from apps.planning.drafts import Case
from apps.planning.metering import AGENTS, Metering, Stood

LEAST_DAYS = 14
THIN = "%(cluster)s: %(days)s days are both metered and billed; upgrades need %(least)s."
NO_NODES = "%(cluster)s: no node that stands is found in the bill, so nothing can be priced."
NO_USE = "%(cluster)s: nothing was used on nodes that stand."


def read(pinned: Publication, now: datetime) -> Iterator[Case]:
    """A case for every cluster, of its nodes without GPUs that stand."""
    metering = Metering.of(pinned, now)
    if metering is None:
        return
    for cluster, own in metering.clusters():
        nodes = [node for node in own.nodes(cluster, own.costed) if node.stands and not node.gpus]
        yield _case(own, cluster, nodes)


def _case(metering: Metering, cluster: str, nodes: list[Stood]) -> Case:
    told = {"cluster": cluster}
    if metering.days < LEAST_DAYS:
        return Case(cluster, withheld=Sentence(THIN, told | {"days": f"{metering.days}", "least": f"{LEAST_DAYS}"}))
    cost = metering.cost_of(node.resource for node in nodes)
    if not nodes or cost.amount <= 0:
        return Case(cluster, withheld=Sentence(NO_NODES, told))
    busiest = _busiest(metering, cluster, nodes)
    if not busiest > 0:
        return Case(cluster, withheld=Sentence(NO_USE, told))
    cores = sum(node.cores for node in nodes)
    hours = Fraction(24 * metering.days)
    meta = {
        "cluster": cluster, "currency": cost.currency, "team": cost.team, "nodes": len(nodes), "cores": round(cores),
        "cores_per_node": round(float(np.median([node.cores for node in nodes]))), "busiest": f"{busiest:.6f}",
        "stored_gib": f"{_stored(metering, cluster, nodes):.6f}", "fill": f"{metering.fullest(cluster):.6f}",
        "core_hour": f"{rounded(Fraction(cost.amount) / (hours * Fraction(round(cores, 6)))):.12f}",
        "cost_per_month": f"{per_month(cost.amount, metering.days):.12f}",
        "since": str(metering.window.end - timedelta(days=1)), "days": metering.days,
    }  # fmt: skip
    return Case(cluster, pack(meta))


def _busiest(metering: Metering, cluster: str, nodes: list[Stood]) -> float:
    """The cores used in the busiest hour by what is no agent; one of a thousand hours was busier."""
    use = metering.series(
        metering.costed,
        f"""
        SELECT clock, sum(cpu_used_core_hours) FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND workload_kind NOT IN {AGENTS} AND node IN (SELECT unnest(?::VARCHAR[])) GROUP BY clock""",
        cluster, [node.node for node in nodes],
    )  # fmt: skip
    known = use[~np.isnan(use)]
    return float(np.quantile(known, 0.999)) if len(known) else 0.0


def _stored(metering: Metering, cluster: str, nodes: list[Stood]) -> float:
    """The GiB on volumes that work mounts, in the last hour that was metered. Nothing where most of what is asked for
    on these nodes keeps no data: they do not stand for its sake."""
    ((keeps, asked),) = metering.ask(
        f"""
        SELECT sum(cpu_request_core_hours) FILTER (workload_kind = 'StatefulSet'), sum(cpu_request_core_hours)
        FROM {metering.listener.rows(WORKLOAD_HOURS)}
        WHERE cluster = ? AND workload_kind NOT IN {AGENTS} AND node IN (SELECT unnest(?::VARCHAR[]))""",
        cluster, [node.node for node in nodes],
    )  # fmt: skip
    if 2 * (keeps or 0) <= (asked or 0):
        return 0.0
    ((gib,),) = metering.ask(
        f"""
        WITH mounted AS (SELECT clock, used_gib_hours FROM {metering.listener.rows(VOLUME_HOURS)}
            WHERE cluster = ? AND clock < ? AND workload <> '')
        SELECT sum(greatest(used_gib_hours, 0)) FROM mounted WHERE clock = (SELECT max(clock) FROM mounted)""",
        cluster, metering.costed.end,
    )  # fmt: skip
    return float(gib or 0)
