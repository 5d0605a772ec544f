"""The ways of policies: by what weights they divide, and by which others where there are none."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.allocation import drivers
from apps.allocation.division import WEIGHT
from apps.allocation.passing import BILL, Rung, by_cost, evenly
from apps.allocation.taking import Numbered, Taken
from apps.finops.tables import MONEY
from apps.finops.windows import Window
from apps.teams.models import UNALLOCATED
from apps.warehouse.engine import Workspace

_CLUSTER = [*BILL, "cluster"]
_LADDERS: dict[str, tuple[tuple[str, ...], ...]] = {
    "invoice": (("account", "invoice"), ("account",), ()),
    "service": (("account", "service"), ("account",), ()),
    "sub_account": (("account", "sub_account"), ("account",), ()),
    "account": (("account",), ()),
    "source": ((),),
    "earners": (("resource",), ("account", "service")),
}
"""The way of a policy that follows → the columns it looks for among the other rows of its bill and day, in turn."""
BASE = [*BILL, "account", "sub_account", "service", "resource", "invoice", "team", "effective_cost"]
"""What is followed."""


@dataclass(frozen=True)
class Way:
    """`rows` that policies took up, and the `rungs` by which they are divided, the first that knows a row first.

    `driver` is the rung by a driver's quantities, where there is one.
    """

    rows: ir.Table
    rungs: list[Rung]
    is_of_workloads: bool = False
    driver: Rung | None = None


def sharing(policies: Numbered, taken: Taken, window: Window, workspace: Workspace) -> Iterator[Way]:
    """Idle capacity and shared pools."""
    if taken.idle is not None:
        yield Way(taken.idle, [_node_pools(taken.claims)])
    in_cluster = taken.claims.filter(taken.claims.kind != "idle", taken.claims.pool.isin(["node", "serverless"]))
    yield from _shared(policies, taken.workloads, in_cluster, _CLUSTER, window, workspace)
    if taken.charges is not None:
        used = [rows.filter(rows.kind.isin(["direct", UNALLOCATED])) for rows in taken.kept]
        base = ibis.union(*(rows.select(*BILL, "team", "effective_cost") for rows in used))
        yield from _shared(policies, taken.charges, base, BILL, window, workspace)


def _shared(
    policies: Numbered, rows: ir.Table, base: ir.Table, keys: list[str], window: Window, workspace: Workspace
) -> Iterator[Way]:
    """Shared pools by each way that policies know, in proportion to `base` where it needs others' cost."""
    numbered = [one for one in policies if one[1].subject == "share"]
    fixed = [one for one in numbered if one[1].how == "fixed" or one[1].teams]
    by_driver = [one for one in numbered if one[1].how == "by_driver"]
    proportional = [one for one in numbered if one[1].how == "proportional"]
    even = [one for one in numbered if one[1].how == "even" and not one[1].teams]
    is_of_workloads = keys == _CLUSTER
    if len(fixed) < len(numbered):
        rung = by_cost(base, keys)
        cost = Rung(rung.keys, workspace.keep(rung.weights))
    if proportional:
        yield Way(_of(rows, proportional), [cost], is_of_workloads)
    if even:
        yield Way(_of(rows, even), [evenly(cost)], is_of_workloads)
    if fixed:
        yield Way(_of(rows, fixed), [_fixed(fixed)], is_of_workloads)
    if by_driver:
        driver = drivers.weights(by_driver, window)
        fallback = Rung(cost.keys, cost.weights.mutate(told=ibis.literal(drivers.NO_QUANTITIES)))
        yield Way(_of(rows, by_driver), [driver, fallback], is_of_workloads, driver)


def following(policies: Numbered, taken: Taken, base: ir.Table, workspace: Workspace) -> Iterator[Way]:
    """Charges that follow others, and credits: by what the teams of those others cost."""
    ways = {policy.how for _, policy in policies if policy.subject in ("follow", "credits")} & set(_LADDERS)
    if taken.charges is None or not ways:
        return
    keys = [name for name in base.columns if name != "effective_cost"]
    summed = base.group_by(keys).aggregate(effective_cost=base.effective_cost.sum().cast(MONEY))
    summed = workspace.keep(summed)
    for how in sorted(ways):
        numbers = [one for one in policies if one[1].how == how]
        yield Way(_of(taken.charges, numbers), [_step(summed, columns) for columns in _LADDERS[how]])


def _step(base: ir.Table, columns: tuple[str, ...]) -> Rung:
    """What teams cost under some columns of one bill and day. What a charge does not say, it has in common with
    none."""
    for name in columns:
        base = base.filter(base[name] != "")
    return by_cost(base, [*BILL, *columns])


def _of(rows: ir.Table, policies: Numbered) -> ir.Table:
    return rows.filter(rows.number.isin([number for number, _ in policies]))


def _node_pools(claims: ir.Table) -> Rung:
    """What teams claimed of each node pool. Every node has a row of what nobody claimed: it tells the node pool."""
    nodes = claims.filter(claims.pool == "node")
    places = nodes.filter(nodes.kind == "idle").select("pool_id", "node_pool").distinct()
    used = nodes.filter(nodes.kind != "idle").drop("node_pool").join(places, "pool_id")
    return by_cost(used, [*_CLUSTER, "node_pool"])


def _fixed(policies: Numbered) -> Rung:
    """The percentages a policy says, or the same for each of the teams it names."""
    rows = [
        {"number": number, "team": team, "weight": Decimal(weight)}
        for number, policy in policies
        for team, weight in policy.split or [(team, 1) for team in policy.teams]
    ]
    names = {"number": "int32", "team": "string", "weight": "decimal(9, 0)"}
    table = ibis.memtable(rows, schema=ibis.schema(names))
    return Rung(("number",), table.mutate(weight=table.weight.cast(WEIGHT), told=ibis.literal("")))
