"""How bills arrive: which share of a day's cost has usually been billed so many hours after the day's end."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from statistics import median

LAGS = (6, 12, 18, 24, 30, 36, 48, 72, 96, 120, 168, 240)
"""Hours after the end of a day at which its completeness is learned."""
SETTLED_AFTER = timedelta(days=10)
"""A day that old is taken for complete: what it costs by then is what its earlier figures are compared with."""
FEWEST_DAYS = 5


@dataclass(frozen=True)
class Seen:
    """What a day's charges added up to when they were seen: `effective_cost` in one currency."""

    day: date
    day_end: datetime
    seen_at: datetime
    effective_cost: Decimal


@dataclass(frozen=True)
class ArrivalCurve:
    """Learned from `days` settled days: `share` maps each of LAGS to the median share of the final cost there by then.

    `first_after` is how many hours after its end nine days of ten had their first charges.
    """

    days: int
    share: dict[int, float]
    first_after: float

    def complete_after(self, share: float) -> int | None:
        """The fewest hours after which so much is usually there."""
        return next((lag for lag, there in sorted(self.share.items()) if there >= share), None)

    def expected(self, hours: float) -> float:
        """The share of a day's cost that is usually there so many hours after its end."""
        return max((there for lag, there in self.share.items() if lag <= hours), default=0.0)


def learn(seen: Iterable[Seen], *, watched_since: datetime, now: datetime) -> ArrivalCurve | None:
    """The arrival curve of a source; None with fewer than five settled days that were watched from their end on.

    Medians over days, made never to fall with the lag. A day whose final cost is zero or less tells nothing.
    """
    by_day: dict[date, list[Seen]] = defaultdict(list)
    for one in seen:
        if one.day_end >= watched_since and one.day_end + SETTLED_AFTER <= now:
            by_day[one.day].append(one)
    histories = [sorted(days, key=lambda one: one.seen_at) for days in by_day.values()]
    histories = [history for history in histories if history[-1].effective_cost > 0]
    if len(histories) < FEWEST_DAYS:
        return None
    shares, highest = {}, 0.0
    for lag in LAGS:
        highest = max(highest, median(_share(history, lag) for history in histories))
        shares[lag] = min(highest, 1.0)
    firsts = sorted((history[0].seen_at - history[0].day_end).total_seconds() / 3600 for history in histories)
    return ArrivalCurve(len(histories), shares, firsts[min(len(firsts) - 1, int(0.9 * len(firsts)))])


def _share(history: list[Seen], lag: int) -> float:
    there = [one for one in history if one.seen_at <= one.day_end + timedelta(hours=lag)]
    return float(there[-1].effective_cost / history[-1].effective_cost) if there else 0.0
