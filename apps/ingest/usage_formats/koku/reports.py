"""The kinds of reports of the operator: which columns they have, and which of our quantities these are."""

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction

from apps.ingest.text import careful
from apps.ingest.text.values import YEARS
from apps.ingest.usage_formats.base import GIB, MOST, BadUsage
from apps.ingest.usage_formats.sheets import Line
from apps.ingest.usage_formats.sums import Key, Sums, in_json

_CORE_HOURS = Fraction(3600)
_GIB_HOURS = Fraction(3600 * GIB)
PODS = "pod_usage_cpu_core_seconds"
Quantities = Mapping[str, tuple[str, Fraction]]
"""Our column → the report's, and how much of its unit makes one of ours."""
_OF_A_POD: Quantities = {
    "cpu_used_core_hours": (PODS, _CORE_HOURS),
    "cpu_request_core_hours": ("pod_request_cpu_core_seconds", _CORE_HOURS),
    "memory_used_gib_hours": ("pod_usage_memory_byte_seconds", _GIB_HOURS),
    "memory_request_gib_hours": ("pod_request_memory_byte_seconds", _GIB_HOURS),
}
_OF_A_NODE: Quantities = {
    "cpu_capacity_core_hours": ("node_capacity_cpu_core_seconds", _CORE_HOURS),
    "memory_capacity_gib_hours": ("node_capacity_memory_byte_seconds", _GIB_HOURS),
}
_OF_A_VOLUME: Quantities = {
    "capacity_gib_hours": ("persistentvolumeclaim_capacity_byte_seconds", _GIB_HOURS),
    "used_gib_hours": ("persistentvolumeclaim_usage_byte_seconds", _GIB_HOURS),
}
_POOLS = (
    "eks_amazonaws_com_nodegroup", "cloud_google_com_gke_nodepool", "kubernetes_azure_com_agentpool", "agentpool",
    "alibabacloud_com_nodepool_id", "karpenter_sh_nodepool", "hive_openshift_io_machine_pool",
)  # fmt: skip
_TYPES = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")
_SUFFIX = "[bcdfghjklmnpqrstvwxz2456789]"
_OWNERS = (
    (re.compile(rf"(.+)-{_SUFFIX}{{8,10}}-{_SUFFIX}{{5}}"), "Deployment"),
    (re.compile(r"(.+)-\d{1,5}"), "StatefulSet"),
    (re.compile(rf"(.+)-{_SUFFIX}{{5}}"), ""),
)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) \+0000 UTC", re.ASCII)
_NUMBER = re.compile(r"\d{1,25}(\.\d{0,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_MIG = re.compile(r"(\d)g\..*")


@dataclass
class Facts:
    """What the members of one archive say, added up; node labels and cards wait until all nodes are known."""

    cluster: str
    sums: Sums = field(default_factory=Sums)
    node_labels: dict[Key, dict[str, str]] = field(default_factory=dict)
    cards: defaultdict[Key, set[str]] = field(default_factory=lambda: defaultdict(set))

    def tell_nodes(self) -> None:
        """Say of every node that has a capacity what its labels tell, and how many cards were seen on it."""
        for key in self.sums.quantities["node_hours"]:
            labels = self.node_labels.get(key, {})
            told = {re.sub(r"[^a-z0-9]", "_", name.lower()): value for name, value in labels.items()}
            pool, kind = _first(told, _POOLS), _first(told, _TYPES)
            self.sums.say("node_hours", key, node_pool=pool, instance_type=kind, labels=in_json(labels))
            self.sums.add("node_hours", key, {"gpu_capacity_hours": Fraction(len(self.cards.get(key, ())))})


@dataclass(frozen=True)
class Report:
    """A kind of report: the column that tells it, the others it needs, and what takes a row of it."""

    column: str
    needs: tuple[str, ...]
    take: Callable[[Line, Facts], None]
    adds_to_pods: bool = False


def _take_pod(line: Line, facts: Facts) -> None:
    hour, node, pod, namespace = _hour(line), line.text("node"), line.text("pod"), line.text("namespace")
    if pod and namespace:
        key = _pod_key(hour, line, facts)
        facts.sums.add("workload_hours", key, _amounts(line, _OF_A_POD))
        _merge(facts.sums.labels, (hour, facts.cluster, namespace, owner(pod)[0]), line.text("pod_labels"))
    if node:
        key = (hour, facts.cluster, node)
        facts.sums.most("node_hours", key, _amounts(line, _OF_A_NODE))
        facts.sums.say("node_hours", key, provider_id=line.text("resource_id"))


def _pod_key(hour: datetime, line: Line, facts: Facts) -> Key:
    workload, kind = owner(line.text("pod"))
    key = (hour, facts.cluster, line.text("namespace"), workload, line.text("pod"), line.text("node"))
    facts.sums.say("workload_hours", key, workload_kind=kind)
    return key


def _take_volume(line: Line, facts: Facts) -> None:
    """A claim that several pods mount is told by each of them: it is counted once."""
    volume = line.text("csi_volume_handle") or line.text("persistentvolume")
    key = (_hour(line), facts.cluster, volume, line.text("namespace"), line.text("persistentvolumeclaim"))
    facts.sums.most("volume_hours", key, _amounts(line, _OF_A_VOLUME))
    facts.sums.say("volume_hours", key, workload=owner(line.text("pod"))[0])


def _take_namespace(line: Line, facts: Facts) -> None:
    key = (_hour(line), facts.cluster, line.text("namespace"), "")
    _merge(facts.sums.labels, key, line.text("namespace_labels"))


def _take_node(line: Line, facts: Facts) -> None:
    _merge(facts.node_labels, (_hour(line), facts.cluster, line.text("node")), line.text("node_labels"))


def _take_gpu(line: Line, facts: Facts) -> None:
    """The time a pod held a card, or a slice of one in sevenths."""
    slice_ = _MIG.fullmatch(line.text("mig_profile"))
    share = Fraction(int(slice_[1]), 7) if slice_ else Fraction(1)
    hour, held = _hour(line), _number(line, "gpu_pod_uptime", _CORE_HOURS) * share
    key = _pod_key(hour, line, facts)
    facts.sums.add("workload_hours", key, {"gpu_used_hours": held, "gpu_request_hours": held})
    facts.cards[hour, facts.cluster, line.text("node")].add(line.text("gpu_uuid"))


def _columns(*quantities: Quantities) -> tuple[str, ...]:
    return tuple(column for each in quantities for column, _ in each.values())


REPORTS = (
    Report(PODS, ("pod", "namespace", "node", "resource_id", *_columns(_OF_A_POD, _OF_A_NODE)), _take_pod),
    Report(
        "persistentvolumeclaim_capacity_byte_seconds",
        ("namespace", "pod", "persistentvolumeclaim", "persistentvolume", *_columns(_OF_A_VOLUME)),
        _take_volume,
    ),
    Report("gpu_pod_uptime", ("node", "namespace", "pod", "gpu_uuid"), _take_gpu, adds_to_pods=True),
    Report("namespace_labels", ("namespace",), _take_namespace),
    Report("node_labels", ("node",), _take_node, adds_to_pods=True),
)


def owner(pod: str) -> tuple[str, str]:
    """The workload a pod's name tells, and its kind; the operator does not report it."""
    for pattern, kind in _OWNERS:
        if match := pattern.fullmatch(pod):
            return match[1], kind
    return pod, "Pod" if pod else ""


def _amounts(line: Line, quantities: Quantities) -> dict[str, Fraction]:
    return {ours: _number(line, column, unit) for ours, (column, unit) in quantities.items()}


def _number(line: Line, column: str, unit: Fraction) -> Fraction:
    """A quantity in ours of this unit; an empty cell is none, as the operator writes what it has not measured."""
    told = line.text(column) or "0"
    amount = Fraction(told) / unit if _NUMBER.fullmatch(told) else MOST
    if amount >= MOST:
        message = f"{careful.shown(told)} is not a quantity; send the report again."
        raise BadUsage("bad_value", f"{line.where}, column {column}", message)
    return Fraction(amount)


def _hour(line: Line) -> datetime:
    told = line.text("interval_start")
    match = _INSTANT.fullmatch(told)
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC) if match else None
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS or moment.minute or moment.second:
        message = f"{careful.shown(told)} is not the start of an hour like '2026-10-01 13:00:00 +0000 UTC'."
        raise BadUsage("bad_value", f"{line.where}, column interval_start", message)
    return moment


def _merge(into: dict[Key, dict[str, str]], key: Key, text: str) -> None:
    """Add labels written `label_a:x|label_b:y`; of two values the later in the alphabet."""
    labels = into.setdefault(key, {})
    for part in filter(None, text.split("|")):
        name, _, value = part.removeprefix("label_").partition(":")
        labels[name] = max(labels.get(name, ""), value)


def _first(labels: Mapping[str, str], names: Sequence[str]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")
