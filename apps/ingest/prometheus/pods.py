"""From facts about pods to `workload_hours` and `label_hours`."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from apps.finops.tables import ANNOTATION
from apps.ingest.prometheus import gpus
from apps.ingest.prometheus.queries import GIB, HOUR_SECONDS

POD = ["cluster", "namespace", "pod"]
HOURLY = ["hour", *POD]
LIFE = [*HOURLY, "uid"]
"""One life of a pod in an hour. Its uid is empty where it is not told, and then stands for all that had the name."""
LEVELS = ("cpu", "memory", *gpus.MEASURES, *(measure for measure, _scale in gpus.PARTS.values()))
"""What pods ask for, as long as they run."""

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
    """What a resource of Kubernetes counts as: `cpu`, `memory` or a measure of `gpus`, and by how much."""
    known = {"cpu": ("cpu", 1.0), "memory": ("memory", 1 / GIB)}
    return known.get(resource) or gpus.measure_of(resource)


def workload_hours(facts: Facts) -> ir.Table:
    """One row per hour, pod, node and billed instance: used and requested, in core-, GiB- and card-hours."""
    lives = _lives(facts)
    pods = attach(_measured(facts, lives), lives, LIFE)
    pods = pods.mutate(node=pods.node.fill_null(""), part=pods.part.fill_null(1.0))
    pods = attach(pods, _instances(facts), HOURLY)
    pods = pods.mutate(resource_id=pods.resource_id.fill_null(""), part=pods.part * pods.instance_part.fill_null(1.0))
    sums = {name: (pods[name] * pods.part).sum() for name in _MEASURES}
    pods = pods.group_by([*HOURLY, "node", "resource_id"]).agg(**sums)
    pods = pods.filter((pods.running > 0) | (pods.cpu > 0) | (pods.cpu_used > 0) | (pods.memory_used > 0))
    pods = attach(
        pods, facts["node_scales"].select("hour", "cluster", "node", *gpus.SCALES), ["hour", "cluster", "node"]
    )
    pods = pods.mutate(**{name: pods[name].fill_null(float(name in _ONE_EACH)) for name in gpus.SCALES})
    pods = attach(pods, owner_of_pods(facts), POD)
    return pods.select(
        "hour",
        "cluster",
        "namespace",
        workload=pods.workload.fill_null(pods.pod),
        workload_kind=pods.workload_kind.fill_null("Pod"),
        pod=pods.pod,
        node=pods.node,
        resource_id=pods.resource_id,
        cpu_used_core_hours=pods.cpu_used,
        cpu_request_core_hours=pods.cpu,
        memory_used_gib_hours=pods.memory_used,
        memory_request_gib_hours=pods.memory,
        gpu_used_hours=pods.gpu_used * gpus.used_scale(pods),
        gpu_request_hours=gpus.cards_of_pod(pods),
    )


_ONE_EACH = ("cards_per_device", "cards_per_share")
_MEASURES = ("cpu_used", "memory_used", "gpu_used", "running", *LEVELS)


def _measured(facts: Facts, lives: ir.Table) -> ir.Table:
    """One row per life: the hours it ran, and integrals over the hour of what it used and asked for."""
    ran = running(facts)
    whole = ran.filter(ran.uid == "").drop("uid")
    used = facts["gpu_used"].select(*HOURLY, "value").union(facts["gpu_used_exported"].select(*HOURLY, "value"))
    used = used.join(whole.select(*HOURLY, hours="value"), HOURLY)
    integrals = {
        "cpu_used": _of_cgroup(facts["cpu_used"]).mutate(value=lambda t: t.value / t.usage_span / HOUR_SECONDS),
        "memory_used": _of_cgroup(facts["memory_used"]).mutate(value=lambda t: t.value * t.usage_sample_hours / GIB),
        "running": _ran_as_told(facts),
        "gpu_used": used.mutate(value=used.value / 100 * used.hours, uid=ibis.literal("")),
    }
    long = ibis.union(
        *(table.select(*LIFE, "value", measure=ibis.literal(name)) for name, table in integrals.items()),
        _requested(facts, ran),
        facts["init_levels"].mutate(value=lambda t: t.value * t.state_sample_hours).select(*LIFE, "value", "measure"),
    )
    long = _identified(long, lives.select(LIFE).distinct())
    return long.group_by(LIFE).agg(
        **{name: long.value.sum(where=long.measure == name).fill_null(0.0) for name in _MEASURES}
    )


def _of_cgroup(used: ir.Table) -> ir.Table:
    return used.mutate(uid=used.uid.replace("_", "-"))


def _requested(facts: Facts, ran: ir.Table) -> ir.Table:
    """What each life asked for while it ran. Where the phases of a cluster's pods tell no uid, all that had a name are
    one: then the most they asked for counts."""
    levels = facts["request_levels"].select(*LIFE, "value", "measure")
    levels = levels.union(facts["part_levels"].select(*LIFE, "value", "measure"))
    levels = levels.group_by([*LIFE, "measure"]).agg(value=levels.value.sum())
    known = told_apart(levels, ran)
    known = known.group_by([*LIFE, "measure"]).agg(level=known.value.max())
    both = known.join(ran.select(*LIFE, hours="value"), LIFE)
    return both.select(*LIFE, value=both.level * both.hours, measure=both.measure)


def told_apart(rows: ir.Table, ran: ir.Table) -> ir.Table:
    """The same rows; without uid where `running` tells none of the whole cluster."""
    named = ran.filter(ran.uid != "").select("cluster").distinct().mutate(is_named=ibis.literal(True))
    known = attach(rows, named, ["cluster"])
    return known.mutate(uid=known.is_named.fill_null(False).ifelse(known.uid, "")).drop("is_named")


def _identified(rows: ir.Table, known: ir.Table) -> ir.Table:
    """The same rows; a uid that is not among the known lives becomes empty: all that had the pod's name."""
    told = attach(rows, known.mutate(is_known=ibis.literal(True)), LIFE)
    return told.mutate(uid=told.is_known.fill_null(False).ifelse(told.uid, "")).drop("is_known")


def running(facts: Facts) -> ir.Table:
    """Hours of every life (LIFE, `value`), and under an empty uid of all that had a pod's name together."""
    told = _ran_as_told(facts)
    whole = told.group_by(HOURLY).agg(value=ibis.least(told.value.sum(), 1.0)).mutate(uid=ibis.literal(""))
    return told.filter(told.uid != "").select(*LIFE, "value").union(whole.select(*LIFE, "value"))


def _ran_as_told(facts: Facts) -> ir.Table:
    """Hours in phase Running; on clusters that do not tell the phase, hours on a node."""
    phases, placed = facts["running"], facts["placed"]
    told = phases.select("cluster").distinct()
    untold = placed.anti_join(told, "cluster").select(*LIFE, "value", "state_sample_hours")
    both = phases.select(*LIFE, "value", "state_sample_hours").union(untold)
    hours = both.group_by(LIFE).agg(value=(both.value * both.state_sample_hours).sum())
    return hours.mutate(value=ibis.least(hours.value, 1.0))


def _lives(facts: Facts) -> ir.Table:
    """Where each life was (LIFE, `node`, `part`): one that moved within the hour is divided by the time on each node,
    and so are, under an empty uid, all that had a pod's name."""
    placed = facts["placed"]
    known = placed.filter(placed.uid != "").group_by([*LIFE, "node"]).agg(value=lambda t: t.value.sum())
    whole = placed.group_by([*HOURLY, "node"]).agg(value=placed.value.sum()).mutate(uid=ibis.literal(""))
    both = known.union(whole.select(known.columns))
    return both.select(*LIFE, "node", part=both.value / both.value.sum().over(ibis.window(group_by=LIFE)))


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

    Where the middle owner is not known, its name is the Deployment's or CronJob's name and a suffix of known shape. The
    pod of a virtual machine (KubeVirt), and a pod that attaches disks to it, is the machine.
    """
    owner = ["owner_kind", "owner_name"]
    pods = likeliest(facts["pod_owner"], POD, owner)
    above = ibis.union(
        _above(facts["replicaset_owner"], "ReplicaSet"),
        _above(facts["job_owner"], "Job"),
        _above(facts["pod_owner"].rename(name="pod"), "Pod"),
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
        workload_kind=ibis.coalesce(pods.top_kind, guessed_kind).replace(*_MACHINE),
    )


_MACHINE = ("VirtualMachineInstance", "VirtualMachine")


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
