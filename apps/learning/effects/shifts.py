"""Levels that shifted before a change: earlier days are brought to the level of now, to be learned from."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from apps.learning.calendars import Matrix

SIDE, WEEKS = 7, 4
"""Days to either side of a day whose middles are compared; and weeks from which the size of a shift is told."""
SURE, LEAST = 5.0, 0.1
"""A shift is so many times what middles usually differ by, and so large beside the mean of the series."""
NOTHING_LEFT = 0.1
"""A level below such a share of the mean is next to nothing: days are moved from or to it by adding."""
MOST_SHIFTS = 3


def levelled(costs: Matrix, rest: Matrix, size: Matrix, train: NDArray[np.int64]) -> Matrix:
    """`costs` with the days of `train` before each shift brought to the level after it.

    `rest` (days x series) is the cost above its mean, in units of `size`, without the week. A shift is looked for in
    what a series does beside the middle of the others: what all do together is no shift of one.
    """
    if len(train) < 4 * SIDE:
        return costs
    moved = costs.copy()
    beside = 1 + _beside_others(rest)[train]
    for one in range(costs.shape[1]):
        series = beside[:, one].copy()
        for _ in range(MOST_SHIFTS):
            at = _shift(series)
            if at is None:
                break
            times, plus = _step(series, at)
            series[:at] = times * series[:at] + plus
            moved[train[:at], one] = times * moved[train[:at], one] + plus * size[one]
    return moved


def _step(series: Matrix, at: int) -> tuple[float, float]:
    """What the days before `at` are multiplied with, and what is added, to be at the level after, by whole weeks."""
    before = series[max(at % SIDE, at - WEEKS * SIDE) : at].mean()
    after = series[at : at + max(1, min(WEEKS, (len(series) - at) // SIDE)) * SIDE].mean()
    if min(before, after) > NOTHING_LEFT:
        return float(after / before), 0.0
    return 1.0, float(after - before)


def _beside_others(rest: Matrix) -> Matrix:
    """Each series less the middle of the controls (series from 1 on) other than itself."""
    if rest.shape[1] < 2:
        return rest
    middle = np.median(rest[:, 1:], axis=1)
    beside = rest - middle[:, None]
    for one in range(1, rest.shape[1]):
        others = np.delete(rest, [0, one], axis=1)
        beside[:, one] = rest[:, one] - (np.median(others, axis=1) if others.shape[1] else 0.0)
    return np.asarray(beside)


def _shift(series: Matrix) -> int | None:
    """The first day of the largest shift that is beyond doubt."""
    middles = np.median(sliding_window_view(series, SIDE), axis=1)
    jumps = np.abs(middles[SIDE:] - middles[:-SIDE])
    top = int(jumps.argmax())
    if jumps[top] <= max(SURE * 1.4826 * float(np.median(jumps)), LEAST):
        return None
    # Middles are as far apart some days around the shift: the day is that which two levels explain best.
    days = range(max(SIDE, top + SIDE // 2), min(len(series) - SIDE, top + 2 * SIDE - SIDE // 2) + 1)
    return min(
        days, key=lambda day: sum(part.var() * len(part) for part in (series[top:day], series[day : top + 2 * SIDE]))
    )
