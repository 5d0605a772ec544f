"""Usage by the day: what questions of a month read instead of its hours."""

from collections.abc import Callable
from typing import Any

import ibis
import ibis.expr.types as ir

from apps.finops.tables import (
    MEASURED,
    NODE_DAYS,
    NODE_HOURS,
    VOLUME_DAYS,
    VOLUME_HOURS,
    WORKLOAD_DAYS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.warehouse import lake


def workload_days(hours: ir.Table) -> ir.Table:
    """`workload_hours` added up by the day; claimed is the larger of request and use, hour by hour and pod by pod."""
    sums = {}
    for resource, of in (("cpu", "core_hours"), ("memory", "gib_hours"), ("gpu", "hours")):
        requested, used = hours[f"{resource}_request_{of}"], hours[f"{resource}_used_{of}"]
        sums[f"{resource}_claimed_{of}"] = ibis.greatest(requested, used).sum()
        sums[f"{resource}_request_{of}"], sums[f"{resource}_used_{of}"] = requested.sum(), used.sum()
    return _added_up(hours, WORKLOAD_DAYS, sums)


def node_days(hours: ir.Table) -> ir.Table:
    """`node_hours` added up by the day."""
    return _plainly(hours, NODE_DAYS)


def volume_days(hours: ir.Table) -> ir.Table:
    """`volume_hours` added up by the day."""
    return _plainly(hours, VOLUME_DAYS)


BY_DAY: dict[str, tuple[LakeTable, LakeTable, Callable[[ir.Table], ir.Table]]] = {
    days.name: (hours, days, add_up)
    for hours, days, add_up in (
        (WORKLOAD_HOURS, WORKLOAD_DAYS, workload_days),
        (NODE_HOURS, NODE_DAYS, node_days),
        (VOLUME_HOURS, VOLUME_DAYS, volume_days),
    )
}
"""Table of days → the table of hours it is made of, itself, and how."""


def refresh(inputs: dict[str, int], pinned: dict[str, int]) -> dict[str, int]:
    """Make the days anew that are, or whose hours are, others than at the versions `pinned` by the publication before.

    Where that pinned none (it is of an earlier release, or there is none) all days are made. The version of each table.
    """
    return {name: _refreshed(name, inputs, pinned if name in pinned else {}) for name in BY_DAY}


def _refreshed(name: str, inputs: dict[str, int], pinned: dict[str, int]) -> int:
    hours, table, add_up = BY_DAY[name]
    days = {file.partition["day"] for file in lake.changed(hours, pinned.get(hours.name), inputs[hours.name])}
    days |= {file.partition["day"] for file in lake.changed(table, pinned.get(name), lake.version(table))}
    if not days:
        return pinned[name] if pinned else lake.version(table)
    chosen = [file for file in lake.files(hours, at=inputs[hours.name]) if file.partition["day"] in days]
    replaced = [file for file in lake.files(table) if file.partition["day"] in days]
    return lake.replace(table, add_up(lake.scan(hours, only=chosen)), replaced, note={"step": "publish"})


def usage_by_day(table: LakeTable, versions: dict[str, int], start: Any, end: Any) -> ir.Table:
    """The days `start` <= day < `end` of a table of days, at the versions a publication pins.

    A publication of an earlier release pins none: its hours are added up now, to the same numbers.
    """
    if table.name in versions:
        return lake.between(table, "day", start, end, at=versions[table.name])
    hours, _, add_up = BY_DAY[table.name]
    at = versions.get(hours.name)
    return add_up(lake.between(hours, "day", start, end, at=at) if at is not None else lake.scan(hours, only=()))


def _plainly(hours: ir.Table, table: LakeTable) -> ir.Table:
    return _added_up(
        hours, table, {name: hours[name].sum() for name, kind in table.columns.items() if kind == MEASURED}
    )


def _added_up(hours: ir.Table, table: LakeTable, sums: dict[str, ir.Value]) -> ir.Table:
    keys = [name for name in table.columns if name not in sums]
    cast = {name: value.cast(MEASURED) for name, value in sums.items()}
    return hours.group_by(keys).aggregate(**cast).select(*table.columns)
