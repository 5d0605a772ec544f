"""The charges of two versions of the bill, matched row by row: what is credited, re-priced, new or vanished."""

from collections.abc import Sequence
from datetime import date

import ibis
import ibis.expr.types as ir

from apps.allocation.matching import billed_resource, told_by_bill
from apps.books.versions import Files, Pair
from apps.finops.focus import COST_METRICS
from apps.finops.tables import CHARGES, MONEY
from apps.finops.tags import NOT_RECORDED
from apps.warehouse import lake
from apps.warehouse.engine import Workspace

POOL = (
    "day", "source", "billing_month", "currency", "provider", "account", "sub_account", "service", "region",
    "charge_category", "resource",
)  # fmt: skip
"""What a charge and the rows it is divided into have in common."""
_USAGE = {"sku": "SkuId", "unit": "PricingUnit", "consumed_unit": "ConsumedUnit"}
_QUANTITIES = {"quantity": "PricingQuantity", "consumed": "ConsumedQuantity"}
SAME_USAGE = [*POOL, "start", "end", *_USAGE, *_QUANTITIES]
"""What must be equal for two charges to be of the same usage."""
CREDITS = ("Credit", "Adjustment", "Refund")
CORRECTION = "Correction"


def moves(
    pair: Pair, metric: str, days: set[str], workspace: Workspace, *, unrecorded: Sequence[date] = ()
) -> ir.Table:
    """What the charges of these days contribute to the change: POOL, `class` and `amount`, without zeros. On days that
    are `unrecorded` their providers are not told.

    Charges of the same usage at the same cost cancel out, one for one, whichever files they stand in. Of the rest,
    those of the same usage are paired, the cheapest with the cheapest; what finds no partner is new or has vanished.
    A pair or a single row that is a credit, adjustment, correction or refund (below zero) is `credited`.
    """
    old, new = (workspace.keep(_rows(files, metric, days, unrecorded)) for files in pair.files(CHARGES))
    ranked = [_ranked(rows, [*SAME_USAGE, "amount"]) for rows in (old, new)]
    left, right = (workspace.keep(_alone(mine, other)) for mine, other in (ranked, ranked[::-1]))
    both = _paired(_ranked(left, SAME_USAGE), _ranked(right, SAME_USAGE))
    kind = ibis.cases(
        (both.is_credit, "credited"),
        (both.before.isnull(), "new"),
        (both.after.isnull(), "vanished"),
        else_="re-priced",
    )
    told = both.mutate(**{"class": kind}, amount=both.after.fill_null(0) - both.before.fill_null(0))
    summed = told.group_by(*POOL, "class").aggregate(amount=told.amount.sum().cast(MONEY))
    return workspace.keep(summed.filter(summed.amount != 0))


def _rows(files: Files, metric: str, days: set[str], unrecorded: Sequence[date]) -> ir.Table:
    bill = lake.scan(CHARGES, only=files)
    bill = bill.filter(bill.x_ChargeDay.cast("string").isin(sorted(days)))
    amount = bill[COST_METRICS[metric]].fill_null(0)
    is_credit = bill.ChargeCategory.isin(CREDITS) | (bill.ChargeClass.fill_null("") == CORRECTION) | (amount < 0)
    told = bill.select(
        day=bill.x_ChargeDay,
        **told_by_bill(bill),
        **{name: bill[column].fill_null("") for name, column in _USAGE.items()},
        **{name: bill[column].cast("string").fill_null("") for name, column in _QUANTITIES.items()},
        resource=billed_resource(bill.ResourceId.fill_null("")),
        start=bill.ChargePeriodStart,
        end=bill.ChargePeriodEnd,
        amount=amount,
        is_credit=is_credit,
    )
    return without_provider(told, unrecorded)


def without_provider(rows: ir.Table, days: Sequence[date]) -> ir.Table:
    """Rows of which those of some days tell no provider, as rows that were allocated before providers were told."""
    return rows.mutate(provider=rows.day.isin(days).ifelse(NOT_RECORDED, rows.provider)) if days else rows


def _ranked(rows: ir.Table, alike: list[str]) -> ir.Table:
    """Number the rows that are alike, the cheapest first."""
    number = ibis.row_number().over(ibis.window(group_by=alike, order_by=["amount", "is_credit"]))
    return rows.mutate(rank=number)


def _alone(mine: ir.Table, other: ir.Table) -> ir.Table:
    """The rows of one side that the other has not: a row there three times and here twice is there once more."""
    return mine.anti_join(other, [*SAME_USAGE, "amount", "rank"]).drop("rank")


def _paired(left: ir.Table, right: ir.Table) -> ir.Table:
    key = [*SAME_USAGE, "rank"]
    both = left.outer_join(right, key)
    return both.select(
        **{name: ibis.coalesce(both[name], both[f"{name}_right"]) for name in POOL},
        before=both.amount,
        after=both.amount_right,
        is_credit=both.is_credit.fill_null(False) | both.is_credit_right.fill_null(False),
    )
