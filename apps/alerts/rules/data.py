"""The data itself: sources that are late, usage that nobody observed, cost that belongs to nobody."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from apps.alerts.facts import Ask, Fact
from apps.finops.findings import Sentence
from apps.finops.money import add_up, rounded
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.selectors import SourceState, source_states
from apps.marts.query import CostQuery
from apps.marts.selectors import answer, facts, publication
from apps.teams.models import UNALLOCATED

COVERED_DAYS = timedelta(days=7)
ALLOCATED_DAYS = timedelta(days=30)

LATE = "Nothing of %(day)s has come from %(source)s"
HOURS = "It is %(hours)s hours after the end of that day"
DUE = "It is due after %(due)s hours"
LOW = "%(share)s of the samples of the last seven days were observed"
FEWER = "What was not observed is not known: usage, and what is told from it, is too low by as much"
NOBODYS = "%(share)s of the cost in %(currency)s belongs to nobody"
AMOUNT = "%(cost)s of %(total)s %(currency)s from %(first)s to %(last)s"
TEXTS = (LATE, HOURS, DUE, LOW, FEWER, NOBODYS, AMOUNT)
"""Every sentence, for translation."""


def late_sources(ask: Ask) -> Iterator[Fact]:
    """Sources of which a day is overdue: by how bills usually arrive, or of which a whole day was never pulled."""
    for state in source_states(ask.now):
        found = _lateness(state, ask.now) if state.source.is_active else None
        severity = ask.limits.severity(Decimal(found[1] - found[2])) if found else None
        if found is None or severity is None:
            continue
        day, hours, due = found
        name = state.source.name
        yield Fact(
            subject=name,
            period=f"{day}",
            severity=severity,
            title=Sentence(LATE, {"day": f"{day}", "source": name}),
            lines=(Sentence(HOURS, {"hours": f"{hours}"}), Sentence(DUE, {"due": f"{due}"})),
            link=reverse("sources"),
        )


def _lateness(state: SourceState, now: datetime) -> tuple[date, int, int] | None:
    """The day that is awaited, the hours since its end, and after how many it is due."""
    if state.arrival and state.arrival.late:
        late = state.arrival.late
        return late.day, late.hours, late.due
    if not state.source.is_prometheus or state.last_day is None:
        return None
    awaited = state.last_day + ONE_DAY
    _, end = Window(awaited, awaited + ONE_DAY).hours(ZoneInfo(settings.COSTOPS_TIME_ZONE))
    hours = int((now - end).total_seconds() // 3600)
    return (awaited, hours, 0) if hours >= 0 else None


def coverage(ask: Ask) -> Iterator[Fact]:
    """Whether the last days were observed; without any usage there is nothing to say."""
    pinned = publication()
    if pinned.end_day is None:
        return
    share = facts(pinned, pinned.end_day - COVERED_DAYS, pinned.end_day).coverage
    severity = ask.limits.severity(share * 100) if share is not None else None
    if share is not None and severity is not None:
        title = Sentence(LOW, {"share": f"{share * 100:.1f} %"})
        yield Fact("coverage", severity, title, (Sentence(FEWER),), link=reverse("publications"))


def unallocated(ask: Ask) -> Iterator[Fact]:
    """The share of cost without a team, currency by currency."""
    pinned = publication()
    if pinned.first_day is None or pinned.end_day is None:
        return
    start = max(pinned.first_day, pinned.end_day - ALLOCATED_DAYS)
    rows = answer(CostQuery(start, pinned.end_day, group_by=("team",), as_of=pinned.number)).rows
    for currency in sorted({row[1] for row in rows}):
        costs = {team: cost for team, of, cost in rows if of == currency}
        total, nobodys = add_up(costs.values()), costs.get(UNALLOCATED, Decimal(0))
        share = Fraction(nobodys) * 100 / Fraction(total) if total > 0 else Fraction(0)
        severity = ask.limits.severity(share) if total > 0 else None
        if severity is None:
            continue
        amounts = {
            "cost": f"{nobodys:,.2f}", "total": f"{total:,.2f}", "currency": currency, "first": f"{start}",
            "last": f"{pinned.end_day - ONE_DAY}",
        }  # fmt: skip
        title = Sentence(NOBODYS, {"share": f"{rounded(share):.1f} %", "currency": currency})
        yield Fact(currency, severity, title, (Sentence(AMOUNT, amounts),), link=reverse("worklist"))
