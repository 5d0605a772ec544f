"""What the lake holds for one question: allocated rows of one publication, with the names and use OpenCost tells.

Money comes from `allocated` alone, which the cost mart is the sum of. Measured use only describes it, and divides a
row's compute cost into CPU, memory and GPU, exactly.
"""

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import billed_resource, kubernetes_resource
from apps.finops.tables import (
    ALLOCATED,
    ANNOTATION,
    CHARGES,
    LABEL_HOURS,
    MEASURED,
    MONEY,
    NODE_DAYS,
    VOLUME_DAYS,
    WORKLOAD_DAYS,
    LakeTable,
)
from apps.finops.windows import Window
from apps.marts.models import Publication
from apps.marts.query import Scope
from apps.marts.usage_days import usage_by_day
from apps.teams.models import RuleSet
from apps.teams.ownership import PriceRatio, RuleBook
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, empty, json_keys, rows_of
from apps.warehouse.exact import amount_of, units_of, with_shares

WORKLOAD = ["day", "cluster", "namespace", "workload"]
PLACE = [*WORKLOAD, "resource"]
RESOURCES = {
    "cpu": ("cpu_core", "cpu", "core_hours"),
    "ram": ("memory_gib", "memory", "gib_hours"),
    "gpu": ("gpu", "gpu", "hours"),
}
"""Resource → its name in the price ratio, and its name and unit in columns of usage: `memory_request_gib_hours`."""

USE = tuple(f"{resource}_{what}" for resource in RESOURCES for what in ("claimed", "requested", "used"))
"""Hours of cores, GiB and GPUs: what was claimed (the larger of request and use, hour by hour), requested and used."""

_HOURS = MEASURED
_UNITS_PER_HOUR = 1_000_000
_MOST_WEIGHT = 3 * 10**17
"""Three weights together stay below what `with_shares` divides by."""


@dataclass(frozen=True)
class Books:
    """One publication as one viewer reads it: a window, a currency, a cost basis, and the teams they may see."""

    pinned: Publication
    window: Window
    scope: Scope
    metric: str
    currency: str = ""

    def table(self, table: LakeTable) -> ir.Table:
        """The days of the window of a table partitioned by day, as the publication pinned them."""
        version = self.pinned.versions.get(table.name)
        if version is None:
            return empty(table.schema)
        return lake.between(table, "day", self.window.start, self.window.end, at=version)

    def by_day(self, table: LakeTable) -> ir.Table:
        """The days of the window of a table of usage by the day."""
        return usage_by_day(table, self.pinned.versions, self.window.start, self.window.end)

    def visible(self, rows: ir.Table) -> ir.Table:
        """The rows of the teams the viewer may see."""
        return rows if self.scope.teams is None else rows.filter(rows.team.isin(sorted(self.scope.teams)))

    def allocated(self) -> ir.Table:
        """The allocated rows of this currency, of every team."""
        rows = self.table(ALLOCATED)
        return rows.filter(rows.currency == self.currency)

    def currencies(self) -> list[str]:
        """The currencies in which the viewer's teams have cost in the window."""
        rows = self.visible(self.table(ALLOCATED))
        return [currency for (currency,) in rows_of(rows.select("currency").distinct().order_by("currency"))]

    def price_ratio(self) -> PriceRatio:
        """The price ratio by which the publication's nodes were divided."""
        found = RuleSet.objects.filter(number=self.pinned.ruleset).first()
        return (RuleBook.from_document(found.document) if found else RuleBook()).price_ratio


def cells(books: Books, workspace: Workspace) -> ir.Table:
    """One row per day, workload, team, kind, pool and billed resource that the viewer may see.

    Its `cost` is divided into the columns of `components`. `node`, `controller_kind` and the hours of `USE` and
    `pv_claimed` tell what was measured; what several teams carry of one workload is told in proportion to their cost.
    """
    rows = books.allocated()
    key = [*PLACE, "team", "kind", "pool", "node_pool"]
    summed = rows.group_by(key).aggregate(cost=rows[books.metric].sum().cast(MONEY))
    use = workspace.keep(measured(books))
    told = books.visible(_with_fraction(summed)).left_join(use, PLACE).drop(*(f"{name}_right" for name in PLACE))
    told = told.left_join(_kinds(use), WORKLOAD).drop(*(f"{name}_right" for name in WORKLOAD))
    told = told.left_join(capacities(books, use), ["day", "resource"]).drop("day_right", "resource_right")
    is_idle = told.kind == "idle"
    node = is_idle.ifelse(told.idle_node, told.node).fill_null("")
    is_measured = told.pool.isin(["node", "serverless", "volume"]) & ~is_idle
    fraction = is_measured.ifelse(told.fraction, 0.0)
    known = told.mutate(
        node=node,
        controller_kind=told.controller_kind.fill_null(""),
        workload=told.is_unmounted.fill_null(False).ifelse("", told.workload),
        is_unmounted=told.is_unmounted.fill_null(False),
        **{name: _part_of(told[name].fill_null(0), fraction) for name in (*USE, "pv_claimed")},
        **_weights(told, is_idle, books.price_ratio()),
    )
    needless = ("fraction", "idle_node", "least", "most", *(f"{name}_unclaimed" for name in RESOURCES))
    return workspace.keep(components(known.drop(*needless)))


def _part_of(hours: ir.DecimalValue, fraction: ir.FloatingValue) -> ir.DecimalValue:
    """A part of some hours. Most are told whole, and 38 digits turn slowly into a float and back."""
    return (fraction == 1.0).ifelse(hours, (hours * fraction).cast(_HOURS)).cast(_HOURS)


def _with_fraction(summed: ir.Table) -> ir.Table:
    """Add `fraction`: the part of a workload's cost on a resource that a team carries, 1 where it is the only one."""
    place = ibis.window(group_by=[*PLACE, "pool"])
    whole, teams = summed.cost.sum().over(place), summed.cost.count().over(place)
    ratio = summed.cost.cast("float64") / whole.nullif(0).cast("float64")
    told = ratio.between(0, 1).ifelse(ratio, 1.0 / teams)  # credits may leave a sum that says nothing: even parts then
    return summed.mutate(fraction=(teams == 1).ifelse(1.0, told.fill_null(1.0 / teams)))


def _weights(told: ir.Table, is_idle: ir.BooleanValue, ratio: PriceRatio) -> dict[str, ir.Value]:
    """By what a row's compute cost is divided: price units claimed, or of a node's idle cost those nobody claimed."""
    return {
        f"{resource}_weight": ibis.least(
            is_idle.ifelse(told[f"{resource}_unclaimed"], told[f"{resource}_claimed"]).fill_null(0)
            * (getattr(ratio, name) * _UNITS_PER_HOUR),
            _MOST_WEIGHT,
        ).cast("int64")
        for resource, (name, *_) in RESOURCES.items()
    }


def components(rows: ir.Table) -> ir.Table:
    """Divide `cost` into a column for each of COMPONENTS (cpu_cost, ram_cost, ...), which add up to it.

    The cost of each kind of POOL_COMPONENTS is one component. Compute cost is
    divided by the weights; where nothing was measured all of it is CPU.
    """
    measured_units = rows.cpu_weight + rows.ram_weight + rows.gpu_weight
    weighed = rows.mutate(
        units=units_of(rows.cost),
        whole=(measured_units > 0).ifelse(measured_units, 1),
        to_cpu=(measured_units > 0).ifelse(rows.cpu_weight, 1),
        to_ram=(measured_units > 0).ifelse(rows.cpu_weight + rows.ram_weight, 1),
    )
    shared = with_shares(weighed, {"cpu_end": ("units", "to_cpu"), "ram_end": ("units", "to_ram")}, whole="whole")
    cpu, gpu = amount_of(shared.cpu_end), amount_of((shared.units - shared.ram_end).cast("decimal(38, 0)"))
    is_compute = shared.pool.isin(["node", "serverless"])
    ram = amount_of((shared.ram_end - shared.cpu_end).cast("decimal(38, 0)"))
    zero = ibis.literal(0).cast(MONEY)
    return shared.mutate(
        **{
            f"{name}_cost": is_compute.ifelse(part, zero).cast(MONEY)
            for name, part in {"cpu": cpu, "ram": ram, "gpu": gpu}.items()
        },
        **{
            f"{name}_cost": (shared.pool == pool).ifelse(shared.cost, zero).cast(MONEY)
            for name, pool in POOL_COMPONENTS.items()
        },
    ).drop("units", "whole", "to_cpu", "to_ram", "cpu_end", "ram_end", *(f"{name}_weight" for name in RESOURCES))


POOL_COMPONENTS = {
    "pv": "volume",
    "lb": "load_balancer",
    "network": "network",
    "shared": "shared",
    "external": "charge",
}
"""Component of cost that is a kind of pool → that kind."""
COMPONENTS = ("cpu", "ram", "gpu", *POOL_COMPONENTS)


# --- What the bill says -------------------------------------------------------------------------------------------
BILL = ["source", "account", "sub_account", "service"]


def described(books: Books, rows: ir.Table, workspace: Workspace) -> ir.Table:
    """Add `provider` and `category` (FOCUS ServiceCategory): what the bills of the window agree on, else empty."""
    version = books.pinned.versions.get(CHARGES.name)
    charges = empty(CHARGES.schema) if version is None else lake.scan(CHARGES, at=version)
    charges = charges.filter(charges.x_ChargeDay >= books.window.start, charges.x_ChargeDay < books.window.end)
    told = charges.select(
        source=charges.x_SourceName,
        account=charges.BillingAccountId.fill_null(""),
        sub_account=charges.SubAccountId.fill_null(""),
        service=charges.ServiceName.fill_null(""),
        provider=charges.ProviderName.nullif(""),
        category=charges.ServiceCategory.nullif(""),
    )
    edges = {name: (told[name].min(), told[name].max()) for name in ("provider", "category")}
    agreed = told.group_by(BILL).aggregate(
        **{name: (least == most).ifelse(least, "").fill_null("") for name, (least, most) in edges.items()}
    )
    joined = rows.left_join(workspace.keep(agreed), BILL).drop(*(f"{name}_right" for name in BILL))
    return joined.mutate(provider=joined.provider.fill_null(""), category=joined.category.fill_null(""))


# --- Labels -------------------------------------------------------------------------------------------------------
def labelled(books: Books, rows: ir.Table, workspace: Workspace) -> ir.Table:
    """Add `labels` and `namespace_labels`, JSON text: the last of the day, as attribution reads them."""
    hours = books.table(LABEL_HOURS)
    last = hours.group_by(WORKLOAD).aggregate(labels=hours.labels.last(order_by=[hours.hour, hours.labels]))
    last = workspace.keep(last)
    spaces = last.filter(last.workload == "").drop("workload").rename(namespace_labels="labels")
    own = last.filter(last.workload != "")
    joined = rows.left_join(own, WORKLOAD).drop(*(f"{name}_right" for name in WORKLOAD))
    space = ["day", "cluster", "namespace"]
    return joined.left_join(spaces, space).drop(*(f"{name}_right" for name in space))


def label_names(books: Books) -> list[str]:
    """Every name a label has in the window."""
    names = books.table(LABEL_HOURS).select("labels").distinct()
    found = names.select(name=json_keys(names.labels.nullif("")).unnest()).distinct()
    return sorted(name for (name,) in rows_of(found) if name is not None and not name.startswith(ANNOTATION))


def hours_of(resource: str, what: str) -> str:
    """The column of usage that tells what was `claimed`, `request`ed, `used`, or is `capacity`, of a resource."""
    _, name, unit = RESOURCES[resource]
    return f"{name}_{what}_{unit}"


# --- What was measured --------------------------------------------------------------------------------------------
def measured(books: Books) -> ir.Table:
    """One row per workload, billed resource and day: `node`, the least and the largest `workload_kind`, and hours.

    The resource behind each node is looked up among the few nodes there are. A node that was replaced under its name
    within a day is told as one of the two.
    """
    days, nodes = books.by_day(WORKLOAD_DAYS), books.by_day(NODE_DAYS)
    on = ["day", "cluster", "node"]
    behind = nodes.group_by(on).aggregate(behind=kubernetes_resource(nodes.provider_id.max()))
    joined = days.left_join(behind, on).drop(*(f"{name}_right" for name in on))
    is_pod = joined.resource_id != ""
    placed = joined.mutate(
        resource=is_pod.ifelse(billed_resource(joined.resource_id), joined.behind.fill_null("")),
        least=joined.workload_kind,
        most=joined.workload_kind,
        **{
            f"{resource}_{ours}": joined[hours_of(resource, what)]
            for resource in RESOURCES
            for ours, what in (("claimed", "claimed"), ("requested", "request"), ("used", "used"))
        },
        pv_claimed=ibis.literal(0).cast(_HOURS),
        is_unmounted=ibis.literal(False),
    )
    told = [*PLACE, "node", "least", "most", *USE, "pv_claimed", "is_unmounted"]
    every = placed.select(told).union(_claims(books).select(told))
    return every.group_by(PLACE).aggregate(  # one row each, or what is joined with it would be counted twice
        node=every.node.max(),
        least=every.least.min(where=every.least != ""),
        most=every.most.max(),
        is_unmounted=every.is_unmounted.all(),
        **{name: every[name].sum().cast(_HOURS) for name in (*USE, "pv_claimed")},
    )


def _claims(books: Books) -> ir.Table:
    """The GiB-hours of the claims of volumes, in the columns of `measured`."""
    volumes = books.by_day(VOLUME_DAYS)
    is_unmounted = volumes.workload == ""  # attribution names such a claim where others name the workload
    claimed = volumes.mutate(
        resource=kubernetes_resource(volumes.volume),
        workload=is_unmounted.ifelse(volumes.claim, volumes.workload),
        is_unmounted=is_unmounted,
    )
    claims = claimed.group_by(PLACE).aggregate(
        pv_claimed=claimed.capacity_gib_hours.sum().cast(_HOURS), is_unmounted=claimed.is_unmounted.all()
    )
    nothing = dict.fromkeys(USE, ibis.literal(0).cast(_HOURS))
    return claims.mutate(**nothing, **dict.fromkeys(("node", "least", "most"), ibis.literal("")))


def _kinds(use: ir.Table) -> ir.Table:
    """The kind of each workload's controller, in lower case; empty where a day knows two of one name."""
    rows = use.filter(use.most != "")
    found = rows.group_by(WORKLOAD).aggregate(least=rows.least.min(), most=rows.most.max())
    kind = (found.least == found.most).ifelse(found.most.lower(), "")
    return found.select(*WORKLOAD, controller_kind=kind)


def capacities(books: Books, use: ir.Table) -> ir.Table:
    """One row per day and node's resource: its `idle_node`, and what nobody claimed of it."""
    days = books.by_day(NODE_DAYS)
    kept = days.group_by("day", "provider_id").aggregate(
        idle_node=days.node.max(),
        **{f"{name}_capacity": days[hours_of(name, "capacity")].sum().cast(_HOURS) for name in RESOURCES},
    )
    named = kept.mutate(resource=kubernetes_resource(kept.provider_id))
    nodes = named.group_by("day", "resource").aggregate(
        idle_node=named.idle_node.max(),
        **{f"{name}_capacity": named[f"{name}_capacity"].sum().cast(_HOURS) for name in RESOURCES},
    )
    claimed = use.group_by("day", "resource").aggregate(
        **{f"{name}_all": use[f"{name}_claimed"].sum().cast(_HOURS) for name in RESOURCES}
    )
    both = nodes.left_join(claimed, ["day", "resource"]).drop("day_right", "resource_right")
    left = {
        f"{name}_unclaimed": ibis.greatest(both[f"{name}_capacity"] - both[f"{name}_all"].fill_null(0), 0).cast(_HOURS)
        for name in RESOURCES
    }
    return both.filter(both.resource != "").select("day", "resource", "idle_node", **left)
