"""The answer to `allocation`: one object per set, in it one allocation per key, in OpenCost's words."""

from collections import defaultdict
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from apps.api.compat.books import Books
from apps.api.compat.parts import Asked, Part, merged, read
from apps.api.compat.sharing import share_common, share_idle
from apps.finops.money import add_up
from apps.finops.windows import ONE_DAY, Window

BYTES_PER_GIB = 2**30
_PLACES = Decimal("0.000001")
_ROOM = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NOTHING = Decimal(0)
_NOT_DIVIDED = (
    "networkCrossZoneCost", "networkCrossRegionCost", "networkInternetCost", "networkCostAdjustment",
    "loadBalancerCostAdjustment", "cpuCostAdjustment", "ramCostAdjustment", "gpuCostAdjustment",
    "pvCostAdjustment",
)  # fmt: skip
"""Cost that OpenCost divides and our books do not: 0 of it is in an allocation; it is charges of its own."""
_NOT_MEASURED = ("networkTransferBytes", "networkReceiveBytes", "cpuCoreLimitAverage", "ramByteLimitAverage")
"""What OpenCost measures and our books do not: null, for nobody knows."""


def answer(books: Books, asked: Asked, zone: ZoneInfo) -> list[dict[str, Any]]:
    """One object per set, from name to allocation. Nothing is lost: the parts are only added up."""
    parts = read(books, asked)
    if asked.shares_idle:
        parts = share_idle(parts)
    if asked.shared is not None:
        parts = share_common(parts, evenly=asked.shares_evenly)
    by_set: dict[date, dict[str, list[Part]]] = defaultdict(lambda: defaultdict(list))
    for part in parts:
        if part.is_kept:
            by_set[part.start][part.name].append(part)
    return [
        {name: _told(merged(same), each, zone) for name, same in sorted(by_set[each.start].items())}
        for each in asked.sets
    ]


def instants(window: Window, zone: ZoneInfo) -> tuple[str, str]:
    """The beginning and the end of some days, as OpenCost writes moments."""
    start, end = window.hours(zone)
    return instant(start), instant(end)


def instant(moment: datetime) -> str:
    """A moment in UTC, with a Z."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def ratio(part: Decimal, whole: Decimal) -> Decimal:
    """part / whole, rounded to six decimals; zero of nothing. Of measurements, never of money."""
    return _ROOM.divide(part, whole).quantize(_PLACES, context=_ROOM) if whole else _NOTHING


def _told(part: Part, window: Window, zone: ZoneInfo) -> dict[str, Any]:
    start, end = Window(part.first, part.last + ONE_DAY).hours(zone)
    minutes = Decimal(int((end - start).total_seconds()) // 60)
    begin, until = instants(window, zone)
    cost, hours = part.cost, minutes / 60
    return {
        "name": part.name,
        "properties": part.properties | ({"labels": part.labels} if part.labels else {}),
        "window": {"start": begin, "end": until},
        "start": instant(start),
        "end": instant(end),
        "minutes": minutes,
        **_compute("cpu", "cpuCores", "cpuCoreHours", "cpuCore", part, hours, 1),
        **_compute("ram", "ramBytes", "ramByteHours", "ramByte", part, hours, BYTES_PER_GIB),
        **_compute("gpu", "gpuCount", "gpuHours", "gpu", part, hours, 1),
        "pvBytes": ratio(part.hours["pv_claimed"] * BYTES_PER_GIB, hours),
        "pvByteHours": part.hours["pv_claimed"] * BYTES_PER_GIB,
        "pvCost": cost["pv"],
        "pvs": None,
        "networkCost": cost["network"],
        "loadBalancerCost": cost["lb"],
        **dict.fromkeys(_NOT_DIVIDED, _NOTHING),
        **dict.fromkeys(_NOT_MEASURED),
        "externalCost": cost["external"],
        "sharedCost": cost["shared"],
        "totalCost": part.total,
        "totalEfficiency": _total_efficiency(part),
        "lbAllocations": None,
        "gpuAllocation": None,
    }


def _compute(
    resource: str, amount: str, amount_hours: str, unit: str, part: Part, hours: Decimal, size: int
) -> dict[str, Any]:
    """The fields of CPU, memory or GPU."""
    claimed, requested, used = (part.hours[f"{resource}_{what}"] * size for what in ("claimed", "requested", "used"))
    return {
        amount: ratio(claimed, hours),
        amount_hours: claimed,
        f"{unit}RequestAverage": ratio(requested, hours),
        f"{unit}UsageAverage": ratio(used, hours),
        f"{resource}Cost": part.cost[resource],
        f"{resource}CostIdle": part.idle[resource],
        f"{resource}Efficiency": _efficiency(part, resource),
    }


def _efficiency(part: Part, resource: str) -> Decimal:
    """Use over request; 1 where something was used without a request, as in OpenCost."""
    requested, used = part.hours[f"{resource}_requested"], part.hours[f"{resource}_used"]
    return ratio(used, requested) if requested else Decimal(1 if used else 0)


def _total_efficiency(part: Part) -> Decimal:
    """The efficiencies of CPU and memory, weighed by their cost; 0 where they cost nothing."""
    weighed = add_up(_ROOM.multiply(_efficiency(part, name), part.cost[name]) for name in ("cpu", "ram"))
    return ratio(weighed, add_up(part.cost[name] for name in ("cpu", "ram")))
