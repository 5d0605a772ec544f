"""What is asked where kube-state-metrics answers and no kubelet is there to ask: is a cluster scaled to nothing?

That there are no nodes is believed of whoever tells of namespaces, and told of nodes before.
"""

from apps.ingest.prometheus.question import Question, same

QUESTIONS = (
    Question(
        "namespaces_seen",
        "series",
        'count by($cluster)(count_over_time({__name__=~"kube_namespace_(created|labels|status_phase)",$sel}[$hour]))',
        same(),
    ),
    Question("nodes_seen", "nodes", "count by($cluster)(count_over_time(kube_node_info{$sel}[$hour]))", same()),
    Question("pods_placed", "pods", 'count by($cluster)(count_over_time(kube_pod_info{node!="",$sel}[$hour]))', same()),
    Question(
        "nodes_known",
        "hours with nodes in a month",
        "count_over_time((count by($cluster)(kube_node_info{$sel}))[30d:1h])",
        same(),
        "window",
    ),
)
