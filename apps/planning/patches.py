"""Requests as documents for Kubernetes, one for each workload that changes."""

from math import ceil
from typing import Any

import yaml

from apps.planning.drafts import Draft

API_VERSIONS = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "CronJob": "batch/v1",
                "ReplicaSet": "apps/v1"}  # fmt: skip
HEAD = """\
# Requests of pods, one patch for each workload: kubectl patch KIND NAME -n NAMESPACE --patch-file FILE
# They stand at the pod (spec.resources, Kubernetes 1.34 and later), since shares of containers are not metered;
# with an earlier version divide them between the containers of the pod.
"""


def patches(draft: Draft) -> str:
    """The workloads table as YAML; kinds that are no part of Kubernetes itself are told in a comment."""
    documents, left = [], []
    for namespace, workload, _team, _verdict, cpu_now, cpu, gib_now, gib, *_rest, kind in draft.tables["workloads"]:
        if (cpu_now, gib_now) == (cpu, gib):
            continue
        if kind not in API_VERSIONS:
            left.append(f"# {kind} {namespace}/{workload}: no patch is known for this kind\n")
            continue
        documents.append(_patch(namespace, workload, kind, cpu, gib))
    written = "".join(f"---\n{yaml.safe_dump(one, sort_keys=False, allow_unicode=True)}" for one in documents)
    return HEAD + "".join(" ".join(line.splitlines()) + "\n" for line in left) + written


def _patch(namespace: str, workload: str, kind: str, cpu: float, gib: float) -> dict[str, Any]:
    requests = {"cpu": f"{ceil(cpu * 1000 - 1e-6)}m", "memory": f"{ceil(gib * 1024 - 1e-6)}Mi"}
    pod = {"spec": {"template": {"spec": {"resources": {"requests": requests}}}}}
    spec = {"jobTemplate": pod} if kind == "CronJob" else pod["spec"]
    return {
        "apiVersion": API_VERSIONS[kind], "kind": kind, "metadata": {"name": workload, "namespace": namespace},
        "spec": spec,
    }  # fmt: skip


SHARES = "shares its card"


def sharing(draft: Draft) -> str:
    """What pods that share a card ask for, under gpushare and HAMi, or of a MIG partition; and of the node."""
    head = "# One document for each workload that shares a card: use the limits of whichever way your cluster shares.\n"
    documents = []
    for namespace, workload, _pods, part, gib, cores, memory, partition, verdict in draft.tables["workloads"]:
        if verdict != SHARES or not gib:
            continue
        told: dict[str, Any] = {
            "workload": f"{namespace}/{workload}",
            "requests": {"cpu": f"{ceil(cores * 1000 - 1e-6)}m", "memory": f"{ceil(memory * 1024 - 1e-6)}Mi"},
        }
        if partition:
            told["mig"] = {"limits": {f"nvidia.com/mig-{partition}": 1}}
        else:
            told["gpushare"] = {"limits": {"aliyun.com/gpu-mem": ceil(gib)}}
            told["hami"] = {"limits": {"nvidia.com/gpu": 1, "nvidia.com/gpumem": ceil(gib * 1024),
                                       "nvidia.com/gpucores": ceil(100 * part)}}  # fmt: skip
        documents.append(told)
    return head + "".join(f"---\n{yaml.safe_dump(one, sort_keys=False, allow_unicode=True)}" for one in documents)
