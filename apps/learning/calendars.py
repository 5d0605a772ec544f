"""What a day is: its weekday, its place in the month and the year, holidays, and seasons a company names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
Days = NDArray[np.datetime64]

YEARLY_HARMONICS = 2
YEARLY_COLUMNS = 2 * YEARLY_HARMONICS
NEAR = 4
"""How many days around a day its holidays are looked for."""
KNOWN_COUNTRIES = frozenset(holidays.list_supported_countries())
ONE_DAY = np.timedelta64(1, "D")
_OBSERVED = " (observed)"


FEWEST_DAYS = 21
"""A week's pattern is told from three weeks."""


class TooShort(ValueError):
    """There are fewer days than a week's pattern can be told from."""


@dataclass(frozen=True)
class Season:
    """Days that are like each other and unlike the rest, such as `school term`: `first` and `last` are both in it.

    Seasons of the same name are one thing, learned together: last year's summer tells of this year's.
    """

    name: str
    first: date
    last: date


@dataclass(frozen=True)
class Calendar:
    """The calendar columns of days: holidays of `countries` (ISO 3166 codes, such as CN), and named `seasons`."""

    countries: tuple[str, ...] = ("CN",)
    seasons: tuple[Season, ...] = ()

    def columns(self, days: Days) -> Matrix:
        """One row per day; the last `YEARLY_COLUMNS` are waves of the year. Ask for history and future at once: which
        holidays have columns depends on the years."""
        months = days.astype("datetime64[M]")
        day_of_month = (days - months.astype("datetime64[D]")).astype(int)
        length = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)
        weekday = weekdays(days)
        off, working = self._days_off(days)
        near = self._around(off)[:, NEAR:-NEAR]
        off = off[NEAR:-NEAR]
        # A workday off, and a Saturday or Sunday worked in exchange, are not like their weekday.
        is_weekend = weekday >= 5
        parts = [
            np.eye(7)[weekday],
            np.eye(3)[np.minimum(day_of_month, 2)][:, :2],
            (day_of_month == length - 1)[:, None],
            (day_of_month >= length - 3)[:, None],
            _waves(day_of_month / length, 2),
            working[:, None],
            (off.any(axis=1) & ~is_weekend)[:, None],
            *near,
            *(self.in_season(days, name)[:, None] for name in sorted({season.name for season in self.seasons})),
        ]
        year = days.astype("datetime64[Y]").astype("datetime64[D]")
        parts.append(_waves((days - year).astype(int) / 365.25, YEARLY_HARMONICS))
        return np.hstack([np.asarray(part, dtype=float) for part in parts])

    def _around(self, off: Matrix) -> Matrix:
        """Of every kind: the holiday, its eve, the two days before that, and the day after."""
        before, after = np.roll(off, -1, axis=0), np.roll(off, 1, axis=0)
        near = (np.roll(off, -2, axis=0) + np.roll(off, -3, axis=0)) > 0
        free = off == 0
        return np.stack([off, (before > 0) & free, near & free & (before == 0), (after > 0) & free])

    def _days_off(self, days: Days) -> tuple[Matrix, Matrix]:
        """Days (and `NEAR` days before and after) × kinds of holiday, 1 on the holiday; and weekend days worked."""
        days = np.concatenate([days[0] - ONE_DAY * np.arange(NEAR, 0, -1), days, following(days, NEAR)])
        years = days.astype("datetime64[Y]").astype(int) + 1970
        known = known_holidays(self.countries, int(years.min()) - 1, int(years.max()) + 1)
        names = known.names
        off = np.zeros((len(days), len(names)))
        working = np.zeros(len(days))
        place = {name: number for number, name in enumerate(names)}
        for row, day in enumerate(days.astype(object)):
            for name in known.off.get(day, ()):
                off[row, place[name]] = 1
            working[row] = day in known.working
        return off, working[NEAR:-NEAR]

    def in_season(self, days: Days, name: str) -> Matrix:
        """1 on days within a season of that name, else 0."""
        inside = np.zeros(len(days), dtype=bool)
        for season in self.seasons:
            if season.name == name:
                inside |= (days >= np.datetime64(season.first)) & (days <= np.datetime64(season.last))
        return inside.astype(float)


@dataclass(frozen=True)
class KnownHolidays:
    off: dict[date, tuple[str, ...]]
    working: frozenset[date]
    names: tuple[str, ...]


@lru_cache(maxsize=64)
def known_holidays(countries: tuple[str, ...], first_year: int, last_year: int) -> KnownHolidays:
    """The holidays of some countries by day, named after what they celebrate, and their worked weekends."""
    off: dict[date, tuple[str, ...]] = {}
    working: set[date] = set()
    for country in countries:
        found = holidays.country_holidays(country, years=range(first_year, last_year + 1), language="en_US")
        named = {day: _celebrated(text) for day, text in found.items()}
        for day, name in sorted(named.items()):
            known = name or _nearest(day, named)
            off[day] = (*off.get(day, ()), f"{country} {known}")
        working |= set(getattr(found, "weekend_workdays", ()))
    return KnownHolidays(off, frozenset(working), _names(countries, off))


def _names(countries: tuple[str, ...], off: dict[date, tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in off.values() for name in names}))


def _celebrated(text: str) -> str:
    """What a holiday celebrates; nothing for a mere day off in exchange for another."""
    first = text.split(";")[0].replace(_OBSERVED, "").split(" (")[0].replace("'s Eve", "").strip()
    return "" if text.startswith("Day off") else first


def _nearest(day: date, named: dict[date, str]) -> str:
    """The holiday a day off belongs to: the nearest that has a name."""
    for distance in range(1, 12):
        for near in (day - timedelta(days=distance), day + timedelta(days=distance)):
            if named.get(near):
                return named[near]
    return "day off"


def weekdays(days: Days) -> NDArray[np.int64]:
    """0 is Monday."""
    return (days.astype("datetime64[D]").astype(np.int64) + 3) % 7


def following(days: Days, count: int) -> Days:
    """The `count` days after the last of some days."""
    return np.asarray(days[-1] + ONE_DAY * np.arange(1, count + 1))


def _waves(position: Matrix, harmonics: int) -> Matrix:
    """Sines and cosines of a position within a cycle, 0 to 1."""
    angles = 2 * np.pi * np.outer(position, np.arange(1, harmonics + 1))
    return np.hstack([np.sin(angles), np.cos(angles)])


def consecutive(days: Sequence[date] | Days) -> Days:
    """Days as an array; raises ValueError unless each follows the one before."""
    array = np.asarray(days, dtype="datetime64[D]")
    if array.ndim != 1 or (len(array) > 1 and (np.diff(array) != ONE_DAY).any()):
        raise ValueError("the days of a forecast must follow each other without a gap")
    return array
