"""Explaining a number: the parts of pools it adds up from, and the bill rows behind those pools."""

from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import billed_resource
from apps.finops.focus import COST_METRICS
from apps.finops.tables import ALLOCATED, BILLED, CHARGES, MONEY, PASSED_ON, LakeTable
from apps.ingest.lines import places
from apps.marts.models import Publication
from apps.marts.placing import placed
from apps.marts.query import BadQuestion, CostQuery
from apps.marts.selectors import publication
from apps.warehouse import lake
from apps.warehouse.engine import Workspace, count_of, rows_of

BILL_KEY = (
    "day", "source", "billing_month", "currency", "account", "sub_account", "service", "region", "charge_category",
)  # fmt: skip
"""What an allocated row and its charges have in common, besides the resource."""


@dataclass(frozen=True)
class Part:
    """What one pool contributed: `amount` of the `pool_amount` that pool held, by `rule` of `ruleset`."""

    day: date
    pool: str
    resource: str
    service: str
    charge_category: str
    cluster: str
    namespace: str
    workload: str
    team: str
    kind: str
    rule: str
    ruleset: int
    currency: str
    amount: Decimal
    pool_amount: Decimal


@dataclass(frozen=True)
class BillRow:
    """One charge behind the parts: `place` says file and line, `amount` what it cost as a whole."""

    place: str
    day: date
    resource: str
    service: str
    description: str
    currency: str
    amount: Decimal


@dataclass(frozen=True)
class Explanation:
    """`totals` by currency; `parts`, largest first, add up to them. `bill_total` by currency is what the bill rows
    behind all parts add up to, `pool_total` what their pools held: the two are equal. `parts` and `bill_rows` are cut
    to the limit asked for, the totals never are."""

    query: CostQuery
    publication: int
    totals: dict[str, Decimal]
    parts: tuple[Part, ...]
    part_count: int
    bill_rows: tuple[BillRow, ...]
    bill_row_count: int
    pool_total: dict[str, Decimal]
    bill_total: dict[str, Decimal]

    @property
    def adds_up(self) -> bool:
        return self.pool_total == self.bill_total

    @property
    def sentence(self) -> str:
        amounts = " and ".join(f"{total:,.2f} {currency}" for currency, total in self.totals.items()) or "Nothing"
        return (
            f"{amounts} of {self.query.metric} from {self.query.start} until {self.query.end} (end excluded) "
            f"is made of {self.part_count:,} parts of charge pools, behind which stand {self.bill_row_count:,} "
            f"bill rows (publication {self.publication})."
        )


def explain(query: CostQuery, *, limit: int = 20) -> Explanation:
    """Walk from a number to the pools, rules and bill rows it was made of, as of the publication it came from.

    The question's groups are ignored: its window, filters and scope say which number. Raises BadQuestion when the
    publication's tables hold nothing under the question.
    """
    if limit < 1:
        raise BadQuestion(f"limit: {limit} is too small; say how many rows to show, 1 or more")
    pinned = publication(query.as_of)
    with Workspace() as workspace:
        whole = workspace.keep(_days(ALLOCATED, query, pinned))
        passed_on = workspace.keep(_days(PASSED_ON, query, pinned))
        mine = workspace.keep(_mine(whole, query))
        totals = _sums(mine, "amount")
        if not totals:
            raise BadQuestion("There is no cost under this question; widen the window or the filters.")
        pools = workspace.keep(_pools(mine, whole, passed_on))
        charges = workspace.keep(_charges(query, pinned, pools))
        return Explanation(
            query=query,
            publication=pinned.number,
            totals=totals,
            parts=_parts(mine, whole, pools, limit),
            part_count=count_of(mine),
            bill_rows=_bill_rows(charges, limit),
            bill_row_count=count_of(charges),
            pool_total=_sums(pools, "pool_amount"),
            bill_total=_sums(charges, "amount"),
        )


def _sums(rows: ir.Table, column: str) -> dict[str, Decimal]:
    return dict(rows_of(rows.group_by("currency").aggregate(total=rows[column].sum().cast(MONEY)).order_by("currency")))


def _days(table: LakeTable, query: CostQuery, pinned: Publication) -> ir.Table:
    rows = lake.between(table, "day", query.start, query.end, at=pinned.versions[table.name])
    return rows.mutate(amount=rows[query.metric])


def _mine(rows: ir.Table, query: CostQuery) -> ir.Table:
    rows = placed(rows, query.grouped())
    if query.scope.teams is not None:
        rows = rows.filter(rows.team.isin(sorted(query.scope.teams)))
    return rows


_KEY = (*BILL_KEY, "resource")
_PLATFORM = (*BILL_KEY, "cluster", "node_pool", "namespace")
"""What a received row and the rows that policies passed on for it have in common."""


def _pools(mine: ir.Table, whole: ir.Table, passed_on: ir.Table) -> ir.Table:
    """One row per pool behind the number: BILL_KEY, `resource` and all the pool held. Behind a received row stand the
    pools that what was passed on is of."""
    own = mine.filter(mine.pool != "shared").select(_KEY)
    behind = passed_on.semi_join(mine.filter(mine.pool == "shared"), _PLATFORM).select(_KEY)
    held = whole.filter(whole.pool != "shared").select(*_KEY, "amount").union(passed_on.select(*_KEY, "amount"))
    held = held.semi_join(own.union(behind).distinct(), _KEY)
    return held.group_by(_KEY).aggregate(pool_amount=held.amount.sum().cast(MONEY))


def _parts(mine: ir.Table, whole: ir.Table, pools: ir.Table, limit: int) -> tuple[Part, ...]:
    """The largest parts, each with what its pool held; for a received row that is all that was passed on."""
    shared = whole.filter(whole.pool == "shared")
    shared_pools = shared.group_by(_PLATFORM).aggregate(shared_amount=shared.amount.sum().cast(MONEY))
    joined = mine.left_join(pools, _KEY, rname="{name}_pool").left_join(shared_pools, _PLATFORM, rname="{name}_shared")
    amount = (joined.pool == "shared").ifelse(joined.shared_amount, joined.pool_amount)
    chosen = joined.mutate(pool_amount=amount.fill_null(0).cast(MONEY), size=joined.amount.abs())
    ordered = chosen.order_by(ibis.desc("size"), "day", "resource", "namespace", "workload", "team", "service")
    return tuple(Part(*row) for row in rows_of(ordered.select([field.name for field in fields(Part)]).limit(limit)))


_BILL_COLUMNS = BILLED | {"description": "ChargeDescription"}


def _charges(query: CostQuery, pinned: Publication, pools: ir.Table) -> ir.Table:
    """The charges of the pools, with the file and row they came from."""
    bill = lake.scan(CHARGES, at=pinned.versions[CHARGES.name])
    bill = bill.filter(bill.x_ChargeDay >= query.start, bill.x_ChargeDay < query.end)
    rows = bill.select(
        day=bill.x_ChargeDay,
        **{name: bill[column].fill_null("") for name, column in _BILL_COLUMNS.items()},
        resource=billed_resource(bill.ResourceId.fill_null("")),
        file_id=bill.x_FileId,
        row=bill.x_Row,
        amount=bill[COST_METRICS[query.metric]].fill_null(0),
    )
    return rows.semi_join(pools, _KEY)


def _bill_rows(charges: ir.Table, limit: int) -> tuple[BillRow, ...]:
    """The largest charges; their places are read from the files as they were received."""
    largest = charges.order_by(ibis.desc(charges.amount.abs()), "day", "file_id", "row").limit(limit)
    columns = ("file_id", "row", "day", "resource", "service", "description", "currency", "amount")
    found = rows_of(largest.select(columns))
    by_file = {
        file_id: places(file_id, [row[1] for row in found if row[0] == file_id]) for file_id in {r[0] for r in found}
    }
    return tuple(BillRow(str(by_file[file_id][row]), *rest) for file_id, row, *rest in found)
