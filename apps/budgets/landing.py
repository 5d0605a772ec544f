"""Where a period lands by the forecast of its other days, how likely above an amount, and from which day on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from apps.finops.money import add_up

SURE = Decimal("0.80")
"""A day is named as that of exceeding when so many of a hundred cases have exceeded by its end."""
SHARES = (0.025, 0.10, 0.50, 0.90, 0.975)
"""The probabilities that the five numbers of a forecast stand for; beyond the outer ones nothing was learned."""
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Ahead:
    """A forecast: the means of the days from `first_day` on, and of the first one, two, … days together the bounds of
    80 % and 95 % less the mean (low 80, high 80, low 95, high 95)."""

    first_day: date
    means: Sequence[Decimal]
    sums: Sequence[tuple[Decimal, Decimal, Decimal, Decimal]]

    @property
    def end(self) -> date:
        return self.first_day + timedelta(days=len(self.means))


@dataclass(frozen=True)
class Landing:
    """The cost at the end of a day or period, with the bounds it lies between in 80 and in 95 of 100 cases."""

    mean: Decimal
    low_80: Decimal
    high_80: Decimal
    low_95: Decimal
    high_95: Decimal

    def probability_above(self, amount: Decimal) -> Decimal:
        """How likely it is above an amount, at most 0.98 and at least 0.02 where anything is open."""
        if self.low_95 == self.high_95:
            return Decimal(int(self.mean > amount))
        # Errors that lean to one side can put the mean outside of a bound; sorted, they are a distribution again.
        points = sorted(map(float, (self.low_95, self.low_80, self.mean, self.high_80, self.high_95)))
        return Decimal(str(round(1 - _share_below(float(amount), points), 9))).quantize(_HUNDREDTH)


def _share_below(amount: float, points: Sequence[float]) -> float:
    """The probability of a value below an amount: straight lines between the points that are known."""
    if amount < points[0]:
        return SHARES[0]
    for place in range(1, len(points)):
        if amount < points[place]:
            width = points[place] - points[place - 1]
            part = (amount - points[place - 1]) / width
            return SHARES[place - 1] + part * (SHARES[place] - SHARES[place - 1])
    return SHARES[-1]


def path(costs: Mapping[date, Decimal], ahead: Ahead, start: date, end: date) -> list[tuple[date, Landing]]:
    """The cost from `start` to the end of every day ahead, up to `end`; none where the forecast does not begin by the
    end of what is known, or ends before.

    Of days from the forecast's first day on what was charged was not complete when it was made: it counts in place of
    the forecast where it is more, as a purchase dated ahead, so that a period never lands below what it spent. Both
    together would count twice what is charged ahead again and again. Bounds are of all days from the first one
    forecast, also of those before the period: a little too wide, never too narrow.
    """
    if ahead.end < end:
        return []
    total = add_up(cost for day, cost in costs.items() if start <= day < min(ahead.first_day, end))
    found = []
    for number, (mean, bounds) in enumerate(zip(ahead.means, ahead.sums, strict=True)):
        day = ahead.first_day + timedelta(days=number)
        if start <= day < end:
            total = add_up([total, max(mean, costs.get(day, mean))])
            found.append((day, Landing(total, *(add_up([total, bound]) for bound in bounds))))
    return found


def first_sure_day(days: Sequence[tuple[date, Landing]], amount: Decimal) -> date | None:
    """The first day by whose end it is above the amount in 80 of 100 cases, and stays so; None without one."""
    found = None
    for day, landing in reversed(days):
        if landing.probability_above(amount) < SURE:
            break
        found = day
    return found


def crossing_day(costs: Mapping[date, Decimal], start: date, end: date, amount: Decimal) -> date | None:
    """The day on which what was charged went above the amount and stayed there; None where it did not."""
    total, found = Decimal(0), None
    for day in sorted(day for day in costs if start <= day < end):
        total = add_up([total, costs[day]])
        if total <= amount:
            found = None
        elif found is None:
            found = day
    return found
