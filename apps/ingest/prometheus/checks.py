"""What can be said about a Prometheus source before it is metered: reachable, complete, on time."""

from dataclasses import dataclass
from datetime import datetime

from apps.ingest.prometheus.answers import to_table
from apps.ingest.prometheus.client import PrometheusClient
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.coverage import counts_of, intervals
from apps.ingest.prometheus.errors import PrometheusError
from apps.ingest.prometheus.queries import HOUR_SECONDS, RATES, written
from apps.ingest.prometheus.question import Question

LARGEST_SKEW_SECONDS = 30

METRICS = {
    "container_cpu_usage_seconds_total": "used CPU",
    "container_memory_working_set_bytes": "used memory",
    "kube_pod_container_resource_requests": "requests",
    "kube_pod_info": "the nodes of pods",
    "kube_pod_owner": "workloads",
    "kube_node_info": "nodes and their cloud ids",
    "kube_node_status_capacity": "capacity",
}
"""Needed: without them a table stays empty."""

OPTIONAL_METRICS = {
    "kube_pod_status_phase": "pods that wait claim nothing",
    "kube_replicaset_owner": "Deployments by their own word, not by a name's shape",
    "kube_job_owner": "CronJobs, likewise",
    "kube_node_labels": "node pools and instance types",
    "kube_namespace_labels": "rules by a namespace's label",
    "kube_pod_labels": "rules by a workload's label",
    "kube_pod_annotations": "serverless instances, rules by a workload's annotation",
    "kube_namespace_annotations": "rules by a namespace's annotation",
    "kube_persistentvolumeclaim_info": "volumes",
    "kube_persistentvolume_info": "the cloud ids of volumes",
    "kubelet_volume_stats_used_bytes": "used space of volumes",
    "kube_pod_spec_volumes_persistentvolumeclaims_info": "who mounts volumes",
    "kube_persistentvolume_claim_ref": "volumes that outlived their claims",
    "kube_pod_init_container_status_running": "init containers by the seconds they ran",
    "kube_node_status_allocatable": "what nodes keep to themselves",
    "kube_service_status_load_balancer_ingress": "Services behind load balancers",
    "container_network_transmit_bytes_total": "bytes sent",
    "kubecost_pod_network_egress_bytes_total": "where bytes went: zone, region, internet",
    "DCGM_FI_DEV_GPU_UTIL": "used GPUs",
    "DCGM_FI_DEV_FB_USED": "used GPU memory",
    "hami_vgpu_memory_used_bytes": "GPU memory of pods that share a card",
    "hami_container_device_utilization_ratio": "use of a card by pods that share it",
    "kube_horizontalpodautoscaler_spec_max_replicas": "bounds of autoscalers",
    "kube_horizontalpodautoscaler_info": "what autoscalers scale",
}


@dataclass(frozen=True)
class Fact:
    """One line of the answer: what was looked at, what was found, whether metering can live with it."""

    name: str
    value: str
    is_good: bool = True


def check(config: PrometheusConfig, *, now: datetime | None = None, at: datetime | None = None) -> list[Fact]:
    """Look at the hour before `at`, or before the server's own time.

    `now` is the caller's clock; without it the server's clock is not judged.
    """
    with PrometheusClient(config) as client:
        try:
            server = client.now()
        except PrometheusError as error:
            return [Fact("reachable", str(error), is_good=False)]
        facts = [Fact("reachable", config.url), Fact("version", client.build_version() or "not told")]
        if now is not None:
            skew = server - now.timestamp()
            facts.append(Fact("clock skew", f"{skew:+.1f} s", is_good=abs(skew) <= LARGEST_SKEW_SECONDS))
        end = int(at.timestamp() if at else server)
        try:
            return [*facts, *_scraping(client, end), *_metrics(client, end)]
        except PrometheusError as error:
            return [*facts, Fact("queries", str(error), is_good=False)]


def _scraping(client: PrometheusClient, end: int) -> list[Fact]:
    facts, clusters = [], set()
    for question in RATES[:2]:
        sent = written(question, client.config)
        counts = counts_of(to_table(client.over(sent.promql, start=end - HOUR_SECONDS, end=end), sent))
        found = intervals(counts, client.config.scrape_seconds)
        clusters |= {name or client.config.cluster for name in found}
        each = ", ".join(
            f"{name or client.config.cluster or '(no name)'}: {seconds} s" for name, seconds in sorted(found.items())
        )
        who = "kube-state-metrics" if question.fact == "state_rate" else "kubelets"
        facts.append(Fact(f"scrape interval of {who}", each or "no `up` series in that hour", is_good=bool(found)))
    names = sorted(clusters)
    return [
        *facts,
        Fact(
            "clusters",
            ", ".join(name or "(no name)" for name in names) or "none",
            is_good=bool(names) and "" not in names,
        ),
    ]


def _metrics(client: PrometheusClient, end: int) -> list[Fact]:
    facts = []
    for metric, use in (METRICS | OPTIONAL_METRICS).items():
        series = _series_of(client, metric, end)
        found = f"{series} series" if series else "absent"
        facts.append(Fact(metric, f"{found}: {use}", is_good=bool(series) or metric in OPTIONAL_METRICS))
    return facts


def _series_of(client: PrometheusClient, metric: str, end: int) -> int:
    question = Question(metric, "series", f"count(count_over_time({metric}{{$sel}}[$hour]))")
    series = client.over(written(question, client.config).promql, start=end - HOUR_SECONDS, end=end)
    return int(float(series[0]["values"][0][1])) if series else 0
