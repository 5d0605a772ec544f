"""What the lake holds for one question: allocated rows of one publication, with the names and use OpenCost tells.

Money comes from `allocated` alone, which the cost mart is the sum of. Measured use only describes it, and divides a
row's compute cost into CPU, memory and GPU, exactly.
"""

import ibis
import ibis.expr.types as ir

from apps.api.compat.books import Books
from apps.api.compat.usage import PLACE, RESOURCES, USE, WORKLOAD, capacities, kinds, measured
from apps.finops.tables import ANNOTATION, CHARGES, LABEL_HOURS, MEASURED, MONEY
from apps.teams.ownership import PriceRatio
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, empty, json_keys, rows_of
from apps.warehouse.exact import amount_of, units_of, with_shares

_UNITS_PER_HOUR = 1_000_000
_MOST_WEIGHT = 3 * 10**17
"""Three weights together stay below what `with_shares` divides by."""


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
    told = told.left_join(kinds(use), WORKLOAD).drop(*(f"{name}_right" for name in WORKLOAD))
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
    return (fraction == 1.0).ifelse(hours, (hours * fraction).cast(MEASURED)).cast(MEASURED)


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
