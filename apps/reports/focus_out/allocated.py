"""Allocated cost of a publication as FOCUS rows: what Kubernetes shares stands in the `Allocated…` columns of 1.3.

A row of `allocated` is a day's part of a charge pool. What every charge behind it agrees on is told again (provider,
account, service, region; of the resource its name, type, zone and tags); what they do not agree on is NULL.
"""

import ibis
import ibis.expr.types as ir
from django.conf import settings

from apps.allocation.matching import billed_resource
from apps.finops import focus
from apps.finops.tables import ALLOCATED, BILLED, CHARGES, COSTS
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import CostQuery
from apps.marts.scoping import visible
from apps.warehouse import lake
from apps.warehouse.engine import json_object, start_of_day

IDLE, SHARED = "__idle__", "__shared__"
METHODS = {
    "node": ("costops-node-claims", "price units of max(request, used) CPU, memory and GPU by hour"),
    "serverless": ("costops-serverless-pod", "the pod that is the resource"),
    "volume": ("costops-volume-capacity", "GiB-hours of the claims"),
    "load_balancer": ("costops-load-balancer-hours", "hours a Service stood behind the load balancer"),
    "network": ("costops-network-traffic", "GiB sent"),
    "shared": ("costops-platform-share", "the policy that x_Rule names"),
}
"""Kind of pool → the stable id of how it is divided, and by what. Pools of other charges are not divided by use."""

_BILL = list(BILLED)
_AGREED = (
    "ProviderName", "PublisherName", "InvoiceIssuerName", "InvoiceId", "BillingAccountName", "BillingAccountType",
    "SubAccountName", "SubAccountType", "BillingPeriodStart", "BillingPeriodEnd", "ServiceCategory",
    "ServiceSubcategory", "RegionName", "ServiceProviderName", "HostProviderName",
)  # fmt: skip
_OF_RESOURCE = ("ResourceId", "ResourceName", "ResourceType", "AvailabilityZone", "ChargeFrequency", "Tags")
_PASSED_ON = ("cluster", "node_pool", "namespace", "rule")
_POOL = ["day", *_BILL, "provider", "pool", "resource", *(f"shared_{name}" for name in _PASSED_ON)]


def rows(query: CostQuery, pinned: Publication) -> ir.Table:
    """The allocated rows of a window, all columns of FOCUS, then ours."""
    parts = lake.between(ALLOCATED, "day", query.start, query.end, at=pinned.versions[ALLOCATED.name])
    bill = lake.scan(CHARGES, at=pinned.versions[CHARGES.name])
    bill = bill.filter(bill.x_ChargeDay >= query.start, bill.x_ChargeDay < query.end)
    known = bill.select(
        *_AGREED, *_OF_RESOURCE,
        day=bill.x_ChargeDay, resource=billed_resource(bill.ResourceId.fill_null("")),
        **{name: bill[column].fill_null("") for name, column in BILLED.items()},
    )  # fmt: skip
    told = _joined(_with_ratio(parts), _agreed(known, _BILL, _AGREED), _BILL)
    key = ["day", *_BILL, "resource"]
    told = _joined(told, _agreed(known.filter(known.resource != ""), key, _OF_RESOURCE), key)
    told = _kept(told, query)
    columns = _columns(told, pinned.number)
    nothing = {name: ibis.null(kind) for name, kind in focus.COLUMNS.items()}
    return told.select(**(nothing | columns))


def _kept(told: ir.Table, query: CostQuery) -> ir.Table:
    """The rows that pass the filters of a question and that its viewer may see."""
    told = placed(told, query.grouped())
    return visible(told, query.scope)


def _agreed(bill: ir.Table, key: list[str], columns: tuple[str, ...]) -> ir.Table:
    """Of each group of charges what all that say anything agree on."""
    same = {name: (bill[name].nunique() <= 1).ifelse(bill[name].min(), ibis.null()) for name in columns}
    return bill.group_by(key).aggregate(**same)


def _joined(rows: ir.Table, facts: ir.Table, key: list[str]) -> ir.Table:
    return rows.left_join(facts, key).drop(*(f"{name}_right" for name in key))


def _with_ratio(parts: ir.Table) -> ir.Table:
    """Each part's share of its pool's effective cost; NULL where a pool adds up to nothing."""
    shared = parts.pool == "shared"
    parts = parts.mutate(**{f"shared_{name}": shared.ifelse(parts[name], "") for name in _PASSED_ON})
    pools = parts.group_by(_POOL).aggregate(pool_cost=parts.effective_cost.sum())
    told = _joined(parts, pools, _POOL)
    ratio = told.effective_cost.cast("float64") / told.pool_cost.cast("float64").nullif(0.0)
    return told.mutate(ratio=ratio.between(0, 1).ifelse(ratio.cast("decimal(13, 12)"), ibis.null()))


def _columns(told: ir.Table, publication: int) -> dict[str, ir.Value]:
    zone = settings.COSTOPS_TIME_ZONE
    is_split = told.pool.isin(list(METHODS))
    is_idle = told.kind.isin(["idle", "shared_idle"])
    workload = (told.workload == "").ifelse("", ibis.literal("/").concat(told.workload))
    place = is_idle.ifelse(ibis.literal(IDLE), told.namespace).concat(workload).nullif("")
    place = ibis.coalesce(place, SHARED)
    name = is_idle.ifelse(ibis.literal("Idle capacity"), ibis.coalesce(told.workload.nullif(""), told.namespace))
    method = told.pool.cases(*((pool, identity) for pool, (identity, _) in METHODS.items()), else_=ibis.null(str))
    basis = told.pool.cases(*((pool, text) for pool, (_, text) in METHODS.items()), else_=ibis.null(str))
    details = ibis.literal('{"Elements":[{"AllocatedRatio":').concat(
        told.ratio.cast(str), ibis.literal(',"x_Basis":"'), basis, ibis.literal('"}]}')
    )
    text = {column: told[name].nullif("") for name, column in BILLED.items() if column in focus.COLUMNS}
    return (
        text
        | {name: told[name] for name in (*_AGREED, *_OF_RESOURCE)}
        | {focus.COST_METRICS[basis]: told[basis] for basis in COSTS}
        | {
            "ResourceId": ibis.coalesce(told.ResourceId, told.resource.nullif("")),
            "ChargePeriodStart": start_of_day(told.day, zone),
            "ChargePeriodEnd": start_of_day((told.day + ibis.interval(days=1)).cast("date"), zone),
            "ChargeDescription": told.kind.concat(" cost of a ", told.pool, " pool"),
            "AllocatedMethodId": method,
            "AllocatedMethodDetails": is_split.ifelse(details, ibis.null(str)),
            "AllocatedResourceId": is_split.ifelse(place, ibis.null(str)),
            "AllocatedResourceName": is_split.ifelse(name.nullif(""), ibis.null(str)),
            "AllocatedTags": is_split.ifelse(json_object("team", told.team), ibis.null(str)),
            "x_Team": told.team,
            "x_Kind": told.kind,
            "x_Pool": told.pool,
            "x_Cluster": told.cluster.nullif(""),
            "x_NodePool": told.node_pool.nullif(""),
            "x_Namespace": told.namespace.nullif(""),
            "x_Workload": told.workload.nullif(""),
            "x_Rule": told.rule.nullif(""),
            "x_Ruleset": told.ruleset,
            "x_ChargeDay": told.day,
            "x_SourceName": told.source,
            "x_BillingMonth": told.billing_month,
            "x_Publication": ibis.literal(publication),
        }
    )
