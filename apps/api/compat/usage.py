"""What was measured of workloads and nodes, by the day and by the billed resource they ran on."""

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import billed_resource, kubernetes_resource
from apps.api.compat.books import Books
from apps.finops.tables import MEASURED, NODE_DAYS, VOLUME_DAYS, WORKLOAD_DAYS

WORKLOAD = ["day", "cluster", "namespace", "workload"]
PLACE = [*WORKLOAD, "resource"]
RESOURCES = {
    "cpu": ("cpu_core", "cpu", "core_hours"),
    "ram": ("memory_gib", "memory", "gib_hours"),
    "gpu": ("gpu", "gpu", "hours"),
}
"""Resource → its name in the price ratio, and its name and unit in columns of usage: `memory_request_gib_hours`."""

USE = tuple(f"{resource}_{what}" for resource in RESOURCES for what in ("claimed", "requested", "used"))
"""Hours of cores, GiB and GPUs: what was claimed (the larger of request and use, hour by hour), requested and used."""


def hours_of(resource: str, what: str) -> str:
    """The column of usage that tells what was `claimed`, `request`ed, `used`, or is `capacity`, of a resource."""
    _, name, unit = RESOURCES[resource]
    return f"{name}_{what}_{unit}"


def measured(books: Books) -> ir.Table:
    """One row per workload, billed resource and day: `node`, the least and the largest `workload_kind`, and hours.

    The resource behind each node is looked up among the few nodes there are. A node that was replaced under its name
    within a day is told as one of the two.
    """
    days, nodes = books.by_day(WORKLOAD_DAYS), books.by_day(NODE_DAYS)
    on = ["day", "cluster", "node"]
    behind = nodes.group_by(on).aggregate(behind=kubernetes_resource(nodes.provider_id.max()))
    joined = days.left_join(behind, on).drop(*(f"{name}_right" for name in on))
    is_pod = joined.resource_id != ""
    placed = joined.mutate(
        resource=is_pod.ifelse(billed_resource(joined.resource_id), joined.behind.fill_null("")),
        least=joined.workload_kind,
        most=joined.workload_kind,
        **{
            f"{resource}_{ours}": joined[hours_of(resource, what)]
            for resource in RESOURCES
            for ours, what in (("claimed", "claimed"), ("requested", "request"), ("used", "used"))
        },
        pv_claimed=ibis.literal(0).cast(MEASURED),
        is_unmounted=ibis.literal(False),
    )
    told = [*PLACE, "node", "least", "most", *USE, "pv_claimed", "is_unmounted"]
    every = placed.select(told).union(_claims(books).select(told))
    return every.group_by(PLACE).aggregate(  # one row each, or what is joined with it would be counted twice
        node=every.node.max(),
        least=every.least.min(where=every.least != ""),
        most=every.most.max(),
        is_unmounted=every.is_unmounted.all(),
        **{name: every[name].sum().cast(MEASURED) for name in (*USE, "pv_claimed")},
    )


def _claims(books: Books) -> ir.Table:
    """The GiB-hours of the claims of volumes, in the columns of `measured`."""
    volumes = books.by_day(VOLUME_DAYS)
    is_unmounted = volumes.workload == ""  # attribution names such a claim where others name the workload
    claimed = volumes.mutate(
        resource=kubernetes_resource(volumes.volume),
        workload=is_unmounted.ifelse(volumes.claim, volumes.workload),
        is_unmounted=is_unmounted,
    )
    claims = claimed.group_by(PLACE).aggregate(
        pv_claimed=claimed.capacity_gib_hours.sum().cast(MEASURED), is_unmounted=claimed.is_unmounted.all()
    )
    nothing = dict.fromkeys(USE, ibis.literal(0).cast(MEASURED))
    return claims.mutate(**nothing, **dict.fromkeys(("node", "least", "most"), ibis.literal("")))


def kinds(use: ir.Table) -> ir.Table:
    """The kind of each workload's controller, in lower case; empty where a day knows two of one name."""
    rows = use.filter(use.most != "")
    found = rows.group_by(WORKLOAD).aggregate(least=rows.least.min(), most=rows.most.max())
    kind = (found.least == found.most).ifelse(found.most.lower(), "")
    return found.select(*WORKLOAD, controller_kind=kind)


def capacities(books: Books, use: ir.Table) -> ir.Table:
    """One row per day and node's resource: its `idle_node`, and what nobody claimed of it."""
    days = books.by_day(NODE_DAYS)
    kept = days.group_by("day", "provider_id").aggregate(
        idle_node=days.node.max(),
        **{f"{name}_capacity": days[hours_of(name, "capacity")].sum().cast(MEASURED) for name in RESOURCES},
    )
    named = kept.mutate(resource=kubernetes_resource(kept.provider_id))
    nodes = named.group_by("day", "resource").aggregate(
        idle_node=named.idle_node.max(),
        **{f"{name}_capacity": named[f"{name}_capacity"].sum().cast(MEASURED) for name in RESOURCES},
    )
    claimed = use.group_by("day", "resource").aggregate(
        **{f"{name}_all": use[f"{name}_claimed"].sum().cast(MEASURED) for name in RESOURCES}
    )
    both = nodes.left_join(claimed, ["day", "resource"]).drop("day_right", "resource_right")
    left = {
        f"{name}_unclaimed": ibis.greatest(both[f"{name}_capacity"] - both[f"{name}_all"].fill_null(0), 0).cast(
            MEASURED
        )
        for name in RESOURCES
    }
    return both.filter(both.resource != "").select("day", "resource", "idle_node", **left)
