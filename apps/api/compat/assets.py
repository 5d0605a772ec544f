"""The answer to `assets`: what each node, volume and other charged resource cost, whoever carries it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import kubernetes_resource
from apps.api.compat import facts
from apps.api.compat.allocations import BYTES_PER_GIB, instants, ratio
from apps.api.compat.books import Books
from apps.api.compat.columns import compared, matching
from apps.api.compat.filters import UNALLOCATED, Comparison, Filter
from apps.api.compat.parts import few_rows, set_of
from apps.api.compat.usage import RESOURCES, hours_of
from apps.finops.money import add_up, split
from apps.finops.tables import MEASURED, MONEY, NODE_DAYS, PASSED_ON, VOLUME_DAYS
from apps.finops.windows import ONE_DAY, Window
from apps.teams.ownership import PriceRatio
from apps.warehouse.engine import Workspace

TYPES = {
    "node": "Node",
    "volume": "Disk",
    "load_balancer": "LoadBalancer",
    "network": "Network",
    "cluster": "ClusterManagement",
}
CATEGORIES = {
    "node": "Compute",
    "serverless": "Compute",
    "volume": "Storage",
    "load_balancer": "Network",
    "network": "Network",
    "cluster": "Management",
}
UNDEFINED = "__undefined__"
_KEY = ("provider", "account", "project", "category", "cluster", "assetType", "service", "providerID", "name")
_ALIASES = {"type": "assetType"}
_HOURS = MEASURED
_MEASURED = ("cpu", "ram", "gpu", "stored", "used")


def answer(
    books: Books, sets: Sequence[Window], aggregate: Sequence[str], tree: Filter | None, zone: ZoneInfo
) -> dict[str, Any] | list[dict[str, Any]]:
    """From key to asset, as OpenCost tells one window; a list of these where several sets are asked for."""
    keys = tuple(dict.fromkeys(_ALIASES.get(key, key) for key in aggregate))
    ratio_of_prices = books.price_ratio()
    found: dict[date, dict[str, Any]] = defaultdict(dict)
    windows = {each.start: each for each in sets}
    for start, group in _grouped(_rows(books, sets, tree), keys).items():
        for name, rows in sorted(group.items()):
            found[start][name] = _asset(rows, keys, windows[start], ratio_of_prices, zone)
    told = [found[each.start] for each in sets]
    return told[0] if len(told) == 1 else told


Row = dict[str, Any]


def _grouped(rows: list[Row], keys: Sequence[str]) -> dict[date, dict[str, list[Row]]]:
    found: dict[date, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        nothing = UNALLOCATED if keys else UNDEFINED
        name = "/".join(row[key] or nothing for key in keys or _KEY)
        found[row["set_start"]][name].append(row)
    return found


def _asset(rows: list[Row], keys: Sequence[str], window: Window, prices: PriceRatio, zone: ZoneInfo) -> Row:
    begin, end = instants(window, zone)
    days = Window(min(row["first"] for row in rows), max(row["last"] for row in rows) + ONE_DAY)
    start, until = days.hours(zone)
    minutes = Decimal(int((until - start).total_seconds()) // 60)
    cost = add_up(row["cost"] for row in rows)
    names = [key for key in keys or _KEY if key != "assetType"]
    properties = {name: rows[0][name] for name in names if rows[0][name]}
    first, last = instants(days, zone)
    told: Row = {
        "properties": properties,
        "labels": {},
        "window": {"start": begin, "end": end},
        "start": first,
        "end": last,
        "minutes": minutes,
        "adjustment": Decimal(0),
        "totalCost": cost,
    }
    if keys:
        return told
    hours = {name: add_up(row[name] or Decimal(0) for row in rows) for name in _MEASURED}
    kind = str(rows[0]["assetType"])
    if kind == "Node":
        told |= _node(rows[0], cost, hours, minutes / 60, prices)
    elif kind == "Disk":
        told |= _disk(rows[0], hours, minutes / 60)
    return {"type": kind} | told


def _node(row: Row, cost: Decimal, hours: dict[str, Decimal], length: Decimal, prices: PriceRatio) -> Row:
    """What OpenCost tells of a node. Its cost is divided by the price units of its capacity."""
    weights = {name: int(hours[name] * getattr(prices, RESOURCES[name][0]) * 1_000_000) for name in RESOURCES}
    parts = split(cost, weights) if any(weights.values()) else {"cpu": cost}
    return {
        "nodeType": row["instance_type"] or "",
        "pool": row["node_pool"] or "",
        "cpuCores": ratio(hours["cpu"], length),
        "ramBytes": ratio(hours["ram"] * BYTES_PER_GIB, length),
        "cpuCoreHours": hours["cpu"],
        "ramByteHours": hours["ram"] * BYTES_PER_GIB,
        "GPUHours": hours["gpu"],
        "gpuCount": ratio(hours["gpu"], length),
        "preemptible": Decimal(0),
        "discount": Decimal(0),
        **{f"{name}Cost": parts.get(name, Decimal(0)) for name in RESOURCES},
    }


def _disk(row: Row, hours: dict[str, Decimal], length: Decimal) -> Row:
    """What OpenCost tells of a disk; the claim where only one was made."""
    return {
        "byteHours": hours["stored"] * BYTES_PER_GIB,
        "bytes": ratio(hours["stored"] * BYTES_PER_GIB, length),
        "byteHoursUsed": hours["used"] * BYTES_PER_GIB,
        "byteUsageMax": None,
        "storageClass": "",
        "volumeName": row["name"],
        "claimName": row["claim"] or "",
        "claimNamespace": row["claim_namespace"] or "",
    }


def _rows(books: Books, sets: Sequence[Window], tree: Filter | None) -> list[Row]:
    with Workspace() as workspace:
        rows = _named(facts.described(books, _charged(books), workspace), books, workspace)

        def test(comparison: Comparison) -> Any:
            found = compared(rows[comparison.field], comparison)
            return ~found if comparison.is_negated else found

        rows = rows.filter(matching(tree, test))
        group = {"set_start": set_of(rows.day, sets), **{name: rows[name] for name in _KEY}}
        # A resource's row of a day is one of several: the day's capacity counts once.
        daily = rows.group_by(**group, day=rows.day).aggregate(
            cost=rows.cost.sum().cast(MONEY), **{name: rows[name].max() for name in (*_MEASURED, *_DETAILS)}
        )
        summed = daily.group_by("set_start", *_KEY).aggregate(
            first=daily.day.min(),
            last=daily.day.max(),
            cost=daily.cost.sum().cast(MONEY),
            **{name: daily[name].sum().cast(_HOURS) for name in _MEASURED},
            **{name: daily[name].max() for name in _DETAILS},
        )
        found = few_rows(summed.order_by("set_start", *_KEY))
    return [dict(zip(summed.columns, row, strict=True)) for row in found]


_DETAILS = ("instance_type", "node_pool", "claim", "claim_namespace")


def _charged(books: Books) -> ir.Table:
    """What the pools cost before platform namespaces were shared out: one row per day and part of a pool."""
    allocated = books.allocated()
    passed_on = books.table(PASSED_ON)
    passed_on = passed_on.filter(passed_on.currency == books.currency)
    columns = ["day", *facts.BILL, "pool", "resource", "cluster", "cost"]
    own = allocated.filter(allocated.pool != "shared").mutate(cost=allocated[books.metric])
    return own.select(columns).union(passed_on.mutate(cost=passed_on[books.metric]).select(columns))


def _named(rows: ir.Table, books: Books, workspace: Workspace) -> ir.Table:
    """Add the fields of `_KEY`, and what is known of a node or a volume."""
    measured = workspace.keep(_nodes(books).union(_volumes(books)))
    on = ["day", "resource", "pool"]
    joined = rows.left_join(measured, on).drop(*(f"{name}_right" for name in on))
    return joined.mutate(
        project=joined.sub_account,
        category=joined.pool.cases(*CATEGORIES.items(), else_="Other"),
        assetType=joined.pool.cases(*TYPES.items(), else_="Cloud"),
        providerID=joined.resource,
        name=ibis.coalesce(joined.known_name.nullif(""), joined.resource.nullif(""), joined.service),
    )


def _nodes(books: Books) -> ir.Table:
    """Every measured node by day and billed resource."""
    days = books.by_day(NODE_DAYS)
    rows = days.mutate(resource=kubernetes_resource(days.provider_id))
    found = rows.group_by("day", "resource").aggregate(
        known_name=rows.node.max(),
        instance_type=rows.instance_type.max(),
        node_pool=rows.node_pool.max(),
        **{name: rows[hours_of(name, "capacity")].sum().cast(_HOURS) for name in RESOURCES},
    )
    nothing = ibis.literal(0).cast(_HOURS)
    blank = ibis.literal("")
    return found.filter(found.resource != "").mutate(
        pool=ibis.literal("node"), stored=nothing, used=nothing, claim=blank, claim_namespace=blank
    ).select(_MEASURED_COLUMNS)  # fmt: skip


def _volumes(books: Books) -> ir.Table:
    """Every measured volume by day and billed resource; the claim is told where it was the only one."""
    days = books.by_day(VOLUME_DAYS)
    rows = days.mutate(resource=kubernetes_resource(days.volume))
    found = rows.group_by("day", "resource").aggregate(
        known_name=rows.volume.max(),
        claim=(rows.claim.min() == rows.claim.max()).ifelse(rows.claim.max(), ""),
        claim_namespace=(rows.namespace.min() == rows.namespace.max()).ifelse(rows.namespace.max(), ""),
        stored=rows.capacity_gib_hours.sum().cast(_HOURS),
        used=rows.used_gib_hours.sum().cast(_HOURS),
    )
    nothing = ibis.literal(0).cast(_HOURS)
    blank = ibis.literal("")
    return found.filter(found.resource != "").mutate(
        pool=ibis.literal("volume"), instance_type=blank, node_pool=blank, **dict.fromkeys(RESOURCES, nothing)
    ).select(_MEASURED_COLUMNS)  # fmt: skip


_MEASURED_COLUMNS = ["day", "resource", "pool", "known_name", *_DETAILS, *_MEASURED]
