"""Node pools: what a node's hours cost per unit of capacity, and which workload claimed how much of it."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT
from apps.allocation.matching import kubernetes_resource
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import Workspace, count_of, microseconds

RESOURCES = {
    "cpu_core": ("cpu_capacity_core_hours", "cpu_request_core_hours", "cpu_used_core_hours"),
    "memory_gib": ("memory_capacity_gib_hours", "memory_request_gib_hours", "memory_used_gib_hours"),
    "gpu": ("gpu_capacity_hours", "gpu_request_hours", "gpu_used_hours"),
}
"""Resource of the price ratio -> its columns of capacity, request and use."""

UNITS = "decimal(18, 6)"
_PRICE = "decimal(18, 13)"
NODE_DAY = ["resource_day", "bill"]
"""What is priced as one: a node, on a day, in one bill (source, billing month and currency)."""
_ONE_HOUR = 3_600_000_000
"""In microseconds."""
_PLACES = range(35, -36, -1)
"""Of the first digit of a price."""


_HOUR = ["cluster", "node", "hour"]
_NODE = ["day", "cluster", "node", "provider_id"]


EXCESS = ibis.schema(
    {"node_day": "int32", "cluster": "string", "node": "string", "hour": "timestamp('UTC', 6)"}
    | {f"factor_{name}": "float64" for name in RESOURCES}
)
"""The columns of `Claims.excess`."""


@dataclass(frozen=True)
class NodeHours:
    """Tables of the billed nodes of a window.

    `days`: one row per node-day: its number `node_day`, the columns of NODE_DAY, `day`, `cluster`, `node_pool`, and
    `capacity` = sum of price x units. `hours`: one row per (cluster, node, hour, bill): `node_day`, `units` of
    capacity, `price` per unit, and the capacity of each resource. Prices of one node-day compare with one another only;
    where they cannot weigh all are equal.
    """

    hours: ir.Table
    days: ir.Table


def days_of(node_hours: ir.Table, book: RuleBook) -> ir.Table:
    """One row per node and day, (day, cluster, node, provider_id): the billed `resource` behind it, `node_number` of
    (cluster, node), its `hours`, `core_hours`, `most_units` in an hour, and `node_pool` while it had any."""
    rows = node_hours.mutate(units=units(node_hours, 0, book))
    days = rows.group_by(_NODE).aggregate(
        node_pool=rows.node_pool.max(where=rows.units > 0),
        hours=rows.count(),
        core_hours=rows.cpu_capacity_core_hours.sum(),
        most_units=rows.units.max(),
    )
    number = ibis.dense_rank().over(ibis.window(order_by=["cluster", "node"]))
    return days.mutate(resource=kubernetes_resource(days.provider_id), node_number=number.cast("int32"))


def units(rows: ir.Table, column: int, book: RuleBook) -> ir.Value:
    """Price units of one of the columns of RESOURCES: 0 capacity, 1 request, 2 use."""
    parts = [ratio_of(book, name) * rows[columns[column]] for name, columns in RESOURCES.items()]
    return sum(parts[1:], parts[0]).cast(UNITS)


def ratio_of(book: RuleBook, resource: str) -> ir.Value:
    """The policy's price of a unit of a resource."""
    return ibis.literal(getattr(book.price_ratio, resource)).cast("decimal(7, 0)")


def price_hours(
    node_hours: ir.Table, node_days: ir.Table, charges: ir.Table, book: RuleBook, workspace: Workspace
) -> NodeHours:
    """Give every hour of every billed node its price per unit.

    `node_hours` as in the lake; `node_days` of `days_of`, with `resource_day`; `charges` of these nodes with
    `resource_day`, `bill`, `start`, `end`, `cost` (effective). The charges of one hour price that hour; a longer charge
    is spread over its hours of the day by units. A node-day whose prices are not all positive (credits outweigh,
    nothing was charged) is weighed by units alone. Different bills of one node never weigh for one another.
    """
    since, until = microseconds(charges.start), microseconds(charges.end)
    charges = workspace.keep(charges.select(*NODE_DAY, "cost", since=since, until=until, at=since - since % _ONE_HOUR))
    numbered = charges.select(NODE_DAY).distinct()
    numbered = workspace.keep(numbered.mutate(node_day=ibis.row_number().cast("int32")))
    named = workspace.keep(node_days.join(numbered, "resource_day"))
    hours = workspace.keep(_hours(node_hours, named, book))
    slim = charges.join(numbered, NODE_DAY)
    is_short = slim.until <= slim["at"] + _ONE_HOUR
    short = slim.filter(is_short).group_by("node_day", "at").aggregate(short_cost=lambda t: t.cost.sum())
    long = slim.filter(~is_short).group_by("node_day", "since", "until").aggregate(cost=lambda t: t.cost.sum())
    key = ["node_day", "at"]
    priced = hours.left_join(short, key).drop(*(f"{name}_right" for name in key))
    priced = priced.left_join(_spread(hours, long), key).drop(*(f"{name}_right" for name in key))
    rate = (_double(priced.short_cost) / _double(priced.units)).fill_null(0.0) + priced.long_rate.fill_null(0.0)
    rated = workspace.keep(priced.mutate(rate=rate).drop("short_cost", "long_rate"))
    names = named.select("node_number", "cluster", "node").distinct()
    priced = _scaled(rated).join(names, "node_number").drop("node_number", "at")
    priced = workspace.keep(priced.order_by("hour"))  # as usage lies: what joins with it finds neighbours in the cache
    capacity = priced.group_by("node_day").aggregate(capacity=(priced.units * priced.price).sum().cast(WEIGHT))
    measured = named.filter(named.most_units > 0).group_by("node_day", *NODE_DAY, "day")
    days = measured.aggregate(cluster=lambda t: t.cluster.min(), node_pool=lambda t: t.node_pool.max())
    return NodeHours(hours=priced, days=workspace.keep(days.join(capacity, "node_day")))


def _hours(node_hours: ir.Table, named: ir.Table, book: RuleBook) -> ir.Table:
    """The measured hours of billed nodes; what several sources measured is added up."""
    rows = node_hours.join(named.select(*_NODE, "node_day", "node_number"), _NODE)
    capacities = {columns[0]: rows[columns[0]].sum().cast(UNITS) for columns in RESOURCES.values()}
    hours = rows.group_by("node_day", "node_number", "hour").aggregate(
        units=units(rows, 0, book).sum().cast(UNITS), **capacities
    )
    return hours.filter(hours.units > 0).mutate(at=microseconds(hours.hour))


def _scaled(priced: ir.Table) -> ir.Table:
    """Turn `rate` into `price`: shifted by a power of ten, the same for a whole node-day, so that the dearest hour's
    has four digits before the point and thirteen decimals hold it whatever the currency."""
    days = priced.group_by("node_day").aggregate(dearest=priced.rate.abs().max(), cheapest=priced.rate.min())
    noise = days.dearest * 1e-13  # a charge and its refund that cancel out, but for rounding
    usable = (days.cheapest >= -noise) & (days.dearest > 0)
    digits = ibis.cases(*((days.dearest >= 10.0**place, 10.0 ** (place - 3)) for place in _PLACES), else_=1.0)
    power = usable.ifelse(digits, 1.0)
    days = days.select("node_day", noise=noise, usable=usable, power=power)
    both = priced.join(days, "node_day")
    clean = (both.rate.abs() <= both.noise).ifelse(0.0, both.rate)
    price = both.usable.ifelse(clean / both.power, ibis.literal(1.0)).cast(_PRICE)
    return both.mutate(price=price).drop("rate", "noise", "usable", "power")


def _double(value: ir.Value) -> ir.Value:
    return value.cast("float64")


def _spread(hours: ir.Table, long: ir.Table) -> ir.Table:
    """The price per unit and hour that charges longer than an hour add: cost / units of the hours each one covers."""
    covered = hours.select("node_day", "at", "units").join(long, "node_day")
    covered = covered.filter(covered["at"] + _ONE_HOUR > covered.since, covered["at"] < covered.until)
    spans = ["node_day", "since", "until"]
    rate = _double(covered.cost) / _double(covered.units.sum().over(group_by=spans))
    covered = covered.mutate(long_rate=rate.cast("decimal(38, 20)"))  # decimals: their sum does not depend on the order
    return covered.group_by("node_day", "at").aggregate(long_rate=_double(covered.long_rate.sum()))


def claim(rows: ir.Table, resource: str) -> ir.Value:
    """What a workload claims of a resource in an hour: the larger of what it asked for and what it used."""
    _, request, used = RESOURCES[resource]
    return ibis.greatest(rows[request], rows[used])


@dataclass(frozen=True)
class Claims:
    """`weights`: what each workload claimed of each node-day, one row per (node_day, day, cluster, namespace,
    workload): `weight` = sum over hours of price x claimed units. `idle`: the `weight` of what nobody claimed, one row
    per node-day. `excess`: the node-hours that claim more of a resource than there is, with the factor, at most 1, each
    resource's claims shrink by."""

    weights: ir.Table
    idle: ir.Table
    excess: ir.Table


def claims(workload_hours: ir.Table, nodes: NodeHours, book: RuleBook, workspace: Workspace) -> Claims:
    """Who claimed how much of the node-days of `price_hours`."""
    by_pod = workspace.keep(_by_pod(workload_hours, nodes, book))
    suspects = workspace.keep(_suspects(by_pod, nodes.hours))
    excess = workspace.keep(_overused(workload_hours, nodes.hours, suspects, workspace))
    weights = _by_workload(by_pod)
    if count_of(excess):
        scaled = _by_workload(_by_pod(workload_hours, nodes, book, excess))
        touched = excess.select("node_day").distinct()
        weights = weights.anti_join(touched, "node_day").union(scaled.semi_join(touched, "node_day"))
    weights = workspace.keep(weights.join(nodes.days.select("node_day", "day", "cluster"), "node_day"))
    used = weights.group_by("node_day").aggregate(used=weights.weight.sum())
    rest = nodes.days.select("node_day", "capacity").left_join(used, "node_day")
    left = ibis.greatest(rest.capacity - rest.used.fill_null(0), ibis.literal(0))
    return Claims(weights=weights, idle=rest.select("node_day", weight=left.cast(WEIGHT)), excess=excess)


def _by_pod(workload_hours: ir.Table, nodes: NodeHours, book: RuleBook, excess: ir.Table | None = None) -> ir.Table:
    """One row per (node-day, namespace, workload, pod): `claim` and each resource's `peak`, its largest hour."""
    priced = workload_hours.join(nodes.hours.select("node_day", *_HOUR, "price"), _HOUR)
    if excess is not None:
        key = ["node_day", *_HOUR]
        priced = priced.left_join(excess, key).drop(*(f"{name}_right" for name in key))
    return priced.group_by("node_day", "namespace", "workload", "pod").aggregate(
        claim=_priced_claim(priced, book, scaled=excess is not None).sum(),
        **{f"peak_{name}": claim(priced, name).max() for name in RESOURCES},
    )


def _by_workload(by_pod: ir.Table) -> ir.Table:
    return by_pod.group_by("node_day", "namespace", "workload").aggregate(weight=by_pod.claim.sum().cast(WEIGHT))


def _suspects(by_pod: ir.Table, hours: ir.Table) -> ir.Table:
    """The node-days on which some hour may be claimed beyond its capacity: the peaks of all pods together exceed the
    smallest hour. The others need no look at their hours, and they are nearly all."""
    peaks = by_pod.group_by("node_day").aggregate(
        **{f"peak_{name}": by_pod[f"peak_{name}"].sum() for name in RESOURCES}
    )
    least = hours.group_by("node_day").aggregate(
        **{f"least_{name}": hours[columns[0]].min() for name, columns in RESOURCES.items()}
    )
    both = peaks.join(least, "node_day")
    verdicts = [both[f"peak_{name}"] > both[f"least_{name}"] for name in RESOURCES]
    return both.filter(verdicts[0] | verdicts[1] | verdicts[2]).select("node_day")


def _overused(workload_hours: ir.Table, hours: ir.Table, suspects: ir.Table, workspace: Workspace) -> ir.Table:
    """The hours of these node-days that are claimed beyond their capacity, and by how much their claims shrink."""
    looked_at = workspace.keep(hours.semi_join(suspects, "node_day"))
    pods = workload_hours.join(looked_at.select("node_day", *_HOUR), _HOUR)
    claimed = pods.group_by("node_day", *_HOUR).aggregate(
        **{f"claimed_{name}": claim(pods, name).sum() for name in RESOURCES}
    )
    both = claimed.join(looked_at.drop("units", "price"), ["node_day", *_HOUR])
    excess = [both[f"claimed_{name}"] > both[columns[0]] for name, columns in RESOURCES.items()]
    found = both.filter(excess[0] | excess[1] | excess[2])
    factors = {
        f"factor_{name}": (_double(found[columns[0]]) / _double(found[f"claimed_{name}"]))
        .clip(upper=1.0)
        .fill_null(1.0)
        for name, columns in RESOURCES.items()
    }
    return found.select("node_day", *_HOUR, **factors)


def _priced_claim(rows: ir.Table, book: RuleBook, *, scaled: bool) -> ir.Value:
    """Price x claimed units of an hour; `scaled` where rows carry the factors of `_overused`."""
    exact = (claimed_units(rows, book) * rows.price).cast(WEIGHT)
    if not scaled:
        return exact
    shrunk = [_double(ratio_of(book, name) * claim(rows, name)) * rows[f"factor_{name}"] for name in RESOURCES]
    is_over = rows["factor_cpu_core"].notnull()
    return is_over.ifelse((sum(shrunk[1:], shrunk[0]) * _double(rows.price)).cast(WEIGHT), exact)


def claimed_units(rows: ir.Table, book: RuleBook) -> ir.Value:
    """What a workload claims of all resources in an hour, in price units."""
    parts = [ratio_of(book, name) * claim(rows, name) for name in RESOURCES]
    return sum(parts[1:], parts[0]).cast(UNITS)
