"""What allocation could not price or place, as rows people can read."""

import ibis
import ibis.expr.types as ir

from apps.allocation import nodes
from apps.allocation.facts import Facts
from apps.finops.problems import Problem
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import rows_of

EXAMPLES = 20


def find(inputs: Facts, pools: ir.Table, excess: ir.Table, book: RuleBook) -> tuple[Problem, ...]:
    """Usage without a bill, charges of clusters nobody knows, and node-hours claimed beyond their capacity
    (`nodes.Claims.excess`), largest first."""
    return (*_unpriced(inputs, pools), *_without_cluster(inputs, pools, book), *_overuse(excess))


def _without_cluster(inputs: Facts, pools: ir.Table, book: RuleBook) -> list[Problem]:
    """Rules of `clusters` that give charges to a cluster of which no node was measured."""
    if not book.clusters:
        return []
    used = {number for (number,) in rows_of(pools.select("cluster_rule").distinct())}
    known = {cluster for (cluster,) in rows_of(inputs.node_days.select("cluster").distinct())}
    return [
        Problem(
            "warning",
            "unknown_cluster",
            rule.name,
            f"The rule gives charges to the cluster {rule.cluster!r}, of which no node was measured, so nobody carries "
            f"them. Known are: {', '.join(sorted(known)) or 'none'}.",
        )
        for number, rule in enumerate(book.clusters)
        if number in used and rule.cluster not in known
    ]


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
