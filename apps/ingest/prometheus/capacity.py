"""From facts about nodes and volumes to `node_hours` and `volume_hours`."""

import ibis
import ibis.expr.types as ir

from apps.ingest.prometheus.pods import POD, Facts, attach, likeliest, owner_of_pods
from apps.ingest.prometheus.queries import GIB

NODE_POOL_LABELS = (
    "alibabacloud_com_nodepool_id",
    "eks_amazonaws_com_nodegroup",
    "karpenter_sh_nodepool",
    "karpenter_sh_provisioner_name",
    "alpha_eksctl_io_nodegroup_name",
    "cloud_google_com_gke_nodepool",
    "kubernetes_azure_com_agentpool",
    "agentpool",
    "node_pool",
    "nodepool",
    "node_kubernetes_io_nodepool",
    "pool",
)
"""Where providers and people write a node's pool; the first that a node has decides."""

INSTANCE_TYPE_LABELS = ("node_kubernetes_io_instance_type", "beta_kubernetes_io_instance_type")

_NODE = ["hour", "cluster", "node"]
_CLAIM = ["hour", "cluster", "namespace", "claim"]
_VIRTUAL_NAME = r"^(virtual-kubelet|virtual-node)"


def node_levels(capacity: ir.Table) -> ir.Table:
    """One row per hour and node: cores, GiB, GPU devices, and GPU memory with its cards."""
    value, measure = capacity.value, capacity.measure
    return capacity.group_by(_NODE).agg(
        **{
            level: value.sum(where=measure == level).fill_null(0.0)
            for level in ("cpu", "memory", "gpu", "gpu_memory", "gpu_cards")
        }
    )


def node_hours(facts: Facts) -> ir.Table:
    """One row per hour and real node: capacity while the node existed. Virtual nodes are left out."""
    seen = attach(facts["node_samples"], facts["node_tags"], ["cluster", "node"])
    seen = seen.filter(~seen.is_virtual.fill_null(False) & ~seen.node.re_search(_VIRTUAL_NAME))
    present = seen.group_by(_NODE).agg(
        present=(seen.value * seen.state_sample_hours).sum(),
        provider_id=seen.provider_id.argmax(seen.value),
        node_pool=seen.node_pool.max(),
        instance_type=seen.instance_type.max(),
        labels=seen.labels.max(),
    )
    present = present.mutate(present=ibis.least(present.present, 1.0))
    nodes = present.join(facts["node_levels"], _NODE)
    return nodes.select(
        *_NODE,
        node_pool=nodes.node_pool.fill_null(""),
        provider_id=nodes.provider_id,
        instance_type=nodes.instance_type.fill_null(""),
        cpu_capacity_core_hours=nodes.cpu * nodes.present,
        memory_capacity_gib_hours=nodes.memory * nodes.present,
        gpu_capacity_hours=ibis.ifelse(nodes.gpu > 0, nodes.gpu, nodes.gpu_cards) * nodes.present,
        labels=nodes.labels.fill_null("{}"),
    )


def volume_hours(facts: Facts) -> ir.Table:
    """One row per hour and bound claim: size and use over the part of the hour the claim was bound."""
    claims = facts["claims"]
    bound = claims.group_by([*_CLAIM, "name"]).agg(present=(claims.value * claims.state_sample_hours).sum())
    bound = bound.mutate(present=ibis.least(bound.present, 1.0))
    asked = facts["claim_bytes"].select(*_CLAIM, asked="value")
    used = facts["claim_used"].select(*_CLAIM, used="value")
    sizes = facts["volume_bytes"].select("hour", "cluster", "name", size="value")
    volumes = attach(attach(bound, asked, _CLAIM), used, _CLAIM)
    volumes = attach(volumes, sizes, ["hour", "cluster", "name"])
    volumes = attach(volumes, _volume_ids(facts), ["cluster", "name"])
    volumes = attach(volumes, _claim_workloads(facts), ["cluster", "namespace", "claim"])
    return volumes.select(
        "hour",
        "cluster",
        volume=ibis.coalesce(volumes.volume, volumes.name),
        namespace=volumes.namespace,
        claim=volumes.claim,
        workload=volumes.workload.fill_null(""),
        capacity_gib_hours=ibis.coalesce(volumes.size, volumes.asked, 0.0) * volumes.present / GIB,
        used_gib_hours=volumes.used.fill_null(0.0) * volumes.present / GIB,
    )


def _volume_ids(facts: Facts) -> ir.Table:
    ids = facts["volume_ids"]
    ids = ids.mutate(
        volume=ibis.coalesce(
            *(ids[name].nullif("") for name in ("csi_volume_handle", "ebs_volume_id", "gce_persistent_disk_name")),
            ids.name,
        )
    )
    return likeliest(ids, ["cluster", "name"], ["volume"])


def _claim_workloads(facts: Facts) -> ir.Table:
    mounts = attach(facts["mounts"], owner_of_pods(facts), POD)
    mounts = mounts.mutate(workload=mounts.workload.fill_null(mounts.pod))
    return likeliest(mounts, ["cluster", "namespace", "claim"], ["workload"])
