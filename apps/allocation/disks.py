"""A node's own disks: billed apart, they are part of what the node costs, and with it of its ephemeral volumes."""

import ibis.expr.types as ir

from apps.allocation.matching import billed_resource

_GOOGLE = ("/instances/", "/disks/")
"""Google names an instance's boot disk like the instance."""


def of_nodes(node_days: ir.Table, disk_hours: ir.Table, known: ir.Table) -> ir.Table:
    """The disks of the nodes of these days, as further rows of `known` (`facts.Facts`): a charge on one is a charge on
    its node. What a cluster knows otherwise, as a volume for instance, is not among them.

    `node_days` as `nodes.days_of` makes them; `disk_hours` of usage; `known` has one row per (day, resource).
    """
    nodes = node_days.select("day", "cluster", "node", "resource").distinct()
    told = disk_hours.select("day", "cluster", "node", disk=billed_resource(disk_hours.disk)).distinct()
    told = told.join(nodes, ["day", "cluster", "node"]).select("day", "resource", "disk")
    google = nodes.filter(nodes.resource.startswith("projects/"))
    google = google.select("day", "resource", disk=google.resource.replace(*_GOOGLE))
    pairs = told.union(google).group_by("day", "disk").aggregate(resource=lambda t: t.resource.min())
    found = pairs.join(known, ["day", "resource"]).select("day", known["rank"], known.resource_day, resource=pairs.disk)
    return found.anti_join(known, ["day", "resource"]).select(known.columns)
