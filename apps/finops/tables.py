"""The tables of the lake: their columns, types, grain and partitions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.schema as sch

from apps.finops import focus
from apps.finops.tags import NOT_RECORDED

MONEY = "decimal(38, 12)"
QUANTITY = "decimal(18, 6)"
HOUR = "timestamp('UTC', 6)"


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake: `partition_by` names the columns whose values are one replaceable window; `has_grown` says
    that older files lack some of the columns, `may_be_missing` texts that all files may lack, and `stands_in` what such
    a text says where it is missing, if not NULL."""

    name: str
    columns: dict[str, str]
    partition_by: tuple[str, ...]
    has_grown: bool = False
    may_be_missing: tuple[str, ...] = ()
    stands_in: Mapping[str, str] = field(default_factory=dict)

    @property
    def schema(self) -> sch.Schema:
        return ibis.schema(self.columns)


@dataclass(frozen=True)
class UsageTable(LakeTable):
    """A table of hourly usage; `columns` are those of a usage file, before the columns the lake adds. Quantities of
    `may_be_unknown` tables may be NULL: nobody measured them."""

    may_be_unknown: bool = False

    @property
    def file_columns(self) -> dict[str, str]:
        return {name: kind for name, kind in self.columns.items() if name not in USAGE_PARTITIONS}


USAGE_PARTITIONS = {"source": "string", "day": "date", "file_id": "string"}


def _usage(
    name: str, columns: dict[str, str], *, may_be_unknown: bool = False, may_be_missing: tuple[str, ...] = ()
) -> UsageTable:
    return UsageTable(
        name, columns | USAGE_PARTITIONS, tuple(USAGE_PARTITIONS), has_grown=bool(may_be_missing),
        may_be_unknown=may_be_unknown, may_be_missing=may_be_missing,
    )  # fmt: skip


CHARGES = LakeTable(
    "charges", focus.COLUMNS | focus.OWN_COLUMNS, ("x_SourceName", "x_BillingMonth", "x_FileId"), has_grown=True
)
"""One row per charge, as billed. Replaced by source, billing month and file."""

WORKLOAD_HOURS = _usage(
    "workload_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "namespace": "string",
        "workload": "string",
        "workload_kind": "string",
        "pod": "string",
        "node": "string",
        "resource_id": "string",
        "cpu_used_core_hours": QUANTITY,
        "cpu_request_core_hours": QUANTITY,
        "memory_used_gib_hours": QUANTITY,
        "memory_request_gib_hours": QUANTITY,
        "gpu_used_hours": QUANTITY,
        "gpu_request_hours": QUANTITY,
    },
)
"""One row per hour, cluster, namespace, workload, pod and node: integrals over the seconds the containers really
ran."""

NODE_HOURS = _usage(
    "node_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "node": "string",
        "node_pool": "string",
        "provider_id": "string",
        "instance_type": "string",
        "cpu_capacity_core_hours": QUANTITY,
        "memory_capacity_gib_hours": QUANTITY,
        "gpu_capacity_hours": QUANTITY,
        "labels": "string",
    },
)
"""One row per hour, cluster and node: capacity integrated over the part of the hour the node existed."""

VOLUME_HOURS = _usage(
    "volume_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "volume": "string",
        "namespace": "string",
        "claim": "string",
        "workload": "string",
        "capacity_gib_hours": QUANTITY,
        "used_gib_hours": QUANTITY,
    },
)
"""One row per hour, cluster, volume, claim and workload that mounted it; an empty workload means nobody did."""

OVERHEAD_HOURS = _usage(
    "overhead_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "node": "string",
        "cpu_overhead_core_hours": QUANTITY,
        "memory_overhead_gib_hours": QUANTITY,
        "gpu_overhead_hours": QUANTITY,
    },
)
"""One row per hour, cluster and node: the part of its capacity that no pod may ask for (capacity less allocatable)."""

SERVICE_HOURS = _usage(
    "service_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "namespace": "string",
        "service": "string",
        "load_balancer": "string",
        "attached_hours": QUANTITY,
    },
)
"""One row per hour, cluster, Service and load balancer it stands behind."""

NETWORK_HOURS = _usage(
    "network_hours",
    {
        "hour": HOUR,
        "cluster": "string",
        "namespace": "string",
        "workload": "string",
        "pod": "string",
        "node": "string",
        "sent_gib": QUANTITY,
        "internet_gib": QUANTITY,
        "cross_region_gib": QUANTITY,
        "cross_zone_gib": QUANTITY,
    },
)
"""One row per hour, cluster, namespace, workload, pod and node: what was sent, all of it, and of it what left the
cloud, the region, the zone."""

COVERAGE_HOURS = _usage(
    "coverage_hours",
    {"hour": HOUR, "cluster": "string", "observed_samples": "int64", "expected_samples": "int64"},
)
"""One row per hour and cluster: how much of the hour the monitoring saw."""

LABEL_HOURS = _usage(
    "label_hours",
    {"hour": HOUR, "cluster": "string", "namespace": "string", "workload": "string", "labels": "string"},
)
"""One row per hour, cluster, namespace and workload; an empty workload means the namespace's own labels. Annotations
stand among the labels, under their names after ANNOTATION."""

ANNOTATION = "annotation:"
"""Before the name of an annotation among labels; no label's name has a colon."""

DISK_HOURS = _usage("disk_hours", {"hour": HOUR, "cluster": "string", "node": "string", "disk": "string"})
"""One row per hour, cluster, node and disk that is billed apart and is the node's own (its root disk)."""

WORKLOAD_PEAKS = _usage(
    "workload_peaks",
    {
        "hour": HOUR,
        "cluster": "string",
        "namespace": "string",
        "workload": "string",
        "pod": "string",
        "node": "string",
        "cpu_peak_cores": QUANTITY,
        "memory_peak_gib": QUANTITY,
        "gpu_peak_share": QUANTITY,
        "gpu_memory_used_gib_hours": QUANTITY,
        "gpu_memory_peak_gib": QUANTITY,
    },
    may_be_unknown=True,
)
"""One row per hour, cluster, namespace, workload and pod, on the node where it was longest: the highest mean of five
minutes of its CPU, its largest working set, the highest mean of five minutes of its cards' utilisation added up (0.35:
35 % of one card), its GPU memory, integrated and at most. NULL, never zero: not known, or there is no GPU."""

AUTOSCALER_HOURS = _usage(
    "autoscaler_hours",
    {"hour": HOUR, "cluster": "string", "namespace": "string", "workload": "string"}
    | {"min_replicas": "int64", "max_replicas": "int64", "autoscaler": "string"},
    may_be_missing=("autoscaler",),
)
"""One row per hour, cluster, namespace and workload that a HorizontalPodAutoscaler scales: between what bounds, and
what the autoscaler itself is called ('' or NULL: not told)."""

USAGE = {
    table.name: table
    for table in (
        *(WORKLOAD_HOURS, NODE_HOURS, VOLUME_HOURS, COVERAGE_HOURS, LABEL_HOURS),
        *(OVERHEAD_HOURS, SERVICE_HOURS, NETWORK_HOURS, DISK_HOURS),
        *(WORKLOAD_PEAKS, AUTOSCALER_HOURS),
    )
}

COSTS = {"billed_cost": MONEY, "effective_cost": MONEY, "list_cost": MONEY, "contracted_cost": MONEY}
"""The four cost bases, side by side in every table after the bill."""

DIMENSIONS = {
    "source": "string",
    "billing_month": "string",
    "currency": "string",
    "provider": "string",
    "account": "string",
    "sub_account": "string",
    "service": "string",
    "region": "string",
    "charge_category": "string",
    "cluster": "string",
    "node_pool": "string",
    "namespace": "string",
    "workload": "string",
    "team": "string",
    "kind": "string",
}
"""What cost can be grouped and filtered by, besides time. Empty text means: does not apply; no provider is
ever empty."""

NOT_NAMED = "(not named)"
"""The provider of a charge whose bill names none."""

KEPT_TAGS = {"kept_tags": "string"}
"""The tags of the charge behind a row, of the keys that were chosen when it was allocated: a JSON object of all these
keys, in order, '' where the charge has no such tag. A key that is not in it, as in rows of before, is not recorded."""
_GROWN: dict[str, Any] = {
    "has_grown": True, "may_be_missing": (*KEPT_TAGS, "provider"), "stands_in": {"provider": NOT_RECORDED},
}  # fmt: skip
"""Rows that were allocated before providers were told, or tags kept, can still be read."""

BILLED = {
    "source": "x_SourceName",
    "billing_month": "x_BillingMonth",
    "currency": "BillingCurrency",
    "account": "BillingAccountId",
    "sub_account": "SubAccountId",
    "service": "ServiceName",
    "region": "RegionId",
    "charge_category": "ChargeCategory",
}
"""Those of them that one column of the bill tells → that column of `charges`; the provider is told by two of them
(`allocation.matching.told_by_bill`)."""

KINDS = ("direct", "shared", "idle", "shared_idle", "unallocated")
"""Kinds of cost: used by one team; received of a shared pool; capacity nobody claimed, with its owner; the same,
received; nobody's."""
RECONCILED = ("direct", "shared", "idle", "unallocated")
"""The kinds that the reconciliation holds: publications from before idle cost was shared read the same."""
RECEIVED = ("shared", "shared_idle")
"""What policies divided: it stands beside what a team caused by itself, never in it."""

ALLOCATED = LakeTable(
    "allocated",
    {"pool": "string", "resource": "string", "rule": "string", "ruleset": "int64"}
    | DIMENSIONS
    | KEPT_TAGS
    | COSTS
    | {"day": "date"},
    ("day",),
    **_GROWN,
)
"""One row per day, charge pool and claimant: a pool's rows add up to exactly the pool. `pool` is `node`, `serverless`,
`volume`, `load_balancer`, `network`, `charge` or `shared`; `resource` the billed resource; `rule` and `ruleset` the
rule or policy that decided the team."""

PASSED_ON = LakeTable("passed_on", dict(ALLOCATED.columns), ("day",), **_GROWN)
"""What policies took of charge pools and passed on, and what clusters as a whole cost (the pool `cluster`): one row per
day, pool and claimant as the rules had it. With `allocated` less its rows of pool `shared` it adds up to the pools; by
day, bill, cluster, node pool, namespace and kept tags it adds up to these rows."""

COST_MART = LakeTable(
    "costs", {"day": "date"} | DIMENSIONS | KEPT_TAGS | COSTS | {"month": "string"}, ("month",), **_GROWN
)
"""`allocated` summed over resources; what every question of cost reads. `month` is the calendar month of `day`."""

RECONCILIATION_MART = LakeTable(
    "reconciliation",
    {"day": "date", "source": "string", "billing_month": "string", "currency": "string"}
    | {f"{basis}_charged": MONEY for basis in COSTS}
    | {f"{basis}_allocated": MONEY for basis in COSTS}
    | dict.fromkeys(RECONCILED, MONEY)
    | {"month": "string"},
    ("month",),
)
"""One row per source, billing month, currency and day: what was charged, what was allocated, and effective cost by
kind; what these kinds leave of it is `shared_idle`."""

COVERAGE_MART = LakeTable(
    "coverage",
    {"day": "date", "cluster": "string", "observed_samples": "int64", "expected_samples": "int64", "month": "string"},
    ("month",),
)
"""One row per day and cluster: how much of the day the monitoring saw."""

MEASURED = "decimal(38, 6)"
"""Usage added up: as exact as its hours, with room for any number of them."""

WORKLOAD_DAYS = LakeTable(
    "workload_days",
    {"cluster": "string", "namespace": "string", "workload": "string", "workload_kind": "string"}
    | {"node": "string", "resource_id": "string"}
    | {
        f"{resource}_{what}": MEASURED
        for resource, of in (("cpu", "core_hours"), ("memory", "gib_hours"), ("gpu", "hours"))
        for what in (f"claimed_{of}", f"request_{of}", f"used_{of}")
    }
    | {"day": "date"},
    ("day",),
)
"""`workload_hours` by the day, its pods together: one row per day, cluster, namespace, workload, kind, node and
`resource_id`. Claimed is the larger of request and use, hour by hour and pod by pod."""

NODE_DAYS = LakeTable(
    "node_days",
    {"cluster": "string", "node": "string", "node_pool": "string", "provider_id": "string", "instance_type": "string"}
    | dict.fromkeys(("cpu_capacity_core_hours", "memory_capacity_gib_hours", "gpu_capacity_hours"), MEASURED)
    | {"day": "date"},
    ("day",),
)
"""`node_hours` by the day: one row per day, cluster, node, pool, provider id and instance type."""

VOLUME_DAYS = LakeTable(
    "volume_days",
    {"cluster": "string", "volume": "string", "namespace": "string", "claim": "string", "workload": "string"}
    | {"capacity_gib_hours": MEASURED, "used_gib_hours": MEASURED, "day": "date"},
    ("day",),
)
"""`volume_hours` by the day: one row per day, cluster, volume, claim and the workload that mounts it."""

USAGE_DAYS = (WORKLOAD_DAYS, NODE_DAYS, VOLUME_DAYS)

DRIVERS = LakeTable(
    "drivers",
    {"subject": "string", "quantity": MONEY, "version": "int64", "line": "int64"}
    | {"driver": "string", "scope": "string", "day": "date"},
    ("driver", "scope", "day"),
)
"""One row per driver, scope, day and subject: so many units (requests, students in class, orders) on that day. `scope`
is `team`, `service` or `namespace`, `subject` one of them; `version` and `line` say which upload told it, and where."""

ESTIMATES = LakeTable(
    "estimates",
    {"day": "date"} | DIMENSIONS | KEPT_TAGS | COSTS | {"priced_by": "string", "priced_on": "date"},
    ("source", "day"),
    **_GROWN,
)
"""What a day that waits for its bill is expected to cost, one row per team and place as in `costs`. `priced_by` says
where the unit price is from, `priced_on` of which day. When the bill has come it stays as it was, to be compared."""

LAKE = (
    CHARGES,
    *USAGE.values(),
    ALLOCATED,
    PASSED_ON,
    COST_MART,
    RECONCILIATION_MART,
    COVERAGE_MART,
    *USAGE_DAYS,
    DRIVERS,
    ESTIMATES,
)
"""Every table of the lake."""
