"""Who claims parts of pools: claimants are numbered, so that division carries numbers and not names."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT, divide
from apps.finops.tables import COSTS
from apps.warehouse.engine import Workspace

CLAIMANT = ["cluster", "namespace", "workload", "team", "rule", "node_pool", "kind", "is_shared"]
"""What describes a claimant, in the order in which the claimants of a pool stand."""


def number(claimants: ir.Table, workspace: Workspace) -> ir.Table:
    """One row per claimant: the columns of CLAIMANT and its number, `claimant`."""
    order = ibis.window(order_by=CLAIMANT)
    return workspace.keep(claimants.select(CLAIMANT).distinct().mutate(claimant=ibis.row_number().over(order)))


def weighed(weight: ir.Value, fraction: ir.Value) -> ir.Value:
    """A weight, or the fraction of it that a rule gives to one of several teams."""
    return (fraction == 1).ifelse(weight, (weight * fraction).cast(WEIGHT))


def divided(pools: ir.Table, weights: ir.Table, claimants: ir.Table, workspace: Workspace) -> ir.Table:
    """The pools divided by `weights` (pool_id, claimant, weight): each part with the columns of its pool and of its
    claimant. The names are joined only where they are read."""
    parts = divide(pools, weights, workspace=workspace)
    own = pools.drop(*COSTS, *(name for name in CLAIMANT if name in pools.columns))
    return parts.join(own, "pool_id").join(claimants, "claimant")
