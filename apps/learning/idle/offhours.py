"""When in the week nothing happens: a schedule of hours in which a subject could be switched off."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from apps.learning.idle.activity import FLOORS, Activity, Flags, Matrix
from apps.learning.idle.evidence import MEMORY_DAYS
from apps.learning.idle.weeks import WEEK, hours_of_week

HALF_LIFE_WEEKS = 1.5
SHORTEST_HOURS = 2
"""For less it is not worth stopping and starting."""
FEWEST_WEEKS = 2
"""An hour of the week must have been known so often."""
HELD_OUT_WEEKS = 2
STEPS = np.round(np.arange(0.3, 1.0, 0.02), 2)
"""The probabilities that are tried as the least an hour needs."""
BORROWED = 5.0
"""An hour of the week borrows so many weeks from what its hour of day and its weekday have in common."""
NEIGHBOUR = 0.3


@dataclass(frozen=True)
class Window:
    """Hours on end: from `start_hour` (local time) of `weekday` (0 is Monday) on, over midnight where they are many."""

    weekday: int
    start_hour: int
    hours: int


class OffHours(BaseEstimator):
    """The weekly hours in which each subject is idle so reliably that it could be off.

    Parameters
    ----------
    timezone
        Of the week's hours, such as `Asia/Shanghai`.
    precision
        So large a share of the hours of all schedules was idle in the newest two weeks, when the schedules were made of
        the weeks before. With fewer than four weeks of history it is asked of each hour's probability instead.
    memory_days, floors
        How far back is looked, and from which value on a signal is work.
    """

    def __init__(
        self,
        timezone: str = "UTC",
        precision: float = 0.9,
        memory_days: int = MEMORY_DAYS,
        floors: Mapping[str, float] = FLOORS,
    ) -> None:
        self.timezone = timezone
        self.precision = precision
        self.memory_days = memory_days
        self.floors = floors

    def fit(self, X: Activity, y: None = None) -> Self:
        """Sets, hours of the week × subjects, `probability_` (that it is idle; NaN where never known) and `slots_` (may
        be off), and per subject `saved_share_` of the week, `precision_` and `recall_` of the newest weeks."""
        part = X.since(max(0, len(X.hours) - 24 * self.memory_days))
        loud = part.loudness(self.floors)
        idle = np.where(np.isnan(loud), np.nan, loud < 1)
        slots = hours_of_week(part.hours, self.timezone)
        held = HELD_OUT_WEEKS * WEEK
        self.threshold_ = self.precision
        self.precision_ = self.recall_ = np.full(idle.shape[1], np.nan)
        if len(idle) >= 2 * held:
            before, count = weekly(idle[:-held], slots[:-held])
            after = idle[-held:]
            self.threshold_ = self._choose(before, count, after, slots[-held:])
            off = is_off(before, count, self.threshold_)[slots[-held:]]
            self.precision_, self.recall_ = held_against(off, after)
        self.probability_, count = weekly(idle, slots)
        self.slots_ = is_off(self.probability_, count, self.threshold_)
        self.saved_share_ = self.slots_.mean(axis=0)
        return self

    def windows(self, column: int) -> tuple[Window, ...]:
        """The schedule of one subject, Monday first; hours that reach over Sunday's midnight are one window."""
        off = self.slots_[:, column]
        if off.all():
            return (Window(0, 0, WEEK),)
        edges = np.flatnonzero(off & ~np.roll(off, 1))
        ends = np.flatnonzero(~off & np.roll(off, 1))
        return tuple(Window(int(begin) // 24, int(begin) % 24, _until(int(begin), ends)) for begin in edges)

    def _choose(self, before: Matrix, count: Matrix, after: Matrix, slots: NDArray[np.int64]) -> float:
        """The lowest probability at which all schedules together were as precise as asked; the highest if none is."""
        for lowest in STEPS:
            off = is_off(before, count, float(lowest))[slots] & ~np.isnan(after)
            if off.any() and np.nansum(after[off]) >= self.precision * off.sum():
                return float(lowest)
        return float(STEPS[-1])


def weekly(idle: Matrix, slots: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
    """Hours of the week × subjects: the probability that the hour is idle, and how often it was known.

    An hour believes its own weeks (the older the less), a little its neighbours, and else the hour of
    day and the weekday it is of.
    """
    age = np.arange(len(idle))[::-1] // WEEK
    place = np.zeros((WEEK, len(idle)))
    place[slots, np.arange(len(idle))] = 1
    known = ~np.isnan(idle)
    count = place @ known
    place[slots, np.arange(len(idle))] = 0.5 ** (age / HALF_LIFE_WEEKS)
    own, quiet = place @ known, place @ np.nan_to_num(idle)
    overall = (quiet.sum(axis=0) + 0.5) / (own.sum(axis=0) + 1)
    by_hour = np.tile(_share(quiet, own, overall, axis=0), (7, 1))
    by_day = np.repeat(_share(quiet, own, overall, axis=1), 24, axis=0)
    usual = 1 / (1 + np.exp(_odds(overall) - _odds(by_hour) - _odds(by_day)))
    own, quiet = (part + NEIGHBOUR * (np.roll(part, 1, axis=0) + np.roll(part, -1, axis=0)) for part in (own, quiet))
    probability = (quiet + BORROWED * usual) / (own + BORROWED)
    return np.where(count > 0, probability, np.nan), count


def is_off(probability: Matrix, count: Matrix, threshold: float) -> Flags:
    """Which hours of the week may be off: likely idle, known often enough, and enough of them on end."""
    off = (np.nan_to_num(probability) >= threshold) & (count >= FEWEST_WEEKS)
    starts = np.logical_and.reduce([np.roll(off, -step, axis=0) for step in range(SHORTEST_HOURS)])
    return np.asarray(np.logical_or.reduce([np.roll(starts, step, axis=0) for step in range(SHORTEST_HOURS)]))


def held_against(off: Flags, idle: Matrix) -> tuple[Matrix, Matrix]:
    """Precision and recall per subject: idle hours among those that were off, and hours off among the idle ones."""
    known = ~np.isnan(idle)
    right = np.nansum(np.where(off, idle, 0), axis=0)
    planned, quiet = (off & known).sum(axis=0), np.nansum(idle, axis=0)
    return (
        np.where(planned > 0, right / np.maximum(planned, 1), np.nan),
        np.where(quiet > 0, right / np.maximum(quiet, 1), np.nan),
    )


def _share(quiet: Matrix, own: Matrix, overall: Matrix, *, axis: int) -> Matrix:
    """Of each hour of day (`axis` 0) or weekday (1), pulled towards the subject's whole week."""
    quiet, own = (part.reshape(7, 24, -1).sum(axis=axis) for part in (quiet, own))
    return np.asarray((quiet + BORROWED * overall) / (own + BORROWED))


def _odds(share: Matrix) -> Matrix:
    return np.asarray(np.log((share + 1e-3) / (1 - share + 1e-3)))


def _until(begin: int, ends: NDArray[np.int64]) -> int:
    later = ends[ends > begin]
    return int(later[0]) - begin if len(later) else WEEK - begin + int(ends[0])
