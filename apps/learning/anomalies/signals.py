"""What speaks for something unusual on a day: how far the last days are from what was usual before them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.anomalies.usual import LEVEL_DAYS, WARM_UP, Single, Usual, judged_from
from apps.learning.calendars import Days, Matrix

WINDOWS = (1, 2, 3, 4, 5, 7, 10, 14, 21)
"""The last so many days are held against the level before them."""
SLACK = (0.3, 0.8)
"""What a CUSUM forgives a day, in spreads."""
GATE = 2.2
"""Days on which no window is so many spreads off are not unusual, and not looked at any closer."""
_MOST = 30.0


@dataclass(frozen=True)
class Signals:
    """Of the rows (day, series) worth a look: `day` and `series` say which, `X` are their features."""

    day: NDArray[np.int64]
    series: NDArray[np.int64]
    X: Single


def signals(days: Days, known: Usual, *, first: int = WARM_UP) -> Signals:
    """The features of all days from place `first` on that pass the gate; none looks at a later day."""
    far = np.nan_to_num((known.rest - known.level) / known.spread)
    off, shift = _windows(known)
    cusums = [np.sign(way) * _cusum(way * far, slack) for slack in SLACK for way in (1, -1)]
    strength = np.max([np.abs(one) for one in (*shift, 0.5 * cusums[0], 0.5 * cusums[1])], axis=0)
    strength[:first] = 0
    strength[np.isnan(known.rest)] = 0
    strength[np.arange(len(days))[:, None] < judged_from(known.rest)] = 0
    day, series = np.nonzero(strength > GATE)
    columns = [part[day, series] for part in (*off, *shift, *cusums)]
    columns += _context(known, far, day, series)
    columns += _of_day(days, far, day)
    return Signals(day, series, np.clip(np.stack(columns, axis=1), -_MOST, _MOST).astype(np.float32))


def _windows(known: Usual) -> tuple[list[Single], list[Single]]:
    """For each window: the mean of its days less the level before them, as it is, and in spreads of such a mean."""
    sums = np.cumsum(np.nan_to_num(known.rest), axis=0, dtype=np.float64)
    off, shift = [], []
    for count in WINDOWS:
        mean = sums.copy()
        mean[count:] -= sums[:-count]
        before = np.concatenate([np.repeat(known.level[:1], count - 1, axis=0), known.level[: len(mean) - count + 1]])
        spread = np.concatenate([np.repeat(known.spread[:1], count - 1, axis=0), known.spread[: len(mean) - count + 1]])
        part = np.nan_to_num(mean / count - before).astype(np.float32)
        part[:count] = 0
        off.append(part)
        shift.append(part / (spread * np.float32(np.sqrt(1 / count + 1.57 / LEVEL_DAYS))))
    return off, shift


def _cusum(far: Single, slack: float) -> Single:
    found = np.empty_like(far)
    now = np.zeros(far.shape[1], dtype=np.float32)
    for day, here in enumerate(far):
        now = np.minimum(np.maximum(now + np.clip(here, -6, 6) - np.float32(slack), 0), _MOST)
        found[day] = now
    return found


def _context(known: Usual, far: Single, day: NDArray[np.int64], series: NDArray[np.int64]) -> list[Matrix]:
    """What the days before were like: whether this series is rough, and whether something happened already."""
    size = np.abs(far)

    def at(values: Single, back: int) -> Matrix:
        return np.asarray(values[np.maximum(day - back, 0), series])

    found = [np.log(at(known.spread, 0)), np.log(at(known.spread, 0) / at(known.spread, 28))]
    found += [at(far, back) for back in (1, 2, 3, 7, 14, 28)]
    found += [at(known.level, back) - at(known.level, back + 21) for back in (0, 7, 21)]
    calm = np.minimum(size, 10)
    for length, gap in ((30, 8), (90, 8)):
        highest = _running_max(calm, length)
        found.append(at(highest, gap))
    often = np.cumsum(size > 3, axis=0, dtype=np.float32)
    found.append((at(often, 8) - at(often, 98)) / np.maximum(np.minimum(day - 8, 90), 1))
    found.append(at(known.rest, 0) - at(known.rest, 7))
    return found


def _running_max(values: Single, length: int) -> Single:
    """The largest of the last `length` days, by doubling."""
    found, reach = values.copy(), 1
    while reach < length:
        step = min(reach, length - reach)
        found[step:] = np.maximum(found[step:], found[:-step])
        reach += step
    return found


def _of_day(days: Days, far: Single, day: NDArray[np.int64]) -> list[Matrix]:
    """What all series did on the day, and where in the month it is."""
    common = np.median(far, axis=1) if far.shape[1] >= 8 else np.zeros(len(far))
    busy = (np.abs(far) > 3).mean(axis=1) if far.shape[1] >= 8 else np.zeros(len(far))
    months = days.astype("datetime64[M]")
    of_month = (days - months.astype("datetime64[D]")).astype(int)
    left = ((months + 1).astype("datetime64[D]") - days).astype(int)
    return [common[day], busy[day], np.minimum(of_month, 5)[day].astype(float), np.minimum(left, 5)[day].astype(float)]
