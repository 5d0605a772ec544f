"""From facts about peaks and autoscalers to `workload_peaks` and `autoscaler_hours`."""

import ibis
import ibis.expr.types as ir

from apps.ingest.prometheus import gpus
from apps.ingest.prometheus.pods import HOURLY, POD, Facts, attach, likeliest, owner_of_pods, running
from apps.ingest.prometheus.queries import GIB

_MIB_IN_GIB = 1024
_OF_USERS = {
    "gpu_peak": 100,
    "gpu_memory": _MIB_IN_GIB,
    "gpu_memory_peak": _MIB_IN_GIB,
    "gpu_part_peak": 100,
    "gpu_part_memory": GIB,
    "gpu_part_memory_peak": GIB,
}
"""Fact about who uses GPUs → how many of its units are a card or a GiB."""
_NODE = ["hour", "cluster", "node"]
_SCALER = ["cluster", "namespace", "name"]


def workload_peaks(facts: Facts) -> ir.Table:
    """One row per hour and pod of which any peak is known, on the node where it was longest.

    What an exporter tells of a shared device is the device's: a pod's part is its part of the cards, as with use. HAMi
    tells a pod's own, which counts before it.
    """
    told = [
        facts["cpu_peak"].select(*HOURLY, "value", measure=ibis.literal("cpu")),
        facts["memory_peak"].select(*HOURLY, value=lambda t: t.value / GIB, measure=ibis.literal("memory")),
        *(_of_users(facts, fact, unit) for fact, unit in _OF_USERS.items()),
    ]
    long = ibis.union(*told)
    known = long.group_by(HOURLY).agg(
        **{name: long.value.sum(where=long.measure == name) for name in ("cpu", "memory", *_OF_USERS)}
    )
    ran = running(facts)
    pods = attach(known, ran.filter(ran.uid == "").select(*HOURLY, hours="value"), HOURLY)
    pods = pods.filter(pods.hours.notnull() | pods.cpu.notnull() | pods.memory.notnull())
    pods = attach(pods, likeliest(facts["placed"], HOURLY, ["node"]), HOURLY)
    pods = attach(pods, _scales(facts), HOURLY)
    pods = attach(pods, owner_of_pods(facts), POD)
    pods = pods.mutate(workload=pods.workload.fill_null(pods.pod), scale=pods.scale.fill_null(1.0))
    return pods.select(
        "hour",
        "cluster",
        "namespace",
        "workload",
        "pod",
        node=pods.node.fill_null(""),
        cpu_peak_cores=pods.cpu,
        memory_peak_gib=pods.memory,
        gpu_peak_share=ibis.coalesce(pods.gpu_part_peak, pods.gpu_peak * pods.scale),
        gpu_memory_used_gib_hours=ibis.coalesce(pods.gpu_part_memory, pods.gpu_memory * pods.scale) * pods.hours,
        gpu_memory_peak_gib=ibis.coalesce(pods.gpu_part_memory_peak, pods.gpu_memory_peak * pods.scale),
    )


def _scales(facts: Facts) -> ir.Table:
    """What part of a device's use is a pod's own (`gpus.used_scale`), of those that ask for devices or shares."""
    levels = facts["request_levels"]
    asked = levels.filter(levels.measure.isin(("gpu", "gpu_share"))).group_by(HOURLY).agg(
        **{name: levels.value.max(where=levels.measure == name).fill_null(0.0) for name in ("gpu", "gpu_share")}
    )  # fmt: skip
    asked = asked.join(likeliest(facts["placed"], HOURLY, ["node"]), HOURLY)
    scaled = asked.join(facts["node_scales"].select(*_NODE, *gpus.SCALES), _NODE)
    return scaled.select(*HOURLY, scale=gpus.used_scale(scaled))


def _of_users(facts: Facts, fact: str, unit: int) -> ir.Table:
    """A fact about who uses GPUs, by the pod that does: `exported_pod` where the exporter's own took the label."""
    rows = facts[fact]
    is_exported = rows.exported_pod != ""
    return rows.select(
        "hour",
        "cluster",
        namespace=is_exported.ifelse(rows.exported_namespace, rows.namespace),
        pod=is_exported.ifelse(rows.exported_pod, rows.pod),
        value=rows.value / unit,
        measure=ibis.literal(fact),
    )


def autoscaler_hours(facts: Facts) -> ir.Table:
    """The bounds of every scaled workload; an autoscaler whose target is not told has its target's name, usually."""
    least, most = facts["scaler_least"], facts["scaler_most"]
    hourly = ["hour", *_SCALER]
    both = least.select(*hourly, least="value").join(most.select(*hourly, most="value"), hourly)
    both = attach(both, likeliest(facts["scaler_targets"], _SCALER, ["target"]), _SCALER)
    both = both.mutate(workload=ibis.coalesce(both.target.nullif(""), both.name))
    keys = ["hour", "cluster", "namespace", "workload"]
    return both.group_by(keys).agg(
        min_replicas=both.least.max(), max_replicas=both.most.max(), autoscaler=both.name.max()
    )
