"""When the simulated company is busy: business days in hours, and load by hour of the Shanghai clock."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from apps.demo import seasons
from apps.finops.errors import CostOpsError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_SECONDS = 3600
SHANGHAI_OFFSET = 8
GROWTH_PER_MONTH = 0.012

_LIVE = (4, 3, 3, 3, 3, 4, 6, 10, 16, 18, 18, 16, 14, 18, 22, 26, 38, 60, 85, 100, 100, 92, 50, 12)
_LIVE_WEEKEND = (4, 3, 3, 3, 3, 5, 15, 45, 85, 100, 98, 70, 45, 78, 95, 96, 80, 70, 95, 100, 98, 85, 40, 10)
_SEARCH = (10, 5, 3, 3, 3, 6, 15, 28, 22, 20, 22, 35, 40, 28, 26, 32, 55, 80, 90, 100, 100, 95, 70, 30)
_SEARCH_WEEKEND = (14, 7, 4, 3, 3, 5, 12, 28, 50, 65, 72, 66, 60, 66, 74, 78, 80, 82, 90, 100, 98, 88, 60, 28)
_OFFICE = (5, 5, 5, 5, 5, 5, 6, 12, 45, 85, 100, 95, 55, 75, 95, 100, 95, 80, 50, 35, 25, 15, 10, 6)

PROFILES: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "live": (_LIVE, _LIVE_WEEKEND),
    "search": (_SEARCH, _SEARCH_WEEKEND),
    "promotion": (_SEARCH, _SEARCH_WEEKEND),
    "office": (_OFFICE, tuple(value * 15 // 100 for value in _OFFICE)),
    "flat": ((70,) * 24, (70,) * 24),
}
"""Name → percent of the peak by hour, on workdays and at weekends."""

PROFILE_NAMES = tuple(PROFILES)

PROMOTION_FACTOR = 2.2
ORDINARY_PROMOTION_LOAD = 0.45


class UnsupportedTimeZoneError(CostOpsError):
    """The business time zone is not a whole number of hours from UTC, so its days are not made of whole hours."""


@dataclass(frozen=True)
class BusinessDay:
    """A business day as its UTC hours, in whole hours since 1970."""

    day: date
    first_hour: int
    hours: int

    def hour_list(self, margin: int = 0) -> Ints:
        """The day's hours; with `margin`, also that many before and after."""
        return np.arange(self.first_hour - margin, self.first_hour + self.hours + margin, dtype=np.int64)

    @property
    def start(self) -> datetime:
        return instant(self.first_hour)

    @property
    def end(self) -> datetime:
        return instant(self.first_hour + self.hours)


def instant(hour: int) -> datetime:
    """The UTC time of an hour counted since 1970."""
    return EPOCH + timedelta(hours=int(hour))


def day_start(day: date, zone: ZoneInfo) -> int:
    """The first hour of a business day, in whole hours since 1970."""
    seconds = int(datetime.combine(day, time(), zone).timestamp())
    if seconds % HOUR_SECONDS:
        raise UnsupportedTimeZoneError(
            f"{zone.key} is not a whole number of hours from UTC; set COSTOPS_TIME_ZONE to one that is."
        )
    return seconds // HOUR_SECONDS


def business_day(day: date, zone: ZoneInfo) -> BusinessDay:
    first = day_start(day, zone)
    return BusinessDay(day, first, day_start(day + timedelta(days=1), zone) - first)


def month_of(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def day_load(day: date, profile: str, end: date) -> Floats:
    """Load of one profile on one Shanghai day, by hour: 1.0 is an ordinary peak at the end of the window."""
    season = seasons.told(day)
    at_weekend = day.weekday() >= 5 or season is not None
    curve: Floats = np.array(PROFILES[profile][1 if at_weekend else 0], dtype=np.float64) / 100
    factor = (season or {}).get(profile, 1.0)
    if profile == "promotion":
        factor = ORDINARY_PROMOTION_LOAD * (PROMOTION_FACTOR if seasons.is_promotion(day) else 1.0)
    months_ago = (end - day).days / 30.4
    growth: float = (1 + GROWTH_PER_MONTH) ** -months_ago
    return curve * (factor * growth)


DAY_NOISE, HOUR_NOISE = 0.04, 0.03
"""No day is like another, and no hour: standard deviations of the logarithm of the load."""


def load_by_hour(hours: Ints, end: date, *, seed: int) -> Floats:
    """Load, one row per profile of `PROFILE_NAMES`, one column per hour since 1970."""
    loads = np.zeros((len(PROFILE_NAMES), len(hours)))
    local = hours + SHANGHAI_OFFSET
    for days_since_epoch in np.unique(local // 24):
        at = local // 24 == days_since_epoch
        day = EPOCH.date() + timedelta(days=int(days_since_epoch))
        rng = np.random.default_rng([seed, 9, int(days_since_epoch)])
        for row, profile in enumerate(PROFILE_NAMES):
            noise = rng.lognormal(0.0, DAY_NOISE) * rng.lognormal(0.0, HOUR_NOISE, 24)
            loads[row, at] = (day_load(day, profile, end) * noise)[local[at] % 24]
    return loads
