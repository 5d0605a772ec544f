"""A study as arrays: the changed series first, then its controls, with calendar and drivers beside."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from apps.learning.calendars import Calendar, Days, Matrix, known_holidays, weekdays
from apps.learning.effects.study import LEAST_AFTER, LEAST_BEFORE, NothingSpent, Study, TooShort

Rows = NDArray[np.int64]

WEEK = 7
MOST_MISSING = 0.2
"""A control of which more days are missing is left out."""
MOST_CONTROLS = 24
"""So many controls are used: those whose weekly changes were most like those of the cost before the start."""
LONGEST = 400
"""Days before an origin that are learned from: older ones tell little and take long."""


@dataclass(frozen=True)
class Split:
    """Rows that are learned from (`train`) and expected (`ahead`); `counted` is 1 for those that are summed up."""

    train: Rows
    ahead: Rows
    counted: Matrix


@dataclass(frozen=True)
class Panel:
    """Rows are days. `costs` has the changed series first, then controls; holes are filled, its own are not `known`."""

    days: Days
    costs: Matrix
    known: NDArray[np.bool_]
    calendar: Matrix
    drivers: Matrix
    begin: int
    """The row of the start."""
    gap: int
    """Days from the start that are not measured."""
    controls: tuple[str, ...]
    left_out: tuple[str, ...]

    @classmethod
    def of(cls, study: Study) -> Self:
        days = np.asarray(study.days, dtype="datetime64[D]")
        begin, end = (
            int(np.clip((np.datetime64(day) - days[0]).astype(int), 0, len(days))) for day in (study.start, study.end)
        )
        days = days[:end]
        cost = np.asarray(study.cost, dtype=float)[:end]
        known = ~np.isnan(cost)
        _check(known, begin, begin + study.transition_days)
        if not np.any(cost[:begin][known[:begin]]):
            raise NothingSpent("nothing was spent before the start, so nothing could be saved")
        filled = _fill(cost)
        names, kept = _usable(study, filled, begin, end)
        return cls(
            days=days,
            costs=np.column_stack([filled, *kept]),
            known=known,
            calendar=calendar_columns(study.calendar, days),
            drivers=np.array([*study.drivers.values()], dtype=float).reshape(-1, len(study.days)).T[:end],
            begin=begin,
            gap=study.transition_days,
            controls=names,
            left_out=tuple(name for name in study.controls if name not in names),
        )

    def split(self, origin: int, gap: int, length: int) -> Split:
        """Learn from the days before `origin`; sum up `length` days from `gap` days later."""
        rows = np.arange(max(0, origin - LONGEST), origin)
        ahead = np.arange(origin, origin + gap + length)
        counted = self.known[ahead] & (ahead >= origin + gap)
        return Split(rows[self.known[rows]], ahead, counted.astype(float))


def calendar_columns(calendar: Calendar, days: Days) -> Matrix:
    """Weekdays (each against their mean), workdays off, weekend days worked, and named seasons."""
    weekday = weekdays(days)
    years = days.astype("datetime64[Y]").astype(int) + 1970
    holidays = known_holidays(calendar.countries, int(years.min()) - 1, int(years.max()) + 1)
    dates = days.astype(object)
    off = np.array([day in holidays.off for day in dates]) & (weekday < 5)
    working = np.array([day in holidays.working for day in dates])
    seasons = [calendar.in_season(days, name) for name in sorted({season.name for season in calendar.seasons})]
    return np.column_stack([np.eye(WEEK)[weekday] - 1 / WEEK, off, working, *seasons]).astype(float)


def correlation(one: Matrix, other: Matrix) -> float:
    """That of changes from the same weekday a week before, on days known in both; 0 where one never changes.

    So a common pattern of the week or a common trend makes nothing alike.
    """
    changes = [values[WEEK:] - values[:-WEEK] for values in (one, other)]
    known = ~np.isnan(changes).any(axis=0)
    first, second = (values[known] for values in changes)
    if len(first) <= WEEK or not first.std() or not second.std():
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _check(known: NDArray[np.bool_], begin: int, measured: int) -> None:
    before, after = int(known[:begin].sum()), int(known[measured:].sum())
    if before < LEAST_BEFORE:
        raise TooShort(LEAST_BEFORE, before, "before the start")
    if after < LEAST_AFTER:
        raise TooShort(LEAST_AFTER, after, "after the start and the transition")


def _usable(study: Study, cost: Matrix, begin: int, end: int) -> tuple[tuple[str, ...], list[Matrix]]:
    """The controls that have costs and few holes; of many, those most like the cost before the start."""
    kept = {}
    for name, values in study.controls.items():
        values = np.asarray(values, dtype=float)[:end]
        missing = np.isnan(values)
        if max(missing[:begin].mean(), missing[begin:].mean()) <= MOST_MISSING and np.nanstd(values[:begin]) > 0:
            kept[name] = _fill(values)
    if len(kept) > MOST_CONTROLS:
        like = {name: correlation(cost[:begin], values[:begin]) for name, values in kept.items()}
        kept = {name: kept[name] for name in sorted(kept, key=lambda name: (-like[name], name))[:MOST_CONTROLS]}
    names = tuple(sorted(kept))
    return names, [kept[name] for name in names]


def _fill(values: Matrix) -> Matrix:
    """Holes filled by the mean of the same weekday in the weeks beside, else on the line between neighbours."""
    filled = values.copy()
    holes = np.flatnonzero(np.isnan(values))
    if not len(holes):
        return filled
    seen = np.flatnonzero(~np.isnan(values))
    line = np.interp(holes, seen, values[seen])
    for hole, between in zip(holes, line, strict=True):
        beside = [
            values[day] for day in (hole - WEEK, hole + WEEK) if 0 <= day < len(values) and not np.isnan(values[day])
        ]
        filled[hole] = np.mean(beside) if beside else between
    return filled
