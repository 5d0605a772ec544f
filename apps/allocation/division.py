"""Dividing whole tables of pools between claimants without losing a unit."""

import itertools

import ibis
import ibis.expr.types as ir

from apps.finops.tables import COSTS
from apps.warehouse.engine import Workspace, rows_of
from apps.warehouse.exact import amount_of, units_of, with_shares

WEIGHT = "decimal(38, 19)"
"""Of price x units (`nodes`): a decimal of 38 digits is never shortened on the way, for that takes an engine long."""


def divide(pools: ir.Table, weights: ir.Table, *, workspace: Workspace) -> ir.Table:
    """Split every pool between its claimants, in proportion to their weights.

    Parameters
    ----------
    pools
        One row per pool: its number `pool_id` and the four costs.
    weights
        One row per (`pool_id`, `claimant`): `weight` >= 0, WEIGHT, any unit. `claimant` is a number; the claimants of a
        pool stand in its order.

    Returns
    -------
    ir.Table
        One row per (`pool_id`, `claimant`). The four costs of a pool's rows add up to exactly those of the pool. A
        pool whose weights are all zero is divided evenly. Pools without weights are not returned.

    Method: running sums of whole-number weights (`apps.finops.money.split` is the plain reference).
    """
    places = placed(workspace.keep(weights))
    alike = _alike(pools)
    units = pools.select("pool_id", **{basis: units_of(pools[basis]) for basis in set(alike.values())})
    ends = {f"{basis}_{end}": (basis, end) for basis in units.columns[1:] for end in ("since", "until")}
    shares = with_shares(places.join(units, "pool_id"), ends, whole="whole")
    parts = {basis: amount_of(shares[f"{basis}_until"] - shares[f"{basis}_since"]) for basis in units.columns[1:]}
    divided = shares.select("pool_id", "claimant", **parts)
    return workspace.keep(
        divided.select("pool_id", "claimant", **{name: divided[same] for name, same in alike.items()})
    )


def _alike(pools: ir.Table) -> dict[str, str]:
    """For each cost the first that is the same in every pool (often list and contracted): it is divided but once."""
    pairs = list(itertools.combinations(COSTS, 2))
    are_equal = pools.aggregate(**{f"{one}_{other}": (pools[one] == pools[other]).all() for one, other in pairs})
    equal = dict(zip(pairs, rows_of(are_equal)[0], strict=True))
    return {name: next(first for first in COSTS if first == name or equal.get((first, name))) for name in COSTS}


def placed(weights: ir.Table) -> ir.Table:
    """Each claimant's place in its pool: its part lies between the running sums `since` and `until`, all in `whole`."""
    whole_numbers = _whole_numbers(weights)
    part = whole_numbers.part
    summed = whole_numbers.mutate(
        until=part.sum().over(ibis.cumulative_window(group_by="pool_id", order_by="claimant")).cast("int64"),
        whole=part.sum().over(ibis.window(group_by="pool_id")).cast("int64"),
    )
    return summed.mutate(since=summed.until - summed.part).drop("part")


def _whole_numbers(weights: ir.Table) -> ir.Table:
    """The weights of each pool as whole numbers in `part`, all 1 where they are all zero."""
    totals = weights.group_by("pool_id").aggregate(total=weights.weight.sum(), claimants=weights.count())
    both = weights.join(totals, "pool_id")
    nothing = both.total == 0
    even = both.mutate(
        weight=nothing.ifelse(ibis.literal(1).cast(WEIGHT), both.weight),
        total=nothing.ifelse(both.claimants, both.total),
    )
    part = (even.weight * _scale(even.total)).round().cast("decimal(18, 0)").cast("int64")
    return even.select("pool_id", "claimant", part=part)


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
