"""What a weekly report says: every number is asked for with the team's own scope."""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from django.conf import settings

from apps.books.statuses import statuses
from apps.finops.money import add_up, less
from apps.finops.tables import KINDS
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, Answer, CostQuery, PublicationFacts, Scope
from apps.marts.selectors import answer, publication, with_versions
from apps.rates.selectors import MissingRate
from apps.reports.outlook import Outlook, Together, outlook
from apps.reports.weeks import Week
from apps.teams.models import Team

WEEKS_BEFORE = 4
TOP = 5
CENT = Decimal("0.01")
SELDOM = ("shared_idle", "unallocated")
"""Kinds that are told only where there are any."""
_WIDE = Context(prec=80)


@dataclass(frozen=True)
class Part:
    """A part of the week's cost; `shown` is rounded so that the parts shown add up to the total shown, and so is
    `shown_change`."""

    name: str
    amount: Decimal
    shown: Decimal
    before: Decimal | None = None
    shown_change: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else less(self.amount, self.before)


@dataclass(frozen=True)
class CurrencyWeek:
    """The week in one currency. `before` and `mean` are None where nothing was published for those weeks.

    `mean` is of the last four weeks before this one, or of as many as are published (`weeks_in_mean`). `largest` are
    namespaces, of the company all teams; what cost something in the week before only is one of them too. `others` is
    what the remaining ones add up to. `days` are this week's and the four weeks' before.
    """

    currency: str
    total: Decimal
    before: Decimal | None
    mean: Decimal | None
    weeks_in_mean: int
    kinds: tuple[Part, ...]
    largest: tuple[Part, ...]
    others: Part | None
    days: tuple[tuple[date, Decimal], ...]

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else self.total - self.before

    @property
    def change_percent(self) -> Decimal | None:
        return percent(self.total, self.before)

    @property
    def mean_percent(self) -> Decimal | None:
        return percent(self.total, self.mean)


@dataclass(frozen=True)
class WeeklyReport:
    """The week of a team, or of all of them; `is_complete` is whether all its days are published, `status` the weakest.

    `query` asks for its cost. `converted_to` is the reporting currency, `rates` the version of its rates; `missing` is
    the rate for want of which every currency stands by itself. `outlook` is what is said beyond the week.
    """

    team: Team | None
    week: Week
    publication: PublicationFacts
    currencies: tuple[CurrencyWeek, ...]
    is_complete: bool
    status: str
    query: CostQuery
    converted_to: str = ""
    rates: int = 0
    missing: MissingRate | None = None
    outlook: Outlook = field(default_factory=Outlook)


def percent(amount: Decimal, base: Decimal | None) -> Decimal | None:
    """The change from `base` to `amount` in hundredths of `base`; None where a ratio says nothing."""
    return None if base is None or base <= 0 else (amount - base) * 100 / base


def is_published(week: Week, *, whole: bool = True, by: Publication | None = None) -> bool:
    """Whether a publication, the newest by default, holds a week: all of its days, each with every bill that is waited
    for, or at least one."""
    newest = by or publication()
    if newest.first_day is None or newest.came_until is None or newest.whole_until is None:
        return False
    if whole:
        return newest.first_day <= week.start and newest.whole_until >= week.end
    return newest.first_day < week.end and newest.came_until > week.start


def published_weeks(count: int) -> list[Week]:
    """The last so many weeks that are wholly published, the earliest first."""
    newest = publication()
    if newest.first_day is None or newest.whole_until is None:
        return []
    last = Week.last_full(newest.whole_until)
    weeks = [last.before(number) for number in range(count)]
    return [week for week in reversed(weeks) if week.start >= newest.first_day]


def weekly_report(team: Team | None, week: Week, *, now: datetime, together: Together | None = None) -> WeeklyReport:
    """Everything a report says of a team, or of all of them, from one publication, in the reporting currency if there
    is one. How final it is depends on the time."""
    found = _in_reporting_currency(team, week, now)
    return replace(found, outlook=outlook(team.name if team else "", week, found.query, now=now, together=together))


def _in_reporting_currency(team: Team | None, week: Week, now: datetime) -> WeeklyReport:
    pinned = publication()
    scope = Scope(frozenset({team.name})) if team else EVERYTHING
    query = CostQuery(week.start, week.end, as_of=pinned.number, scope=scope)
    currency = settings.COSTOPS_REPORTING_CURRENCY
    if not currency:
        return _report(team, week, pinned, query, now)
    try:
        return _report(team, week, pinned, with_versions(replace(query, currency=currency)), now)
    except MissingRate as missing:
        return replace(_report(team, week, pinned, query, now), missing=missing)


def _report(team: Team | None, week: Week, pinned: Publication, query: CostQuery, now: datetime) -> WeeklyReport:
    known_weeks = [
        earlier
        for earlier in (week.before(weeks) for weeks in range(1, WEEKS_BEFORE + 1))
        if pinned.first_day is not None and earlier.start >= pinned.first_day
    ]
    if query.currency:
        known_weeks = known_weeks[: _convertible(query, known_weeks)]
    first = week.before(len(known_weeks) if query.currency else WEEKS_BEFORE).start
    by_day = answer(query.between(first, week.end).grouped("day"))
    whole = answer(query)
    by = "namespace" if team else "team"
    by_kind = answer(query.grouped("kind"))
    weeks = _by_week(query, known_weeks[-1:]) if known_weeks else {}
    parts = _by_week(query, known_weeks[:1], by)
    return WeeklyReport(
        team=team,
        week=week,
        publication=whole.publication,
        currencies=tuple(
            _in_currency(
                currency,
                total=whole.totals.get(currency, Decimal(0)),
                weeks=[weeks.get((one.start, currency), {}).get("", Decimal(0)) for one in known_weeks],
                kinds=_amounts(by_kind, currency),
                parts=parts.get((week.start, currency), {}),
                earlier=parts.get((week.before().start, currency), {}) if known_weeks else None,
                most=TOP if team else None,
                days=tuple((row[0], row[2]) for row in by_day.rows if row[1] == currency),
            )
            for currency in sorted(by_day.totals)
        ),
        is_complete=is_published(week, by=pinned),
        status=statuses(pinned, week.start, week.end, now).weakest or whole.publication.status,
        query=query,
        converted_to=query.currency or "",
        rates=query.rates_as_of or 0,
    )


def _convertible(query: CostQuery, weeks: list[Week]) -> int:
    """How many of the weeks, the latest first, can be told in the currency asked for: rates may begin later."""
    for number, week in enumerate(weeks):
        try:
            answer(query.between(week.start, week.end))
        except MissingRate:
            return number
    return len(weeks)


def _by_week(query: CostQuery, since: list[Week], by: str = "") -> dict[tuple[date, str], dict[str, Decimal]]:
    """The amounts of each week, from the earlier one on where there is one: by its first day and currency."""
    asked = query.between(since[0].start if since else query.start, query.end).grouped("week", *filter(None, [by]))
    found: dict[tuple[date, str], dict[str, Decimal]] = {}
    for week, *value, currency, amount in answer(asked).rows:
        found.setdefault((week, currency), {})[value[0] if value else ""] = amount
    return found


def _amounts(found: Answer, currency: str) -> dict[str, Decimal]:
    return {row[0]: row[2] for row in found.rows if row[1] == currency}


def _in_currency(
    currency: str,
    *,
    total: Decimal,
    weeks: list[Decimal],
    kinds: dict[str, Decimal],
    parts: dict[str, Decimal],
    earlier: dict[str, Decimal] | None,
    most: int | None,
    days: tuple[tuple[date, Decimal], ...],
) -> CurrencyWeek:
    kind_names = [kind for kind in KINDS if kind in kinds or kind not in SELDOM]
    by_kind = [kinds.get(kind, Decimal(0)) for kind in kind_names]
    parts = dict.fromkeys(earlier or {}, Decimal(0)) | parts  # what costs nothing any more is in the change
    in_order = sorted(parts, key=lambda name: (-parts[name], name))
    groups = [[name] for name in in_order[:most]]
    if rest := in_order[len(groups) :]:
        groups.append(rest)
    by_part = _footed(groups, parts, earlier)
    return CurrencyWeek(
        currency=currency,
        total=total,
        before=weeks[0] if weeks else None,
        mean=sum(weeks, Decimal(0)) / len(weeks) if weeks else None,
        weeks_in_mean=len(weeks),
        kinds=tuple(map(Part, kind_names, by_kind, foot(by_kind))),
        largest=by_part[:-1] if rest else by_part,
        others=replace(by_part[-1], name="") if rest else None,
        days=days,
    )


def _footed(groups: list[list[str]], parts: dict[str, Decimal], earlier: dict[str, Decimal] | None) -> tuple[Part, ...]:
    """A part for each group of names, called by the first of them."""
    names = [group[0] for group in groups]
    amounts = [add_up(parts.get(name, Decimal(0)) for name in group) for group in groups]
    if earlier is None:
        return tuple(map(Part, names, amounts, foot(amounts)))
    before = [add_up(earlier.get(name, Decimal(0)) for name in group) for group in groups]
    return tuple(map(Part, names, amounts, foot(amounts), before, foot(list(map(less, amounts, before)))))


def foot(amounts: list[Decimal]) -> list[Decimal]:
    """Round amounts to hundredths so that they add up to their rounded sum; none moves by a whole hundredth."""
    rounded, running, before = [], Decimal(0), Decimal(0)
    for amount in amounts:
        running += amount
        upto = running.quantize(CENT, rounding=ROUND_HALF_EVEN, context=_WIDE)
        rounded.append(upto - before)
        before = upto
    return rounded


def days_of(report: WeeklyReport) -> list[date]:
    """The days a picture of the trend shows: those of the week and of the four before that are published."""
    first, end = report.week.before(WEEKS_BEFORE).start, report.week.end
    known_first = max(first, report.publication.first_day or first)
    known_end = min(end, report.publication.came_until or end)
    return [known_first + timedelta(days=number) for number in range((known_end - known_first).days)]
