"""Which part of a cost stands on bills that are late beside others that came."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from apps.charts.labels import plain
from apps.finops.late import USUAL_DAYS
from apps.finops.money import divided
from apps.finops.written import percent
from apps.marts.query import CostQuery
from apps.marts.selectors import answer, publication


@dataclass(frozen=True)
class LateBill:
    """A bill that is late, and that a cost stands on: it came `until` a day, itself excluded.

    `shares` are, by currency, the part of the cost that stood on it on the four weeks before. `is_waited_for`: nothing
    later is compared; else what is compared is too low by as much.
    """

    source: str
    until: date
    shares: Mapping[str, Decimal]
    is_waited_for: bool


def late_bills(query: CostQuery) -> tuple[LateBill, ...]:
    """The bills of which days of a question are missing, that lately were a part of what it asks about."""
    pinned = publication(query.as_of)
    found = []
    for source, until in pinned.late_bills.items():
        if until >= query.end or pinned.whole_until is None:
            continue
        shares = _shares(query, source, until)
        if shares:
            found.append(LateBill(source, until, shares, is_waited_for=pinned.whole_until <= until))
    return tuple(found)


def _shares(query: CostQuery, source: str, until: date) -> dict[str, Decimal]:
    """As billed: a rate may be missing, and changes no share by much."""
    billed = replace(query, currency=None, rates_as_of=None)
    lately = answer(billed.between(until - timedelta(days=USUAL_DAYS), until).grouped("source"))
    costs = {currency: cost for name, currency, cost in lately.rows if name == source and cost > 0}
    shares = {currency: divided(cost, lately.totals[currency]) for currency, cost in costs.items()}
    return {currency: share for currency, share in shares.items() if share is not None and share > 0}


def said(one: LateBill, last_day: str) -> str:
    """A late bill in a sentence; `last_day` is the last that came, as the reader writes it."""
    shares = [
        _("%(share)s of what is billed in %(currency)s") % {"share": percent(share * 100), "currency": plain(currency)}
        for currency, share in sorted(one.shares.items())
    ]
    facts = {"source": plain(one.source), "day": last_day, "shares": _(", ").join(shares)}
    if one.is_waited_for:
        text = _("The bill of %(source)s came only until %(day)s. By the four weeks before, %(shares)s is missing.")
    else:
        text = _(
            "The bill of %(source)s came only until %(day)s. By the four weeks before, %(shares)s is missing, "
            "also in what is compared."
        )
    return text % facts
