"""Metrics of the simulated company, as its clusters' exporters would have told them: one text per cluster."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apps.demo.account import DayAccount
from apps.demo.archetypes import PLATFORM_AGENTS
from apps.demo.exposition import Exposition
from apps.demo.fleet import SERVERLESS, Fleet
from apps.demo.identity import PodNames, ServerNames
from apps.demo.names import codes
from apps.demo.organisation import Namespace, Organisation, Workload
from apps.demo.peaks import PIECE, Peaks, autoscaler_name, autoscalers
from apps.demo.pools import CLUSTERS, POOLS, Pool
from apps.demo.segments import TWELFTHS
from apps.demo.timetable import HOUR_SECONDS, BusinessDay
from apps.demo.usage import (
    MICRO,
    PLATFORM_USED_PERCENT,
    VOLUME_USED_PERCENT,
    agent_name,
    labels_of,
    node_labels,
    virtual_node,
)
from apps.demo.volumes import Volumes

GIB, MIB_IN_GIB = 1024**3, 1024
TWELFTH_SECONDS = HOUR_SECONDS // TWELFTHS
ECI_ANNOTATION = "annotation_k8s_aliyun_com_eci_instance_id"
Span = tuple[int, int]
"""Start and end, in seconds since 1970."""


@dataclass(frozen=True)
class MetricsDay:
    """What is needed of a day to tell its metrics."""

    account: DayAccount
    pods: PodNames
    servers: ServerNames
    fleet: Fleet
    peaks: Peaks


@dataclass(frozen=True)
class _Pod:
    cluster: str
    namespace: str
    name: str
    node: str
    workload: str
    kind: str
    owner: str
    uid: str
    resource_id: str = ""

    @property
    def labels(self) -> dict[str, str]:
        return {"cluster": self.cluster, "namespace": self.namespace, "pod": self.name}


@dataclass(frozen=True)
class _Rates:
    """Cores, GiB and GPUs while the pod ran."""

    cpu_used: float
    cpu_request: float
    memory_used: float
    memory_request: float
    gpu_percent: int = 0
    gpus: int = 0
    gpu_gib: float = 0
    cpu_peak: float = 0
    memory_peak: float = 0
    gpu_peak_percent: int = 0
    gpu_gib_peak: float = 0


def write(folder: Path, days: list[MetricsDay], organisation: Organisation, volumes: Volumes, *, step: int) -> None:
    """Write `CLUSTER.om` for every cluster."""
    folder.mkdir(parents=True, exist_ok=True)
    for cluster in CLUSTERS:
        exposition = Exposition(step=step)
        for day in days:
            _tell_day(exposition, cluster, day, organisation, volumes)
        with (folder / f"{cluster}.om").open("w", encoding="utf-8") as file:
            exposition.write(file)


def _tell_day(
    exposition: Exposition, cluster: str, day: MetricsDay, organisation: Organisation, volumes: Volumes
) -> None:
    _tell_targets(exposition, cluster, day.account.run.day)
    _tell_nodes(exposition, cluster, day)
    _tell_pods(exposition, cluster, day, organisation)
    _tell_platform(exposition, cluster, day)
    _tell_namespaces(exposition, cluster, day.account.run.day, organisation)
    _tell_autoscalers(exposition, cluster, day.account.run.day, organisation)
    _tell_volumes(exposition, cluster, day, organisation, volumes)


def _span(day: BusinessDay) -> Span:
    first = day.first_hour * HOUR_SECONDS
    return first, first + day.hours * HOUR_SECONDS


def _piece(day: BusinessDay, hour: int, start: int, length: int) -> Span:
    first = (day.first_hour + hour) * HOUR_SECONDS + start * TWELFTH_SECONDS
    return first, first + length * TWELFTH_SECONDS


def _mangled(labels: dict[str, str]) -> dict[str, str]:
    """Label names as kube-state-metrics writes them."""
    return {"label_" + "".join(c if c.isalnum() else "_" for c in name): value for name, value in labels.items()}


def _tell_targets(exposition: Exposition, cluster: str, day: BusinessDay) -> None:
    for job, port in (("kube-state-metrics", 8080), ("kubelet", 10250)):
        exposition.gauge("up", {"cluster": cluster, "job": job, "instance": f"{job}.{cluster}:{port}"}, *_span(day))


def _tell_nodes(exposition: Exposition, cluster: str, day: MetricsDay) -> None:
    servers = day.account.run.servers
    for row, place in enumerate(servers.node.tolist()):
        pool_index = int(day.fleet.node_pool[place])
        if POOLS[pool_index].cluster == cluster:
            name, provider_id = day.servers.name[row], day.servers.provider_id[row]
            for hour in np.flatnonzero(servers.length[row]).tolist():
                span = _piece(day.account.run.day, hour, int(servers.start[row, hour]), int(servers.length[row, hour]))
                _tell_node(exposition, POOLS[pool_index], node_labels(pool_index), name, provider_id, span)


def _tell_node(
    exposition: Exposition, pool: Pool, labels: dict[str, str], name: str, provider_id: str, span: Span
) -> None:
    node = {"cluster": pool.cluster, "node": name}
    capacity = [("cpu", "core", pool.instance.cores), ("memory", "byte", pool.instance.gib * GIB)]
    capacity += [("nvidia_com_gpu", "integer", pool.instance.gpus)] if pool.instance.gpus else []
    exposition.gauge("kube_node_info", node | {"provider_id": provider_id, "kubelet_version": "v1.30.7"}, *span)
    exposition.gauge("kube_node_labels", node | _mangled(labels), *span)
    for resource, unit, amount in capacity:
        exposition.gauge("kube_node_status_capacity", node | {"resource": resource, "unit": unit}, *span, amount)


def _tell_pods(exposition: Exposition, cluster: str, day: MetricsDay, organisation: Organisation) -> None:
    run, segments = day.account.run, day.account.run.segments
    own_labels = labels_of(organisation).workload
    order = np.lexsort((segments.start, segments.hour))
    uids = codes(12, np.arange(len(day.pods.name), dtype=np.int64), run.day.first_hour)
    for row in order.tolist():
        workload = int(segments.workload[row])
        namespace = organisation.namespaces[organisation.workloads[workload].namespace]
        if namespace.cluster != cluster:
            continue
        pod = _pod_of(day, row, organisation.workloads[workload], namespace, uids)
        span = _piece(run.day, int(segments.hour[row]), int(segments.start[row]), int(segments.length[row]))
        rates = _Rates(
            int(segments.cpu_used[row]) / 1000,
            int(segments.cpu_request[row]) / 1000,
            int(segments.memory_used[row]) / 1000,
            int(segments.memory_request[row]) / 1000,
            int(segments.gpu_used[row]) // 10,
            int(segments.gpu_request[row]) // 1000,
            int(day.peaks.gpu_memory[row]) / 1000,
            int(day.peaks.cpu[row]) / 1000,
            int(day.peaks.memory[row]) / 1000,
            int(day.peaks.gpu[row]) // 10,
            int(day.peaks.gpu_memory_peak[row]) / 1000,
        )
        _tell_pod(exposition, pod, rates, span)
        exposition.gauge("kube_pod_labels", pod.labels | _mangled({"app": pod.workload} | own_labels[workload]), *span)


def _pod_of(day: MetricsDay, row: int, workload: Workload, namespace: Namespace, uids: list[str]) -> _Pod:
    pod = int(day.pods.pod[row])
    server = int(day.account.run.server[row])
    return _Pod(
        cluster=namespace.cluster,
        namespace=namespace.name,
        name=day.pods.name[pod],
        node=virtual_node(namespace.cluster) if server == SERVERLESS else day.servers.name[server],
        workload=workload.name,
        kind=namespace.archetype.kind,
        owner=day.pods.owner[pod],
        uid=uids[pod],
        resource_id=day.pods.resource_id[pod],
    )


_MIDDLE_OWNERS = {
    "Deployment": ("ReplicaSet", "kube_replicaset_owner", "replicaset"),
    "CronJob": ("Job", "kube_job_owner", "job_name"),
}


def _tell_pod(exposition: Exposition, pod: _Pod, rates: _Rates, span: Span) -> None:
    """Everything about a pod during a part of an hour."""
    on_node = pod.labels | {"node": pod.node}
    container = on_node | {"container": "main"}
    measured = container | {"id": f"/kubepods/pod{pod.uid}/{pod.node}"}
    for part, value in _waves(span, rates.cpu_used, rates.cpu_peak):
        exposition.counter("container_cpu_usage_seconds", measured, *part, value)
    for part, value in _waves(span, rates.memory_used * GIB, rates.memory_peak * GIB):
        exposition.gauge("container_memory_working_set_bytes", measured, *part, value)
    requests = [("cpu", "core", rates.cpu_request), ("memory", "byte", rates.memory_request * GIB)]
    requests += [("nvidia_com_gpu", "integer", rates.gpus)] if rates.gpus else []
    for resource, unit, amount in requests:
        exposition.gauge(
            "kube_pod_container_resource_requests", container | {"resource": resource, "unit": unit}, *span, amount
        )
    if rates.gpus:
        card = {"UUID": f"GPU-{pod.node.rsplit('.', 4)[-1]}-{pod.uid}", "gpu": "0", "Hostname": pod.node}
        for part, value in _waves(span, rates.gpu_percent, rates.gpu_peak_percent):
            exposition.gauge("DCGM_FI_DEV_GPU_UTIL", pod.labels | card, *part, value)
        for part, value in _waves(span, rates.gpu_gib * MIB_IN_GIB, rates.gpu_gib_peak * MIB_IN_GIB):
            exposition.gauge("DCGM_FI_DEV_FB_USED", pod.labels | card, *part, value)
    exposition.gauge("kube_pod_info", on_node | {"uid": f"{pod.uid}-{pod.node}"}, *span)
    exposition.gauge("kube_pod_status_phase", pod.labels | {"uid": f"{pod.uid}-{pod.node}", "phase": "Running"}, *span)
    middle, family, label = _MIDDLE_OWNERS.get(pod.kind, (pod.kind, "", ""))
    owner = {"owner_kind": middle, "owner_name": pod.owner, "owner_is_controller": "true"}
    exposition.gauge("kube_pod_owner", pod.labels | owner, *span)
    if family:
        above = {"cluster": pod.cluster, "namespace": pod.namespace, label: pod.owner}
        owner = {"owner_kind": pod.kind, "owner_name": pod.workload, "owner_is_controller": "true"}
        exposition.once(family, above | owner, *span)
    if pod.resource_id:
        exposition.gauge("kube_pod_annotations", pod.labels | {ECI_ANNOTATION: pod.resource_id}, *span)


def _waves(span: Span, mean: float, peak: float) -> Iterator[tuple[Span, float]]:
    """A part of an hour at its mean, but for its peak and as deep a dip: the mean stays what it was."""
    if peak <= mean:
        yield span, mean
        return
    start, end = span
    first, second, third = (start + number * PIECE * TWELFTH_SECONDS for number in (1, 2, 3))
    yield (start, first), mean
    yield (first, second), peak
    yield (second, third), 2 * mean - peak
    if third < end:
        yield (third, end), mean


def _tell_autoscalers(exposition: Exposition, cluster: str, day: BusinessDay, organisation: Organisation) -> None:
    for scaled in autoscalers(organisation, day):
        workload = organisation.workloads[scaled.workload]
        namespace = organisation.namespaces[workload.namespace]
        if namespace.cluster == cluster:
            named = {
                "cluster": cluster,
                "namespace": namespace.name,
                "horizontalpodautoscaler": autoscaler_name(workload.name),
            }
            target = {"scaletargetref_kind": namespace.archetype.kind, "scaletargetref_name": workload.name}
            exposition.gauge("kube_horizontalpodautoscaler_info", named | target, *_span(day))
            for bound, replicas in (("min", scaled.least), ("max", scaled.most)):
                family = f"kube_horizontalpodautoscaler_spec_{bound}_replicas"
                exposition.gauge(family, named, *_span(day), replicas)


def _tell_platform(exposition: Exposition, cluster: str, day: MetricsDay) -> None:
    run = day.account.run
    for claims in day.account.platform:
        if claims.cluster != cluster:
            continue
        agent = PLATFORM_AGENTS[claims.namespace]
        for server, hour in zip(*(index.tolist() for index in np.nonzero(claims.cpu + claims.memory)), strict=True):
            node = day.servers.name[server]
            name = agent_name(claims.namespace, node)
            start, length = int(run.servers.start[server, hour]), int(run.servers.length[server, hour])
            hours = length / TWELFTHS
            cpu, memory = claims.cpu[server, hour] / MICRO / hours, claims.memory[server, hour] / MICRO / hours
            used = PLATFORM_USED_PERCENT / 100
            rates = _Rates(float(cpu * used), float(cpu), float(memory * used), float(memory))
            pod = _Pod(cluster, claims.namespace, name, node, agent, "DaemonSet", agent, name)
            _tell_pod(exposition, pod, rates, _piece(run.day, hour, start, length))


def _tell_namespaces(exposition: Exposition, cluster: str, day: BusinessDay, organisation: Organisation) -> None:
    for namespace, labels in zip(organisation.namespaces, labels_of(organisation).namespace, strict=True):
        if namespace.cluster == cluster:
            named = {"cluster": cluster, "namespace": namespace.name}
            exposition.gauge("kube_namespace_labels", named | _mangled(labels), *_span(day))


def _tell_volumes(
    exposition: Exposition, cluster: str, day: MetricsDay, organisation: Organisation, volumes: Volumes
) -> None:
    span = _span(day.account.run.day)
    pod_of: dict[int, list[str]] = {}
    for name, workload in zip(day.pods.name, day.pods.workload.tolist(), strict=True):
        pod_of.setdefault(workload, []).append(name)
    mounted = set(volumes.mounted(day.account.run.day.day).tolist())
    for row, volume in enumerate(volumes.claim_volume.tolist()):
        workload = int(volumes.claim_workload[row])
        namespace = organisation.namespaces[organisation.workloads[workload].namespace]
        if volume not in mounted or namespace.cluster != cluster:
            continue
        claim = volumes.claim_name[row]
        named = {"cluster": cluster, "namespace": namespace.name, "persistentvolumeclaim": claim}
        disk = {"cluster": cluster, "persistentvolume": f"pv-{volumes.ids[volume]}-{row}"}
        size = int(volumes.claim_gib[row]) * GIB
        exposition.gauge("kube_persistentvolumeclaim_info", named | {"volumename": disk["persistentvolume"]}, *span)
        exposition.gauge("kube_persistentvolumeclaim_resource_requests_storage_bytes", named, *span, size)
        exposition.gauge("kube_persistentvolume_info", disk | {"csi_volume_handle": volumes.ids[volume]}, *span)
        exposition.gauge("kubelet_volume_stats_used_bytes", named, *span, size * VOLUME_USED_PERCENT // 100)
        mounts = [claim.removeprefix("data-")] if claim.startswith("data-") else pod_of[workload]
        for pod in mounts:
            exposition.gauge("kube_pod_spec_volumes_persistentvolumeclaims_info", named | {"pod": pod}, *span)
