"""Charges of a whole cluster: control plane, traffic and whatever else a rule of the policy gives to a cluster."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT
from apps.allocation.ownership import first_of
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import CHARGE_FIELDS, CLAIMS, CLUSTER, TRAFFIC, RuleBook
from apps.warehouse.engine import Workspace

PLACE = ["day", "cluster", "by", "node"]
"""Where traffic is measured: on a node, or, where `node` is empty, on a whole cluster."""


def with_cluster_rule(charges: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Add `cluster_rule`: the number of the first rule that gives a charge to a cluster, -1 where none does.

    Such a rule says it outright, so it comes before what a cluster knows of the charge's resource: its `pool` becomes
    `cluster`, and a node's prices do not depend on it.
    """
    if not book.clusters:
        return charges.mutate(cluster_rule=ibis.literal(-1).cast("int32"))
    rules = [(number, rule.as_rule) for number, rule in enumerate(book.clusters)]
    ruled = first_of(charges, rules, CHARGE_FIELDS, workspace).rename(cluster_rule="number")
    is_ruled = ruled.cluster_rule >= 0
    return ruled.mutate(
        pool=is_ruled.ifelse("cluster", ruled.pool),
        resource_day=is_ruled.ifelse(ibis.null("int32"), ruled.resource_day),
    )


def placed(pools: ir.Table, book: RuleBook) -> ir.Table:
    """Pools of kind `cluster` with the cluster they belong to, `by` what they are divided, and the `rule` that said so.
    A cluster that was billed under its own name is divided by claims."""
    mine = pools.filter(pools.pool == "cluster")
    rows = [
        {"cluster_rule": number, "cluster": rule.cluster, "by": rule.by, "rule": rule.name}
        for number, rule in enumerate(book.clusters)
    ]
    names = {"cluster_rule": "int32", "cluster": "string", "by": "string", "rule": "string"}
    rules = ibis.memtable([*rows, {"cluster_rule": -1, "cluster": "", "by": CLAIMS, "rule": ""}], schema=names)
    told = mine.join(rules, "cluster_rule")
    return told.mutate(cluster=(told.cluster_rule < 0).ifelse(told.resource, told.cluster))


def traffic(network_hours: ir.Table, pools: ir.Table, workspace: Workspace) -> ir.Table:
    """What each workload sent, of every kind of TRAFFIC that pools of `placed` are divided by: one row per PLACE,
    namespace and workload with its `weight`. Who sent nothing is not there."""
    rows = network_hours.filter(network_hours.node != "")
    everywhere = network_hours.mutate(node=ibis.literal(""))
    rows = rows.union(everywhere.select(rows.columns))
    workload = ["day", "cluster", "node", "namespace", "workload"]
    parts = [
        rows.group_by(workload).aggregate(weight=rows[column].sum().cast(WEIGHT)).mutate(by=ibis.literal(by))
        for by, column in TRAFFIC.items()
    ]
    sent = ibis.union(*parts)
    asked = pools.select("day", "cluster", "by").distinct()
    return workspace.keep(sent.filter(sent.weight > 0).semi_join(asked, ["day", "cluster", "by"]))


def on_nodes(pools: ir.Table, node_days: ir.Table, sent: ir.Table) -> ir.Table:
    """Add `node` to pools of `placed`: the node whose own charge it is, where something was sent from there
    (`traffic`); everything else is the whole cluster's."""
    nodes = node_days.select("day", "cluster", "resource", "node").distinct()
    nodes = nodes.group_by("day", "cluster", "resource").aggregate(node=nodes.node.min())
    nodes = nodes.filter(nodes.resource != "")
    key = ["day", "cluster", "resource"]
    named = pools.left_join(nodes, key).drop(*(f"{name}_right" for name in key))
    measured = sent.select(PLACE).distinct().mutate(is_measured=ibis.literal(True))
    told = named.left_join(measured, PLACE).drop(*(f"{name}_right" for name in PLACE))
    return told.mutate(node=told.is_measured.notnull().ifelse(told.node, "")).drop("is_measured")


def carried_by_all(pools: ir.Table) -> ir.Table:
    """Pools of `placed` as rows that the teams on their cluster carry together, like those of a platform namespace."""
    empty = ibis.literal("")
    return pools.mutate(
        namespace=ibis.literal(CLUSTER),
        workload=empty,
        node_pool=empty,
        team=ibis.literal(UNALLOCATED),
        kind=ibis.literal(UNALLOCATED),
        is_shared=ibis.literal(True),
    )
