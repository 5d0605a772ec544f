"""Reports of the koku-metrics-operator (OpenShift cost management): one archive, or single CSV files.

What a file is, its columns tell. Pods carry the capacity of their node and its id at the cloud; storage, labels and
GPUs stand in files of their own. A report of node labels or GPUs adds to rows of the pod report, so it counts only in
one archive with it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from typing import TypeVar

from apps.ingest.text import careful
from apps.ingest.text.header import BadHeader, read_header, refuse_twins
from apps.ingest.unpack import Member
from apps.ingest.usage_formats.base import GIB, HOUR, BadUsage, Converted, Row, UsageFormat, decimal, micro

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+0000 UTC", re.ASCII)
_NUMBER = re.compile(r"\d{1,25}(\.\d{0,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]"
_OWNERS = (
    (re.compile(rf"(.+)-{_SUFFIX}{{8,10}}-{_SUFFIX}{{5}}"), "Deployment"),
    (re.compile(r"(.+)-\d{1,5}"), "StatefulSet"),
    (re.compile(rf"(.+)-{_SUFFIX}{{5}}"), ""),
)
_POOLS = (
    "eks_amazonaws_com_nodegroup", "cloud_google_com_gke_nodepool", "kubernetes_azure_com_agentpool", "agentpool",
    "alibabacloud_com_nodepool_id", "karpenter_sh_nodepool", "hive_openshift_io_machine_pool",
)  # fmt: skip
_TYPES = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")
_SECONDS = Fraction(3600)
_GIB_SECONDS = Fraction(3600 * GIB)
_MIG = re.compile(r"(\d)g\..*")

_K = TypeVar("_K")


@dataclass
class _Node:
    cpu: Fraction = Fraction(0)
    memory: Fraction = Fraction(0)
    identity: str = ""


@dataclass
class _Volume:
    capacity: Fraction = Fraction(0)
    used: Fraction = Fraction(0)
    workload: str = ""


@dataclass
class _Facts:
    """What the members of one file say, added up."""

    cluster: str
    pods: dict[tuple[datetime, str, str, str], list[Fraction]] = field(default_factory=dict)
    nodes: dict[tuple[datetime, str], _Node] = field(default_factory=dict)
    volumes: dict[tuple[datetime, str, str, str], _Volume] = field(default_factory=dict)
    labels: dict[tuple[datetime, str, str], dict[str, str]] = field(default_factory=dict)
    node_labels: dict[tuple[datetime, str], dict[str, str]] = field(default_factory=dict)
    gpus: dict[tuple[datetime, str, str, str], Fraction] = field(default_factory=lambda: defaultdict(Fraction))
    cards: dict[tuple[datetime, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Line:
    """One row of a report: cells by column, and where it stands."""

    cells: Mapping[str, str]
    where: str

    def text(self, column: str) -> str:
        return self.cells.get(column, "")

    def number(self, column: str) -> Fraction:
        """A quantity; an empty cell is none, as the operator writes what it has not measured."""
        told = self.cells[column]
        if not told:
            return Fraction(0)
        if not _NUMBER.fullmatch(told):
            message = f"{careful.shown(told)} is not a quantity; send the report again."
            raise BadUsage("bad_value", f"{self.where}, column {column}", message)
        return Fraction(told)

    @property
    def hour(self) -> datetime:
        told = self.cells["interval_start"]
        match = _INSTANT.fullmatch(told)
        try:
            moment = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC) if match else None
        except ValueError:
            moment = None
        if moment is None or moment.minute or moment.second:
            message = f"{careful.shown(told)} is not the start of an hour like '2026-10-01 13:00:00 +0000 UTC'."
            raise BadUsage("bad_value", f"{self.where}, column interval_start", message)
        return moment


def convert(members: Sequence[Member], cluster: str) -> Converted:
    """Rows of the usage tables from the reports of one archive."""
    facts = _Facts(cluster)
    try:
        if not cluster:
            raise BadUsage("cluster", members[0].name, "The report names no cluster; add the source with --cluster.")
        for member in members:
            _read(member, facts)
        _refuse_orphans(facts)
    except BadUsage as bad:
        return Converted(problems=(bad.problem,))
    except BadHeader as bad:
        return Converted(problems=(bad.problem,))
    tables = {
        "workload_hours": list(_workloads(facts)),
        "node_hours": list(_nodes(facts)),
        "volume_hours": list(_volumes(facts)),
        "label_hours": list(_labels(facts)),
        "coverage_hours": list(_coverage(facts)),
    }
    return Converted({name: rows for name, rows in tables.items() if rows})


# --- Reading --------------------------------------------------------------------------------------------------------
def _read(member: Member, facts: _Facts) -> None:
    header = read_header(member.path, member.name)
    refuse_twins(header.columns, member.name, header.columns)
    report = next((one for one in _REPORTS if one.column in header.columns), None)
    if report is None:
        said = f"No report of the operator has these columns: {', '.join(header.columns)[:300]}."
        raise BadUsage("unknown_report", f"{member.name}, line 1", said)
    if missing := [name for name in ("interval_start", *report.needs) if name not in header.columns]:
        raise BadUsage("missing_column", f"{member.name}, line 1", f"Missing columns: {', '.join(missing)}.")
    facts.files.setdefault(report.column, member.name)
    try:
        for row in careful.rows(member.path):
            where = f"{member.name}, line {row.line}"
            if len(row.cells) != len(header.columns):
                said = f"{len(row.cells)} values for {len(header.columns)} columns; send the report again."
                raise BadUsage("columns", where, said)
            report.take(_Line(dict(zip(header.columns, row.cells, strict=True)), where), facts)
    except careful.Broken as broken:
        raise BadUsage(broken.code, f"{member.name}, line {broken.line}", broken.message) from broken


def _take_pod(line: _Line, facts: _Facts) -> None:
    hour, node = line.hour, line.text("node")
    pod, namespace = line.text("pod"), line.text("namespace")
    if pod and namespace:
        sums = facts.pods.setdefault((hour, namespace, pod, node), [Fraction(0)] * 4)
        for at, (column, unit) in enumerate(_POD_SUMS):
            sums[at] += line.number(column) / unit
        _merge(facts.labels, (hour, namespace, _owner(pod)[0]), line.text("pod_labels"))
    if node:
        known = facts.nodes.setdefault((hour, node), _Node())
        known.cpu = max(known.cpu, line.number("node_capacity_cpu_core_seconds") / _SECONDS)
        known.memory = max(known.memory, line.number("node_capacity_memory_byte_seconds") / _GIB_SECONDS)
        known.identity = known.identity or line.text("resource_id")


def _take_volume(line: _Line, facts: _Facts) -> None:
    volume = line.text("csi_volume_handle") or line.text("persistentvolume")
    key = (line.hour, volume, line.text("namespace"), line.text("persistentvolumeclaim"))
    known = facts.volumes.setdefault(key, _Volume())  # every pod that mounts the claim tells it again
    known.capacity = max(known.capacity, line.number("persistentvolumeclaim_capacity_byte_seconds") / _GIB_SECONDS)
    known.used = max(known.used, line.number("persistentvolumeclaim_usage_byte_seconds") / _GIB_SECONDS)
    known.workload = known.workload or _owner(line.text("pod"))[0]


def _take_namespace(line: _Line, facts: _Facts) -> None:
    _merge(facts.labels, (line.hour, line.text("namespace"), ""), line.text("namespace_labels"))


def _take_node(line: _Line, facts: _Facts) -> None:
    _merge(facts.node_labels, (line.hour, line.text("node")), line.text("node_labels"))


def _take_gpu(line: _Line, facts: _Facts) -> None:
    part = _MIG.fullmatch(line.text("mig_profile"))
    share = Fraction(int(part[1]), 7) if part else Fraction(1)
    key = (line.hour, line.text("namespace"), line.text("pod"), line.text("node"))
    facts.gpus[key] += line.number("gpu_pod_uptime") / _SECONDS * share
    facts.cards[line.hour, line.text("node")].add(line.text("gpu_uuid"))


_POD_SUMS = (
    ("pod_usage_cpu_core_seconds", _SECONDS),
    ("pod_request_cpu_core_seconds", _SECONDS),
    ("pod_usage_memory_byte_seconds", _GIB_SECONDS),
    ("pod_request_memory_byte_seconds", _GIB_SECONDS),
)
_CAPACITY = ("node_capacity_cpu_core_seconds", "node_capacity_memory_byte_seconds")


@dataclass(frozen=True)
class _Report:
    """A kind of report: the column that tells it, the others it needs, and what takes a row."""

    column: str
    needs: tuple[str, ...]
    take: Callable[[_Line, _Facts], None]


_REPORTS = (
    _Report(
        "pod_usage_cpu_core_seconds",
        ("pod", "namespace", "node", "resource_id", *(column for column, _ in _POD_SUMS), *_CAPACITY),
        _take_pod,
    ),
    _Report(
        "persistentvolumeclaim_capacity_byte_seconds",
        ("namespace", "pod", "persistentvolumeclaim", "persistentvolume", "persistentvolumeclaim_usage_byte_seconds"),
        _take_volume,
    ),
    _Report("gpu_pod_uptime", ("node", "namespace", "pod", "gpu_uuid"), _take_gpu),
    _Report("namespace_labels", ("namespace",), _take_namespace),
    _Report("node_labels", ("node",), _take_node),
)


def _merge(into: dict[_K, dict[str, str]], key: _K, text: str) -> None:
    """Add labels written `label_a:x|label_b:y`; of two values the later in the alphabet."""
    labels = into.setdefault(key, {})
    for part in filter(None, text.split("|")):
        name, _, value = part.removeprefix("label_").partition(":")
        labels[name] = max(labels.get(name, ""), value)


def _owner(pod: str) -> tuple[str, str]:
    """The workload a pod's name tells, and its kind; the operator does not report it."""
    for pattern, kind in _OWNERS:
        if match := pattern.fullmatch(pod):
            return match[1], kind
    return pod, "Pod" if pod else ""


def _refuse_orphans(facts: _Facts) -> None:
    """Refuse rows that would add to a pod report that is not there: loose files could not be told apart later."""
    for report, rows in (("gpu_pod_uptime", facts.gpus), ("node_labels", facts.node_labels)):
        if rows and "pod_usage_cpu_core_seconds" not in facts.files:
            said = "There is no pod report beside it, to whose rows it adds; send the archive whole, as it was packed."
            raise BadUsage("no_pod_report", facts.files[report], said)


# --- Rows -----------------------------------------------------------------------------------------------------------
def _workloads(facts: _Facts) -> Iterator[Row]:
    nothing = [Fraction(0)] * 4  # a pod that only the GPU report knows
    for hour, namespace, pod, node in sorted({*facts.pods, *facts.gpus}):
        sums = facts.pods.get((hour, namespace, pod, node), nothing)
        workload, kind = _owner(pod)
        cpu_used, cpu_asked, memory_used, memory_asked = (decimal(micro(amount)) for amount in sums)
        gpus = decimal(micro(facts.gpus.get((hour, namespace, pod, node), Fraction(0))))
        yield {
            "hour": hour, "cluster": facts.cluster, "namespace": namespace, "workload": workload, "workload_kind": kind,
            "pod": pod, "node": node, "resource_id": "", "cpu_used_core_hours": cpu_used,
            "cpu_request_core_hours": cpu_asked, "memory_used_gib_hours": memory_used,
            "memory_request_gib_hours": memory_asked, "gpu_used_hours": gpus, "gpu_request_hours": gpus,
        }  # fmt: skip


def _nodes(facts: _Facts) -> Iterator[Row]:
    for (hour, node), known in sorted(facts.nodes.items(), key=lambda pair: pair[0]):
        labels = facts.node_labels.get((hour, node), {})
        told = {re.sub(r"[^a-z0-9]", "_", name.lower()): value for name, value in labels.items()}
        yield {
            "hour": hour, "cluster": facts.cluster, "node": node, "node_pool": _first(told, _POOLS),
            "provider_id": known.identity, "instance_type": _first(told, _TYPES),
            "cpu_capacity_core_hours": decimal(micro(known.cpu)),
            "memory_capacity_gib_hours": decimal(micro(known.memory)),
            "gpu_capacity_hours": decimal(len(facts.cards.get((hour, node), ())) * 1_000_000),
            "labels": json.dumps(labels, ensure_ascii=False, sort_keys=True),
        }  # fmt: skip


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")


def _volumes(facts: _Facts) -> Iterator[Row]:
    for (hour, volume, namespace, claim), known in sorted(facts.volumes.items(), key=lambda pair: pair[0]):
        yield {
            "hour": hour, "cluster": facts.cluster, "volume": volume, "namespace": namespace, "claim": claim,
            "workload": known.workload, "capacity_gib_hours": decimal(micro(known.capacity)),
            "used_gib_hours": decimal(micro(known.used)),
        }  # fmt: skip


def _labels(facts: _Facts) -> Iterator[Row]:
    for (hour, namespace, workload), labels in sorted(facts.labels.items()):
        text = json.dumps(labels, ensure_ascii=False, sort_keys=True)
        yield {
            "hour": hour, "cluster": facts.cluster, "namespace": namespace, "workload": workload, "labels": text
        }  # fmt: skip


def _coverage(facts: _Facts) -> Iterator[Row]:
    """One sample an hour: it was reported, or it lies between hours that were and was not."""
    seen = {hour for hour, *_ in facts.pods} | {hour for hour, _ in facts.nodes}
    hour = min(seen, default=None)
    while hour is not None and hour <= max(seen):
        yield {
            "hour": hour, "cluster": facts.cluster, "observed_samples": int(hour in seen), "expected_samples": 1
        }  # fmt: skip
        hour += HOUR


FORMAT = UsageFormat("koku", "OpenShift cost operator", convert)
