"""Commitments that were paid for and not used in the last whole month."""

from datetime import date, datetime
from decimal import Decimal

from django.urls import reverse

from apps.finops.findings import Finding, Sentence
from apps.finops.windows import ONE_DAY
from apps.marts.models import Publication
from apps.prices.selectors import Commitment, commitments
from apps.teams.models import UNALLOCATED

KIND = "commitment"
LEAST_UNUSED = Decimal("0.05")
TITLE = "Use, exchange or shrink the commitment %(name)s"
UNUSED = "%(share)s of it was not used in %(month)s: %(unused)s of %(whole)s %(currency)s"
EXPIRES = "It ends on %(day)s"
GONE = "It was used in the last month"


def findings(pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    """Commitments of which at least a twentieth was not used in the last month that a publication holds whole."""
    if pinned.end_day is None or pinned.first_day is None:
        return ()
    month = (pinned.end_day.replace(day=1) - ONE_DAY).replace(day=1)
    if pinned.first_day > month:
        return ()
    found = commitments(month=f"{month:%Y-%m}")
    return tuple(_finding(one, month) for one in found if one.unused > LEAST_UNUSED * (one.used + one.unused))


def _finding(one: Commitment, month: date) -> Finding:
    whole = one.used + one.unused
    unused = {
        "share": f"{one.unused / whole * 100:.0f} %", "month": one.period, "unused": f"{one.unused:,.2f}",
        "whole": f"{whole:,.2f}", "currency": one.currency,
    }  # fmt: skip
    ends = [Sentence(EXPIRES, {"day": f"{one.expiry - ONE_DAY:%Y-%m-%d}"})] if one.expiry else []
    return Finding(
        kind=KIND,
        subject=f"{one.provider} {one.id}",
        team=UNALLOCATED,
        title=Sentence(TITLE, {"name": one.name or one.id}),
        evidence=(Sentence(UNUSED, unused), *ends),
        currency=one.currency,
        saving_per_month=one.unused,
        since=month,
        link=reverse("prices"),
        at_stake=one.id,
    )
