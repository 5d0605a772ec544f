"""What an alert looks like: when it began, whether it goes on, of what kind it is, and what was expected instead."""

from dataclasses import dataclass

import numpy as np

from apps.learning.anomalies.episodes import Flags, episodes
from apps.learning.anomalies.usual import Usual
from apps.learning.calendars import Matrix

BACK_DAYS = 3
"""After so many days like before, it is over."""
SPIKE_DAYS, DROP_DAYS = 3, 7
"""What goes up for longer is a step, what goes down for longer as well."""
DEEP = -0.5
"""Down to three fifths and less (in logarithms) is a drop from its first day on, any less only a step down."""
LEAST_FAR = 2.0
CLEAR_SPREADS = 4.0
ONSETS = (1, 2, 3, 4, 5, 7, 10, 14)
"""It began at most so many days before it was seen."""
DRIFT_DAYS = 8
STEEP = 0.6
"""A drift has come less far after the first part of its way than this share of it."""


@dataclass(frozen=True)
class Alert:
    """One departure of a series, by places of days. Of `first` to `last` the `expected` amounts are told as they would
    be had nothing happened, between `low` and `high` in 95 of 100 cases; `seen` is the day it was flagged."""

    series: int
    first: int
    seen: int
    last: int
    kind: str
    is_upward: bool
    is_going_on: bool
    expected: Matrix
    low: Matrix
    high: Matrix


def describe(known: Usual, flags: Flags, *, earliest: int) -> list[Alert]:
    """The alerts that were flagged at place `earliest` or later, in order of their first day.

    One episode of flags may hold several: a day that is clearly off after the first was over is another.
    """
    width = reach(known)
    clear = flags & (np.nan_to_num(np.abs(known.rest - known.level)) > CLEAR_SPREADS * known.spread)
    found = episodes(flags)
    alerts: list[Alert] = []
    for series, first, last in zip(found.series.tolist(), found.first.tolist(), found.last.tolist(), strict=True):
        seen: int | None = first
        while seen is not None:
            alert = _alert(known, series, seen, width)
            alerts.append(alert)
            later = np.flatnonzero(clear[alert.last + 1 : last + 1, series])
            seen = alert.last + 1 + int(later[0]) if len(later) else None
    return sorted((one for one in alerts if one.seen >= earliest), key=lambda one: (one.first, one.series))


def reach(known: Usual) -> float:
    """How many spreads from the usual 95 of 100 days lie within."""
    far = np.abs(known.rest - known.level) / known.spread
    seen = far[~np.isnan(far)]
    return float(np.clip(np.quantile(seen, 0.95), 1.5, 4.0)) if len(seen) else 2.0


def _alert(known: Usual, series: int, seen: int, width: float) -> Alert:
    rest, spread = known.rest[:, series], known.spread[:, series]
    first = _onset(known, series, seen)
    level, far = known.level[first, series], float(spread[first])
    off = np.nan_to_num(rest[first:] - level)
    way = 1.0 if off[: seen - first + 1].sum() >= 0 else -1.0
    last = _last(way * off, seen - first, max(LEAST_FAR * far, 0.35 * float(np.max(way * off[: seen - first + 1]))))
    kind = _kind(way * off[: last + 1], way > 0, is_going_on=first + last == len(rest) - 1)
    usual = (known.season[first : first + last + 1, series] + level).astype(float)
    bounds = [known.amount_of(series, usual + sign * width * far) for sign in (-1, 1)]
    return Alert(
        series, first, seen, first + last, kind, way > 0, first + last == len(rest) - 1,
        known.amount_of(series, usual), bounds[0], bounds[1],
    )  # fmt: skip


def _onset(known: Usual, series: int, seen: int) -> int:
    """The first day of the window that is farthest from the level before it."""
    best, onset = 0.0, seen
    for count in ONSETS:
        begin = seen - count + 1
        if begin < 1:
            break
        off = np.nan_to_num(known.rest[begin : seen + 1, series] - known.level[begin, series]).mean()
        far = abs(off) / known.spread[begin, series] * np.sqrt(count)
        if far > 1.2 * best:
            best, onset = far, begin
    return onset


def _last(off: Matrix, seen: int, least: float) -> int:
    """The last day that is off, of those before it was back for a while."""
    last = seen
    for day in range(seen + 1, len(off)):
        if off[day] > least:
            last = day
        elif day - last >= BACK_DAYS:
            break
    return last


def _kind(off: Matrix, is_upward: bool, *, is_going_on: bool) -> str:
    """`off` is how far each day is from its expectation, in the direction of the anomaly."""
    count = len(off)
    if not is_upward:
        if count <= DROP_DAYS and (not is_going_on or -off.mean() <= DEEP):
            return "drop"
        return "step"
    if count >= DRIFT_DAYS:
        part = max(2, min(count, 20) // 4)
        if off[:part].mean() < STEEP * off[-2 * part :].mean() and _rises(off):
            return "drift"
    return "spike" if count <= SPIKE_DAYS and not is_going_on else "step" if count > SPIKE_DAYS else "spike"


def _rises(off: Matrix) -> bool:
    """Whether it comes nearer to its height for most of the first days, rather than at once."""
    way = off[:14]
    jump = np.max(np.diff(np.r_[0.0, way]))
    return bool(jump < 0.5 * max(off.max(), 1e-9))
