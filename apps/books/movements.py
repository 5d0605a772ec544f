"""The change of every allocated row, told in parts that add up to it: charges first, then claims, then owners."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT, divide
from apps.finops.tables import COSTS, MONEY
from apps.warehouse.engine import Workspace, count_of, empty

ROUNDING = ibis.literal("0.000001").cast(MONEY)
"""Where charges changed too, a smaller movement is the rounding of their division, and carries their class."""


def explained(
    rows: ir.Table, moves: ir.Table, *, pool: list[str], claimant: list[str], owner: list[str], workspace: Workspace
) -> ir.Table:
    """Tell the change of every row in parts: the columns of `pool`, `claimant` and `owner`, `class` and `amount`.

    Parameters
    ----------
    rows
        One row per (`pool`, `claimant`, `owner`): what it had `before` and `after`; of its pool whether usage
        (`is_measured`) or rules (`is_ruled`) differ, and `fallback`, the class where neither does.
    moves
        One row per (`pool`, `class`): the `amount` by which charges of that class change the pool.

    For every row the parts add up to exactly `after` - `before`:

    1. charges: each amount of `moves`, divided as the pool was divided before (after, if it is new);
    2. claims: what else every claimant's cost changed by, divided as the claimant's cost was divided before;
    3. owners: the rest, which moves between the owners of one claimant.
    """
    numbered = workspace.keep(
        rows.mutate(
            place=ibis.row_number(),
            pool_id=ibis.dense_rank().over(order_by=pool),
            claimant_id=ibis.dense_rank().over(order_by=[*pool, *claimant]),
        )
    )
    mine = workspace.keep(_own(moves, numbered, pool))
    charged = workspace.keep(_divided(mine, numbered, "pool_id", workspace))
    classed = numbered.left_join(_largest(mine), "pool_id").drop("pool_id_right")
    named = workspace.keep(
        classed.mutate(has_moves=classed.main.notnull(), main=classed.main.coalesce(classed.fallback))
    )
    rest = workspace.keep(_less(named, charged))
    claimed = rest.group_by("claimant_id").aggregate(amount=rest.rest.sum().cast(MONEY))
    claimed = claimed.filter(claimed.amount != 0).mutate(move=ibis.row_number())
    moved = workspace.keep(_divided(workspace.keep(claimed), numbered, "claimant_id", workspace).drop("class"))
    owned = _less(rest.drop("rest"), charged.union(moved.mutate(**{"class": ibis.literal("")}).select(charged.columns)))
    keys = [*pool, *claimant, *owner]
    joined = moved.join(named, "place")
    parts = (
        charged.join(numbered.select("place", *keys), "place").select(*keys, "class", "amount"),
        joined.mutate(**{"class": _by_claims(joined, joined.amount)}).select(*keys, "class", "amount"),
        owned.mutate(**{"class": _by_owners(owned, owned.rest)}, amount=owned.rest).select(*keys, "class", "amount"),
    )
    told = ibis.union(*parts)
    summed = told.group_by(*keys, "class").aggregate(amount=told.amount.sum().cast(MONEY))
    return workspace.keep(summed.filter(summed.amount != 0))


def _own(moves: ir.Table, numbered: ir.Table, pool: list[str]) -> ir.Table:
    """The moves by `pool_id`, each with its number `move`."""
    pools = numbered.select(*pool, "pool_id").distinct()
    joined = moves.join(pools, pool)
    return joined.select("pool_id", "class", "amount").mutate(move=ibis.row_number())


def _divided(moves: ir.Table, numbered: ir.Table, key: str, workspace: Workspace) -> ir.Table:
    """Every move (`key`, `move`, `amount`) divided between the rows of its key: `place`, `class`, `amount`."""
    if not count_of(moves):
        return empty(ibis.schema({"class": "string", "place": "int64", "amount": MONEY}))
    sizes = numbered.group_by(key).aggregate(had=numbered.before.abs().sum())
    weighed = moves.select(key, "move").join(numbered.select(key, "place", "before", "after"), key).join(sizes, key)
    weight = (weighed.had > 0).ifelse(weighed.before.abs(), weighed.after.abs())
    weights = weighed.select(pool_id=weighed.move, claimant=weighed.place, weight=weight.cast(WEIGHT))
    pools = workspace.keep(moves.select(pool_id=moves.move, **dict.fromkeys(COSTS, moves.amount)))
    parts = divide(pools, weights, workspace=workspace)
    kinds = moves if "class" in moves.columns else moves.mutate(**{"class": ibis.literal("")})
    told = parts.join(kinds.select("move", "class"), parts.pool_id == kinds.move)
    return told.select("class", place=told.claimant, amount=told.effective_cost)


def _largest(moves: ir.Table) -> ir.Table:
    """The class that moves a pool most: `pool_id`, `main`."""
    place = ibis.row_number().over(
        ibis.window(group_by="pool_id", order_by=[ibis.desc(moves.amount.abs()), moves["class"]])
    )
    first = moves.mutate(place=place)
    first = first.filter(first.place == 0)
    return first.select("pool_id", main=first["class"])


def _less(rows: ir.Table, parts: ir.Table) -> ir.Table:
    """What is not yet told of every row: `rest`."""
    told = parts.group_by("place").aggregate(told=parts.amount.sum().cast(MONEY))
    joined = rows.left_join(told, "place").drop("place_right")
    return joined.mutate(rest=(joined.after - joined.before - joined.told.fill_null(0)).cast(MONEY)).drop("told")


def _by_claims(rows: ir.Table, amount: ir.Value) -> ir.Value:
    """Claims move because they were measured otherwise, else because a policy weighs them otherwise."""
    return ibis.cases(
        (rows.has_moves & (amount.abs() < ROUNDING), rows.main),
        (rows.is_measured, "re-measured"),
        (rows.is_ruled, "re-ruled"),
        else_=rows.main,
    )


def _by_owners(rows: ir.Table, amount: ir.Value) -> ir.Value:
    """Owners move because rules name another one, else because what they go by (labels) was measured otherwise."""
    return ibis.cases(
        (rows.has_moves & (amount.abs() < ROUNDING), rows.main),
        (rows.is_ruled, "re-ruled"),
        (rows.is_measured, "re-measured"),
        (rows.has_moves, rows.main),
        else_="re-ruled",
    )
