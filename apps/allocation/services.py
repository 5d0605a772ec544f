"""Allocation: every charge of a window becomes part of a pool, and every pool is divided completely."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.allocation import facts, nodes, ownership, problems
from apps.allocation.division import WEIGHT, divide
from apps.allocation.matching import billed_resource
from apps.allocation.sharing import share_platform
from apps.finops.errors import CostOpsError
from apps.finops.steps import StepResult
from apps.finops.tables import ALLOCATED, COSTS, MONEY, PASSED_ON, LakeTable
from apps.finops.windows import Window
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import CHARGE_FIELDS, IDLE_FIELDS, WORKLOAD_FIELDS, RuleBook
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, count_of, empty, rows_of

METHOD_VERSION = "2"
"""Raise it when the arithmetic changes: every day becomes due again."""


class NotConserved(CostOpsError):
    """The parts of the pools do not add up to the charges. Nothing was published."""


def allocate(window: Window) -> StepResult:
    """Attribute the charges of a window to teams and replace the window's days in `allocated`, in one commit."""
    number, book = rule_book()
    with Workspace() as workspace:
        inputs = facts.read(window, book, workspace)
        claimed, rest, excess = attribute(inputs, book, workspace)
        rows = workspace.keep(_stamped(share_platform(claimed, workspace).union(rest), number))
        charged, allocated = _totals(inputs.charges), _totals(rows)
        if charged != allocated:
            raise NotConserved(
                f"{window}: charged {charged}, allocated {allocated}. Please report this with the rules file."
            )
        passed_on = _stamped(claimed.filter(claimed.is_shared).drop("is_shared"), number)
        outputs = ((PASSED_ON, passed_on), (ALLOCATED, rows))
        versions = {table.name: _replace(table, kept, window) for table, kept in outputs}
        count = count_of(rows)
        found = problems.find(inputs, excess)
    by_currency = {currency: costs[1] for currency, costs in allocated.items()}
    return StepResult(
        rows=count,
        cost_in={currency: costs[1] for currency, costs in charged.items()},
        cost_out=by_currency,
        problems=found,
        versions=versions,
    )


def _stamped(rows: ir.Table, ruleset: int) -> ir.Table:
    return rows.mutate(ruleset=ibis.literal(ruleset).cast("int64"))


def _replace(table: LakeTable, rows: ir.Table, window: Window) -> int:
    replaced = [file for file in lake.files(table) if str(window.start) <= file.partition["day"] < str(window.end)]
    return lake.replace(table, rows, replaced, note={"step": "allocate", "window": str(window)})


def _totals(rows: ir.Table) -> dict[str, tuple[Decimal, ...]]:
    """The four costs by currency."""
    summed = rows.group_by("currency").aggregate(**{basis: rows[basis].sum().cast(MONEY) for basis in COSTS})
    return {row[0]: tuple(row[1:]) for row in rows_of(summed.order_by("currency"))}


def attribute(inputs: facts.Facts, book: RuleBook, workspace: Workspace) -> tuple[ir.Table, ir.Table, ir.Table]:
    """The rows of `allocated` (without `ruleset`) for these facts: what clusters claimed, with `is_shared` still to
    be shared, and everything else; and the node-hours claimed beyond their capacity (`nodes.Claims.excess`)."""
    pools = workspace.keep(inputs.pools())
    present = {kind for (kind,) in rows_of(pools.select("pool").distinct())}
    on_nodes, excess = _of_nodes(inputs, pools, book, workspace)
    others = {"serverless": _of_serverless, "volume": _of_volumes}
    parts = [part(inputs, pools, book, workspace) for kind, part in others.items() if kind in present]
    claimed = workspace.keep(ibis.union(on_nodes, *parts) if parts else on_nodes)
    unclaimed = claimed.drop("is_shared")
    rest = _of_charges(pools, book, workspace) if "charge" in present else empty(unclaimed.schema())
    return claimed, rest.select(unclaimed.columns), excess


def _of_nodes(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> tuple[ir.Table, ir.Table]:
    mine, charges = _by_bill(pools.filter(pools.pool == "node"), inputs.node_charges(), workspace)
    hours = nodes.price_hours(inputs.node_hours, charges, book, workspace)
    claims = nodes.claims(inputs.workload_hours, hours, book, workspace)
    weights = claims.weights
    busy = _owned_workloads(weights.filter(~weights.is_idle), inputs, book, workspace)
    idle = _owned_idle(weights.filter(weights.is_idle), mine, hours.days, book, workspace)
    return _placed(mine, busy, idle, workspace), claims.excess


def _by_bill(pools: ir.Table, charges: ir.Table, workspace: Workspace) -> tuple[ir.Table, ir.Table]:
    """Number the bills (source, billing month, currency) behind these pools and charges: the column `bill`."""
    key = ["source", "billing_month", "currency"]
    bills = workspace.keep(pools.select(key).distinct().mutate(bill=ibis.row_number().cast("int16")))
    return workspace.keep(pools.join(bills, key)), charges.join(bills, key)


def _placed(mine: ir.Table, busy: ir.Table, idle: ir.Table, workspace: Workspace) -> ir.Table:
    """Node pools divided between workloads and idle. Idle's owner depends on the pool's own charges, a workload's does
    not, so both stand in one list of claimants per pool."""
    keyed = mine.select("pool_id", *nodes.NODE_DAY)
    busy = keyed.join(busy, nodes.NODE_DAY)
    columns = [
        "pool_id",
        "cluster",
        "node_pool",
        "namespace",
        "workload",
        "team",
        "rule",
        "kind",
        "is_shared",
        "weight",
    ]
    claimants = busy.mutate(node_pool=ibis.literal("")).select(columns).union(idle.select(columns))
    return _divided(mine, claimants, workspace)


def _divided(pools: ir.Table, claimants: ir.Table, workspace: Workspace) -> ir.Table:
    order = ["cluster", "namespace", "workload", "team", "rule"]
    bare = pools.drop("cluster", "node_pool") if "cluster" in pools.columns else pools
    parts = divide(bare, claimants, key=["pool_id"], order=order, workspace=workspace)
    return parts.select(facts.OUTPUT)


def _owned_workloads(weights: ir.Table, inputs: facts.Facts, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Weights by team: those of a workload, split where its rule splits."""
    key = ["day", "cluster", "namespace", "workload"]
    subjects = ownership.with_shared(inputs.labelled(weights.select(key).distinct()), book, workspace)
    owned = ownership.owners(subjects, book, WORKLOAD_FIELDS, workspace).drop("labels", "namespace_labels")
    joined = weights.join(owned, key)
    kind = (joined.team == UNALLOCATED).ifelse(ibis.literal(UNALLOCATED), ibis.literal("direct"))
    return joined.mutate(weight=(joined.weight * joined.fraction).cast(WEIGHT), kind=kind).drop("fraction")


def _owned_idle(weights: ir.Table, mine: ir.Table, days: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    named = mine.join(days.drop("capacity", "node_day"), nodes.NODE_DAY)
    owned = ownership.owners(named, book, IDLE_FIELDS, workspace)
    joined = owned.join(weights.drop("cluster", "namespace", "workload"), nodes.NODE_DAY)
    return joined.mutate(
        weight=(joined.weight * joined.fraction).cast(WEIGHT),
        namespace=ibis.literal(""),
        workload=ibis.literal(""),
        kind=ibis.literal("idle"),
        is_shared=ibis.literal(False),
    )


def _of_serverless(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    rows = inputs.workload_hours.filter(inputs.workload_hours.resource_id != "")
    weights = (
        rows.mutate(claim=nodes.claimed_units(rows, book))
        .group_by("day", "cluster", "namespace", "workload", resource=billed_resource(rows.resource_id))
        .aggregate(weight=lambda t: t.claim.sum().cast(WEIGHT))
    )
    return _claimed(pools.filter(pools.pool == "serverless"), weights, inputs, book, workspace)


def _of_volumes(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    rows = inputs.volume_hours
    weights = rows.group_by(
        "day", "resource", "cluster", "namespace", workload=rows.workload.nullif("").coalesce(rows.claim)
    ).aggregate(weight=rows.capacity_gib_hours.sum().cast(WEIGHT))
    return _claimed(pools.filter(pools.pool == "volume"), weights, inputs, book, workspace)


def _claimed(mine: ir.Table, weights: ir.Table, inputs: facts.Facts, book: RuleBook, workspace: Workspace) -> ir.Table:
    owned = _owned_workloads(weights, inputs, book, workspace).mutate(node_pool=ibis.literal(""))
    claimants = mine.select("pool_id", "day", "resource").join(owned, ["day", "resource"]).drop("day", "resource")
    return _divided(mine, claimants, workspace)


def _of_charges(pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Everything else: by the rules on the charge itself."""
    mine = pools.filter(pools.pool == "charge")
    owned = ownership.owners(mine, book, CHARGE_FIELDS, workspace)
    empty = ibis.literal("")
    kind = (owned.team == UNALLOCATED).ifelse(ibis.literal(UNALLOCATED), ibis.literal("direct"))
    claimants = owned.select(
        "pool_id",
        "team",
        "rule",
        kind=kind,
        weight=owned.fraction.cast(WEIGHT),
        cluster=empty,
        node_pool=empty,
        namespace=empty,
        workload=empty,
    )
    parts = divide(mine.drop("tags"), claimants, key=["pool_id"], order=["team", "rule"], workspace=workspace)
    return parts.select([name for name in facts.OUTPUT if name != "is_shared"])
