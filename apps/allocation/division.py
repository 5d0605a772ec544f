"""Dividing whole tables of pools between claimants without losing a unit."""

import ibis
import ibis.expr.types as ir

from apps.finops.tables import COSTS, MONEY
from apps.warehouse.engine import Workspace
from apps.warehouse.exact import with_running_shares

WEIGHT = "decimal(38, 12)"
_WHOLE = "decimal(38, 0)"


def divide(pools: ir.Table, weights: ir.Table, *, key: list[str], order: list[str], workspace: Workspace) -> ir.Table:
    """Split every pool between its claimants, in proportion to their weights.

    Parameters
    ----------
    pools
        One row per pool: the columns of `key`, others, and the four costs. Several pools may have one key: they
        are divided alike, each by itself.
    weights
        One row per (`key`, claimant): `weight` >= 0, DECIMAL(38,12), any unit, and the claimant's columns, of which
        `order` names enough to put the claimants of a key into one fixed order.

    Returns
    -------
    ir.Table
        One row per (pool, claimant). The four costs of a pool's rows add up to exactly those of the pool. A key whose
        weights are all zero is divided evenly. Pools without weights are not returned.

    Method: running sums of whole-number weights (`apps.finops.money.split` is the plain reference).
    """
    weights = workspace.keep(weights.mutate(claimant_number=ibis.row_number()))
    whole = _whole_numbers(weights, key)
    in_order = {"group_by": key, "order_by": [whole[name] for name in order]}
    placed = workspace.keep(
        whole.mutate(
            upto=whole.part.sum().over(ibis.cumulative_window(**in_order)).cast(_WHOLE),
            place=ibis.row_number().over(ibis.window(**in_order)),
        ).select(*key, "claimant_number", "upto", "place")
    )
    running = placed.join(placed.group_by(key).aggregate(whole=placed.upto.max()), key)
    pools = workspace.keep(pools.mutate(pool_number=ibis.row_number()))
    slim = pools.select("pool_number", *key, *COSTS).join(
        running.select("claimant_number", "place", "upto", "whole", *key), key
    )
    slim = slim.select("pool_number", "claimant_number", "place", "upto", "whole", *COSTS)
    shares = workspace.keep(with_running_shares(slim, COSTS, part="upto", whole="whole", keep=workspace.keep))
    before = ibis.window(group_by="pool_number", order_by="place")
    parts = {basis: (shares[basis] - shares[basis].lag().over(before).fill_null(0)).cast(MONEY) for basis in COSTS}
    parted = shares.select("pool_number", "claimant_number", **parts)
    described = parted.join(pools.drop(*COSTS), "pool_number").drop("pool_number")
    claimants = weights.drop("weight", *key)
    return described.join(claimants, "claimant_number").drop("claimant_number")


def _whole_numbers(weights: ir.Table, key: list[str]) -> ir.Table:
    """The weights of each key as whole numbers in `part`, all 1 where they are all zero."""
    totals = weights.group_by(key).aggregate(total=weights.weight.sum(), claimants=weights.count())
    both = weights.join(totals, key)
    nothing = both.total == 0
    even = both.mutate(
        weight=nothing.ifelse(ibis.literal(1), both.weight).cast(WEIGHT),
        total=nothing.ifelse(both.claimants, both.total),
    )
    return even.mutate(part=(even.weight * _scale(even.total)).round().cast(_WHOLE)).drop(
        "total", "claimants", "weight"
    )


def _scale(total: ir.Value) -> ir.Value:
    """What to multiply weights by so that they become whole numbers whose sum stays below 10^18."""
    return (
        ibis.cases(
            (total < 10**5, ibis.literal(10**12)),
            (total < 10**7, ibis.literal(10**10)),
            (total < 10**9, ibis.literal(10**8)),
            (total < 10**11, ibis.literal(10**6)),
            else_=ibis.literal(1),
        )
    ).cast("decimal(13, 0)")
