"""Matching bill rows to what a cluster knows: ids are parsed on both sides, then compared for exact equality."""

import ibis
import ibis.expr.types as ir

from apps.finops.tables import BILLED, NOT_NAMED

_KUBERNETES = (
    (r"^aws:///[^/]+/", ""),  # aws:///eu-west-1a/i-0ab -> i-0ab
    (r"^azure://", ""),  # azure:///subscriptions/... -> /subscriptions/...
    (r"^gce://([^/]+)/([^/]+)/([^/]+)$", r"projects/\1/zones/\2/instances/\3"),
    (r"^[a-z0-9-]+\.(i-[a-z0-9]+)$", r"\1"),  # cn-beijing.i-2ze... -> i-2ze...
)
_LOAD_BALANCER = (  # k8s-shop-web-1a2b.elb.eu-west-1.amazonaws.com -> k8s-shop-web
    (
        r"^(?:dualstack\.)?(?:internal-)?(.+)-[0-9a-f]+\."
        r"(?:[a-z0-9-]+\.elb|elb\.[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$",
        r"\1",
    ),
)
_BILL = (
    (
        r"^arn:aws[a-z-]*:(?:ec2:[^:]*:[^:]*:(?:instance|volume)|eks:[^:]*:[^:]*:cluster|"
        r"elasticloadbalancing:[^:]*:[^:]*:loadbalancer(?:/(?:app|net|gwy))?)/([^/]+)(?:/[0-9a-f]+)?$",
        r"\1",
    ),
    (
        r"^(//compute\.googleapis\.com/|https://www\.googleapis\.com/compute/v1/|"
        r"//container\.googleapis\.com/projects/[^/]+/(?:locations|zones)/[^/]+/clusters/)",
        "",
    ),
)
_AZURE_CLUSTER = r"^/subscriptions/.*/providers/microsoft\.containerservice/managedclusters/"


def kubernetes_resource(identity: ir.StringValue) -> ir.StringValue:
    """The billed resource behind a node's provider id or a volume's handle, as Kubernetes writes it."""
    return _azure_lowered(_rewritten(identity, _KUBERNETES))


def load_balancer_resource(identity: ir.StringValue) -> ir.StringValue:
    """The billed resource behind a load balancer's id or host name, as a Service tells it."""
    return _azure_lowered(_rewritten(identity, _LOAD_BALANCER))


def billed_resource(resource_id: ir.StringValue) -> ir.StringValue:
    """The same resource as a bill's ResourceId writes it."""
    return _azure_lowered(_rewritten(resource_id, _BILL))


def told_by_bill(charges: ir.Table) -> dict[str, ir.StringValue]:
    """The dimensions of each charge that its bill tells. FOCUS calls the provider ProviderName, from 1.3 on
    ServiceProviderName."""
    names = (charges.ProviderName.nullif(""), charges.ServiceProviderName.nullif(""), ibis.literal(NOT_NAMED))
    told = {name: charges[column].fill_null("") for name, column in BILLED.items()}
    return told | {"provider": ibis.coalesce(*names)}


def _rewritten(text: ir.StringValue, rules: tuple[tuple[str, str], ...]) -> ir.StringValue:
    for pattern, replacement in rules:
        text = text.re_replace(pattern, replacement)
    return text


def _azure_lowered(text: ir.StringValue) -> ir.StringValue:
    """Azure ids differ in case between bill and cluster; no other cloud's start like this. A
    cluster goes by its name."""
    lowered = text.lower()
    return lowered.startswith("/subscriptions/").ifelse(lowered.re_replace(_AZURE_CLUSTER, ""), text)
