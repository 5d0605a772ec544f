"""What a person should know about a metered window: facts that never came, pods and nodes that will not match."""

from collections.abc import Mapping

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from apps.finops.problems import Problem
from apps.ingest.prometheus import gpus

NEEDED = {
    "cpu_used": ("container_cpu_usage_seconds_total", "used CPU is 0 everywhere"),
    "memory_used": ("container_memory_working_set_bytes", "used memory is 0 everywhere"),
    "requests": ("kube_pod_container_resource_requests", "requests are 0 everywhere"),
    "placed": ("kube_pod_info", "no pod has a node"),
    "pod_owner": ("kube_pod_owner", "every pod is its own workload"),
    "node_samples": ("kube_node_info", "there are no nodes"),
    "node_capacity": ("kube_node_status_capacity", "there are no nodes"),
}
"""Fact → its metric, and what its absence means."""

SHOWN = 5

Tables = Mapping[str, pa.Table]


def doubts(answers: Tables, tables: Tables) -> list[Problem]:
    """Warnings about the answers and the tables made of them."""
    found = [
        Problem("warning", "metric-absent", metric, f"The server has no {metric} in this window, so {meaning}.")
        for fact, (metric, meaning) in NEEDED.items()
        if not answers[fact].num_rows
    ]
    pods, nodes = tables["workload_hours"], tables["node_hours"]
    placeless = pods.filter(pc.equal(pods["node"], ""))
    if placeless.num_rows and answers["placed"].num_rows:
        found.append(_named("pod-without-node", placeless, ["cluster", "namespace", "pod"], "are on no known node"))
    strangers = nodes.filter(pc.equal(nodes["provider_id"], ""))
    if strangers.num_rows:
        found.append(
            _named("node-without-id", strangers, ["cluster", "node"], "have no cloud id, so no bill will match")
        )
    uncounted = _uncounted(answers)
    if uncounted.num_rows:
        trouble = "have shares of GPUs but no label tells of how many cards, so each share counts as a card"
        found.append(_named("gpu-shares", uncounted, ["cluster", "node"], trouble))
    return found


def _uncounted(answers: Tables) -> pa.Table:
    """Nodes that offer shares of GPUs and whose labels do not tell how many make a card."""
    offered = answers["node_capacity"]
    shares = offered.filter(pc.is_in(offered["resource"], pa.array(gpus.SHARES)))
    labels = answers["node_labels"].select(["cluster", "node", "labels"]).to_pylist()
    told = {
        (row["cluster"], row["node"])
        for row in labels
        if any(gpus.tags(orjson.loads(row["labels"]))[name] for name in ("told_cards", "replicas"))
    }
    keys = zip(shares["cluster"].to_pylist(), shares["node"].to_pylist(), strict=True)
    return shares.filter(pa.array([key not in told for key in keys], pa.bool_()))


def _named(code: str, table: pa.Table, columns: list[str], trouble: str) -> Problem:
    names = sorted({"/".join(row.values()) for row in table.select(columns).to_pylist()})
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return Problem("warning", code, ", ".join(names[:SHOWN]) + more, f"{len(names)} {trouble}.")
