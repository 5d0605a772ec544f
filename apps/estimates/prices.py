"""Unit prices from the last days of bills: of a resource itself, of its like in its pool or in its cluster."""

import ibis
import ibis.expr.types as ir

from apps.allocation.facts import Facts
from apps.allocation.matching import billed_resource, kubernetes_resource
from apps.allocation.nodes import claimed_units
from apps.finops.tables import COSTS, MONEY
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import Workspace
from apps.warehouse.exact import with_conversion

MEASURED_POOLS = ("node", "serverless", "volume")
"""The charge pools of which usage is measured: what it costs follows from how much there was."""
LEVELS = {"resource": "own price", "near": "price of its pool", "far": "price of its cluster"}
"""By what a price is looked up, the best first → how it is named."""
BILL = ["source", "currency", "provider", "account", "sub_account", "service", "region"]
_KEY = ["day", "pool", "resource"]
_PARTS = "\x1f"


def measured(inputs: Facts, book: RuleBook) -> ir.Table:
    """What was measured, one row per day, pool and resource.

    `quantity` in whole millionths: core-hours of a node, GiB-hours of a volume, price units claimed by a serverless
    pod. `near` and `far` name its like: nodes of the same instance type in the same pool, then in the same cluster;
    volumes and serverless pods have none nearer than those of their cluster.
    """
    rows = ibis.union(_nodes(inputs), _volumes(inputs), _serverless(inputs, book))
    rows = rows.filter(rows.resource != "", rows.quantity > 0)
    return rows.group_by(_KEY).aggregate(
        near=rows.near.max(), far=rows.far.max(), quantity=rows.quantity.sum().cast("int64")
    )


def _nodes(inputs: Facts) -> ir.Table:
    hours = inputs.node_hours
    nodes = hours.group_by("day", "cluster", "provider_id", "node_pool", "instance_type").aggregate(
        quantity=_millionths(hours.cpu_capacity_core_hours.sum())
    )
    kind = _joined(nodes.cluster, nodes.instance_type)
    near = _joined(nodes.cluster, nodes.node_pool, nodes.instance_type)
    return nodes.select(
        "day",
        "quantity",
        pool=ibis.literal("node"),
        resource=kubernetes_resource(nodes.provider_id),
        near=near,
        far=kind,
    ).select(*_KEY, "near", "far", "quantity")


def _volumes(inputs: Facts) -> ir.Table:
    hours = inputs.volume_hours
    volumes = hours.group_by("day", "cluster", "resource").aggregate(
        quantity=_millionths(hours.capacity_gib_hours.sum())
    )
    return _alike(volumes, "volume")


def _serverless(inputs: Facts, book: RuleBook) -> ir.Table:
    hours = inputs.workload_hours.filter(inputs.workload_hours.resource_id != "")
    hours = hours.mutate(units=claimed_units(hours, book))
    pods = hours.group_by("day", "cluster", resource=billed_resource(hours.resource_id)).aggregate(
        quantity=_millionths(hours.units.sum())
    )
    return _alike(pods, "serverless")


def _alike(rows: ir.Table, pool: str) -> ir.Table:
    """All of a cluster are alike, and none more than the others."""
    return rows.mutate(pool=ibis.literal(pool), near=rows.resource, far=rows.cluster).select(
        *_KEY, "near", "far", "quantity"
    )


def _joined(*texts: ir.Value) -> ir.Value:
    return ibis.literal(_PARTS).join(list(texts))


def _millionths(quantity: ir.Value) -> ir.Value:
    return (quantity.cast("decimal(18, 6)") * ibis.literal(1_000_000).cast("decimal(7, 0)")).cast("int64")


def known(costs: ir.Table, there: ir.Table, by: str) -> ir.Table:
    """What the like of a resource (`by`: one of LEVELS) cost on the last day it was charged.

    `costs` has one row per day, pool, resource and bill (BILL) with `tags` and the four costs; `there` is of
    `measured`. One row per pool, `place` (the value of `by`) and bill: the costs of the day `priced_on`, for the `per`
    millionths that all of that place had on that day.
    """
    placed = costs.join(there.select(*_KEY, place=there[by]), _KEY)
    sums = placed.group_by("day", "pool", "place", *BILL).aggregate(
        tags=placed.tags.max(), **{basis: placed[basis].sum().cast(MONEY) for basis in COSTS}
    )
    latest = sums.group_by("pool", "place", "source").aggregate(day=sums.day.max())
    whole = there.group_by("day", "pool", place=there[by]).aggregate(per=there.quantity.sum().cast("int64"))
    priced = sums.join(latest, ["pool", "place", "source", "day"]).join(whole, ["day", "pool", "place"])
    return priced.rename(priced_on="day")


def priced(
    wanted: ir.Table, costs: ir.Table, there: ir.Table, awaited: ir.Table, workspace: Workspace
) -> tuple[ir.Table, ir.Table]:
    """What the resources of some days cost at known prices, and those of which no bill knows a price.

    `wanted` is of `measured`, for the days to price; `awaited` pairs a `source` with the `day`s its bill has not
    reached. A resource takes its own price; only where no bill ever named it, that of its like: what several sources
    charged for them, divided by all there were, is right on the whole whichever of them will charge it.
    """
    found, rest = [], wanted
    for by, name in LEVELS.items():
        prices = workspace.keep(known(costs, there, by))
        told = rest.join(prices, [rest.pool == prices.pool, rest[by] == prices.place])
        told = told.select("day", "pool", "resource", *BILL, "tags", "priced_on", "quantity", "per", *COSTS)
        found.append(told.semi_join(awaited, ["day", "source"]).mutate(priced_by=ibis.literal(name)))
        rest = workspace.keep(rest.anti_join(prices, [rest.pool == prices.pool, rest[by] == prices.place]))
    return times_over(ibis.union(*found), times="quantity", per="per"), rest


def times_over(rows: ir.Table, *, times: str, per: str) -> ir.Table:
    """The four costs x times / per, each rounded once, half-even, to twelve decimals."""
    for basis in COSTS:
        rows = with_conversion(rows, basis, times=times, per=per)
    return rows.drop(times, per)
