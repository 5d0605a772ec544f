"""Shared cost: what platform namespaces cost, divided between the teams they serve."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT, divide
from apps.finops.tables import COSTS, MONEY
from apps.teams.models import UNALLOCATED
from apps.warehouse.engine import Workspace

KEY = ["day", "source", "billing_month", "currency", "cluster"]
_BILL = ["account", "sub_account", "service", "region", "charge_category"]


def share_platform(claimed: ir.Table, workspace: Workspace) -> ir.Table:
    """Replace the rows of platform namespaces by what each team receives of them.

    `claimed` are allocated rows with `is_shared`. Those that are divide, per day, source, billing month, currency and
    cluster, in proportion to the effective cost of nodes and serverless pods that all other namespaces of the cluster
    claimed, by team; cost of namespaces nobody owns weighs for `unallocated`. Where there is nobody to share with,
    the cost is `unallocated`.
    """
    platform = claimed.filter(claimed.is_shared)
    pools = platform.group_by(*KEY, *_BILL, "namespace").aggregate(
        **{basis: platform[basis].sum().cast(MONEY) for basis in COSTS}
    )
    pools = workspace.keep(pools.mutate(pool_id=ibis.row_number()))
    others = claimed.filter(~claimed.is_shared, claimed.kind != "idle", claimed.pool.isin(["node", "serverless"]))
    weights = others.group_by(*KEY, "team").aggregate(cost=others.effective_cost.sum().cast(MONEY))
    weights = workspace.keep(weights.filter(weights.cost > 0).select(*KEY, "team", weight=weights.cost.cast(WEIGHT)))
    teams = workspace.keep(weights.select("team").distinct().mutate(claimant=ibis.row_number().over(order_by="team")))
    weighed = pools.select("pool_id", *KEY).join(weights, KEY).join(teams, "team")
    parts = divide(pools, weighed.select("pool_id", "claimant", "weight"), workspace=workspace)
    received = parts.join(pools.drop(*COSTS), "pool_id").join(teams, "claimant")
    lonely = pools.anti_join(weights, KEY).mutate(team=ibis.literal(UNALLOCATED))
    columns = [name for name in claimed.columns if name != "is_shared"]
    return ibis.union(
        claimed.filter(~claimed.is_shared).select(columns),
        _labelled(received, kind="shared").select(columns),
        _labelled(lonely, kind=UNALLOCATED).select(columns),
    )


def _labelled(rows: ir.Table, *, kind: str) -> ir.Table:
    empty = ibis.literal("")
    return rows.mutate(
        kind=ibis.literal(kind),
        pool=ibis.literal("shared"),
        resource=empty,
        rule=empty,
        node_pool=empty,
        workload=empty,
    )
