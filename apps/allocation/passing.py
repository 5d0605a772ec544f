"""Passing cost on: pools of rows that policies took up, divided between the teams that some weights name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT, divide
from apps.finops.tables import COSTS, MONEY
from apps.teams.models import UNALLOCATED
from apps.teams.policies import Policy
from apps.warehouse.engine import Workspace, count_of

BILL = ["day", "source", "billing_month", "currency"]
"""What no division crosses."""
_POOL = [
    *BILL, "provider", "account", "sub_account", "service", "region", "charge_category", "cluster", "node_pool",
    "namespace", "kept_tags", "number",
]  # fmt: skip
"""What is passed on as one; `number` is of the policy. `insights.explain` finds what is behind a received row by it."""


@dataclass(frozen=True)
class Rung:
    """One way to divide: `weights` has a row per (`keys`, `team`) with `weight` >= 0, WEIGHT, and `told`, what stands
    behind the policy's name. It divides the rows whose keys it knows."""

    keys: tuple[str, ...]
    weights: ir.Table


@dataclass(frozen=True)
class Passed:
    """`received`: the rows that teams receive; `gone`: the rows they are of; `left`: those that no rung knew."""

    received: list[ir.Table]
    gone: list[ir.Table]
    left: ir.Table


def by_cost(rows: ir.Table, keys: Sequence[str]) -> Rung:
    """In proportion to the effective cost that teams have under the same keys; a team that costs nothing, or less,
    receives nothing. `rows` are such that an empty key tells nothing."""
    summed = rows.group_by(*keys, "team").aggregate(cost=rows.effective_cost.sum().cast(MONEY))
    summed = summed.filter(summed.cost > 0)
    weights = summed.select(*keys, "team", weight=summed.cost.cast(WEIGHT), told=ibis.literal(""))
    return Rung(tuple(keys), weights)


def evenly(rung: Rung) -> Rung:
    """The same to every team that a rung knows; what nobody owns is no team."""
    teams = rung.weights.filter(rung.weights.team != UNALLOCATED)
    return Rung(rung.keys, teams.mutate(weight=ibis.literal(1).cast(WEIGHT)))


def names(policies: Sequence[Policy], workspace: Workspace) -> ir.Table:
    """What rows that a policy divided say, by its `number`: its `label`, and their `kind`."""
    rows = [
        {"number": number, "label": policy.label, "kind": "shared_idle" if policy.subject == "idle" else "shared"}
        for number, policy in enumerate(policies)
    ]
    schema = ibis.schema({"number": "int32", "label": "string", "kind": "string"})
    return workspace.keep(ibis.memtable(rows, schema=schema))


def pass_on(rows: ir.Table, rungs: Iterable[Rung], named: ir.Table, workspace: Workspace) -> Passed:
    """Divide rows (those of `allocated` and the `number` of their policy) by the first of the rungs that knows them."""
    received: list[ir.Table] = []
    gone: list[ir.Table] = []
    for rung in rungs:
        if not count_of(rows):
            break
        weights = workspace.keep(rung.weights)
        known = workspace.keep(rows.semi_join(weights, rung.keys))
        if not count_of(known):  # an engine is asked in a moment; to write down a division takes far longer
            continue
        received.append(workspace.keep(_divided(known, Rung(rung.keys, weights), named, workspace)))
        gone.append(known)
        rows = workspace.keep(rows.anti_join(weights, rung.keys))
    return Passed(received, gone, rows)


def to_nobody(rows: ir.Table, named: ir.Table) -> ir.Table:
    """What is passed on and finds nobody to receive it."""
    alone = _pools(rows, [*_POOL, *_particulars(rows)]).mutate(team=ibis.literal(UNALLOCATED), told=ibis.literal(""))
    return _as_received(alone, named).mutate(kind=ibis.literal(UNALLOCATED))


def _divided(rows: ir.Table, rung: Rung, named: ir.Table, workspace: Workspace) -> ir.Table:
    pools = _pools(rows, [*dict.fromkeys((*_POOL, *rung.keys, *_particulars(rows)))])
    pools = workspace.keep(pools.mutate(pool_id=ibis.row_number()))
    weights = rung.weights
    teams = workspace.keep(weights.select("team").distinct().mutate(claimant=ibis.row_number().over(order_by="team")))
    weighed = pools.select("pool_id", *rung.keys).join(weights, rung.keys).join(teams, "team")
    parts = divide(pools, weighed.select("pool_id", "claimant", "weight"), workspace=workspace)
    told = weights.select(*rung.keys, "told").distinct()
    received = parts.join(pools.drop(*COSTS), "pool_id").join(teams, "claimant").join(told, rung.keys)
    return _as_received(received, named)


def _pools(rows: ir.Table, key: list[str]) -> ir.Table:
    return rows.group_by(key).aggregate(**{basis: rows[basis].sum().cast(MONEY) for basis in COSTS})


def _particulars(rows: ir.Table) -> list[str]:
    """An invoice goes on with the cost it is of: what follows an invoice asks for it."""
    return [name for name in ("invoice",) if name in rows.columns]


def _as_received(rows: ir.Table, named: ir.Table) -> ir.Table:
    told = rows.join(named, "number")
    empty = ibis.literal("")
    return told.mutate(pool=ibis.literal("shared"), rule=told.label + told.told, resource=empty, workload=empty)
