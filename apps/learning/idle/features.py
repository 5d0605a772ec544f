"""What is learned from: sums by day of how loud a fleet was, looked at from a decision date over several windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from apps.learning.idle.activity import FLOORS, Activity, Flags, Matrix
from apps.learning.idle.evidence import ENOUGH_COVERAGE, ENOUGH_DAYS

WINDOWS = (7, 14, 28, 45)
NEAR = 0.5
"""An hour that comes so near to the floor tells of work to come."""
FEATURES = {
    **dict.fromkeys((f"active_share_{window}" for window in WINDOWS), -1),
    **dict.fromkeys((f"{name}_{window}" for name in ("near_share", "active_days") for window in (28, 45)), -1),
    **dict.fromkeys(("loudness_28", "most_14", "most_ahead"), -1),
    **dict.fromkeys(("silent_days", "longest_silence_days", "idle_index"), 1),
}
"""Feature -> 1 if it speaks for idleness, -1 if against: no activity ever raises the probability."""
HALF_LIFE_DAYS = 14
DOUBT_DAYS = (1.5, 20.0)
DOUBT_HOURS = (3.0, 200.0)
"""Believed of a subject beforehand, active of known: the shorter it is known, the less is its silence worth."""
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Daily:
    """Days × subjects, the last day ends where the activity ends; hours of an incomplete oldest day are left out.

    known, active, near
        Hours of the day that are known; at the floor; at half of it.
    loud
        The mean of log(1 + 8 × loudness) of the known hours.
    """

    known: Matrix
    active: Matrix
    near: Matrix
    loud: Matrix

    @classmethod
    def of(cls, activity: Activity, floors: Mapping[str, float] = FLOORS) -> Self:
        return cls.from_loudness(activity.loudness(floors))

    @classmethod
    def from_loudness(cls, loudness: Matrix, *, times: float = 1.0) -> Self:
        """As if all were so many times as loud as they are."""
        days = len(loudness) // 24
        by_day = loudness[len(loudness) - 24 * days :].reshape(days, 24, loudness.shape[1])
        known = (~np.isnan(by_day)).sum(axis=1, dtype=float)
        heard = np.nan_to_num(by_day)
        active, near = ((heard >= least / times).sum(axis=1, dtype=float) for least in (1.0, NEAR))
        loud = np.log1p(8 * times * heard).sum(axis=1) / np.maximum(known, 1)
        return cls(known, active, near, loud)

    def part(self, begin: int, end: int) -> Self:
        return type(self)(self.known[begin:end], self.active[begin:end], self.near[begin:end], self.loud[begin:end])

    @property
    def days(self) -> int:
        return len(self.known)


def idle_index(past: Daily) -> Matrix:
    """How idle each subject is by the share of active days of the memory, newer days counting more, and half as
    strongly by the share of active hours of the last four weeks; higher is idler. A plain rule without a fit."""
    recent = 0.5 ** (np.arange(past.days)[::-1] / HALF_LIFE_DAYS)
    days = (past.known > 0).sum(axis=0)
    weight = np.maximum(recent @ (past.known > 0), 1e-12)
    active_days = days * (recent @ (past.active > 0)) / weight
    last = past.part(-28, past.days)
    share_of_days = (active_days + DOUBT_DAYS[0]) / (days + DOUBT_DAYS[1])
    share_of_hours = (last.active.sum(axis=0) + DOUBT_HOURS[0]) / (last.known.sum(axis=0) + DOUBT_HOURS[1])
    return np.asarray(-np.log(share_of_days) - 0.5 * np.log(share_of_hours))


def is_enough(past: Daily) -> Flags:
    """Where so much is known of a subject that something may be said; `Evidence.is_enough`, by days."""
    first = (past.known > 0).argmax(axis=0)
    span = 24 * (past.days - 1 - first) + np.take_along_axis(past.known, first[None], axis=0)[0]
    known = past.known.sum(axis=0)
    return np.asarray((known >= 24 * ENOUGH_DAYS) & (known >= ENOUGH_COVERAGE * span))


def look_back(past: Daily, horizon: int) -> Features:
    """Subjects × features, in the order of `FEATURES`, of the days before a decision (those of the memory)."""
    columns: dict[str, Matrix] = {}
    for window in WINDOWS:
        part = past.part(max(0, past.days - window), past.days)
        known = np.maximum(part.known.sum(axis=0), 1)
        columns[f"active_share_{window}"] = part.active.sum(axis=0) / known
        if window >= 28:
            columns[f"near_share_{window}"] = part.near.sum(axis=0) / known
            known_days = np.maximum((part.known > 0).sum(axis=0), 1)
            columns[f"active_days_{window}"] = (part.active > 0).sum(axis=0) / known_days
    recent = past.part(max(0, past.days - 28), past.days)
    columns["loudness_28"] = (recent.loud * recent.known).sum(axis=0) / np.maximum(recent.known.sum(axis=0), 1)
    columns["most_14"] = _most(past, 14)
    columns["most_ahead"] = _most(past, horizon)
    columns["silent_days"], columns["longest_silence_days"] = _silences(past)
    columns["idle_index"] = idle_index(past)
    return np.stack([columns[name] for name in FEATURES], axis=1).astype(np.float32)


def stays_idle(daily: Daily, begin: int, horizon: int, *, most: float) -> Matrix:
    """The truth from the day `begin` on: 1 where at most so large a share of the known hours was active, NaN where less
    than half of them is known."""
    ahead = daily.part(begin, begin + horizon)
    known = ahead.known.sum(axis=0)
    idle = (ahead.active.sum(axis=0) <= most * known).astype(float)
    return np.where(known >= 12 * len(ahead.known), idle, np.nan)


def _most(past: Daily, length: int) -> Matrix:
    """The most active hours a day in any stretch of so many days."""
    length = min(length, past.days)
    sums = np.cumsum(np.vstack([np.zeros(past.active.shape[1]), past.active]), axis=0)
    return np.asarray((sums[length:] - sums[:-length]).max(axis=0) / length)


def _silences(past: Daily) -> tuple[Matrix, Matrix]:
    """Days since the last active day, and the longest stretch without one."""
    place = np.arange(past.days)[:, None]
    latest = np.maximum.accumulate(np.where(past.active > 0, place, -1), axis=0)
    silences = place - latest
    return silences[-1].astype(float), silences.max(axis=0).astype(float)
