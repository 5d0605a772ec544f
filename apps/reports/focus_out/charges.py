"""Charges of a publication as FOCUS rows."""

import ibis.expr.types as ir

from apps.finops import focus
from apps.finops.tables import BILLED, CHARGES
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
    if name not in BILLED:
        raise BadQuestion(f"filter: charges know no {name}; filter by {', '.join(BILLED)}, or export allocated")
    return bill[BILLED[name]].fill_null("")
