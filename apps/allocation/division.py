"""Dividing whole tables of pools between claimants without losing a unit."""

import ibis
import ibis.expr.types as ir

from apps.finops.tables import COSTS, MONEY
from apps.warehouse.engine import running_share

WEIGHT = "decimal(38, 12)"
_WHOLE = "decimal(38, 0)"


def divide(pools: ir.Table, weights: ir.Table, *, key: list[str], order: list[str]) -> ir.Table:
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
    total = weights.weight.sum().over(group_by=key)
    even = weights.mutate(weight=(total == 0).ifelse(ibis.literal(1), weights.weight).cast(WEIGHT))
    scale = _scale(even.weight.sum().over(group_by=key))
    whole = even.mutate(part=(even.weight * scale).round().cast(_WHOLE))
    running = whole.mutate(
        upto=whole.part.sum()
        .over(ibis.cumulative_window(group_by=key, order_by=[whole[name] for name in order]))
        .cast(_WHOLE),
        whole=whole.part.sum().over(group_by=key).cast(_WHOLE),
    )
    joined = pools.join(running.drop("weight"), key)
    shares = {
        basis: (
            running_share(joined[basis], joined.upto, joined.whole)
            - running_share(joined[basis], joined.upto - joined.part, joined.whole)
        ).cast(MONEY)
        for basis in COSTS
    }
    return joined.mutate(**shares).drop("part", "upto", "whole")


def _scale(total: ir.Value) -> ir.Value:
    """What to multiply weights by so that they become whole numbers whose sum stays below 10^18."""
    return (
        ibis.cases(
            (total < 10**5, ibis.literal(10**12)),
            (total < 10**11, ibis.literal(10**6)),
            else_=ibis.literal(1),
        )
    ).cast("decimal(13, 0)")
