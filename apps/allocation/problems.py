"""What allocation could not price or place, as rows people can read."""

import ibis
import ibis.expr.types as ir

from apps.allocation import nodes
from apps.allocation.facts import Facts
from apps.finops.problems import Problem
from apps.warehouse.engine import rows_of

EXAMPLES = 20


def find(inputs: Facts, pools: ir.Table, excess: ir.Table) -> tuple[Problem, ...]:
    """Usage without a bill, and node-hours claimed beyond their capacity (`nodes.Claims.excess`), largest
    first."""
    return (*_unpriced(inputs, pools), *_overuse(excess))


def _unpriced(inputs: Facts, pools: ir.Table) -> list[Problem]:
    billed = pools.filter(pools.pool == "node").select("day", "resource").distinct()
    lost = inputs.node_days.anti_join(billed, ["day", "resource"])
    summed = lost.group_by("cluster", "node", "provider_id").aggregate(
        hours=lost.hours.sum(), core_hours=lost.core_hours.sum()
    )
    rows = rows_of(summed.order_by(ibis.desc("core_hours"), "node").limit(EXAMPLES))
    return [
        Problem(
            "warning",
            "unpriced_node",
            f"{cluster}/{node}",
            f"{hours} node-hours ({core_hours} core-hours) have no charge: "
            f"no ResourceId in the bill equals {provider!r}. Check that the bill covers this account and period.",
        )
        for cluster, node, provider, hours, core_hours in rows
    ]


def _overuse(excess: ir.Table) -> list[Problem]:
    worst = _worst(excess)
    rows = rows_of(
        excess.mutate(worst=worst)
        .group_by("cluster", "node")
        .aggregate(hours=lambda t: t.count(), worst=lambda t: t.worst.min())
        .order_by("worst", "node")
        .limit(EXAMPLES)
    )
    return [
        Problem(
            "note",
            "overuse",
            f"{cluster}/{node}",
            f"In {hours} hours workloads claimed more than the node has (claims scaled to {worst:.1%} at worst).",
        )
        for cluster, node, hours, worst in rows
    ]


def _worst(excess: ir.Table) -> ir.Value:
    return ibis.least(*(excess[f"factor_{name}"] for name in nodes.RESOURCES))
