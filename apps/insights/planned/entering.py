"""Planned changes: people enter them and withdraw them, for teams they speak for."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Q, QuerySet

from apps.finops.currencies import CURRENCIES
from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount, plain
from apps.insights.models import PlannedChange
from apps.marts.query import Scope
from apps.teams.approval import Actor, NotYours
from apps.teams.models import Team

MOST_PERCENT = 100_000
FEWEST_PERCENT = -100
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)


class CannotPlan(CostOpsError):
    """The change cannot be planned or withdrawn as asked; nothing was done."""


@dataclass(frozen=True)
class Draft:
    """A change as somebody wrote it: a day and either an amount per day or percent, or a commitment that is renewed."""

    first_day: date | None = None
    amount: str = ""
    percent: str = ""
    currency: str = ""
    team: str = ""
    service: str = ""
    commitment: str = ""
    note: str = ""


def plan(draft: Draft, *, by: Actor, now: datetime) -> PlannedChange:
    """Keep a planned change; the next forecast knows it."""
    if by.teams is not None and (not draft.team or draft.team not in by.teams):
        raise NotYours(f"You may plan changes of your own teams ({', '.join(sorted(by.teams)) or 'none'}); name one.")
    if not draft.note.strip():
        raise CannotPlan("note: say what is planned; whoever reads the forecast will ask.")
    if draft.team and not Team.objects.filter(name=draft.team).exists():
        raise CannotPlan(f"team: there is no team {draft.team[:60]!r}.")
    if draft.commitment and by.teams is not None:
        raise NotYours("A commitment is of all teams: finance says that it will be renewed.")
    told = _renewal(draft) if draft.commitment else _change(draft)
    return PlannedChange.objects.create(
        **told, team=draft.team, service=draft.service, note=draft.note.strip(), by=by.name, at=now
    )


def withdraw(number: int, *, by: Actor, now: datetime) -> PlannedChange:
    """Take a planned change back; it stays readable, with who withdrew it."""
    found = PlannedChange.objects.filter(pk=number).first()
    if found is None or (by.teams is not None and (found.team not in by.teams or found.commitment)):
        raise CannotPlan(f"There is no planned change {number} of yours.")
    done = PlannedChange.objects.filter(pk=number, withdrawn_at=None).update(withdrawn_by=by.name, withdrawn_at=now)
    found.refresh_from_db()
    if not done:
        raise CannotPlan(f"Planned change {number} was withdrawn by {found.withdrawn_by} already.")
    return found


def planned(scope: Scope, *, is_all: bool = False) -> QuerySet[PlannedChange]:
    """The planned changes somebody may see, the earliest first: those of their teams; withdrawn ones when `is_all`."""
    rows = PlannedChange.objects.order_by("first_day", "pk")
    if scope.teams is not None:
        rows = rows.filter(team__in=scope.teams)
    return rows if is_all else rows.filter(withdrawn_at=None)


def standing(currency: str) -> list[PlannedChange]:
    """What holds for costs in a currency; percent hold in each."""
    return list(
        PlannedChange.objects.filter(Q(currency=currency) | Q(currency=""), withdrawn_at=None)
        .exclude(kind=PlannedChange.Kind.RENEWAL)
        .order_by("first_day", "pk")
    )


def renewed() -> set[str]:
    """The commitments that somebody says will be renewed."""
    rows = PlannedChange.objects.filter(kind=PlannedChange.Kind.RENEWAL, withdrawn_at=None)
    return set(rows.values_list("commitment", flat=True))


def identity() -> str:
    """What all that stands is known by."""
    names = ("pk", "kind", "first_day", "amount_text", "percent_text", "currency", "team", "service", "commitment")
    return repr(list(PlannedChange.objects.filter(withdrawn_at=None).order_by("pk").values_list(*names)))


def _renewal(draft: Draft) -> dict[str, object]:
    if draft.amount or draft.percent or draft.first_day:
        raise CannotPlan("commitment: a renewal says that nothing changes; give no day, amount or percent with it.")
    if PlannedChange.objects.filter(kind="renewal", commitment=draft.commitment, withdrawn_at=None).exists():
        raise CannotPlan(f"commitment: {draft.commitment[:80]} is said to be renewed already.")
    return {"kind": PlannedChange.Kind.RENEWAL, "commitment": draft.commitment}


def _change(draft: Draft) -> dict[str, object]:
    if draft.first_day is None or not FIRST_DAY <= draft.first_day <= LAST_DAY:
        raise CannotPlan("first_day: say from which day on, such as 2026-12-01.")
    if bool(draft.amount) == bool(draft.percent):
        raise CannotPlan("Give either amount, per day in a currency, or percent.")
    if draft.percent:
        share = _number("percent", draft.percent)
        if not FEWEST_PERCENT <= share <= MOST_PERCENT or not share:
            raise CannotPlan(f"percent: {draft.percent[:20]} is not between {FEWEST_PERCENT} and {MOST_PERCENT}.")
        if draft.currency:
            raise CannotPlan("currency: percent hold in every currency; leave it out.")
        return {"kind": "percent", "first_day": draft.first_day, "percent_text": plain(share)}
    if draft.currency not in CURRENCIES:
        raise CannotPlan(f"currency: {draft.currency[:20]!r} is not a currency code of ISO 4217, such as CNY.")
    amount = _number("amount", draft.amount)
    if not amount:
        raise CannotPlan("amount: zero changes nothing.")
    facts = {"kind": "amount", "first_day": draft.first_day, "currency": draft.currency}
    return {**facts, "amount_text": plain(amount)}


def _number(name: str, text: str) -> Decimal:
    try:
        number, is_rounded = parse_amount(text)
    except NotAnAmount:
        raise CannotPlan(f"{name}: {text[:40]!r} is not a number; write 1200.50 or -300.") from None
    if is_rounded:
        raise CannotPlan(f"{name}: {text[:60]} has more than twelve decimals.")
    return number
