"""The tables of the lake: their columns, types, grain and partitions."""

from dataclasses import dataclass

import ibis
import ibis.expr.schema as sch

from apps.finops import focus

MONEY = "decimal(38, 12)"
QUANTITY = "decimal(18, 6)"
HOUR = "timestamp('UTC', 6)"


@dataclass(frozen=True)
class LakeTable:
    """A table of the lake: `partition_by` names the columns whose values are one replaceable window; `has_grown` says
    that older files lack some of the columns."""

    name: str
    columns: dict[str, str]
    partition_by: tuple[str, ...]
    has_grown: bool = False

    @property
    def schema(self) -> sch.Schema:
        return ibis.schema(self.columns)


@dataclass(frozen=True)
class UsageTable(LakeTable):
    """A table of hourly usage; `columns` are those of a usage file, after the columns the lake adds."""

    @property
    def file_columns(self) -> dict[str, str]:
        return {name: kind for name, kind in self.columns.items() if name not in USAGE_PARTITIONS}


USAGE_PARTITIONS = {"source": "string", "day": "date", "file_id": "string"}


def _usage(name: str, columns: dict[str, str]) -> UsageTable:
    return UsageTable(name, columns | USAGE_PARTITIONS, tuple(USAGE_PARTITIONS))


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
"""One row per hour, cluster, volume and claim."""

COVERAGE_HOURS = _usage(
    "coverage_hours",
    {"hour": HOUR, "cluster": "string", "observed_samples": "int64", "expected_samples": "int64"},
)
"""One row per hour and cluster: how much of the hour the monitoring saw."""

LABEL_HOURS = _usage(
    "label_hours",
    {"hour": HOUR, "cluster": "string", "namespace": "string", "workload": "string", "labels": "string"},
)
"""One row per hour, cluster, namespace and workload; an empty workload means the namespace's own labels."""

USAGE = {table.name: table for table in (WORKLOAD_HOURS, NODE_HOURS, VOLUME_HOURS, COVERAGE_HOURS, LABEL_HOURS)}

COSTS = {"billed_cost": MONEY, "effective_cost": MONEY, "list_cost": MONEY, "contracted_cost": MONEY}
"""The four cost bases, side by side in every table after the bill."""

DIMENSIONS = {
    "source": "string",
    "billing_month": "string",
    "currency": "string",
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
"""What cost can be grouped and filtered by, besides time. Empty text means: does not apply."""

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
"""Those of them that the bill itself tells → their column of `charges`."""

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
    | COSTS
    | {"day": "date"},
    ("day",),
)
"""One row per day, charge pool and claimant: a pool's rows add up to exactly the pool. `pool` is `node`, `serverless`,
`volume`, `charge` or `shared`; `resource` the billed resource; `rule` and `ruleset` the rule or policy that decided the
team."""

PASSED_ON = LakeTable("passed_on", dict(ALLOCATED.columns), ("day",))
"""What policies took of charge pools and passed on: one row per day, pool and claimant as the rules had it. With
`allocated` less its rows of pool `shared` it adds up to the pools; by day, bill, cluster, node pool and namespace it
adds up to these rows."""

COST_MART = LakeTable("costs", {"day": "date"} | DIMENSIONS | COSTS | {"month": "string"}, ("month",))
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

DRIVERS = LakeTable(
    "drivers",
    {"subject": "string", "quantity": MONEY, "version": "int64", "line": "int64"}
    | {"driver": "string", "scope": "string", "day": "date"},
    ("driver", "scope", "day"),
)
"""One row per driver, scope, day and subject: so many units (requests, students in class, orders) on that day. `scope`
is `team`, `service` or `namespace`, `subject` one of them; `version` and `line` say which upload told it, and where."""

LAKE = (CHARGES, *USAGE.values(), ALLOCATED, PASSED_ON, COST_MART, RECONCILIATION_MART, COVERAGE_MART, DRIVERS)
"""Every table of the lake."""
