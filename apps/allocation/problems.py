"""What allocation could not price or place, as rows people can read."""

import ibis
import ibis.expr.types as ir
from django.conf import settings

from apps.allocation import nodes
from apps.allocation.facts import Facts
from apps.finops.problems import Problem
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import json_member, rows_of

EXAMPLES = 20
MANY_VALUES = 1_000


def find(inputs: Facts, pools: ir.Table, excess: ir.Table, book: RuleBook) -> tuple[Problem, ...]:
    """Usage without a bill, charges of clusters nobody knows, node-hours claimed beyond their capacity
    (`nodes.Claims.excess`), largest first; and tag keys that are of no use."""
    return (*_unpriced(inputs, pools), *_without_cluster(inputs, pools, book), *_overuse(excess), *_tags(pools))


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
            f"{hours} node-hours ({core_hours.normalize():f} core-hours) have no charge: "
            f"no ResourceId in the bill equals {provider!r}. Check that the bill covers this account and period.",
        )
        for cluster, node, provider, hours, core_hours in rows
    ]


def _tags(pools: ir.Table) -> list[Problem]:
    """Chosen keys that no charge bears, and those with so many values that every question of cost takes longer."""
    keys: tuple[str, ...] = settings.COSTOPS_TAG_KEYS
    if not keys:
        return []
    values = [json_member(pools.kept_tags, key).nullif("") for key in keys]
    daily = pools.group_by("day").aggregate(**{f"key_{place}": value.nunique() for place, value in enumerate(values)})
    ((*most,),) = rows_of(daily.aggregate(**{name: daily[name].max() for name in daily.columns[1:]}))
    unused = [key for key, count in zip(keys, most, strict=True) if count == 0]
    many = [(key, count) for key, count in zip(keys, most, strict=True) if (count or 0) > MANY_VALUES]
    return [
        *(Problem("note", "no_tag_values", key, _NO_VALUES) for key in unused),
        *(Problem("warning", "many_tag_values", key, _MANY_VALUES.format(count=count)) for key, count in many),
    ]


_NO_VALUES = "No charge of these days bears this tag. Keys are spelled as on the bill, upper and lower case apart."
_MANY_VALUES = (
    "It has {count} values on a day: every question of cost reads as many rows more. Take it out of COSTOPS_TAG_KEYS "
    "unless it is needed."
)


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
