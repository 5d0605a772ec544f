"""What a weekly report says beyond the week: why cost changed, where the month lands, what is to be decided."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import TypeVar
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.budgets.selectors import Standing, standings, standings_for
from apps.estimates.selectors import estimates, reach_of
from apps.finops.findings import Sentence
from apps.finops.money import add_up, less
from apps.finops.windows import Window
from apps.insights.models import Forecast
from apps.insights.selectors import is_any, newest_run
from apps.insights.why.answering import CurrencyChange, SegmentChange, why
from apps.insights.why.telling import sentences
from apps.marts.late import LateBill, late_bills
from apps.marts.query import CostQuery
from apps.marts.recent import Rows
from apps.marts.selectors import NothingPublished, answer, publication
from apps.operations.kinds import NAMES
from apps.operations.models import Recommendation
from apps.operations.overlaps import promise
from apps.operations.selectors import Wanted, of_everybody
from apps.rates.selectors import MissingRate
from apps.reports.weeks import Week
from apps.savings.selectors import verified

T = TypeVar("T")
LARGEST = 5
NEWEST = 3


@dataclass(frozen=True)
class Landing:
    """Where the month lands in one currency, and by what share such forecasts, and the naive one, were off before.

    `is_partial`: the report counts bills in other currencies too, converted; the forecast does not.
    """

    currency: str
    period: str
    so_far: Decimal
    mean: Decimal
    low: Decimal
    high: Decimal
    off: Decimal | None
    naive_off: Decimal | None
    is_naive: bool
    is_partial: bool = False


@dataclass(frozen=True)
class Waiting:
    """Days whose bill has not come, and what they are estimated to cost; in no total."""

    first: date
    last: date
    totals: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class News:
    """What was newly found of a kind in the week and is not among the largest; `more` of it is not told."""

    kind: str
    ones: tuple[Recommendation, ...]
    more: int


@dataclass(frozen=True)
class Contribution:
    """What did most of a change, the largest first, and what changed `elsewhere`."""

    currency: str
    segments: tuple[SegmentChange, ...]
    elsewhere: Decimal


@dataclass(frozen=True)
class Outlook:
    """All of that for one team, or all of them; what is empty is left out of the letter. `verified` is what was
    verifiably saved in the week, by currency."""

    why: tuple[Sentence, ...] = ()
    landings: tuple[Landing, ...] = ()
    largest: tuple[Recommendation, ...] = ()
    open_count: int = 0
    totals: tuple[tuple[str, Decimal], ...] = ()
    overlapping: int = 0
    news: tuple[News, ...] = ()
    new: frozenset[int] = frozenset()
    waiting: Waiting | None = None
    late: tuple[LateBill, ...] = ()
    contributions: tuple[Contribution, ...] = ()
    standings: tuple[Standing, ...] = ()
    verified: Mapping[str, Decimal] = field(default_factory=dict)


class Together:
    """What many letters ask for and is the same for all: read once, for as long as nothing else is published."""

    def __init__(self) -> None:
        self._publication = 0
        self._standings: Callable[[frozenset[str] | None], tuple[Standing, ...]] = lambda _teams: ()

    def standings(self, now: datetime, teams: frozenset[str] | None) -> tuple[Standing, ...]:
        """How the budgets stand that whoever sees these teams sees."""
        newest = publication().number
        if newest != self._publication:
            self._publication, self._standings = newest, standings_for(now)
        return self._standings(teams)


def outlook(team: str, week: Week, query: CostQuery, *, now: datetime, together: Together | None = None) -> Outlook:
    """The outlook of a team whose week `query` asks about; without a name, of all teams."""
    found = of_everybody(Wanted(team=team))
    promised = promise(found)
    begin = datetime.combine(week.start, time(), ZoneInfo(settings.COSTOPS_TIME_ZONE))
    new = frozenset(one.pk for one in found if one.found_at >= begin)
    largest = [one for one in found if not promised.is_left_out(one)][:LARGEST]
    rest = [one for one in found if one.pk in new and one not in largest]
    mine = frozenset({team}) if team else None
    asked = (query.narrowed(team=team) if team else query).grouped()
    return Outlook(
        why=_asked(_sentences, asked),
        contributions=_asked(_contributions, asked),
        landings=tuple(landings(asked, team)),
        standings=together.standings(now, mine) if together else standings(now=now, teams=mine),
        verified=verified(mine, week.start, week.end),
        largest=tuple(largest),
        open_count=len(found),
        totals=tuple(promised.totals.items()),
        overlapping=len(promised.within),
        news=tuple(
            _news(kind, rest)
            for kind in dict.fromkeys((*NAMES, *(one.kind for one in rest)))
            if any(one.kind == kind for one in rest)
        ),
        new=new,
        waiting=_waiting(week, query),
        late=late_bills(query),
    )


def _news(kind: str, rest: list[Recommendation]) -> News:
    ones = [one for one in rest if one.kind == kind]
    return News(kind, tuple(ones[:NEWEST]), max(0, len(ones) - NEWEST))


def _week_before(query: CostQuery) -> Window:
    """A week is compared with the one before, also where it begins with a month."""
    return Window(query.start - (query.end - query.start), query.start)


def _sentences(query: CostQuery) -> tuple[Sentence, ...]:
    return sentences(query, _week_before(query))


def _contributions(query: CostQuery) -> tuple[Contribution, ...]:
    """The segments that explain a change; none where nothing is published, or one of the weeks is not wholly known."""
    try:
        found = why(query, _week_before(query))
    except NothingPublished:
        return ()
    changed = [one for one in found.currencies if one.change.change and one.segments]
    return tuple(_contribution(one) for one in changed if found.days == Window(query.start, query.end))


def _contribution(one: CurrencyChange) -> Contribution:
    largest = sorted(one.segments, key=lambda segment: -abs(segment.change.change))[:LARGEST]
    told = add_up(segment.change.change for segment in largest)
    return Contribution(one.currency, tuple(largest), less(one.change.change, told))


def landings(query: CostQuery, team: str = "") -> list[Landing]:
    """Where the month of a team, or of all cost, lands by the newest forecast, by currency; `query` asks for its week
    as the report tells it."""
    if not is_any():
        return []
    level = Forecast.Level.TEAM if team else Forecast.Level.TOTAL
    found = Forecast.objects.filter(run=newest_run(), level=level).order_by("currency")
    told = [_landing(one) for one in (found.filter(key=team) if team else found)]
    return _marked(told, {currency for currency, cost in _billed(query) if cost}) if query.currency else told


def landings_of_teams(query: CostQuery) -> dict[tuple[str, str], Landing]:
    """Where the month of every team lands, by team and currency; `query` asks for their week as the report tells it."""
    if not is_any():
        return {}
    told: dict[str, list[Landing]] = defaultdict(list)
    for one in Forecast.objects.filter(run=newest_run(), level=Forecast.Level.TEAM):
        told[one.key].append(_landing(one))
    if query.currency:
        billed: dict[str, set[str]] = defaultdict(set)
        for team, currency, cost in _billed(query, "team"):
            billed[team] |= {currency} if cost else set()
        told = {team: _marked(ones, billed[team]) for team, ones in told.items()}
    return {(team, one.currency): one for team, ones in told.items() for one in ones}


def _billed(query: CostQuery, *groups: str) -> Rows:
    """The cost of a question in the currencies of its bills."""
    return answer(replace(query, currency=None, rates_as_of=None).grouped(*groups)).rows


def _marked(found: list[Landing], billed: set[str]) -> list[Landing]:
    """Landings of one place, as parts of it where several currencies are converted into one."""
    is_partial = len(billed | {one.currency for one in found}) > 1
    return [replace(one, is_partial=is_partial) for one in found]


def _landing(one: Forecast) -> Landing:
    month = next(landing for landing in one.landings if landing["kind"] == "month")
    return Landing(
        currency=one.currency,
        period=month["period"],
        so_far=Decimal(month["so_far"]),
        mean=Decimal(month["mean"]),
        low=Decimal(month["low_80"]),
        high=Decimal(month["high_80"]),
        off=_percent(one.total_error),
        naive_off=_percent(one.naive_total_error),
        is_naive=one.is_naive,
    )


def _percent(share: float | None) -> Decimal | None:
    return None if share is None else Decimal(str(round(share * 100, 4)))


def _waiting(week: Week, query: CostQuery) -> Waiting | None:
    """The days from the week on that wait for their bill, in the currency of the report where that can be."""
    _first, end = reach_of(publication(query.as_of))
    asked = query.between(week.start, max(week.end, end or week.end)).grouped("day")
    found = _asked(estimates, asked)
    if not found.answer.rows:
        return None
    days = [row[0] for row in found.answer.rows]
    return Waiting(min(days), max(days), tuple(sorted(found.answer.totals.items())))


def _asked(ask: Callable[[CostQuery], T], query: CostQuery) -> T:
    """The answer to a question in its currency; for want of a rate, in the currencies of the bills."""
    try:
        return ask(query)
    except MissingRate:
        return ask(replace(query, currency=None, rates_as_of=None))
