"""Exports of OpenCost and Kubecost: allocations and assets as JSON, allocations as the CSV of OpenCost's exporter.

An allocation is a container in a window. Its averages hold for the minutes it ran; they become quantities, spread
evenly over that time, hour by hour. A day's export so says how much was used, and not at what hour.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from apps.ingest.landing import Found
from apps.ingest.providers.base import Discovery, Listed, Read
from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import (
    GIB,
    HOUR,
    MICRO,
    MOST,
    BadUsage,
    Converted,
    UsageFormat,
    converter,
    is_json,
    spread,
)
from apps.ingest.usage_formats.opencost.things import Thing, in_csv, in_json
from apps.ingest.usage_formats.sums import Key, Sums
from apps.ingest.usage_formats.sums import in_json as labels_in_json

_NONE = ("__idle__", "__unallocated__", "__unmounted__")
"""Results of OpenCost's own allocation; CostOps finds its own."""
_OF_A_NODE = {
    "cpu_capacity_core_hours": ("cpuCoreHours", "cpuCores", 1),
    "memory_capacity_gib_hours": ("ramByteHours", "ramBytes", GIB),
    "gpu_capacity_hours": ("gpuHours", "gpuCount", 1),
}
"""Our column → what was there over all its time, else at once, and how much of its unit makes one of ours."""
_OF_A_POD = {
    "cpu_request_core_hours": ("cpuCoreRequestAverage", "cpuCoreHours", 1),
    "cpu_used_core_hours": ("cpuCoreUsageAverage", "", 1),
    "memory_request_gib_hours": ("ramByteRequestAverage", "ramByteHours", GIB),
    "memory_used_gib_hours": ("ramByteUsageAverage", "", GIB),
}
"""Our column → its average; where none is told, what was allocated over all its time; and the unit."""


def convert(members: Sequence[Member], cluster: str) -> Converted:
    """Rows of the usage tables from one export."""
    sums = Sums()
    for member in members:
        for thing in in_json(member, cluster) if is_json(member) else in_csv(member, cluster):
            _take(thing, sums)
    return Converted(sums.tables())


def _take(thing: Thing, sums: Sums) -> None:
    cluster = thing.said("cluster") or thing.cluster
    if not cluster:
        raise BadUsage("cluster", thing.where, "No cluster is named; add the source with --cluster.")
    if "type" in thing.cells:
        if thing.cells["type"] == "Node":
            _take_node(thing, cluster, sums)
        return
    start, end = thing.window
    for at in range(-(-(end - start) // HOUR)):
        sums.coverage[start + at * HOUR, cluster] = True
    if thing.text("name").split("/")[-1] in _NONE or thing.said("pod") in ("", *_NONE):
        return
    _take_workload(thing, cluster, sums)
    _take_volumes(thing, cluster, sums)


def _take_workload(thing: Thing, cluster: str, sums: Sums) -> None:
    namespace, pod = thing.said("namespace"), thing.said("pod")
    workload = thing.said("controller") or pod
    for hour, amounts in _by_hour(_of_a_pod(thing), thing).items():
        key = (hour, cluster, namespace, workload, pod, thing.said("node"))
        sums.add("workload_hours", key, amounts)
        sums.say("workload_hours", key, workload_kind=thing.said("controllerKind").capitalize())
    for name, of in (("labels", workload), ("namespaceLabels", "")):
        if labels := thing.labels(name):
            sums.labels.setdefault((thing.window[0], cluster, namespace, of), {}).update(labels)


def _of_a_pod(thing: Thing) -> dict[str, Fraction]:
    """Quantities over all the time it ran; a GPU is used as long as it is held."""
    hours, amounts = thing.hours, {}
    for ours, (average, allocated, unit) in _OF_A_POD.items():
        told = thing.number(average)
        amount = told * hours if told is not None else thing.number(allocated) if allocated else None
        amounts[ours] = (amount or Fraction(0)) / unit
    gpus = thing.over_time("gpuHours", "gpuCount")
    return amounts | {"gpu_used_hours": gpus, "gpu_request_hours": gpus}


def _take_volumes(thing: Thing, cluster: str, sums: Sums) -> None:
    """A volume that several containers mount is told by each of them: it is counted once."""
    volumes = thing.cells.get("pvs")
    for name, told in volumes.items() if isinstance(volumes, Mapping) else ():
        if not isinstance(told, Mapping):
            raise BadUsage("json", f"{thing.where}.pvs", "Not a volume.")
        claim = name.rpartition("name=")[2]
        one = Thing(told, f"{thing.where}.pvs.{claim}", cluster)
        size = {"capacity_gib_hours": (one.number("byteHours") or Fraction(0)) / GIB}
        for hour, amounts in _by_hour(size, thing).items():
            key = (hour, cluster, one.text("providerID") or claim, thing.said("namespace"), claim)
            sums.most("volume_hours", key, amounts)
            sums.say("volume_hours", key, workload=thing.said("controller") or thing.said("pod"))


def _take_node(thing: Thing, cluster: str, sums: Sums) -> None:
    sizes = {ours: thing.over_time(whole, each) / unit for ours, (whole, each, unit) in _OF_A_NODE.items()}
    for hour, amounts in _by_hour(sizes, thing).items():
        key: Key = (hour, cluster, thing.said("name"))
        sums.add("node_hours", key, amounts)
        sums.say(
            "node_hours",
            key,
            provider_id=thing.said("providerID"),
            instance_type=thing.text("nodeType"),
            node_pool=thing.text("pool"),
            labels=labels_in_json(thing.cells.get("labels") or {}),
        )


def _by_hour(amounts: Mapping[str, Fraction], thing: Thing) -> dict[object, dict[str, Fraction]]:
    """Amounts by column, each spread evenly over the time something ran."""
    hours: dict[object, dict[str, Fraction]] = {}
    for column, amount in amounts.items():
        if amount >= MOST:
            message = f"{float(amount):g} is not a quantity; export the window again."
            raise BadUsage("bad_value", f"{thing.where}, {column}", message)
        for hour, part in spread(amount, *thing.ran).items():
            hours.setdefault(hour, {})[column] = Fraction(part, MICRO)
    return hours


def every_file(found: Sequence[Found], _read: Read) -> Discovery:
    """Every file there is: here JSON is data."""
    return Discovery(tuple(Listed(one) for one in found))


FORMAT = UsageFormat("opencost", "OpenCost export", converter(convert), every_file)
