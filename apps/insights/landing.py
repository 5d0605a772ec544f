"""Where a period lands: what was charged, and the forecast of its other days."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from apps.finops.money import NOTHING, add_up, less

SHARES = (0.025, 0.10, 0.50, 0.90, 0.975)
"""The probabilities that the five numbers of a forecast stand for; beyond the outer ones nothing was learned."""
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True)
class Ahead:
    """A forecast: the means of the days from `first_day` on, and of the first one, two, … days together the bounds of
    80 % and 95 % less the mean (low 80, high 80, low 95, high 95). `beyond` is by how much days land above their means
    for what is charged of them already, as forecasts of all levels agreed on it."""

    first_day: date
    means: Sequence[Decimal]
    sums: Sequence[tuple[Decimal, Decimal, Decimal, Decimal]]
    beyond: Mapping[date, Decimal] = field(default_factory=dict)

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


def ahead_of(
    first_day: date, means: Sequence[str], sums: Sequence[Sequence[str]], beyond: Mapping[str, str] | None = None
) -> Ahead:
    """A forecast as it is kept, as numbers."""
    bounds = []
    for row in sums:
        low_80, high_80, low_95, high_95 = (Decimal(text) for text in row)
        bounds.append((low_80, high_80, low_95, high_95))
    told = {date.fromisoformat(day): Decimal(amount) for day, amount in (beyond or {}).items()}
    return Ahead(first_day, [Decimal(mean) for mean in means], bounds, told)


def beyond(mean: Decimal, charged: Decimal) -> Decimal:
    """By how much what is charged of a day ahead is more than is forecast for it. A credit is not: more of it may come,
    as of a charge."""
    return less(charged, mean) if charged > max(mean, NOTHING) else NOTHING


def path(costs: Mapping[date, Decimal], ahead: Ahead, start: date, end: date) -> list[tuple[date, Landing]]:
    """The cost from `start` to the end of every day ahead, up to `end`; none where the forecast does not begin by the
    end of what is known, or ends before.

    Of days from the forecast's first day on what was charged was not complete when it was made: it counts in place of
    the forecast where it is more, as a purchase dated ahead, so that a period never lands below what it spent; where
    the forecasts of all levels agreed on more, that does. Both together would count twice what is charged ahead again
    and again. Bounds are of all days from the first one
    forecast, also of those before the period: a little too wide, never too narrow.
    """
    return [
        (day, Landing(total, *(add_up([total, bound]) for bound in ahead.sums[number])))
        for number, day, total in _totals(costs, ahead, start, end)
    ]


def landing(costs: Mapping[date, Decimal], ahead: Ahead, start: date, end: date) -> Landing | None:
    """Where that path ends."""
    days = list(_totals(costs, ahead, start, end))
    if not days:
        return None
    number, _day, total = days[-1]
    return Landing(total, *(add_up([total, bound]) for bound in ahead.sums[number]))


def _totals(costs: Mapping[date, Decimal], ahead: Ahead, start: date, end: date) -> Iterator[tuple[int, date, Decimal]]:
    """Each day ahead by its number, and the cost from `start` to its end."""
    if ahead.end < end:
        return
    total = add_up(cost for day, cost in costs.items() if start <= day < min(ahead.first_day, end))
    for number, mean in enumerate(ahead.means):
        day = ahead.first_day + timedelta(days=number)
        if start <= day < end:
            more = max(ahead.beyond.get(day, NOTHING), beyond(mean, costs.get(day, NOTHING)))
            total = add_up([total, mean, more])
            yield number, day, total
