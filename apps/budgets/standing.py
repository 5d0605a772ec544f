"""How a budget stands in a period: spent, where it lands, how likely above, and what was carried from before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.budgets.landing import crossing_day, first_sure_day
from apps.budgets.models import BOTH, OVERSPENT, UNUSED, BudgetVersion, version_on
from apps.budgets.spending import Spent
from apps.calendars.periods import Period, period_of
from apps.finops.findings import Sentence
from apps.finops.money import add_up, less
from apps.finops.windows import ONE_DAY
from apps.insights.landing import Ahead, Landing, path

ON_TRACK, AT_RISK, EXCEEDED, UNKNOWN = STATES = ("on_track", "at_risk", "exceeded", "unknown")
AT_RISK_FROM = Decimal("0.20")
"""In so many of a hundred cases above the budget it is at risk: below, it holds in 80 of 100 cases."""
NOTHING = Decimal(0)


@dataclass(frozen=True)
class Known:
    """What is known of a budget's cost: of the days `first` <= day < `end`, and ahead of them. Those before `whole` are
    known with every bill."""

    spent: Spent
    first: date | None
    end: date | None
    ahead: Ahead | None
    why_not: Sentence | None = None
    """Why nothing is known ahead."""
    whole: date | None = None

    def covers(self, period: Period) -> bool:
        """Whether every day of a period was published, and none is still told by the forecast."""
        return self.has_all(period) and (self.ahead is None or period.end <= self.ahead.first_day)

    def has_all(self, period: Period) -> bool:
        """Whether every day of a period was published, and no bill of it is late."""
        end = self.whole or self.end
        return self.first is not None and end is not None and self.first <= period.start and period.end <= end


@dataclass(frozen=True)
class Stand:
    """One period of a budget. `base` is its own amount, `carried` what the period before left of its, `amount` both;
    `spent` is None where it is not known in the budget's currency."""

    period: Period
    version: BudgetVersion
    base: Decimal
    carried: Decimal
    spent: Decimal | None
    spent_until: date | None
    landing: Landing | None
    exceeds_on: date | None
    probability: Decimal | None
    state: str

    @property
    def amount(self) -> Decimal:
        return add_up([self.base, self.carried])

    @property
    def left(self) -> Decimal | None:
        return None if self.spent is None else less(self.amount, self.spent)


def carried_on(rollover: str, left: Decimal | None) -> Decimal:
    """What a period takes over of what the one before left."""
    if left is None or not left:
        return NOTHING
    if rollover == BOTH or rollover == (UNUSED if left > 0 else OVERSPENT):
        return left
    return NOTHING


def history(versions: Sequence[BudgetVersion], grain: str, known: Known, *, begin: date, until: date) -> list[Stand]:
    """Every period from the one of the day `begin` to that of `until`, each with what the one before left.

    Periods that were not published from the first day to the last, with every bill, leave nothing: what they spent is
    not known.
    """
    found: list[Stand] = []
    period = period_of(grain, begin)
    while period.start <= until:
        version = version_on(list(versions), period.start)
        if version is not None and version.amount is not None:
            before = found[-1] if found and found[-1].period.end == period.start else None
            left = before.left if before is not None and known.has_all(before.period) else None
            found.append(stand(version, period, known, carried=carried_on(version.rollover, left)))
        period = period.following
    return found


def stand(version: BudgetVersion, period: Period, known: Known, *, carried: Decimal = NOTHING) -> Stand:
    """One period, with what was carried into it."""
    base = version.amount or NOTHING
    amount = add_up([base, carried])
    until = _until(period, known)
    spent = known.spent.between(period.start, period.end) if known.spent.is_known else None
    landing, sure, probability = _landing(period, known, spent, amount)
    state = _state(spent, amount, probability)
    if state == EXCEEDED:
        sure = crossing_day(known.spent.days, period.start, period.end, amount)
    return Stand(period, version, base, carried, spent, until, landing, sure, probability, state)


def _until(period: Period, known: Known) -> date | None:
    """The last day of a period that anything was published of."""
    if known.end is None or known.end <= period.start:
        return None
    return min(known.end, period.end) - ONE_DAY


def _landing(
    period: Period, known: Known, spent: Decimal | None, amount: Decimal
) -> tuple[Landing | None, date | None, Decimal | None]:
    if spent is None:
        return None, None, None
    if known.covers(period):
        return Landing(spent, spent, spent, spent, spent), None, Decimal(int(spent > amount))
    days = path(known.spent.days, known.ahead, period.start, period.end) if known.ahead else []
    if not days or not _reaches_back(period, known):
        return None, None, None
    landing = days[-1][1]
    return landing, first_sure_day(days, amount), landing.probability_above(amount)


def _reaches_back(period: Period, known: Known) -> bool:
    """Whether the begin of a period is known: charged days, or days ahead."""
    begins = [day for day in (known.first, known.ahead.first_day if known.ahead else None) if day is not None]
    return bool(begins) and min(begins) <= period.start


def _state(spent: Decimal | None, amount: Decimal, probability: Decimal | None) -> str:
    if spent is not None and spent > amount:
        return EXCEEDED
    if probability is None:
        return UNKNOWN
    return AT_RISK if probability >= AT_RISK_FROM else ON_TRACK


def burn_down(parts: Mapping[date, Decimal], *, until: date | None) -> Decimal:
    """What a profile lets be spent up to a day, that day included."""
    return add_up(part for day, part in parts.items() if until is not None and day <= until)
