"""What is asked about peaks within the hour, about GPU memory, and about autoscalers.

`[$inside]` is a subquery over the hour, every five minutes, whose windows `$peak` all begin within it; a window holds
two scrapes at least. GPU exporters name the pod that uses a card `pod`, or `exported_pod` where their own took that
label: `$user` stands for both.
"""

from apps.ingest.prometheus.question import Question, same

USER = same("namespace", "pod", "exported_namespace", "exported_pod")
_CARD = "$user,UUID,gpu,GPU_I_ID"
_DEVICE = "$user,container,device_uuid,vdevice_index"
_SCALER = same("namespace", horizontalpodautoscaler="name")

QUESTIONS = (
    Question(
        "cpu_peak",
        "cores, the highest mean of a window",
        "max_over_time(sum by($pod)(max by($pod,container,id,name,cpu)"
        '(rate(container_cpu_usage_seconds_total{container!="",container!="POD",$sel}[$peak])))[$inside])',
        same("namespace", "pod"),
    ),
    Question(
        "memory_peak",
        "bytes, the largest samples of the pod's containers together",
        "sum by($pod)(max by($pod,container)"
        '(max_over_time(container_memory_working_set_bytes{container!="",container!="POD",$sel}[$hour])))',
        same("namespace", "pod"),
    ),
    Question(
        "gpu_peak",
        "per cent of a device, added up, the highest mean of a window",
        f"max_over_time(sum by($user)(avg by({_CARD})(avg_over_time(DCGM_FI_DEV_GPU_UTIL{{$sel}}[$peak])))[$inside])",
        USER,
    ),
    Question(
        "gpu_memory",
        "MiB of devices, while the pod was there",
        f"sum by($user)(avg by({_CARD})(avg_over_time(DCGM_FI_DEV_FB_USED{{$sel}}[$hour])))",
        USER,
    ),
    Question(
        "gpu_memory_peak",
        "MiB of devices, the largest samples together",
        f"sum by($user)(max by({_CARD})(max_over_time(DCGM_FI_DEV_FB_USED{{$sel}}[$hour])))",
        USER,
    ),
    Question(
        "gpu_part_peak",
        "per cent of a device that the pod itself used (HAMi)",
        f"max_over_time(sum by($user)(max by({_DEVICE})"
        "(avg_over_time(hami_container_device_utilization_ratio{$sel}[$peak])))[$inside])",
        USER,
    ),
    Question(
        "gpu_part_memory",
        "bytes that the pod itself held (HAMi)",
        f"sum by($user)(max by({_DEVICE})(avg_over_time(hami_vgpu_memory_used_bytes{{$sel}}[$hour])))",
        USER,
    ),
    Question(
        "gpu_part_memory_peak",
        "bytes that the pod itself held, at most (HAMi)",
        f"sum by($user)(max by({_DEVICE})(max_over_time(hami_vgpu_memory_used_bytes{{$sel}}[$hour])))",
        USER,
    ),
    Question(
        "scaler_least",
        "replicas",
        "max by($cluster,namespace,horizontalpodautoscaler)"
        "(max_over_time(kube_horizontalpodautoscaler_spec_min_replicas{$sel}[$hour]))",
        _SCALER,
    ),
    Question(
        "scaler_most",
        "replicas",
        "max by($cluster,namespace,horizontalpodautoscaler)"
        "(max_over_time(kube_horizontalpodautoscaler_spec_max_replicas{$sel}[$hour]))",
        _SCALER,
    ),
    Question(
        "scaler_targets",
        "samples in the window",
        "max by($cluster,namespace,horizontalpodautoscaler,scaletargetref_name)"
        "(count_over_time(kube_horizontalpodautoscaler_info{$sel}[$window]))",
        same("namespace", horizontalpodautoscaler="name", scaletargetref_name="target"),
        "window",
    ),
)
