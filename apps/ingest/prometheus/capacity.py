"""From facts about nodes to `node_hours` and `overhead_hours`."""

import ibis
import ibis.expr.types as ir

from apps.ingest.prometheus import gpus
from apps.ingest.prometheus.pods import Facts, attach

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
_VIRTUAL_NAME = r"^(virtual-kubelet|virtual-node)"


def node_levels(capacity: ir.Table) -> ir.Table:
    """One row per hour and node: cores, GiB, and GPUs in every measure they are counted by."""
    value, measure = capacity.value, capacity.measure
    return capacity.group_by(_NODE).agg(
        **{level: value.sum(where=measure == level).fill_null(0.0) for level in ("cpu", "memory", *gpus.MEASURES)}
    )


def node_scales(levels: ir.Table, tags: ir.Table) -> ir.Table:
    """The levels of nodes, with what one piece of each GPU measure is in cards (`gpus.SCALES`)."""
    return gpus.scales(attach(levels, tags.select("cluster", "node", *gpus.tags({})), ["cluster", "node"]))


def node_hours(facts: Facts) -> ir.Table:
    """One row per hour and real node: capacity while the node existed. Virtual nodes are left out."""
    nodes = _present(facts).join(facts["node_scales"], _NODE)
    return nodes.select(
        *_NODE,
        node_pool=nodes.node_pool.fill_null(""),
        provider_id=nodes.provider_id,
        instance_type=nodes.instance_type.fill_null(""),
        cpu_capacity_core_hours=nodes.cpu * nodes.present,
        memory_capacity_gib_hours=nodes.memory * nodes.present,
        gpu_capacity_hours=gpus.cards_of_node(nodes) * nodes.present,
        labels=nodes.labels.fill_null("{}"),
    )


def overhead_hours(facts: Facts) -> ir.Table:
    """One row per hour and node that keeps something to itself: capacity less what pods may ask for."""
    present = _present(facts).select(*_NODE, "present")
    nodes = present.join(facts["node_scales"], _NODE)
    offered = facts["allocatable_levels"].join(facts["node_scales"].select(*_NODE, *gpus.SCALES), _NODE)
    offered = offered.select(
        *_NODE, offered_cpu=offered.cpu, offered_memory=offered.memory, offered_gpu=gpus.cards_of_node(offered)
    )
    both = nodes.join(offered, _NODE)
    capacities = {"cpu": both.cpu, "memory": both.memory, "gpu": gpus.cards_of_node(both)}
    kept = {name: ibis.greatest(whole - both[f"offered_{name}"], 0.0) for name, whole in capacities.items()}
    both = both.select(*_NODE, "present", **kept).filter(lambda t: (t.cpu > 0) | (t.memory > 0) | (t.gpu > 0))
    return both.select(
        *_NODE,
        cpu_overhead_core_hours=both.cpu * both.present,
        memory_overhead_gib_hours=both.memory * both.present,
        gpu_overhead_hours=both.gpu * both.present,
    )


def _present(facts: Facts) -> ir.Table:
    """Every real node and the part of the hour it existed, with what is known of it."""
    seen = attach(facts["node_samples"], facts["node_tags"], ["cluster", "node"])
    seen = seen.filter(~seen.is_virtual.fill_null(False) & ~seen.node.re_search(_VIRTUAL_NAME))
    present = seen.group_by(_NODE).agg(
        present=(seen.value * seen.state_sample_hours).sum(),
        provider_id=seen.provider_id.argmax(seen.value),
        node_pool=seen.node_pool.max(),
        instance_type=seen.instance_type.max(),
        labels=seen.labels.max(),
    )
    return present.mutate(present=ibis.least(present.present, 1.0))
