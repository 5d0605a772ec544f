"""Reading the reconciliation of a publication: what was charged, and what was allocated of it."""

import functools
import operator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir

from apps.finops.tables import COSTS, KINDS, MONEY, RECONCILED, RECONCILIATION_MART
from apps.marts.query import PublicationFacts
from apps.marts.selectors import facts, publication, window_of
from apps.warehouse.engine import rows_of


@dataclass(frozen=True)
class ReconciliationRow:
    """What one source charged and what was allocated of it: effective cost by kind, and the largest difference of
    the four bases."""

    source: str
    billing_month: str
    currency: str
    day: date | None
    charged: Decimal
    allocated: Decimal
    billed_charged: Decimal
    billed_allocated: Decimal
    direct: Decimal
    shared: Decimal
    idle: Decimal
    shared_idle: Decimal
    unallocated: Decimal
    difference: Decimal


def reconciliation(
    *, as_of: int | None = None, source: str | None = None, billing_month: str | None = None, by_day: bool = True
) -> tuple[PublicationFacts, list[ReconciliationRow]]:
    """Charged against allocated, per source, billing month, currency and (by default) day, of one publication."""
    pinned = publication(as_of)
    start, end = pinned.first_day, pinned.end_day
    rows = window_of(RECONCILIATION_MART, pinned, start, end) if start and end else None
    if start is None or end is None or rows is None:
        return facts(pinned, date.min, date.max), []
    for column, value in (("source", source), ("billing_month", billing_month)):
        if value is not None:
            rows = rows.filter(rows[column] == value)
    keys = ["source", "billing_month", "currency", *(["day"] if by_day else [])]
    summed = rows.group_by(keys).aggregate(
        charged=rows.effective_cost_charged.sum().cast(MONEY),
        allocated=rows.effective_cost_allocated.sum().cast(MONEY),
        billed_charged=rows.billed_cost_charged.sum().cast(MONEY),
        billed_allocated=rows.billed_cost_allocated.sum().cast(MONEY),
        **{kind: _by_kind(rows, kind).sum().cast(MONEY) for kind in KINDS},
        difference=ibis.greatest(*(_difference(rows, basis) for basis in COSTS)).cast(MONEY),
    )
    found = rows_of(summed.order_by(keys))
    return facts(pinned, start, end), [_reconciled(row if by_day else (*row[:3], None, *row[3:])) for row in found]


def _by_kind(rows: ir.Table, kind: str) -> ir.Value:
    """Effective cost of one kind; what the kinds that are held leave is the one that is not."""
    if kind in RECONCILED:
        return rows[kind]
    return rows.effective_cost_allocated - functools.reduce(operator.add, (rows[name] for name in RECONCILED))


def _difference(rows: ir.Table, basis: str) -> ir.Value:
    return (rows[f"{basis}_charged"] - rows[f"{basis}_allocated"]).abs().max()


def _reconciled(row: tuple[Any, ...]) -> ReconciliationRow:
    return ReconciliationRow(*row)
