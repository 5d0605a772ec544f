"""Node overhead: the part of a node's capacity that no pod may ask for, told apart from what stood idle."""

import ibis
import ibis.expr.types as ir

from apps.allocation.division import WEIGHT
from apps.allocation.nodes import RESOURCES, UNITS, ratio_of
from apps.teams.ownership import RuleBook
from apps.warehouse.engine import Workspace, count_of

OVERHEAD = "__overhead__"
"""Stands as the workload of idle cost that is a node's overhead."""
COLUMNS = {
    "cpu_core": "cpu_overhead_core_hours",
    "memory_gib": "memory_overhead_gib_hours",
    "gpu": "gpu_overhead_hours",
}


def apart(idle: ir.Table, overhead_hours: ir.Table, hours: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Divide the idle weight of node-days (`nodes.Claims.idle`) into rows of two workloads: OVERHEAD, and none.

    `hours` are priced (`nodes.NodeHours`). What workloads really claimed comes first: where they took more than the
    node offered, overhead is what is left of its capacity, never more. The rows of a node-day add up to its weight.
    """
    if not count_of(overhead_hours):
        return idle.mutate(workload=ibis.literal(""))
    place = ["cluster", "node", "hour"]
    held = overhead_hours.group_by(place).aggregate(held=_units(overhead_hours, book).sum().cast(UNITS))
    priced = hours.join(held, place)
    whole = priced.group_by("node_day").aggregate(
        overhead=(ibis.least(priced.held, priced.units) * priced.price).sum().cast(WEIGHT)
    )
    told = workspace.keep(idle.left_join(whole, "node_day").drop("node_day_right"))
    overhead = ibis.least(told.overhead.fill_null(0), told.weight).cast(WEIGHT)
    rows = {"": (told.weight - overhead).cast(WEIGHT), OVERHEAD: overhead}
    empty, full = (
        told.select("node_day", weight=weight, workload=ibis.literal(workload)) for workload, weight in rows.items()
    )
    return empty.union(full.filter(full.weight > 0))


def _units(rows: ir.Table, book: RuleBook) -> ir.Value:
    parts = [ratio_of(book, name) * rows[COLUMNS[name]] for name in RESOURCES]
    return sum(parts[1:], parts[0]).cast(UNITS)
