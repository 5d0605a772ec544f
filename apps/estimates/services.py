"""The step that estimates: expects the bills of days that wait for one, and divides them as bills are divided."""

from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.allocation import facts
from apps.allocation.policies import settle
from apps.allocation.services import NotConserved, attribute
from apps.estimates.bill import Waits, expected
from apps.estimates.selectors import waits_now
from apps.finops.problems import Problem
from apps.finops.steps import StepResult
from apps.finops.tables import CHARGES, COSTS, DIMENSIONS, ESTIMATES, KEPT_TAGS, MONEY
from apps.finops.windows import ONE_DAY, Window
from apps.marts.billed import reaches
from apps.teams.ownership import RuleBook
from apps.teams.selectors import rule_book
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, count_of, rows_of

METHOD_VERSION = "2"
"""Raise it when the arithmetic changes: every day that waits for its bill is estimated again."""
BY_PLATFORM = "platform"
"""How shared cost is priced: by the nodes that platform namespaces run on."""
EXAMPLES = 20
_PRICED = ("day", "source", "resource")
"""What expected charges are priced by, and told apart by afterwards."""


def estimate(window: Window) -> StepResult:
    """Replace the estimates of the days of a window that wait for a bill.

    Of other days nothing is touched: once the bill has come, what was estimated last stays, to be compared with it.
    """
    waits = {
        source: tuple(day for day in late if window.start <= day < window.end) for source, late in waits_now().items()
    }
    waits = {source: late for source, late in waits.items() if late}
    if not waits:
        return StepResult(versions={ESTIMATES.name: lake.version(ESTIMATES)})
    book = rule_book()[1]
    with Workspace() as workspace:
        bill, unpriced = expected(waits, reaches(lake.version(CHARGES)), book, workspace)
        written = lake.write(ESTIMATES, _divided(bill, waits, book, workspace))
        charged, allocated = _totals(bill), _totals(lake.scan(ESTIMATES, only=written))
        if charged != allocated:
            raise NotConserved(f"{window}: expected {charged}, allocated {allocated}. Please report this.")
        problems = _problems(unpriced)
    replaced = [file for file in lake.files(ESTIMATES) if _is_of(file, waits)]
    version = lake.commit(ESTIMATES, add=written, remove=replaced, note={"step": "estimate", "window": str(window)})
    told = {currency: costs[1] for currency, costs in allocated.items()}
    return StepResult(
        rows=sum(file.rows for file in written),
        cost_in={currency: costs[1] for currency, costs in charged.items()},
        cost_out=told,
        problems=problems,
        versions={ESTIMATES.name: version},
    )


def _is_of(file: lake.StoredFile, waits: Waits) -> bool:
    return file.partition["day"] in {str(day) for day in waits.get(file.partition["source"], ())}


def _divided(bill: ir.Table, waits: Waits, book: RuleBook, workspace: Workspace) -> ir.Table:
    """The expected bill, divided between teams exactly as the bill will be: the rows of `estimates`."""
    days = [day for late in waits.values() for day in late]
    window = Window(min(days), max(days) + ONE_DAY)
    inputs = facts.read(window, book, workspace, billed=bill.drop("pool", "priced_by", "priced_on"))
    pools = workspace.keep(inputs.pools())
    claimed, rest, _ = attribute(inputs, pools, book, workspace)
    rows = settle(claimed, rest, inputs, pools, book=book, window=window, workspace=workspace).allocated
    told = rows.left_join(workspace.keep(_how(bill)), _PRICED).drop(*(f"{name}_right" for name in _PRICED))
    is_shared = told.pool == "shared"
    told = told.mutate(
        priced_by=is_shared.ifelse(ibis.literal(BY_PLATFORM), told.priced_by),
        priced_on=is_shared.ifelse(ibis.null("date"), told.priced_on),
    )
    keys = ["day", *DIMENSIONS, *KEPT_TAGS, "priced_by", "priced_on"]
    return told.group_by(keys).aggregate(**{basis: told[basis].sum().cast(MONEY) for basis in COSTS})


def _how(bill: ir.Table) -> ir.Table:
    """How a resource was priced on a day, and by what day at the latest. Several charges of it may have been priced by
    different ones, as all those that name no resource: one row tells it, so that none counts twice."""
    return bill.group_by(_PRICED).aggregate(priced_by=bill.priced_by.min(), priced_on=bill.priced_on.max())


def _totals(rows: ir.Table) -> dict[str, tuple[Decimal, ...]]:
    summed = rows.group_by("currency").aggregate(**{basis: rows[basis].sum().cast(MONEY) for basis in COSTS})
    return {row[0]: tuple(row[1:]) for row in rows_of(summed.order_by("currency"))}


def _problems(unpriced: ir.Table) -> tuple[Problem, ...]:
    """What was measured and has no price: largest first."""
    summed = unpriced.group_by("pool", "resource").aggregate(days=unpriced.day.nunique(), much=unpriced.quantity.sum())
    rows = rows_of(summed.order_by(ibis.desc("much"), "resource").limit(EXAMPLES))
    total = count_of(summed) if rows else 0
    return tuple(
        Problem(
            "warning",
            "estimate_unpriced",
            f"{pool} {resource}",
            f"No bill tells the price of it or of its like: {days} days are estimated without it "
            f"(one of {total} such resources).",
        )
        for pool, resource, days, _ in rows
    )
