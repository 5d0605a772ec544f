"""Exports of OpenCost and Kubecost: allocations and assets as JSON, allocations as the CSV of OpenCost's exporter.

An allocation is a container in a window. Its averages hold for the minutes it ran; they become quantities, spread
evenly over that time, hour by hour. A day's export so says how much was used, and not at what hour.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from apps.ingest.landing import Found
from apps.ingest.providers.base import Discovery, Listed, Read
from apps.ingest.text import careful, values
from apps.ingest.text.header import BadHeader, read_header, refuse_twins
from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import GIB, HOUR, BadUsage, Converted, Row, UsageFormat, decimal, is_json, spread

MOST_BYTES = 512 << 20
MOST_DAYS = 31
_NONE = ("__idle__", "__unallocated__", "__unmounted__")
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class _Thing:
    """An allocation or an asset, and where it stands."""

    cells: Mapping[str, Any]
    where: str
    cluster: str

    def number(self, *names: str) -> Fraction | None:
        """The first of these that is told."""
        for name in names:
            told = self.cells.get(name)
            if told is None or told == "":
                continue
            if (
                not isinstance(told, Decimal | int)
                or isinstance(told, bool)
                or told < 0
                or not Decimal(told).is_finite()
            ):
                message = f"{careful.shown(str(told))} is not a quantity; export the window again."
                raise BadUsage("bad_value", f"{self.where}, {name}", message)
            return Fraction(told)
        return None

    def instant(self, *path: str) -> datetime:
        told: Any = self.cells
        for name in path:
            told = told.get(name) if isinstance(told, Mapping) else None
        try:
            return values.parse_instant(str(told))
        except values.NotAnInstant:
            message = f"{careful.shown(str(told))} is not an instant; export the window again."
            raise BadUsage("bad_value", f"{self.where}, {'.'.join(path)}", message) from None

    @property
    def properties(self) -> Mapping[str, Any]:
        told = self.cells.get("properties")
        return told if isinstance(told, Mapping) else {}

    def said(self, name: str) -> str:
        return str(self.properties.get(name) or "")

    def labels(self, name: str) -> dict[str, str]:
        told = self.properties.get(name)
        return {str(key): str(value) for key, value in told.items()} if isinstance(told, Mapping) else {}

    @property
    def window(self) -> tuple[datetime, datetime]:
        start, end = self.instant("window", "start"), self.instant("window", "end")
        if not start < end <= start + timedelta(days=MOST_DAYS):
            message = f"A window must last from a moment to {MOST_DAYS} days; export by hour or by day."
            raise BadUsage("window", f"{self.where}, window", message)
        if start.replace(minute=0, second=0, microsecond=0) != start:
            raise BadUsage(
                "window", f"{self.where}, window", "A window must begin at a whole hour; export by hour or by day."
            )
        return start, end

    @property
    def lifetime(self) -> tuple[datetime, datetime]:
        """When it ran: inside its window."""
        start, end = self.window
        if "start" in self.cells and "end" in self.cells:
            ran = max(start, self.instant("start")), min(end, self.instant("end"))
            return ran if ran[0] < ran[1] else (start, start + _MINUTE)
        return start, end


@dataclass
class _Sums:
    """Whole millionths by table, key and column."""

    rows: dict[str, dict[tuple[Any, ...], dict[str, int]]] = field(default_factory=lambda: defaultdict(dict))
    texts: dict[tuple[Any, ...], dict[str, str]] = field(default_factory=dict)
    labels: dict[tuple[datetime, str, str, str], dict[str, str]] = field(default_factory=dict)
    hours: dict[str, set[datetime]] = field(default_factory=lambda: defaultdict(set))

    def add(
        self, table: str, key: tuple[Any, ...], column: str, amount: Fraction, ran: tuple[datetime, datetime]
    ) -> None:
        for hour, part in spread(amount, *ran).items():
            row = self.rows[table].setdefault((hour, *key), {})
            row[column] = row.get(column, 0) + part

    def most(
        self, table: str, key: tuple[Any, ...], column: str, amount: Fraction, ran: tuple[datetime, datetime]
    ) -> None:
        for hour, part in spread(amount, *ran).items():
            row = self.rows[table].setdefault((hour, *key), {})
            row[column] = max(row.get(column, 0), part)


def convert(members: Sequence[Member], cluster: str) -> Converted:
    """Rows of the usage tables from one export."""
    sums = _Sums()
    try:
        for member in members:
            for thing in _json(member, cluster) if is_json(member) else _csv(member, cluster):
                _take(thing, sums)
    except BadUsage as bad:
        return Converted(problems=(bad.problem,))
    except BadHeader as bad:
        return Converted(problems=(bad.problem,))
    tables = {
        "workload_hours": list(_workloads(sums)),
        "node_hours": list(_nodes(sums)),
        "volume_hours": list(_volumes(sums)),
        "label_hours": list(_labels(sums)),
        "coverage_hours": list(_coverage(sums)),
    }
    return Converted({name: rows for name, rows in tables.items() if rows})


# --- Reading --------------------------------------------------------------------------------------------------------
def _json(member: Member, cluster: str) -> Iterator[_Thing]:
    if member.path.stat().st_size > MOST_BYTES:
        raise BadUsage(
            "too_large", member.name, f"More than {MOST_BYTES >> 20} MiB of JSON; export fewer days at once."
        )
    try:
        told = json.loads(
            member.path.read_bytes().decode("utf-8-sig"), parse_float=Decimal, parse_int=Decimal, parse_constant=_refuse
        )
    except (ValueError, RecursionError) as error:
        said = f"The file is not JSON ({error}); it may be cut off, export it again."
        raise BadUsage("json", member.name, said) from error
    sets = told.get("data") if isinstance(told, dict) else told
    if isinstance(sets, dict):
        sets = [sets]
    if not isinstance(sets, list) or not all(isinstance(one, dict) or one is None for one in sets):
        raise BadUsage("json", member.name, "The JSON has no `data` with sets of allocations or assets by name.")
    for at, one in enumerate(sets):
        for name, cells in (one or {}).items():
            if not isinstance(cells, dict):
                raise BadUsage("json", f"{member.name}, data[{at}].{name}", "Not an allocation nor an asset.")
            yield _Thing(cells, f"{member.name}, data[{at}].{name}", cluster)


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


_CSV = {
    "CPUCoreUsageAverage": "cpuCoreUsageAverage",
    "CPUCoreRequestAverage": "cpuCoreRequestAverage",
    "RAMBytesUsageAverage": "ramByteUsageAverage",
    "RAMBytesRequestAverage": "ramByteRequestAverage",
    "GPUs": "gpuCount",
}


def _csv(member: Member, cluster: str) -> Iterator[_Thing]:
    header = read_header(member.path, member.name)
    refuse_twins(header.columns, member.name, header.columns)
    needs = ("Date", "Namespace", "ControllerKind", "ControllerName", "Pod", *_CSV)
    if missing := [name for name in needs if name not in header.columns and name != "GPUs"]:
        raise BadUsage("missing_column", f"{member.name}, line 1", f"Missing columns: {', '.join(missing)}.")
    try:
        for row in careful.rows(member.path):
            where = f"{member.name}, line {row.line}"
            if len(row.cells) != len(header.columns):
                raise BadUsage(
                    "columns", where, f"{len(row.cells)} values for {len(header.columns)} columns; export again."
                )
            yield _from_csv(dict(zip(header.columns, row.cells, strict=True)), where, cluster)
    except careful.Broken as broken:
        raise BadUsage(broken.code, f"{member.name}, line {broken.line}", broken.message) from broken


def _from_csv(cells: Mapping[str, str], where: str, cluster: str) -> _Thing:
    """A row of the CSV as the allocation it was: a day of a container, whose node is not told."""
    try:
        day = values.parse_instant(cells["Date"])
        numbers = {name: values.exact_amount(cells[column]) for column, name in _CSV.items() if cells.get(column)}
    except ValueError as error:
        raise BadUsage("bad_value", where, f"{error} is neither a day nor a quantity; export again.") from None
    properties = {
        "namespace": cells["Namespace"],
        "controllerKind": cells["ControllerKind"],
        "controller": cells["ControllerName"],
        "pod": cells["Pod"],
        "node": cells.get("Node", ""),
    }
    window = {"start": day.isoformat(), "end": (day + timedelta(days=1)).isoformat()}
    return _Thing({**numbers, "properties": properties, "window": window}, where, cluster)


# --- Adding up ------------------------------------------------------------------------------------------------------
def _take(thing: _Thing, sums: _Sums) -> None:
    cluster = thing.said("cluster") or thing.cluster
    if not cluster:
        raise BadUsage("cluster", thing.where, "No cluster is named; add the source with --cluster.")
    if "type" in thing.cells:
        if thing.cells["type"] == "Node":
            _take_node(thing, cluster, sums)
        return
    start, end = thing.window
    for at in range(-(-(end - start) // HOUR)):
        sums.hours[cluster].add(start + at * HOUR)
    if str(thing.cells.get("name", "")).split("/")[-1] in _NONE or thing.said("pod") in ("", *_NONE):
        return
    _take_workload(thing, cluster, sums)
    _take_volumes(thing, cluster, sums)


def _take_workload(thing: _Thing, cluster: str, sums: _Sums) -> None:
    namespace, pod = thing.said("namespace"), thing.said("pod")
    workload = thing.said("controller") or pod
    key = (cluster, namespace, workload, pod, thing.said("node"))
    ran = thing.lifetime
    sums.texts[key] = {"workload_kind": thing.said("controllerKind").capitalize()}
    for column, amount in _quantities(thing, _hours(thing, ran)).items():
        sums.add("workload_hours", key, column, amount, ran)
    day = thing.window[0]
    for name, of in (("labels", workload), ("namespaceLabels", "")):
        if labels := thing.labels(name):
            sums.labels.setdefault((day, cluster, namespace, of), {}).update(labels)


def _hours(thing: _Thing, ran: tuple[datetime, datetime]) -> Fraction:
    """How long it ran, in hours."""
    minutes = thing.number("minutes")
    return (
        minutes / 60 if minutes is not None else Fraction((ran[1] - ran[0]) // timedelta(microseconds=1), 3_600_000_000)
    )


def _quantities(thing: _Thing, hours: Fraction) -> dict[str, Fraction]:
    """Quantities by column. Where no average is told, what was allocated is taken for the request."""
    cores, bytes_ = thing.number("cpuCoreHours"), thing.number("ramByteHours")
    gpu = thing.number("gpuHours")
    gpus = gpu if gpu is not None else (thing.number("gpuCount") or Fraction(0)) * hours
    asked = {
        "cpu_request_core_hours": _average(thing, "cpuCoreRequestAverage", hours, cores),
        "memory_request_gib_hours": _average(thing, "ramByteRequestAverage", hours, bytes_) / GIB,
    }
    used = {
        "cpu_used_core_hours": _average(thing, "cpuCoreUsageAverage", hours, None),
        "memory_used_gib_hours": _average(thing, "ramByteUsageAverage", hours, None) / GIB,
    }
    return asked | used | {"gpu_used_hours": gpus, "gpu_request_hours": gpus}


def _average(thing: _Thing, name: str, hours: Fraction, otherwise: Fraction | None) -> Fraction:
    average = thing.number(name)
    return average * hours if average is not None else otherwise or Fraction(0)


def _take_volumes(thing: _Thing, cluster: str, sums: _Sums) -> None:
    """A volume that several containers mount is told by each of them: it is counted once."""
    volumes = thing.cells.get("pvs")
    for name, told in volumes.items() if isinstance(volumes, Mapping) else ():
        if not isinstance(told, Mapping):
            raise BadUsage("json", f"{thing.where}.pvs", "Not a volume.")
        claim = name.rpartition("name=")[2]
        one = _Thing(told, f"{thing.where}.pvs.{claim}", cluster)
        key = (cluster, str(told.get("providerID") or claim), thing.said("namespace"), claim)
        sums.texts[key] = {"workload": thing.said("controller") or thing.said("pod")}
        sums.most("volume_hours", key, "capacity", (one.number("byteHours") or Fraction(0)) / GIB, thing.lifetime)


def _take_node(thing: _Thing, cluster: str, sums: _Sums) -> None:
    ran = thing.lifetime
    hours = _hours(thing, ran)
    key = (cluster, thing.said("name"))
    sums.texts[key] = {
        "provider_id": thing.said("providerID"),
        "instance_type": str(thing.cells.get("nodeType") or ""),
        "node_pool": str(thing.cells.get("pool") or ""),
        "labels": json.dumps(thing.cells.get("labels") or {}, ensure_ascii=False, sort_keys=True, default=str),
    }
    for column, whole, each, unit in (
        ("cpu", "cpuCoreHours", "cpuCores", 1),
        ("memory", "ramByteHours", "ramBytes", GIB),
        ("gpu", "gpuHours", "gpuCount", 1),
    ):
        told = thing.number(whole)
        amount = told if told is not None else (thing.number(each) or Fraction(0)) * hours
        sums.add("node_hours", key, column, amount / unit, ran)


# --- Rows -----------------------------------------------------------------------------------------------------------
def _workloads(sums: _Sums) -> Iterator[Row]:
    for (hour, *key), row in sorted(sums.rows["workload_hours"].items()):
        cluster, namespace, workload, pod, node = key
        kind = sums.texts[tuple(key)]["workload_kind"]
        yield {
            "hour": hour, "cluster": cluster, "namespace": namespace, "workload": workload, "workload_kind": kind,
            "pod": pod, "node": node, "resource_id": "",
        } | {name: decimal(part) for name, part in row.items()}  # fmt: skip


def _nodes(sums: _Sums) -> Iterator[Row]:
    for (hour, *key), row in sorted(sums.rows["node_hours"].items()):
        cluster, node = key
        yield {
            "hour": hour, "cluster": cluster, "node": node, "cpu_capacity_core_hours": decimal(row["cpu"]),
            "memory_capacity_gib_hours": decimal(row["memory"]), "gpu_capacity_hours": decimal(row["gpu"]),
        } | sums.texts[tuple(key)]  # fmt: skip


def _volumes(sums: _Sums) -> Iterator[Row]:
    for (hour, *key), row in sorted(sums.rows["volume_hours"].items()):
        cluster, volume, namespace, claim = key
        yield {
            "hour": hour, "cluster": cluster, "volume": volume, "namespace": namespace, "claim": claim,
            "workload": sums.texts[tuple(key)]["workload"], "capacity_gib_hours": decimal(row["capacity"]),
            "used_gib_hours": decimal(0),
        }  # fmt: skip


def _labels(sums: _Sums) -> Iterator[Row]:
    for (hour, cluster, namespace, workload), labels in sorted(sums.labels.items(), key=lambda pair: pair[0]):
        text = json.dumps(labels, ensure_ascii=False, sort_keys=True)
        yield {"hour": hour, "cluster": cluster, "namespace": namespace, "workload": workload, "labels": text}


def _coverage(sums: _Sums) -> Iterator[Row]:
    """One sample an hour that a window of allocations covers."""
    for cluster, hours in sorted(sums.hours.items()):
        for hour in sorted(hours):
            yield {"hour": hour, "cluster": cluster, "observed_samples": 1, "expected_samples": 1}


def every_file(found: Sequence[Found], _read: Read) -> Discovery:
    """Every file there is: here JSON is data."""
    return Discovery(tuple(Listed(one) for one in found))


FORMAT = UsageFormat("opencost", "OpenCost export", convert, every_file)
