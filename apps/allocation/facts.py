"""What allocation reads from the lake for one window: charges grouped into pools, and measured usage."""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
from django.conf import settings

from apps.allocation import disks
from apps.allocation.clusters import with_cluster_rule
from apps.allocation.matching import billed_resource, kubernetes_resource, load_balancer_resource, told_by_bill
from apps.allocation.nodes import days_of
from apps.allocation.particulars import Particulars, particulars
from apps.allocation.tagging import kept
from apps.finops.tables import (
    CHARGES,
    COSTS,
    DISK_HOURS,
    KEPT_TAGS,
    LABEL_HOURS,
    MONEY,
    NETWORK_HOURS,
    NODE_HOURS,
    OVERHEAD_HOURS,
    SERVICE_HOURS,
    VOLUME_HOURS,
    WORKLOAD_HOURS,
    LakeTable,
)
from apps.finops.windows import Window
from apps.teams.ownership import RuleBook
from apps.warehouse import lake
from apps.warehouse.engine import Workspace

_CHARGE_COLUMNS = {
    "day": "x_ChargeDay",
    "start": "ChargePeriodStart",
    "end": "ChargePeriodEnd",
    "tags": "Tags",
    "billed_cost": "BilledCost",
    "effective_cost": "EffectiveCost",
    "list_cost": "ListCost",
    "contracted_cost": "ContractedCost",
}
POOL_KEY = [
    "day",
    "source",
    "billing_month",
    "currency",
    "provider",
    "account",
    "sub_account",
    "service",
    "region",
    "charge_category",
    "resource",
    "tags",
]
KNOWN_BY = ["pool", "resource_day", "cluster_rule"]
POOLS = ("node", "serverless", "volume", "load_balancer", "cluster")
"""The kinds of pool of resources a cluster knows, in the order in which they are looked for."""
OUTPUT = [
    "pool_id",
    "day",
    "pool",
    "resource",
    "rule",
    "source",
    "billing_month",
    "currency",
    "provider",
    "account",
    "sub_account",
    "service",
    "region",
    "charge_category",
    "cluster",
    "node_pool",
    "namespace",
    "workload",
    "team",
    "kind",
    *KEPT_TAGS,
    *COSTS,
    "is_shared",
]
"""The columns of an allocated row on its way through allocation, in order."""


@dataclass(frozen=True)
class Facts:
    """The inputs of one window.

    `billed` has what the bill tells of each charge (`told_by_bill`), the columns of `_CHARGE_COLUMNS`, `resource`
    (parsed) and those of `particulars`, which tell pools apart where a policy asks for them. `charges` has three more:
    `pool`, which of the kinds of POOLS the charge belongs to, `resource_day`, the number of (day, resource) a cluster
    knows, and `cluster_rule`, the number of the rule that gives it to a cluster (-1: none does). `node_days` has one
    row per node and day (`nodes.days_of`), with `resource_day`; `volume_hours` and `service_hours` have `resource`.
    """

    billed: ir.Table
    charges: ir.Table
    workload_hours: ir.Table
    node_hours: ir.Table
    node_days: ir.Table
    volume_hours: ir.Table
    overhead_hours: ir.Table
    service_hours: ir.Table
    network_hours: ir.Table
    namespace_labels: ir.Table
    workload_labels: ir.Table
    particulars: tuple[str, ...] = ()

    def pools(self) -> ir.Table:
        """One row per pool: `pool_id`, the columns of POOL_KEY, of KNOWN_BY and `particulars`, `kept_tags`, and the
        four costs."""
        rows = self.charges
        sums = {basis: rows[basis].sum().cast(MONEY) for basis in COSTS}
        summed = rows.group_by(*POOL_KEY, *self.particulars, *KNOWN_BY).aggregate(**sums)
        return summed.mutate(pool_id=ibis.row_number(), kept_tags=kept(summed.tags, settings.COSTOPS_TAG_KEYS))

    def node_charges(self) -> ir.Table:
        rows = self.charges.filter(self.charges.pool == "node")
        bill = ("source", "billing_month", "currency")
        return rows.select("resource_day", *bill, "start", "end", cost=rows.effective_cost)

    def labelled(self, workloads: ir.Table) -> ir.Table:
        """Add `labels` and `namespace_labels` (JSON text) to rows of (day, cluster, namespace, workload)."""
        mine, space = ["day", "cluster", "namespace", "workload"], ["day", "cluster", "namespace"]
        joined = workloads.left_join(self.workload_labels, mine).drop(*(f"{name}_right" for name in mine))
        return joined.left_join(self.namespace_labels, space).drop(*(f"{name}_right" for name in space))


def read(window: Window, book: RuleBook, workspace: Workspace, *, billed: ir.Table | None = None) -> Facts:
    """Read one window; `billed`, where given, stands for the charges of the lake. Charges and usage are read as
    they lie, each time only the columns asked for: to keep them as they are would take longer than to read again."""
    node_hours = _usage(NODE_HOURS, window)
    node_days = workspace.keep(days_of(node_hours, book))
    volumes = _usage(VOLUME_HOURS, window)
    volume_hours = workspace.keep(volumes.mutate(resource=kubernetes_resource(volumes.volume)))
    services = _usage(SERVICE_HOURS, window)
    service_hours = workspace.keep(services.mutate(resource=load_balancer_resource(services.load_balancer)))
    workload_hours = _usage(WORKLOAD_HOURS, window)
    known = workspace.keep(_known(node_days, workload_hours, volume_hours, service_hours))
    known = workspace.keep(known.union(disks.of_nodes(node_days, _usage(DISK_HOURS, window), known)))
    asked = particulars(book)
    billed = _billed(window, asked) if billed is None else billed.mutate(**dict.fromkeys(asked, ibis.literal("")))
    labels = _usage(LABEL_HOURS, window)
    namespace_labels, workload_labels = _labels(labels)
    return Facts(
        billed=billed,
        charges=with_cluster_rule(_in_pools(billed, known), book, workspace),
        workload_hours=workload_hours,
        node_hours=node_hours,
        node_days=node_days.left_join(known, ["day", "resource"]).drop("day_right", "resource_right", "rank"),
        volume_hours=volume_hours,
        overhead_hours=_usage(OVERHEAD_HOURS, window),
        service_hours=service_hours,
        network_hours=_usage(NETWORK_HOURS, window),
        namespace_labels=workspace.keep(namespace_labels),
        workload_labels=workspace.keep(workload_labels),
        particulars=tuple(asked),
    )


def _known(node_days: ir.Table, workload_hours: ir.Table, volume_hours: ir.Table, service_hours: ir.Table) -> ir.Table:
    """Every (day, resource) that a cluster knows: its number, `resource_day`, and its `rank` among POOLS. A node-day
    without any capacity that the policy weighs is as good as never measured; a cluster goes by its own name."""
    found = ibis.union(
        _ranked(node_days.filter(node_days.most_units > 0).select("day", "resource"), "node"),
        _ranked(
            workload_hours.filter(workload_hours.resource_id != "").select(
                "day", resource=billed_resource(workload_hours.resource_id)
            ),
            "serverless",
        ),
        _ranked(volume_hours.select("day", "resource"), "volume"),
        _ranked(service_hours.select("day", "resource"), "load_balancer"),
        _ranked(node_days.select("day", resource=node_days.cluster).distinct(), "cluster"),
    )
    known = found.filter(found.resource != "").group_by("day", "resource").aggregate(rank=found["rank"].min())
    return known.mutate(resource_day=ibis.row_number().cast("int32"))


def _ranked(rows: ir.Table, pool: str) -> ir.Table:
    return rows.mutate(rank=ibis.literal(POOLS.index(pool)))


def _usage(table: LakeTable, window: Window) -> ir.Table:
    return lake.between(table, "day", window.start, window.end)


def _billed(window: Window, asked: Particulars) -> ir.Table:
    bill = lake.scan(CHARGES)
    bill = bill.filter(bill.x_ChargeDay >= window.start, bill.x_ChargeDay < window.end)
    values = told_by_bill(bill) | {
        name: bill[column].fill_null("")
        if CHARGES.columns[column] == "string"
        else bill[column].fill_null(0)
        if name in COSTS
        else bill[column]
        for name, column in _CHARGE_COLUMNS.items()
    }
    told = {name: of_charge(bill) for name, of_charge in asked.items()}
    return bill.select(**values, **told, resource=billed_resource(bill.ResourceId.fill_null("")))


def _in_pools(billed: ir.Table, known: ir.Table) -> ir.Table:
    ranked = billed.left_join(known, ["day", "resource"]).drop("day_right", "resource_right")
    pool = ranked["rank"].cases(*enumerate(POOLS), else_="charge")
    return ranked.mutate(pool=pool).drop("rank")


def _labels(labels: ir.Table) -> tuple[ir.Table, ir.Table]:
    """The day's last labels of each namespace, and of each workload; of two at once, the later in the alphabet."""
    own = labels.filter(labels.workload != "")
    space = labels.filter(labels.workload == "")
    return (
        space.group_by("day", "cluster", "namespace").aggregate(
            namespace_labels=space.labels.last(order_by=[space.hour, space.labels])
        ),
        own.group_by("day", "cluster", "namespace", "workload").aggregate(
            labels=own.labels.last(order_by=[own.hour, own.labels])
        ),
    )
