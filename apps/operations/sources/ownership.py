"""Cost without an owner, as the worklist has it: each a question to whoever decides about rules."""

from datetime import datetime
from decimal import Decimal

from django.urls import reverse

from apps.finops.findings import Finding, Sentence
from apps.finops.money import divided
from apps.finops.windows import ONE_DAY
from apps.insights.worklist import WorkItem, Worklist, worklist
from apps.marts.models import Publication
from apps.teams.models import UNALLOCATED

KIND = "ownership"
LEAST_SHARE = Decimal("0.01")
"""Of the unallocated cost in its currency: what is smaller stays on the worklist alone."""
DAYS_A_MONTH = Decimal(30)

TITLE = "Give %(subject)s an owner"
COST = "%(cost)s %(currency)s from %(first)s to %(last)s belong to no team"
PROPOSED = "%(share)s of its cost speaks for %(team)s as the owner"
NOBODY = "Nothing speaks for a team yet"
GONE = "It has an owner by now, was set aside on the worklist, or became small"


def findings(_pinned: Publication, _now: datetime) -> tuple[Finding, ...]:
    """What no rule gives to a team and makes at least a hundredth of it, what was set aside left out."""
    here = worklist()
    return tuple(_finding(item, here) for item in here.items if item.cost >= LEAST_SHARE * here.totals[item.currency])


def _finding(item: WorkItem, here: Worklist) -> Finding:
    cost = {
        "cost": f"{item.cost:,.2f}", "currency": item.currency, "first": f"{item.first_day}",
        "last": f"{here.window.end - ONE_DAY}",
    }  # fmt: skip
    best = item.best
    speaks = Sentence(PROPOSED, {"share": f"{best.share * 100:.0f} %", "team": best.team}) if best else Sentence(NOBODY)
    days = Decimal((here.window.end - here.window.start).days)
    return Finding(
        kind=KIND,
        subject=item.subject.id,
        team=UNALLOCATED,
        title=Sentence(TITLE, {"subject": item.subject.title}),
        evidence=(Sentence(COST, cost), speaks),
        currency=item.currency,
        saving_per_month=Decimal(0),
        since=item.first_day,
        link=reverse("worklist"),
        amount_per_month=divided(item.cost * DAYS_A_MONTH, days) or Decimal(0),
    )
