"""Charges of a whole cluster: control plane, traffic and whatever else a rule of the policy gives to a cluster."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT
from apps.allocation.ownership import first_that_holds
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import CLAIMS, CLUSTER, TRAFFIC, RuleBook
from apps.warehouse.engine import Workspace

_PLACE = ["day", "cluster", "by"]


def with_cluster_rule(charges: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Add `cluster_rule`: the number of the first rule that gives a charge to a cluster, -1 where none does.

    Such a rule says it outright, so it comes before what a cluster knows of the charge's resource: its `pool` becomes
    `cluster`, and a node's prices do not depend on it.
    """
    if not book.clusters:
        return charges.mutate(cluster_rule=ibis.literal(-1).cast("int32"))
    ruled = first_that_holds(charges, [rule.when for rule in book.clusters], "cluster_rule", workspace)
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
    """What each workload sent, of every kind of TRAFFIC that pools of `placed` are divided by: one row per (day,
    cluster, by, namespace, workload) with its `weight`. Who sent nothing is not there."""
    place = ["day", "cluster", "namespace", "workload"]
    parts = [
        network_hours.group_by(place)
        .aggregate(weight=network_hours[column].sum().cast(WEIGHT))
        .mutate(by=ibis.literal(by))
        for by, column in TRAFFIC.items()
    ]
    sent = ibis.union(*parts)
    return workspace.keep(sent.filter(sent.weight > 0).semi_join(pools.select(_PLACE).distinct(), _PLACE))


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
