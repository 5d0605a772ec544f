"""Allocation: every charge of a window becomes part of a pool, and every pool is divided completely."""

from collections.abc import Sequence
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.allocation import clusters, facts, nodes, overhead, ownership, problems
from apps.allocation.claimants import CLAIMANT, divided, number, weighed
from apps.allocation.division import WEIGHT
from apps.allocation.matching import billed_resource
from apps.allocation.policies import settle
from apps.finops.errors import CostOpsError
from apps.finops.steps import StepResult
from apps.finops.tables import ALLOCATED, COSTS, MONEY, PASSED_ON, LakeTable
from apps.finops.windows import Window
from apps.teams.lookalikes import alike_teams
from apps.teams.models import UNALLOCATED
from apps.teams.ownership import CHARGE_FIELDS, IDLE_FIELDS, WORKLOAD_FIELDS, RuleBook
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, empty, rows_of
from apps.warehouse.failpoints import failpoint

METHOD_VERSION = "5"
"""Raise it when the arithmetic changes: every day becomes due again."""

_SUBJECT = ["day", "cluster", "namespace", "workload"]
_WEIGHTS = ["pool_id", "claimant", "weight"]


class NotConserved(CostOpsError):
    """The parts of the pools do not add up to the charges. Nothing was published."""


def allocate(window: Window) -> StepResult:
    """Attribute the charges of a window to teams and replace the window's days in `allocated`, in one commit."""
    number, book = rule_book()
    failpoint("allocate.divide")
    with Workspace() as workspace:
        inputs = facts.read(window, book, workspace)
        pools = workspace.keep(inputs.pools())
        claimed, rest, excess = attribute(inputs, pools, book, workspace)
        settled = settle(claimed, rest, inputs, pools, book=book, window=window, workspace=workspace)
        written = lake.write(ALLOCATED, _stamped(settled.allocated, number))
        charged, allocated = _totals(inputs.billed), _totals(lake.scan(ALLOCATED, only=written))
        if charged != allocated:
            raise NotConserved(
                f"{window}: charged {charged}, allocated {allocated}. Please report this with the rules file."
            )
        outputs = ((PASSED_ON, lake.write(PASSED_ON, _stamped(settled.passed_on, number))), (ALLOCATED, written))
        versions = {table.name: _replace(table, files, window) for table, files in outputs}
        found = (*problems.find(inputs, pools, excess, book), *settled.problems, *alike_teams())
    by_currency = {currency: costs[1] for currency, costs in allocated.items()}
    return StepResult(
        rows=sum(file.rows for file in written),
        cost_in={currency: costs[1] for currency, costs in charged.items()},
        cost_out=by_currency,
        problems=found,
        versions=versions,
    )


def _stamped(rows: ir.Table, ruleset: int) -> ir.Table:
    return rows.mutate(ruleset=ibis.literal(ruleset).cast("int64"))


def _replace(table: LakeTable, written: list[lake.WrittenFile], window: Window) -> int:
    replaced = [file for file in lake.files(table) if str(window.start) <= file.partition["day"] < str(window.end)]
    return lake.commit(table, add=written, remove=replaced, note={"step": "allocate", "window": str(window)})


def _totals(rows: ir.Table) -> dict[str, tuple[Decimal, ...]]:
    """The four costs by currency."""
    summed = rows.group_by("currency").aggregate(**{basis: rows[basis].sum().cast(MONEY) for basis in COSTS})
    return {row[0]: tuple(row[1:]) for row in rows_of(summed.order_by("currency"))}


def attribute(
    inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace
) -> tuple[ir.Table, ir.Table, ir.Table]:
    """The rows of `allocated` for these facts before policies, with the `pool_id` they are of: what clusters claimed,
    with `is_shared` for policies to pass on, and everything else; and the node-hours claimed beyond their capacity
    (`nodes.Claims.excess`)."""
    present = {kind for (kind,) in rows_of(pools.select("pool").distinct())}
    parts: list[ir.Table] = []
    excess = empty(nodes.EXCESS)
    if "node" in present:
        on_nodes, excess = _of_nodes(inputs, pools, book, workspace)
        parts.append(on_nodes)
    others = {
        "serverless": _of_serverless,
        "volume": _of_volumes,
        "load_balancer": _of_load_balancers,
        "cluster": _of_clusters,
    }
    parts += [part(inputs, pools, book, workspace) for kind, part in others.items() if kind in present]
    has_charges = "charge" in present or not parts
    rest = _of_charges(pools, book, workspace) if has_charges else empty(parts[0].schema())
    claimed = ibis.union(*parts) if parts else empty(rest.schema())
    return claimed, rest.drop("is_shared"), excess


def _of_nodes(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> tuple[ir.Table, ir.Table]:
    mine, charges = _by_bill(pools.filter(pools.pool == "node"), inputs.node_charges(), workspace)
    hours = nodes.price_hours(inputs.node_hours, inputs.node_days, charges, book, workspace)
    claims = nodes.claims(inputs.workload_hours, hours, book, workspace)
    mine = workspace.keep(mine.join(hours.days.drop("capacity", "day"), nodes.NODE_DAY))
    unclaimed = overhead.apart(claims.idle, inputs.overhead_hours, hours.hours, book, workspace)
    idle = _owned_idle(unclaimed, mine, book, workspace)
    weights = _located(claims.weights, hours.days, book, workspace)
    owned = _owned(weights, inputs, book, workspace)
    claimants = number(owned.select(CLAIMANT).union(idle.select(CLAIMANT)), workspace)
    busy = weights.join(mine.select("pool_id", "node_day"), "node_day")
    weights = _weights(busy, owned, claimants).union(idle.join(claimants, CLAIMANT).select(_WEIGHTS))
    return divided(mine, weights, claimants, workspace).select(facts.OUTPUT), claims.excess


def _by_bill(pools: ir.Table, charges: ir.Table, workspace: Workspace) -> tuple[ir.Table, ir.Table]:
    """Number the bills (source, billing month, currency) behind these pools and charges: the column `bill`."""
    key = ["source", "billing_month", "currency"]
    bills = workspace.keep(pools.select(key).distinct().mutate(bill=ibis.row_number().cast("int16")))
    return pools.join(bills, key), charges.join(bills, key)


def _located(weights: ir.Table, days: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Add `ran_on`, the node pool of a claim, where rules ask for it: subjects are more then."""
    if not book.follows_pools:
        return weights
    return workspace.keep(weights.join(days.select("node_day", ran_on=days.node_pool.fill_null("")), "node_day"))


def _subject(rows: ir.Table) -> list[str]:
    """The columns that describe a workload to the rules."""
    return [*_SUBJECT, "ran_on"] if "ran_on" in rows.columns else _SUBJECT


def _owned(subjects: ir.Table, inputs: facts.Facts, book: RuleBook, workspace: Workspace) -> ir.Table:
    """One row per workload and owner: the columns of `_subject`, those of CLAIMANT, and `fraction`."""
    key = _subject(subjects)
    labelled = inputs.labelled(subjects.select(key).distinct())
    labelled = labelled.mutate(node_pool=labelled.ran_on if "ran_on" in key else ibis.literal(""))
    owned = ownership.owners(ownership.with_shared(labelled, book, workspace), book, WORKLOAD_FIELDS, workspace)
    described = owned.mutate(kind=_direct(owned.team), node_pool=ibis.literal(""))
    return workspace.keep(described.select(*dict.fromkeys((*key, *CLAIMANT)), "fraction"))


def _direct(team: ir.Value) -> ir.Value:
    return (team == UNALLOCATED).ifelse(ibis.literal(UNALLOCATED), ibis.literal("direct"))


def _weights(busy: ir.Table, owned: ir.Table, claimants: ir.Table) -> ir.Table:
    """What workloads weigh in pools (`pool_id`, the columns of `_subject`, `weight`), by numbers of their owners."""
    key = _subject(owned)
    numbered = owned.join(claimants, CLAIMANT).select(*key, "claimant", "fraction")
    joined = busy.join(numbered, key)
    return joined.mutate(weight=weighed(joined.weight, joined.fraction)).select(_WEIGHTS)


def _owned_idle(idle: ir.Table, mine: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """What nobody claimed of each node pool, by owner, overhead apart; it depends on the pool's own charges."""
    owned = ownership.owners(mine, book, IDLE_FIELDS, workspace)
    joined = owned.join(idle, "node_day")
    nothing = ibis.literal("")
    return workspace.keep(
        joined.mutate(
            weight=weighed(joined.weight, joined.fraction),
            namespace=nothing,
            kind=ibis.literal("idle"),
            is_shared=ibis.literal(False),
        ).select("pool_id", *CLAIMANT, "weight")
    )


def _of_serverless(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    rows = inputs.workload_hours.filter(inputs.workload_hours.resource_id != "")
    weights = (
        rows.mutate(claim=nodes.claimed_units(rows, book))
        .group_by(*_SUBJECT, resource=billed_resource(rows.resource_id))
        .aggregate(weight=lambda t: t.claim.sum().cast(WEIGHT))
    )
    return _claimed(pools.filter(pools.pool == "serverless"), weights, inputs, book, workspace)


def _of_volumes(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    rows = inputs.volume_hours
    weights = rows.group_by(
        "day", "resource", "cluster", "namespace", workload=rows.workload.nullif("").coalesce(rows.claim)
    ).aggregate(weight=rows.capacity_gib_hours.sum().cast(WEIGHT))
    return _claimed(pools.filter(pools.pool == "volume"), weights, inputs, book, workspace)


def _of_load_balancers(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    rows = inputs.service_hours
    weights = rows.group_by("day", "resource", "cluster", "namespace", workload=rows.service).aggregate(
        weight=rows.attached_hours.sum().cast(WEIGHT)
    )
    return _claimed(pools.filter(pools.pool == "load_balancer"), weights, inputs, book, workspace)


def _of_clusters(inputs: facts.Facts, pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Traffic by what was sent; everything else of a cluster, and traffic nobody measured, is carried by all on it."""
    mine = workspace.keep(clusters.placed(pools, book))
    sent = clusters.traffic(inputs.network_hours, mine, workspace)
    mine = workspace.keep(clusters.on_nodes(mine, inputs.node_days, sent))
    known = mine.semi_join(sent, clusters.PLACE).mutate(pool=ibis.literal("network"))
    shared = clusters.carried_by_all(mine.anti_join(sent, clusters.PLACE)).select(facts.OUTPUT)
    return _claimed(known, sent, inputs, book, workspace, key=clusters.PLACE).union(shared)


def _claimed(
    mine: ir.Table,
    weights: ir.Table,
    inputs: facts.Facts,
    book: RuleBook,
    workspace: Workspace,
    *,
    key: Sequence[str] = ("day", "resource"),
) -> ir.Table:
    """Divide pools by weights of workloads; `key` is what pools and weights have in common."""
    weights = workspace.keep(weights)
    owned = _owned(weights, inputs, book, workspace)
    claimants = number(owned, workspace)
    busy = mine.select("pool_id", *key).join(weights, list(key))
    return divided(mine, _weights(busy, owned, claimants), claimants, workspace).select(facts.OUTPUT)


def _of_charges(pools: ir.Table, book: RuleBook, workspace: Workspace) -> ir.Table:
    """Everything else: by the rules on the charge itself."""
    mine = pools.filter(pools.pool == "charge")
    owned = ownership.owners(mine, book, CHARGE_FIELDS, workspace)
    nothing = dict.fromkeys(("cluster", "namespace", "workload", "node_pool"), ibis.literal(""))
    owned = owned.mutate(
        **nothing, kind=_direct(owned.team), is_shared=ibis.literal(False), weight=owned.fraction.cast(WEIGHT)
    )
    owned = workspace.keep(owned.select("pool_id", *CLAIMANT, "weight"))
    claimants = number(owned, workspace)
    weights = owned.join(claimants, CLAIMANT).select(_WEIGHTS)
    return divided(mine, weights, claimants, workspace).select(facts.OUTPUT)
