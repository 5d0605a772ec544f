"""What is asked of a Prometheus-compatible server: one table, from fact to PromQL.

Placeholders: `$cluster` the cluster's label; `$sel` the source's own matchers; `$state` and `$usage` the `up` series of
kube-state-metrics and of the kubelets; `$pod` = `$cluster,namespace,pod`; `$uid` reads a pod's UID from its cgroup;
`$hour`, `$counter`, `$bin`, `$peak`, `$inside` and `$window` durations. Questions are evaluated at the ends of hours: a
value at T tells of the hour before T.

Why these shapes (mean error against an exact truth, 30 s scrapes with short-lived pods):

* counters: `increase[1h]` once an hour, -0.1 %; `rate[5m]` every minute loses 0.5 %, and 4 % of short jobs;
* gauges: what the hour's samples say, each sample standing for one scrape interval; averages over the hour would charge
  a two-minute job for the whole hour (+1,800 %);
* `max by` first, over everything that names one thing: merges doubled kube-state-metrics, drops `instance` and `image`;
* then `sum by`, over the replicas of an HA pair too: their samples count together, each for its part (`$replica`);
  `max` over the pair would take the larger of two guesses, +7 % for short jobs;
* a gauge's sample stands for the interval that it begins, so an hour's samples are those at T-1h <= t < T: hence
  `offset 1ms`. Prometheus 2 counts both edges of a range, Prometheus 3 leaves the left one out; this suits both;
* `uid` wherever a metric has it: a pod that was made anew under its name may ask for something else, somewhere else;
* `$counter` is one millisecond long, because an increase needs the samples on both edges.
"""

from dataclasses import replace

from apps.finops.tables import ANNOTATION
from apps.ingest.prometheus import empty_queries, network_queries, peak_queries
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.gpus import EACH
from apps.ingest.prometheus.gpus import RESOURCES as GPUS
from apps.ingest.prometheus.question import Question, same

HOUR_SECONDS = 3600
INSIDE_STEP_SECONDS = 300
GIB = 1024**3

RESOURCES = "|".join(("cpu", "memory", *GPUS))

_UID_OF_CGROUP = ',"uid","$1","id",".*pod([0-9a-f]{8}[-_][-_0-9a-f]{27}).*"'
"""The pod's UID stands in the path of its containers' cgroups, with dashes or underscores."""

ANNOTATION_PREFIX = "annotation_"
ECI_ANNOTATION = f"{ANNOTATION_PREFIX}k8s_aliyun_com_eci_instance_id"

_POD = same("namespace", "pod")
_UID = same("namespace", "pod", "uid")
_REPLICA = same("prometheus_replica", "replica")
_CLAIM = same("namespace", persistentvolumeclaim="claim")

RATES = (
    Question(
        "state_rate",
        "scrapes of kube-state-metrics, at most",
        "max by($cluster)(count_over_time($state[$hour]))",
        same(),
    ),
    Question("usage_rate", "scrapes of a kubelet, at most", "max by($cluster)(count_over_time($usage[$hour]))", same()),
    Question("known", "scrapes in a week", "max by($cluster)(count_over_time($state[7d]))", same(), "window"),
)
"""Asked first: how often is scraped, and which clusters there are."""

SCRAPES = (
    Question(
        "state_samples",
        "successful scrapes of the best-seen target, by all replicas",
        "sum by($cluster)(max by($cluster,$replica)(sum_over_time($state[$hour])))",
        same(),
    ),
    Question(
        "state_seen",
        "successful scrapes of all targets",
        "sum by($cluster)(max without($replica)(sum_over_time($state[$hour])))",
        same(),
    ),
    Question(
        "usage_seen",
        "successful scrapes of all targets",
        "sum by($cluster)(max without($replica)(sum_over_time($usage[$hour])))",
        same(),
    ),
    Question(
        "usage_samples",
        "successful scrapes of all targets, by all replicas",
        "sum by($cluster)(sum_over_time($usage[$hour]))",
        same(),
    ),
    Question(
        "usage_bins",
        "successful scrapes of all targets, by bin and replica",
        "sum by($cluster,$replica)(sum_over_time($usage[$bin]))",
        _REPLICA,
        "bin",
    ),
    Question(
        "usage_targets",
        "targets, by bin",
        "count by($cluster)(max without($replica)(count_over_time($usage[$bin])))",
        same(),
        "bin",
    ),
    Question(
        "usage_alive",
        "targets that answered, by bin",
        "count by($cluster)(max without($replica)(sum_over_time($usage[$bin])) > 0)",
        same(),
        "bin",
    ),
)

FALLBACKS = (
    Question(
        "node_scrapes",
        "samples of a node, at most",
        "sum by($cluster)(max by($cluster,$replica)(count_over_time(kube_node_info{$sel}[$hour])))",
        same(),
    ),
    Question(
        "memory_scrapes",
        "samples of a container, at most, by all replicas",
        "sum by($cluster)(max by($cluster,$replica)"
        '(count_over_time(container_memory_working_set_bytes{container!="",container!="POD",$sel}[$hour])))',
        same(),
    ),
    Question(
        "memory_bins",
        "samples of a container, at most, by bin and replica",
        "max by($cluster,$replica)"
        '(count_over_time(container_memory_working_set_bytes{container!="",container!="POD",$sel}[$bin]))',
        _REPLICA,
        "bin",
    ),
)
"""Where `up` was not kept: the best-seen series tells how often was scraped."""

PODS = (
    Question(
        "cpu_used",
        "core-seconds in the hour, by all replicas",
        "sum by($pod,uid)(label_replace(max by($pod,container,id,name,cpu,$replica)"
        '(increase(container_cpu_usage_seconds_total{container!="",container!="POD",$sel}[$counter]))$uid))',
        _UID,
    ),
    Question(
        "memory_used",
        "bytes × samples",
        "sum by($pod,uid)(label_replace(max by($pod,container,id,name,$replica)"
        '(sum_over_time(container_memory_working_set_bytes{container!="",container!="POD",$sel}[$hour]))$uid))',
        _UID,
    ),
    Question(
        "requests",
        "cores, bytes or pieces, while they were asked for",
        "sum by($pod,uid,resource)(max by($pod,uid,container,resource)"
        f'(avg_over_time(kube_pod_container_resource_requests{{resource=~"{RESOURCES}",$sel}}[$hour])))',
        same("namespace", "pod", "uid", "resource"),
    ),
    Question(
        "gpu_parts",
        "per cent or MiB of all devices, while they were asked for",
        "sum by($pod,uid,resource)(max by($pod,uid,container,resource)"
        f'(avg_over_time(kube_pod_container_resource_requests{{resource=~"{"|".join(EACH)}",$sel}}[$hour]))'
        " * on($pod,uid,container) group_left() sum by($pod,uid,container)(max by($pod,uid,container,resource)"
        f'(avg_over_time(kube_pod_container_resource_requests{{resource=~"{"|".join(EACH.values())}",$sel}}[$hour]))))',
        same("namespace", "pod", "uid", "resource"),
    ),
    Question(
        "init_requests",
        "(cores, bytes or pieces) × samples of running",
        "sum by($pod,uid,resource)(max by($pod,uid,container,resource)"
        f'(avg_over_time(kube_pod_init_container_resource_requests{{resource=~"{RESOURCES}",$sel}}[$hour]))'
        " * on($pod,uid,container) group_left() sum by($pod,uid,container)(max by($pod,uid,container,$replica)"
        "(sum_over_time(kube_pod_init_container_status_running{$sel}[$hour]))))",
        same("namespace", "pod", "uid", "resource"),
    ),
    Question(
        "running",
        "samples in phase Running",
        "sum by($pod,uid)(max by($pod,uid,$replica)"
        '(sum_over_time(kube_pod_status_phase{phase="Running",$sel}[$hour])))',
        _UID,
    ),
    Question(
        "placed",
        "samples on the node",
        'sum by($pod,uid,node)(max by($pod,node,uid,$replica)(count_over_time(kube_pod_info{node!="",$sel}[$hour])))',
        same("namespace", "pod", "uid", "node"),
    ),
    Question(
        "serverless",
        "samples as the billed instance",
        f'max by($pod,{ECI_ANNOTATION})(count_over_time(kube_pod_annotations{{{ECI_ANNOTATION}!="",$sel}}[$hour]))',
        same("namespace", "pod", **{ECI_ANNOTATION: "resource_id"}),
    ),
    Question(
        "gpu_used",
        "per cent of a device, added up",
        "sum by($pod)(avg by($pod,UUID,gpu,GPU_I_ID)"
        '(avg_over_time(DCGM_FI_DEV_GPU_UTIL{pod!="",exported_pod="",$sel}[$hour])))',
        _POD,
    ),
    Question(
        "gpu_used_exported",
        "the same, where the exporter's own pod took the label",
        "sum by($cluster,exported_namespace,exported_pod)"
        "(avg by($cluster,exported_namespace,exported_pod,UUID,gpu,GPU_I_ID)"
        '(avg_over_time(DCGM_FI_DEV_GPU_UTIL{exported_pod!="",$sel}[$hour])))',
        same(exported_namespace="namespace", exported_pod="pod"),
    ),
)

OWNERS = (
    Question(
        "pod_owner",
        "samples in the window",
        "max by($pod,owner_kind,owner_name)"
        '(count_over_time(kube_pod_owner{owner_kind!="",owner_kind!="<none>",owner_is_controller!="false",$sel}[$window]))',
        same("namespace", "pod", "owner_kind", "owner_name"),
        "window",
    ),
    Question(
        "replicaset_owner",
        "samples in the window",
        "max by($cluster,namespace,replicaset,owner_kind,owner_name)"
        '(count_over_time(kube_replicaset_owner{owner_kind!="",owner_kind!="<none>",$sel}[$window]))',
        same("namespace", "owner_kind", "owner_name", replicaset="name"),
        "window",
    ),
    Question(
        "job_owner",
        "samples in the window",
        "max by($cluster,namespace,job_name,owner_kind,owner_name)"
        '(count_over_time(kube_job_owner{owner_kind!="",owner_kind!="<none>",$sel}[$window]))',
        same("namespace", "owner_kind", "owner_name", job_name="name"),
        "window",
    ),
    Question(
        "pod_labels",
        "samples in the window",
        "count_over_time(kube_pod_labels{$sel}[$window])",
        _POD,
        "window",
        "label_",
    ),
    Question(
        "namespace_labels",
        "samples in the window",
        "count_over_time(kube_namespace_labels{$sel}[$window])",
        same("namespace"),
        "window",
        "label_",
    ),
    Question(
        "pod_annotations",
        "samples in the window",
        "count_over_time(kube_pod_annotations{$sel}[$window])",
        _POD,
        "window",
        ANNOTATION_PREFIX,
        ANNOTATION,
    ),
    Question(
        "namespace_annotations",
        "samples in the window",
        "count_over_time(kube_namespace_annotations{$sel}[$window])",
        same("namespace"),
        "window",
        ANNOTATION_PREFIX,
        ANNOTATION,
    ),
)

NODES = (
    Question(
        "node_samples",
        "samples of the node",
        "sum by($cluster,node,provider_id)(max by($cluster,node,provider_id,$replica)"
        "(count_over_time(kube_node_info{$sel}[$hour])))",
        same("node", "provider_id"),
    ),
    Question(
        "node_capacity",
        "cores, bytes or pieces",
        "max by($cluster,node,resource)"
        f'(avg_over_time(kube_node_status_capacity{{resource=~"{RESOURCES}",$sel}}[$hour]))',
        same("node", "resource"),
    ),
    Question(
        "node_allocatable",
        "cores, bytes or pieces",
        "max by($cluster,node,resource)"
        f'(avg_over_time(kube_node_status_allocatable{{resource=~"{RESOURCES}",$sel}}[$hour]))',
        same("node", "resource"),
    ),
    Question(
        "node_labels",
        "samples in the window",
        "count_over_time(kube_node_labels{$sel}[$window])",
        same("node"),
        "window",
        "label_",
    ),
)

VOLUMES = (
    Question(
        "claims",
        "samples of the bound claim",
        "sum by($cluster,namespace,persistentvolumeclaim,volumename)"
        "(max by($cluster,namespace,persistentvolumeclaim,volumename,$replica)"
        '(count_over_time(kube_persistentvolumeclaim_info{volumename!="",$sel}[$hour])))',
        _CLAIM | {"volumename": "name"},
    ),
    Question(
        "claim_bytes",
        "bytes asked for",
        "max by($cluster,namespace,persistentvolumeclaim)"
        "(avg_over_time(kube_persistentvolumeclaim_resource_requests_storage_bytes{$sel}[$hour]))",
        _CLAIM,
    ),
    Question(
        "volume_bytes",
        "bytes provisioned",
        "max by($cluster,persistentvolume)(avg_over_time(kube_persistentvolume_capacity_bytes{$sel}[$hour]))",
        same(persistentvolume="name"),
    ),
    Question(
        "claim_used",
        "bytes used, while mounted",
        "max by($cluster,namespace,persistentvolumeclaim)(avg_over_time(kubelet_volume_stats_used_bytes{$sel}[$hour]))",
        _CLAIM,
    ),
    Question(
        "volume_ids",
        "samples in the window",
        "max by($cluster,persistentvolume,csi_volume_handle,ebs_volume_id,gce_persistent_disk_name)"
        "(count_over_time(kube_persistentvolume_info{$sel}[$window]))",
        same("csi_volume_handle", "ebs_volume_id", "gce_persistent_disk_name", persistentvolume="name"),
        "window",
    ),
    Question(
        "claim_refs",
        "samples of the volume that keeps its claim's name",
        "sum by($cluster,persistentvolume,claim_namespace,name)"
        "(max by($cluster,persistentvolume,claim_namespace,name,$replica)"
        "(count_over_time(kube_persistentvolume_claim_ref{$sel}[$hour])))",
        same(persistentvolume="name", claim_namespace="namespace", name="claim"),
    ),
    Question(
        "mounts",
        "samples of the pod with the claim",
        "sum by($pod,uid,persistentvolumeclaim)(max by($pod,uid,persistentvolumeclaim,$replica)"
        "(count_over_time(kube_pod_spec_volumes_persistentvolumeclaims_info{$sel}[$hour])))",
        same("namespace", "pod", "uid", persistentvolumeclaim="claim"),
    ),
)

FACTS = (*SCRAPES, *PODS, *OWNERS, *NODES, *VOLUMES, *network_queries.QUESTIONS, *peak_queries.QUESTIONS)
QUESTIONS = {question.fact: question for question in (*RATES, *FACTS, *FALLBACKS, *empty_queries.QUESTIONS)}


def written(question: Question, config: PrometheusConfig, bin_seconds: int = 300) -> Question:
    """The question as it is sent to this source; only `$window` is left open."""
    words = {
        "$state": f'up{{job=~"{config.state_job}",$sel}}',
        "$usage": f'up{{job=~"{config.usage_job}",$sel}}',
        "$uid": _UID_OF_CGROUP,
        "$pod": "$cluster,namespace,pod",
        "$user": "$cluster,namespace,pod,exported_namespace,exported_pod",
        "$replica": "prometheus_replica,replica",
        "$cluster": config.cluster_label,
        "[$hour]": "[1h] offset 1ms",
        "$counter": "1h1ms",
        "[$inside]": f"[{HOUR_SECONDS - bin_seconds + 1}s:{INSIDE_STEP_SECONDS}s]",
        "$peak": f"{bin_seconds}s1ms",
        "[$bin]": f"[{bin_seconds}s] offset 1ms",
        ",$sel": f",{config.selector}" if config.selector else "",
        "$sel": config.selector,
    }
    promql = question.promql
    for word, meaning in words.items():
        promql = promql.replace(word, meaning)
    columns = {
        config.cluster_label if label == "$cluster" else label: column for label, column in question.columns.items()
    }
    return replace(question, promql=promql, columns=columns)
