"""From facts about pods to `workload_hours` and `label_hours`."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from apps.finops.tables import ANNOTATION
from apps.ingest.prometheus.queries import GIB, GPU_CARDS, GPU_DEVICES, GPU_MEMORY, HOUR_SECONDS, MIG_PREFIX

POD = ["cluster", "namespace", "pod"]
HOURLY = ["hour", *POD]

_REPLICA_SET_HASH = r"-[bcdfghjklmnpqrstvwxz2456789]{5,10}$"
_CRON_MINUTE = r"-[0-9]{8,11}$"

POD_ONLY_LABELS = frozenset(
    {
        "pod_template_hash",
        "controller_revision_hash",
        "pod_template_generation",
        "statefulset_kubernetes_io_pod_name",
        "apps_kubernetes_io_pod_index",
        "controller_uid",
        "job_name",
        "batch_kubernetes_io_controller_uid",
        "batch_kubernetes_io_job_name",
        "batch_kubernetes_io_job_completion_index",
        f"{ANNOTATION}k8s_aliyun_com_eci_instance_id",
    }
)
"""Labels and annotations that tell one pod from its siblings and say nothing about the workload."""

Facts = Mapping[str, ir.Table]


def attach(left: ir.Table, right: ir.Table, keys: list[str]) -> ir.Table:
    """Every row of `left`, with what `right` knows about its key."""
    return left.join(right, keys, how="left").drop(*(f"{key}_right" for key in keys))


def resource_measures(resource: str) -> tuple[str, float]:
    """What a resource of Kubernetes counts as: (`cpu`, `memory`, `gpu`, `gpu_memory` or `gpu_cards`; by how much)."""
    if resource.startswith(MIG_PREFIX):
        return "gpu", int(resource.removeprefix(MIG_PREFIX)[0]) / 7
    known = {
        "cpu": ("cpu", 1.0),
        "memory": ("memory", 1 / GIB),
        GPU_MEMORY: ("gpu_memory", 1.0),
        GPU_CARDS: ("gpu_cards", 1.0),
    }
    return known.get(resource) or (("gpu", 1.0) if resource in GPU_DEVICES else ("", 0.0))


def workload_hours(facts: Facts) -> ir.Table:
    """One row per hour, pod, node and billed instance: used and requested, in core-, GiB- and device-hours."""
    pods = attach(_measured(facts), _spells(facts), HOURLY)
    pods = pods.mutate(node=pods.node.fill_null(""), part=pods.part.fill_null(1.0))
    pods = attach(pods, _instances(facts), HOURLY)
    pods = pods.mutate(resource_id=pods.resource_id.fill_null(""), part=pods.part * pods.instance_part.fill_null(1.0))
    cards = facts["node_levels"].select("hour", "cluster", "node", "gpu_cards", "gpu_memory")
    cards = cards.filter(cards.gpu_memory > 0).mutate(cards_per_gib=lambda t: t.gpu_cards / t.gpu_memory)
    pods = attach(pods, cards.select("hour", "cluster", "node", "cards_per_gib"), ["hour", "cluster", "node"])
    owners = owner_of_pods(facts)
    pods = attach(pods, owners, POD)
    gpus = pods.gpu + pods.gpu_memory * pods.cards_per_gib.fill_null(0.0)
    return pods.select(
        "hour",
        "cluster",
        "namespace",
        workload=pods.workload.fill_null(pods.pod),
        workload_kind=pods.workload_kind.fill_null("Pod"),
        pod=pods.pod,
        node=pods.node,
        resource_id=pods.resource_id,
        cpu_used_core_hours=pods.cpu_used * pods.part,
        cpu_request_core_hours=pods.cpu * pods.running_hours * pods.part,
        memory_used_gib_hours=pods.memory_used * pods.part,
        memory_request_gib_hours=pods.memory * pods.running_hours * pods.part,
        gpu_used_hours=pods.gpu_used * pods.running_hours * pods.part,
        gpu_request_hours=gpus * pods.running_hours * pods.part,
    )


def _measured(facts: Facts) -> ir.Table:
    """One row per hour and pod that ran or used something: integrals of use, hours of running, levels of requests."""
    requested = facts["request_levels"]
    measures = {
        "cpu_used": facts["cpu_used"].mutate(value=lambda t: t.value / t.usage_span / HOUR_SECONDS),
        "memory_used": facts["memory_used"].mutate(value=lambda t: t.value * t.usage_sample_hours / GIB),
        "running_hours": _running(facts),
        "gpu_used": facts["gpu_used"].mutate(value=lambda t: t.value / 100),
        "gpu_used_exported": facts["gpu_used_exported"].mutate(value=lambda t: t.value / 100),
    }
    long = ibis.union(
        *(table.select(*HOURLY, "value", measure=ibis.literal(name)) for name, table in measures.items()),
        requested.select(*HOURLY, "value", "measure"),
    )
    value, measure = long.value, long.measure
    pods = long.group_by(HOURLY).agg(
        cpu_used=value.sum(where=measure == "cpu_used").fill_null(0.0),
        memory_used=value.sum(where=measure == "memory_used").fill_null(0.0),
        running_hours=value.sum(where=measure == "running_hours").fill_null(0.0),
        gpu_used=value.sum(where=measure.isin(["gpu_used", "gpu_used_exported"])).fill_null(0.0),
        **{level: value.sum(where=measure == level).fill_null(0.0) for level in ("cpu", "memory", "gpu", "gpu_memory")},
    )
    return pods.filter((pods.running_hours > 0) | (pods.cpu_used > 0) | (pods.memory_used > 0))


def _running(facts: Facts) -> ir.Table:
    """Hours in phase Running; on clusters that do not tell the phase, hours on a node."""
    running, placed = facts["running"], facts["placed"]
    told = running.select("cluster").distinct()
    untold = placed.anti_join(told, "cluster").select(*HOURLY, "value", "state_sample_hours")
    both = running.select(*HOURLY, "value", "state_sample_hours").union(untold)
    hours = both.group_by(HOURLY).agg(value=(both.value * both.state_sample_hours).sum())
    return hours.mutate(value=ibis.least(hours.value, 1.0))


def _spells(facts: Facts) -> ir.Table:
    """Where each pod was: a pod that moved within the hour is divided by the time on each node."""
    placed = facts["placed"]
    nodes = placed.group_by([*HOURLY, "node"]).agg(value=placed.value.sum())
    whole = ibis.window(group_by=HOURLY)
    return nodes.select(*HOURLY, "node", part=nodes.value / nodes.value.sum().over(whole))


def _instances(facts: Facts) -> ir.Table:
    """Which billed instance each serverless pod was."""
    serverless = facts["serverless"]
    whole = ibis.window(group_by=HOURLY)
    return serverless.select(
        *HOURLY, "resource_id", instance_part=serverless.value / serverless.value.sum().over(whole)
    )


def likeliest(table: ir.Table, keys: list[str], columns: list[str]) -> ir.Table:
    """For every key the columns' values that were seen most often; the first in order among equals."""
    counted = table.group_by([*keys, *columns]).agg(value=table.value.sum())
    order = ibis.window(group_by=keys, order_by=[counted.value.desc(), *(counted[name] for name in columns)])
    ranked = counted.mutate(rank=ibis.row_number().over(order))
    return ranked.filter(ranked["rank"] == 0).select(*keys, *columns)


def owner_of_pods(facts: Facts) -> ir.Table:
    """Each pod's workload: a ReplicaSet's Deployment and a Job's CronJob stand for their pods.

    Where the middle owner is not known, its name is the Deployment's or CronJob's name and a suffix of known shape.
    """
    owner = ["owner_kind", "owner_name"]
    pods = likeliest(facts["pod_owner"], POD, owner)
    above = ibis.union(
        _above(facts["replicaset_owner"], "ReplicaSet"),
        _above(facts["job_owner"], "Job"),
    )
    pods = pods.join(
        above,
        [
            pods.cluster == above.cluster,
            pods.namespace == above.namespace,
            pods.owner_kind == above.middle_kind,
            pods.owner_name == above.middle_name,
        ],
        how="left",
    ).select(pods, "top_kind", "top_name")
    guessed_name = ibis.cases(
        (pods.owner_kind == "ReplicaSet", pods.owner_name.re_replace(_REPLICA_SET_HASH, "")),
        (pods.owner_kind == "Job", pods.owner_name.re_replace(_CRON_MINUTE, "")),
        else_=pods.owner_name,
    )
    is_guess = guessed_name != pods.owner_name
    guessed_kind = ibis.cases(
        (is_guess & (pods.owner_kind == "ReplicaSet"), "Deployment"),
        (is_guess & (pods.owner_kind == "Job"), "CronJob"),
        (pods.owner_kind == "Node", "Pod"),
        else_=pods.owner_kind,
    )
    return pods.select(
        *POD,
        workload=ibis.coalesce(pods.top_name, ibis.ifelse(pods.owner_kind == "Node", pods.pod, guessed_name)),
        workload_kind=ibis.coalesce(pods.top_kind, guessed_kind),
    )


def _above(owners: ir.Table, middle_kind: str) -> ir.Table:
    top = likeliest(owners, ["cluster", "namespace", "name"], ["owner_kind", "owner_name"])
    return top.select(
        "cluster",
        "namespace",
        middle_kind=ibis.literal(middle_kind),
        middle_name=top.name,
        top_kind=top.owner_kind,
        top_name=top.owner_name,
    )


@ibis.udf.scalar.builtin(name="json_merge_patch", signature=(("string", "string"), "string"))
def _merged(document, patch):  # type: ignore[no-untyped-def]  # types are in the signature
    """The members of two JSON objects."""


def label_hours(facts: Facts) -> ir.Table:
    """The labels and annotations of every namespace and workload, once, at the cluster's first observed hour."""
    worth = facts["worth"]
    first = worth.group_by("cluster").agg(hour=worth.hour.min())
    keys = ["cluster", "namespace", "workload"]
    own, noted = (_bags(facts, kind).mutate(kind=ibis.literal(kind)) for kind in ("labels", "annotations"))
    told = own.union(noted)
    rows = told.group_by(keys).agg(
        own=told.labels.max(where=told.kind == "labels"), noted=told.labels.max(where=told.kind == "annotations")
    )
    both = _merged(rows.own, rows.noted)
    rows = rows.mutate(labels=rows.own.isnull().ifelse(rows.noted, rows.noted.isnull().ifelse(rows.own, both)))
    return rows.join(first, "cluster").select("hour", *keys, "labels")


def _bags(facts: Facts, kind: str) -> ir.Table:
    """The labels, or annotations, seen most often of each namespace and workload."""
    pods = attach(facts[f"pod_{kind}"], owner_of_pods(facts), POD)
    pods = pods.mutate(workload=pods.workload.fill_null(pods.pod))
    keys = ["cluster", "namespace", "workload"]
    namespaces = facts[f"namespace_{kind}"].mutate(workload=ibis.literal(""))
    every = ibis.union(pods.select(*keys, "labels", "value"), namespaces.select(*keys, "labels", "value"))
    return likeliest(every.filter(every.labels != "{}"), keys, ["labels"])
