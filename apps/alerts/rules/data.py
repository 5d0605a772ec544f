"""The data itself: sources that are late, usage that nobody observed, cost that belongs to nobody."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from apps.alerts.facts import Ask, Fact
from apps.calendars.selectors import today
from apps.finops.findings import Sentence
from apps.finops.money import add_up, rounded
from apps.finops.windows import ONE_DAY, Window
from apps.ingest.selectors import SourceState, source_states
from apps.insights.idle.silence import days_between, usually_silent_days
from apps.marts.query import CostQuery
from apps.marts.selectors import CoveredDay, answer, covered_days, publication
from apps.teams.models import UNALLOCATED

COVERED_DAYS = timedelta(days=7)
ALLOCATED_DAYS = timedelta(days=30)
REMEMBERED = timedelta(days=30)

LATE = "Nothing of %(day)s has come from %(source)s"
HOURS = "It is %(hours)s hours after the end of that day"
DUE = "It is due after %(due)s hours"
SILENT = "Nothing has come from cluster %(cluster)s since %(day)s"
OTHERS = "Other clusters are known up to %(newest)s"
LOW = "%(share)s of the samples of cluster %(cluster)s in the last seven days were observed"
FEWER = "What was not observed is not known: usage, and what is told from it, is too low by as much"
NOBODYS = "%(share)s of the cost in %(currency)s belongs to nobody"
AMOUNT = "%(cost)s of %(total)s %(currency)s from %(first)s to %(last)s"
TEXTS = (LATE, HOURS, DUE, SILENT, OTHERS, LOW, FEWER, NOBODYS, AMOUNT)
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


def silent_clusters(ask: Ask) -> Iterator[Fact]:
    """Clusters of which nothing is known on the newest days that others are known of: they stopped being scraped, and
    have no expected samples that could be missed. After a month they are taken to be gone; days on which they usually
    are switched off do not count."""
    heard = _heard_days(covered_days(publication()))
    newest = max((days[-1] for days in heard.values()), default=None)
    for cluster, days in sorted(heard.items()):
        day = days[-1]
        if newest is None or newest - day > REMEMBERED:
            continue
        missing = set(days_between(day, newest + ONE_DAY)) - usually_silent_days(days, newest)
        severity = ask.limits.severity(Decimal(24 * len(missing))) if missing else None
        if severity is not None:
            known = {"cluster": cluster, "day": f"{day}", "newest": f"{newest}"}
            yield Fact(
                cluster, severity, Sentence(SILENT, known), (Sentence(OTHERS, known),), reverse("sources"),
                period=f"{day + ONE_DAY}",
            )  # fmt: skip


def _heard_days(days: Iterable[CoveredDay]) -> dict[str, list[date]]:
    """The days in order on which anything was observed, of each cluster."""
    found: dict[str, set[date]] = {}
    for one in days:
        if one.observed:
            found.setdefault(one.cluster, set()).add(one.day)
    return {cluster: sorted(heard) for cluster, heard in found.items()}


def _until_today(end: date, ask: Ask) -> date:
    """The end of the days that came: a purchase may be dated ahead."""
    return min(end, today(ask.now) + ONE_DAY)


def coverage(ask: Ask) -> Iterator[Fact]:
    """How much of the last days was observed, cluster by cluster: a small one that is blind is lost in the whole.
    Without any usage there is nothing to say; nor of days on which a cluster is usually switched off."""
    pinned = publication()
    if pinned.came_until is None:
        return
    end = _until_today(pinned.came_until, ask)
    covered = covered_days(pinned)
    heard = _heard_days(one for one in covered if one.day < end)
    days = [one for one in covered if end - COVERED_DAYS <= one.day < end]
    for cluster in sorted({one.cluster for one in days}):
        off = usually_silent_days(heard.get(cluster, []), end - ONE_DAY)
        own = [one for one in days if one.cluster == cluster and one.day not in off]
        observed, expected = sum(one.observed for one in own), sum(one.expected for one in own)
        share = Fraction(100 * observed, expected) if expected else None
        severity = ask.limits.severity(share) if share is not None else None
        if share is not None and severity is not None:
            title = Sentence(LOW, {"share": f"{rounded(share):.1f} %", "cluster": cluster})
            yield Fact(cluster, severity, title, (Sentence(FEWER),), link=reverse("publications"))


def unallocated(ask: Ask) -> Iterator[Fact]:
    """The share of cost without a team, currency by currency."""
    pinned = publication()
    if pinned.first_day is None or pinned.came_until is None:
        return
    end = _until_today(pinned.came_until, ask)
    start = max(pinned.first_day, end - ALLOCATED_DAYS)
    rows = answer(CostQuery(start, end, group_by=("team",), as_of=pinned.number)).rows if start < end else ()
    for currency in sorted({row[1] for row in rows}):
        costs = {team: cost for team, of, cost in rows if of == currency}
        total, nobodys = add_up(costs.values()), costs.get(UNALLOCATED, Decimal(0))
        share = Fraction(nobodys) * 100 / Fraction(total) if total > 0 else Fraction(0)
        severity = ask.limits.severity(share) if total > 0 else None
        if severity is None:
            continue
        amounts = {
            "cost": f"{nobodys:,.2f}", "total": f"{total:,.2f}", "currency": currency, "first": f"{start}",
            "last": f"{end - ONE_DAY}",
        }  # fmt: skip
        title = Sentence(NOBODYS, {"share": f"{rounded(share):.1f} %", "currency": currency})
        yield Fact(currency, severity, title, (Sentence(AMOUNT, amounts),), link=reverse("worklist"))
