"""What is asked about Services behind load balancers, and about bytes that pods send."""

from apps.ingest.prometheus.question import Question, same

LOAD_BALANCER_IDS = {
    "service_labels": ("label_service_k8s_alibaba_loadbalancer_id",),
    "service_annotations": (
        "annotation_service_beta_kubernetes_io_alibaba_cloud_loadbalancer_id",
        "annotation_service_kubernetes_io_loadbalance_id",
        "annotation_kubernetes_io_elb_id",
    ),
}
"""Question → where Alibaba Cloud, Tencent Cloud and Huawei Cloud write a load balancer's id on a Service."""

_SERVICE = "$cluster,namespace,service"
_PLACE = "internet,same_region,same_zone"

QUESTIONS = (
    Question(
        "services",
        "samples of the Service behind its load balancer",
        f"sum by({_SERVICE},ip,hostname)(max by({_SERVICE},ip,hostname,$replica)"
        "(count_over_time(kube_service_status_load_balancer_ingress{$sel}[$hour])))",
        same("namespace", "service", "ip", "hostname"),
    ),
    *(
        Question(
            fact,
            "samples in the window",
            f"max by({_SERVICE},{','.join(ids)})(count_over_time(kube_{fact}{{$sel}}[$window]))",
            same("namespace", "service", *ids),
            "window",
        )
        for fact, ids in LOAD_BALANCER_IDS.items()
    ),
    Question(
        "bytes_sent",
        "bytes, by all replicas; of pods that have a network of their own",
        "sum by($pod)(max by($pod,interface,id,name,$replica)"
        '(increase(container_network_transmit_bytes_total{pod!="",$sel}[$counter])))'
        ' unless on($pod) max by($pod)(count_over_time(kube_pod_info{host_network="true",$sel}[$hour]))',
        same("namespace", "pod"),
    ),
    Question(
        "bytes_by_place",
        "bytes, by all replicas",
        f"sum by($cluster,namespace,pod_name,{_PLACE})(max by($cluster,namespace,pod_name,service,{_PLACE},$replica)"
        "(increase(kubecost_pod_network_egress_bytes_total{$sel}[$counter])))",
        same("namespace", "internet", "same_region", "same_zone", pod_name="pod"),
    ),
)
