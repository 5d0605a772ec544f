"""Charges of a publication as FOCUS rows."""

import ibis.expr.types as ir

from apps.allocation.matching import told_by_bill
from apps.finops import focus
from apps.finops.tables import CHARGES
from apps.marts.models import Publication
from apps.marts.query import BadQuestion, CostQuery
from apps.warehouse import lake


def rows(query: CostQuery, pinned: Publication) -> ir.Table:
    """The charges of a window, all columns of FOCUS, then ours."""
    bill = lake.scan(CHARGES, at=pinned.versions[CHARGES.name])
    bill = bill.filter(bill.x_ChargeDay >= query.start, bill.x_ChargeDay < query.end)
    for name, values in query.filters:
        bill = bill.filter(_told(bill, name).isin(values))
    for name, values in query.excludes:
        bill = bill.filter(_told(bill, name).notin(values))
    return bill.select(*focus.COLUMNS, *focus.OWN_COLUMNS)


def _told(bill: ir.Table, name: str) -> ir.Value:
    told = told_by_bill(bill)
    if name not in told:
        raise BadQuestion(f"filter: charges know no {name}; filter by {', '.join(told)}, or export allocated")
    return told[name]
