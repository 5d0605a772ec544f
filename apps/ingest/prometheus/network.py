"""From facts about Services and bytes to `service_hours` and `network_hours`."""

import ibis
import ibis.expr.types as ir

from apps.ingest.prometheus.network_queries import LOAD_BALANCER_IDS
from apps.ingest.prometheus.pods import HOURLY, POD, Facts, attach, likeliest, owner_of_pods
from apps.ingest.prometheus.queries import GIB

_SERVICE = ["cluster", "namespace", "service"]


def service_hours(facts: Facts) -> ir.Table:
    """One row per hour, Service and load balancer: by the id its cloud writes on the Service, else by its address."""
    rows = facts["services"]
    ids = []
    for fact, labels in LOAD_BALANCER_IDS.items():
        told = facts[fact].mutate(known=ibis.coalesce(*(facts[fact][label].nullif("") for label in labels)))
        ids.append(told.filter(told.known.notnull()).select(*_SERVICE, "known", "value"))
    rows = attach(rows, likeliest(ibis.union(*ids), _SERVICE, ["known"]), _SERVICE)
    address = ibis.coalesce(rows.known, rows.hostname.nullif(""), rows.ip)
    rows = rows.mutate(load_balancer=address, attached=rows.value * rows.state_sample_hours)
    rows = (
        rows.filter(rows.load_balancer != "")
        .group_by(["hour", *_SERVICE, "load_balancer"])
        .agg(
            attached=lambda t: t.attached.max()  # of several addresses
        )
    )
    return rows.select("hour", *_SERVICE, "load_balancer", attached_hours=ibis.least(rows.attached, 1.0))


def network_hours(facts: Facts) -> ir.Table:
    """One row per hour, pod and node: GiB sent, and of them what left the cloud, the region, the zone.

    Where it went is told by an exporter of its own; the kubelets tell the whole. A pod is where it was longest.
    """
    sent = facts["bytes_sent"]
    sent = sent.select(*HOURLY, value=sent.value / sent.usage_span, kind=ibis.literal("sent"))
    placed = facts["bytes_by_place"]
    kind = ibis.cases(
        (placed.internet == "true", "internet"),
        (placed.same_region == "false", "cross_region"),
        (placed.same_zone == "false", "cross_zone"),
        else_="near",
    )
    placed = placed.select(*HOURLY, value=placed.value / placed.usage_span, kind=kind)
    long = sent.union(placed)
    gib = {name: long.value.sum(where=long.kind == name).fill_null(0.0) / GIB for name in (*_KINDS, "near")}
    pods = long.group_by(HOURLY).agg(**gib)
    pods = attach(pods, likeliest(facts["placed"], HOURLY, ["node"]), HOURLY)
    pods = attach(pods, owner_of_pods(facts), POD)
    told = pods.internet + pods.cross_region + pods.cross_zone + pods.near
    pods = pods.mutate(sent=ibis.greatest(pods.sent, told)).filter(lambda t: t.sent > 0)
    return pods.select(
        "hour", "cluster", "namespace",
        workload=pods.workload.fill_null(pods.pod),
        pod=pods.pod,
        node=pods.node.fill_null(""),
        **{f"{name}_gib": pods[name] for name in _KINDS},
    )  # fmt: skip


_KINDS = ("sent", "internet", "cross_region", "cross_zone")
