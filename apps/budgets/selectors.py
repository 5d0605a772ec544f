"""Reading budgets: how each stands now, its past, and what was decided about it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Prefetch
from django.urls import reverse
from django.utils.translation import gettext_noop

from apps.budgets.models import NONE, Budget, BudgetVersion, version_on
from apps.budgets.outlooks import forecast_ahead, own_ahead, run_of
from apps.budgets.people import is_seen
from apps.budgets.profiles import LAST_YEAR, TERMS, WORKDAYS, Days, a_year_before
from apps.budgets.spending import Spent, estimated, spending
from apps.budgets.standing import EXCEEDED, Known, Stand, burn_down, history
from apps.calendars import selectors as calendars
from apps.calendars.models import TERM
from apps.calendars.periods import Period, period_of
from apps.estimates.selectors import reach_of
from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.finops.tags import key_of
from apps.finops.windows import ONE_DAY, Window
from apps.insights.landing import Ahead
from apps.marts.models import Publication
from apps.marts.selectors import NothingPublished, publication

NOT_PUBLISHED = gettext_noop("Nothing is published yet.")
NOT_BEGUN = gettext_noop("Nothing of this period is published yet.")
NO_FORECAST = gettext_noop("Nothing is forecast for it yet; the next fill does that.")
TOO_SHORT_AHEAD = gettext_noop("The forecast ends on %(day)s, before the period does.")
KNOWN_SINCE = gettext_noop("Cost is published since %(day)s only: what was spent before is not known.")
NO_RATE = gettext_noop("There is no rate from %(source)s to %(target)s on %(day)s.")
UNTOLD = gettext_noop(
    "Cost is not told by the tag %(key)s: COSTOPS_TAG_KEYS does not name it, or was changed after the last fill."
)
LAST_YEAR_IN_PART = gettext_noop(
    "By last year: what %(known)s of the %(days)s days cost a year before is known; the others get the mean of these."
)
LAST_YEAR_UNKNOWN = gettext_noop("By last year: what its days cost a year before is not known; it is spread evenly.")
NO_PROVIDER = gettext_noop("Days of this period were attributed before cost told its provider; the next fill tells it.")


def untold(spent: Spent) -> Sentence:
    """Why cost is not told by what a budget is of."""
    return Sentence(NO_PROVIDER) if spent.untold == "provider" else Sentence(UNTOLD, {"key": key_of(spent.untold)})


class NoSuchBudget(CostOpsError):
    """There is no budget of this number, or not for this reader."""


@dataclass(frozen=True)
class Named:
    """Which budget: its number, name, and who answers for it."""

    number: int
    name: str
    team: str
    owner: str


@dataclass(frozen=True)
class Standing:
    """How a budget stands in the newest period that anything was published of.

    `spent` until `spent_until` is None where nothing of the period is known, or not in the budget's currency.
    `landing` with the bounds `lower` and `upper` of 80 % and the `probability` that the period ends above the budget
    are None where nothing tells of the rest of the period: `missing` says why. `exceeds_on` is the day it was exceeded
    on, or by whose end it will be in 80 of 100 cases. `planned` is what its profile lets be spent until `spent_until`;
    `estimated` what the `estimated_days` that wait for their bill are estimated to cost, never a part of `spent`.
    `spread_by` says what the profile is built on where that is not all it asks for.
    """

    budget: Named
    period_name: str
    start: date
    end: date
    amount: Decimal
    currency: str
    spent: Decimal | None
    spent_until: date | None
    landing: Decimal | None
    lower: Decimal | None
    upper: Decimal | None
    exceeds_on: date | None
    probability: Decimal | None
    state: str
    link: str
    dimension: str
    value: str
    grain: str
    metric: str
    base: Decimal
    carried: Decimal
    planned: Decimal
    estimated: Decimal
    estimated_days: int
    is_converted: bool
    missing: Sentence | None
    spread_by: Sentence | None = None

    @property
    def is_exceeded_ahead(self) -> bool:
        """Whether it is above its amount by what is dated ahead: the day it is so on has not come."""
        come = self.spent_until
        return self.state == EXCEEDED and self.exceeds_on is not None and (come is None or come < self.exceeds_on)


@dataclass(frozen=True)
class Whole:
    """A budget with everything about it: how it stands, every period, what every day may and did cost."""

    budget: Budget
    versions: tuple[BudgetVersion, ...]
    standing: Standing | None
    periods: tuple[Stand, ...]
    parts: dict[date, Decimal]
    known: Known


def budgets(teams: frozenset[str] | None = None) -> list[Budget]:
    """All budgets that whoever sees these teams sees, by name, each with its `versions` in order."""
    ordered = Prefetch("versions", BudgetVersion.objects.select_related("owner").order_by("pk"))
    rows = Budget.objects.prefetch_related(ordered).order_by("name")
    return [one for one in rows if is_seen(one, newest_version(one), teams)]


def find(number: int, teams: frozenset[str] | None) -> Budget:
    """One budget, for whoever sees these teams."""
    found = next((one for one in budgets(teams) if one.pk == number), None)
    if found is None:
        raise NoSuchBudget(f"There is no budget {number}.")
    return found


def versions_of(budget: Budget) -> list[BudgetVersion]:
    return list(budget.versions.all())


def newest_version(budget: Budget) -> BudgetVersion:
    """The last decision that gave an amount: who owns what has ended still."""
    return [one for one in versions_of(budget) if one.amount_text][-1]


def end_of(budget: Budget) -> date | None:
    """The day from which a budget holds no longer."""
    known = versions_of(budget)
    last = max(known, key=lambda one: (one.valid_from, one.pk))
    return None if last.amount_text else last.valid_from


def standings(*, now: datetime, teams: frozenset[str] | None = None) -> tuple[Standing, ...]:
    """How every budget in force stands, of those that whoever sees these teams sees."""
    told = _Told(budgets(teams), now, is_whole=False)
    return tuple(standing for one in told.budgets if (standing := told.standing(one)) is not None)


def standings_for(now: datetime) -> Callable[[frozenset[str] | None], tuple[Standing, ...]]:
    """The same for many readers, read once for all of them: a function of the teams that somebody sees."""
    told = _Told(budgets(), now, is_whole=False)
    known = [(one, newest_version(one), told.standing(one)) for one in told.budgets]

    def of(teams: frozenset[str] | None) -> tuple[Standing, ...]:
        return tuple(stands for one, version, stands in known if stands and is_seen(one, version, teams))

    return of


def whole(budget: Budget, *, now: datetime) -> Whole:
    """Everything about one budget."""
    told = _Told([budget], now, is_whole=True)
    stands, versions = told.stands(budget), versions_of(budget)
    parts = told.parts(stands[-1]) if stands else {}
    return Whole(budget, tuple(versions), told.standing(budget), tuple(stands), parts, told.known(budget))


class _Told:
    """Some budgets, and what was published of their costs, read together."""

    def __init__(self, chosen: Sequence[Budget], now: datetime, *, is_whole: bool) -> None:
        self.budgets, self.now, self.is_whole = list(chosen), now, is_whole
        self.pinned = _newest()
        self.last_day = self._last_day()
        window = self._window()
        self.spent: dict[int, Spent] = {}
        if self.pinned is not None and window is not None:
            self.spent = spending(self.budgets, window, self.pinned)
        run = run_of(self.pinned) if self.pinned else None
        self.forecasts = forecast_ahead(self.budgets, run)
        self.own = own_ahead(self.budgets, self.pinned) if self.pinned else {}
        self.waiting = self._waiting()

    def _last_day(self) -> date:
        """The last day that came with any cost, today at the latest: its period is the one told of."""
        day = calendars.today(self.now)
        came = self.pinned.came_until if self.pinned else None
        return min(day, came - ONE_DAY) if came else day

    def _window(self) -> Window | None:
        """The days whose cost is asked: those of the period, all since the begin where something is carried on."""
        if self.pinned is None or self.pinned.first_day is None or self.pinned.end_day is None:
            return None
        first = min((self._since(one) for one in self.budgets), default=self.last_day)
        first = max(first, self.pinned.first_day)
        return Window(first, self.pinned.end_day) if first < self.pinned.end_day else None

    def _since(self, budget: Budget) -> date:
        """The first day whose cost is needed."""
        start = self._begin(budget)
        is_by_last_year = any(one.profile == LAST_YEAR for one in versions_of(budget))
        return min(start, a_year_before(self.period(budget).start)) if is_by_last_year else start

    def _begin(self, budget: Budget) -> date:
        """The first period told of: the budget's first where all are, or where something is carried on."""
        known = versions_of(budget)
        if self.is_whole or any(one.rollover != NONE for one in known):
            return min(one.valid_from for one in known)
        return self.period(budget).start

    def _waiting(self) -> dict[int, Spent]:
        """What days that wait for their bill are estimated to cost, from the earliest period told of on."""
        if self.pinned is None or not self.budgets:
            return {}
        _, end = reach_of(self.pinned)
        start = min(period_of(one.grain, self.last_day).start for one in self.budgets)
        return estimated(self.budgets, Window(start, end), self.pinned) if end and start < end else {}

    def period(self, budget: Budget) -> Period:
        """The period told of: the newest with any cost, or the first of a budget that begins later."""
        begin = min(one.valid_from for one in versions_of(budget))
        return period_of(budget.grain, max(begin, self.last_day))

    def known(self, budget: Budget) -> Known:
        first = self.pinned.first_day if self.pinned else None
        end = self.last_day + ONE_DAY if first else None  # a purchase dated ahead ends no period
        ahead, why = self._ahead(budget)
        whole = min(end, self.pinned.whole_until or end) if self.pinned and end else None
        return Known(self.spent.get(budget.pk, Spent()), first, end, ahead, why, whole)

    def _ahead(self, budget: Budget) -> tuple[Ahead | None, Sentence | None]:
        """The forecast of the same, unless an outlook made for the budget looks further."""
        forecast, (own, why) = self.forecasts.get(budget.pk), self.own.get(budget.pk, (None, None))
        if forecast is None or (own is not None and forecast.end < self.period(budget).end <= own.end):
            return own, why
        return forecast, why

    def stands(self, budget: Budget) -> list[Stand]:
        begin, until = self._begin(budget), self.period(budget).start
        return history(versions_of(budget), budget.grain, self.known(budget), begin=begin, until=until)

    def standing(self, budget: Budget) -> Standing | None:
        """How it stands; None where it holds no longer."""
        period = self.period(budget)
        if version_on(versions_of(budget), period.start) is None:
            return None
        stand, known = self.stands(budget)[-1], self.known(budget)
        landing = stand.landing
        waiting = self.waiting.get(budget.pk, Spent())
        late = [day for day in waiting.days if period.start <= day < period.end]
        return Standing(
            budget=named(budget, stand.version), period_name=period.name, start=period.start, end=period.end,
            amount=stand.amount, currency=budget.currency, spent=stand.spent if stand.spent_until is not None else None,
            spent_until=stand.spent_until if stand.spent is not None else None,
            landing=landing.mean if landing else None, lower=landing.low_80 if landing else None,
            upper=landing.high_80 if landing else None, exceeds_on=stand.exceeds_on, probability=stand.probability,
            state=stand.state, link=reverse("budget", args=[budget.pk]), dimension=budget.dimension, value=budget.value,
            grain=budget.grain, metric=budget.metric, base=stand.base, carried=stand.carried,
            planned=burn_down(self.parts(stand), until=stand.spent_until),
            estimated=waiting.between(period.start, period.end), estimated_days=len(late),
            is_converted=known.spent.is_converted, missing=self._missing(period, stand, known),
            spread_by=self._spread_by(stand),
        )  # fmt: skip

    def parts(self, stand: Stand) -> dict[date, Decimal]:
        """What each day of a period may cost."""
        window, profile = stand.period.window, stand.version.spreads
        working = calendars.working_days(window) if profile.kind == WORKDAYS else None
        terms = _terms(window) if profile.kind == TERMS else []
        days = Days(
            is_working=working.is_working if working else lambda _day: True,
            is_term=lambda day: any(first <= day <= last for first, last in terms),
            last_year=self._last_year(stand) if profile.kind == LAST_YEAR else {},
        )
        return profile.spread(stand.amount, window, days)

    def _last_year(self, stand: Stand) -> dict[date, Decimal]:
        """What the days of a period cost a year before, of those that this is known of: a day that was published and
        cost nothing is one of them."""
        known = self.known(stand.version.budget)
        if known.first is None or known.end is None or not known.spent.is_known:
            return {}
        before = {day: a_year_before(day) for day in stand.period.window.days()}
        return {
            day: known.spent.days.get(then, Decimal(0))
            for day, then in before.items()
            if known.first <= then < known.end
        }

    def _spread_by(self, stand: Stand) -> Sentence | None:
        """What a profile by last year is built on, where not all of it is known."""
        if stand.version.spreads.kind != LAST_YEAR:
            return None
        known, days = len(self._last_year(stand)), (stand.period.end - stand.period.start).days
        if known == days:
            return None
        return (
            Sentence(LAST_YEAR_IN_PART, {"known": f"{known}", "days": f"{days}"})
            if known
            else Sentence(LAST_YEAR_UNKNOWN)
        )

    def _missing(self, period: Period, stand: Stand, known: Known) -> Sentence | None:
        """Why something is not known of a period, the first reason first."""
        if known.spent.missing is not None:
            source, target, day = known.spent.missing
            return Sentence(NO_RATE, {"source": source, "target": target, "day": f"{day}"})
        if known.spent.untold:
            return untold(known.spent)
        if self.pinned is None or known.first is None:
            return Sentence(NOT_PUBLISHED)
        if stand.spent_until is not None and known.first > period.start:
            return Sentence(KNOWN_SINCE, {"day": f"{known.first}"})
        if stand.landing is not None:
            return None
        if known.ahead is not None and known.ahead.end < period.end:
            return Sentence(TOO_SHORT_AHEAD, {"day": f"{known.ahead.end - ONE_DAY}"})
        if known.why_not:
            return known.why_not
        return Sentence(NO_FORECAST if stand.spent_until else NOT_BEGUN)


def named(budget: Budget, version: BudgetVersion) -> Named:
    owner = version.owner.get_username() if version.owner else ""
    return Named(budget.pk, budget.name, version.owner_team, owner)


def _terms(window: Window) -> list[tuple[date, date]]:
    """The school terms of some days, as they were brought."""
    held = calendars.spans(first=window.start, last=window.end - ONE_DAY)
    return [(span.first, span.last) for span in held if span.kind == TERM]


def _newest() -> Publication | None:
    try:
        return publication()
    except NothingPublished:
        return None
