"""Why allocated cost differs between two publications: every day, pool, claimant and owner, by class."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from apps.books import charges
from apps.books.movements import explained
from apps.books.versions import Pair
from apps.finops.tables import ALLOCATED, DIMENSIONS, MONEY, PASSED_ON
from apps.finops.tags import NOT_RECORDED
from apps.finops.windows import Window
from apps.warehouse.engine import Workspace, count_of, empty, rows_of

COLUMNS = ("day", *DIMENSIONS, "resource", "class", "amount")
CLASSES = ("new", "vanished", "re-priced", "credited", "re-measured", "re-ruled")
_POOL = list(charges.POOL)
_CLAIMANT = ["cluster", "node_pool", "namespace", "workload", "is_idle"]
_PLATFORM = [*[name for name in _POOL if name != "resource"], "cluster", "node_pool", "namespace"]
"""What a received row and the claims that policies passed on for it have in common."""
_BILL_DAY = ["day", "source", "billing_month", "currency"]
_PASSED_ON = "passed on"
"""The kind of what policies pass on: it belongs to nobody until it is received."""


def explain(pair: Pair, metric: str, window: Window, workspace: Workspace) -> ir.Table:
    """The columns of COLUMNS, without zeros: together, for every team, what `after` says more than `before`."""
    days = pair.days(ALLOCATED, window) | pair.days(PASSED_ON, window)
    if not days:
        return empty(ibis.schema({"day": "date"} | DIMENSIONS | {"resource": "string", "class": "string"}
                                 | {"amount": MONEY}))  # fmt: skip
    measured = _measured(pair, days)
    allocated = _sides(pair.of_days(ALLOCATED, days), metric)
    unrecorded = _unrecorded(allocated)
    allocated = charges.without_provider(allocated, unrecorded)
    moves = charges.moves(pair, metric, days, workspace, unrecorded=unrecorded)
    direct = allocated.filter(allocated.pool != "shared").drop("pool")
    passed_on = _sides(pair.of_days(PASSED_ON, days), metric).drop("pool")
    passed_on = charges.without_provider(passed_on, unrecorded)
    passed_on = passed_on.mutate(team=ibis.literal(""), kind=ibis.literal(_PASSED_ON))
    claims = _summed(direct.union(passed_on), _POOL, _CLAIMANT, measured, moves, workspace)
    told = explained(
        claims.mutate(fallback=ibis.literal("re-ruled")),
        moves,
        pool=_POOL,
        claimant=_CLAIMANT,
        owner=["team", "kind"],
        workspace=workspace,
    )
    received = told.filter(told.kind == _PASSED_ON).group_by(*_PLATFORM, "class")
    received = workspace.keep(received.aggregate(amount=lambda t: t.amount.sum().cast(MONEY)))
    shared = allocated.filter(allocated.pool == "shared").drop("pool")
    shared = _summed(shared, _PLATFORM, [], measured, received, workspace)
    if not count_of(shared):
        return told.select(COLUMNS)  # where no platform cost changed, nothing was passed on otherwise either
    shared = explained(
        _with_fallback(shared, moves),
        received,
        pool=_PLATFORM,
        claimant=["team", "kind"],
        owner=[],
        workspace=workspace,
    )
    nothing = dict.fromkeys(("resource", "workload"), ibis.literal(""))
    return told.filter(told.kind != _PASSED_ON).select(COLUMNS).union(shared.mutate(**nothing).select(COLUMNS))


def _unrecorded(allocated: ir.Table) -> list[date]:
    """The days of which one side tells no providers: there neither does, for nobody was moved to a provider."""
    return [day for (day,) in rows_of(allocated.filter(allocated.provider == NOT_RECORDED).select("day").distinct())]


def _measured(pair: Pair, days: set[str]) -> ir.Table:
    found = pair.measured(days)
    schema = pa.schema([("day", pa.string()), ("cluster", pa.string())])
    columns = {"day": [day for day, _ in found], "cluster": [cluster for _, cluster in found]}
    rows = ibis.memtable(pa.table(columns, schema=schema))
    return rows.mutate(day=rows.day.cast("date"))


def _sides(sides: tuple[ir.Table, ir.Table], metric: str) -> ir.Table:
    """Rows before and after in one table: what each has `before` and `after`, and under which rules."""
    old, new = sides
    nothing, no_rules = ibis.literal(0).cast(MONEY), ibis.null("int64")
    keys = ["pool", *_POOL, *_CLAIMANT[:-1], "team", "kind"]
    told = [
        old.select(*keys, before=old[metric], after=nothing, rules_before=old.ruleset, rules_after=no_rules),
        new.select(*keys, before=nothing, after=new[metric], rules_before=no_rules, rules_after=new.ruleset),
    ]
    rows = ibis.union(*told)
    return rows.mutate(is_idle=rows.kind == "idle")


def _summed(
    rows: ir.Table, pool: list[str], claimant: list[str], measured: ir.Table, moves: ir.Table, workspace: Workspace
) -> ir.Table:
    """One row per pool, claimant and owner, with what is known of its pool: `is_measured`, `is_ruled`.

    Pools of which every row is what it was, and that no charge moves, have nothing to tell: they are most of a month.
    """
    summed = workspace.keep(
        rows.group_by([*pool, *claimant, "team", "kind"]).aggregate(
            before=rows.before.sum().cast(MONEY),
            after=rows.after.sum().cast(MONEY),
            rules_before=rows.rules_before.max(),
            rules_after=rows.rules_after.max(),
        )
    )
    changed = summed.filter(summed.before != summed.after).select(pool).union(moves.select(pool)).distinct()
    told = summed.semi_join(workspace.keep(changed), pool).left_join(measured, ["day", "cluster"])
    of_pool = told.group_by(pool).aggregate(
        is_measured=told.day_right.notnull().any(),
        is_ruled=(told.rules_before.max() != told.rules_after.max()).fill_null(False),
    )
    return workspace.keep(summed.drop("rules_before", "rules_after").join(workspace.keep(of_pool), pool))


def _with_fallback(rows: ir.Table, moves: ir.Table) -> ir.Table:
    """`fallback`: receivers of platform cost move with the bill of their day where nothing else changed."""
    sizes = moves.group_by(*_BILL_DAY, "class").aggregate(size=moves.amount.abs().sum())
    place = ibis.row_number().over(ibis.window(group_by=_BILL_DAY, order_by=[ibis.desc("size"), "class"]))
    largest = sizes.mutate(place=place)
    largest = largest.filter(largest.place == 0).select(*_BILL_DAY, largest_class=largest["class"])
    joined = rows.left_join(largest, _BILL_DAY).drop(*(f"{name}_right" for name in _BILL_DAY))
    return joined.mutate(fallback=joined.largest_class.fill_null("re-ruled")).drop("largest_class")
