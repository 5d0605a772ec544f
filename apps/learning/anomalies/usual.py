"""What is usual of many daily series: calendar effects, level and spread, each known before the day it is told of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.calendars import YEARLY_COLUMNS, Calendar, Days, Matrix

Single = NDArray[np.float32]

LEVEL_DAYS = 21
"""Three whole weeks: the level is their median."""
WARM_UP = 28
"""From so many days a week's pattern can be told; earlier days are not judged."""
REFIT_DAYS = 14
KNOT_DAYS = 28
SMALL = 0.1
"""Amounts below a tenth of a series' first mean are not told apart by their ratio."""
FORGET = 0.03
"""How fast the spread of a day forgets."""
FEWEST_OFF = 0.01
"""No series is taken to be steadier than one part in a hundred."""
_WEEKDAYS, _WEEKDAY_PENALTY, _PENALTY, _KNOT_PENALTY, _CLIP = 7, 0.2, 2.0, 1e-3, 3.0


@dataclass(frozen=True)
class Usual:
    """All days × series. `rest` is the bent amount without its calendar effects `season`; `level` and `spread` are
    those of the days before: amounts that are usual bend to season + level, give or take the spread."""

    scale: Matrix
    rest: Single
    season: Single
    level: Single
    spread: Single

    def amount_of(self, series: int, bent: Matrix) -> Matrix:
        """Bent amounts of a series in their own unit."""
        return np.asarray(unbend(bent) * self.scale[series])


def bend(share: Matrix) -> Matrix:
    """A logarithm that knows zero and credits: of amounts in parts of their series' mean."""
    return np.asarray(np.sign(share) * np.log1p(np.abs(share) / SMALL))


def unbend(bent: Matrix) -> Matrix:
    # Nothing is expected to be more than e^9 times a tenth of the mean of its series.
    return np.asarray(np.sign(bent) * SMALL * np.expm1(np.minimum(np.abs(bent), 9.0)))


def scale_of(y: Matrix) -> Matrix:
    """The mean size of each series' first eight weeks, for later days must not tell on earlier ones; 1 for nothing."""
    known = ~np.isnan(y)
    known &= np.cumsum(known, axis=0) <= 2 * WARM_UP
    mean = np.abs(np.where(known, y, 0)).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(mean > 0, mean, 1.0)


def usual(days: Days, y: Matrix, calendar: Calendar) -> Usual:
    """What is usual on every day; `y` is days × series, NaN before a series begins."""
    scale = scale_of(y)
    bent = bend(y / scale).astype(np.float32)
    season = _season(calendar.columns(days)[:, :-YEARLY_COLUMNS], bent)
    rest = bent - season
    level = trailing_median(rest, LEVEL_DAYS)
    return Usual(scale, rest, season, level, spread_of(rest, level))


def trailing_median(values: Single, window: int) -> Single:
    """The median of the `window` days before each day, of as many as there are; the first days borrow the first one."""
    days = len(values)
    padded = np.concatenate([np.repeat(values[:1], window, axis=0), values[:-1]])
    found = np.empty_like(values)
    middle = window // 2
    for first in range(0, values.shape[1], 256):  # a few series at a time stay in the cache
        part = np.ascontiguousarray(padded[:, first : first + 256])
        windows = np.lib.stride_tricks.sliding_window_view(part, window, axis=0)[:days]
        found[:, first : first + 256] = np.partition(windows, middle, axis=-1)[..., middle]
    return found


def spread_of(rest: Single, level: Single) -> Single:
    """The spread of the days before each day; a day counts for at most three times what was usual."""
    off = np.abs(rest - level)
    begin = min(2 * WARM_UP, len(off))
    with np.errstate(invalid="ignore"):
        now = np.nan_to_num(np.median(off[LEVEL_DAYS // 2 : begin], axis=0)) * 1.25
    now = np.maximum(now, FEWEST_OFF)
    found = np.empty_like(off)
    for day, far in enumerate(off):
        found[day] = now
        known = np.where(np.isnan(far), now, np.minimum(far, _CLIP * now))
        now = np.maximum((1 - FORGET) * now + FORGET * known, FEWEST_OFF)
    return np.asarray(found * np.float32(1.25))  # the mean size of errors in standard deviations


def judged_from(rest: Single) -> NDArray[np.int64]:
    """The first place of each series that can be judged: four weeks after it began, on the day of a fit."""
    return _begun(~np.isnan(rest)) + WARM_UP


def _begun(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first day effects of a series are learned from."""
    first = np.where(known.any(axis=0), known.argmax(axis=0), len(known))
    return np.asarray(-(-first // REFIT_DAYS) * REFIT_DAYS)


def _season(columns: Matrix, bent: Single) -> Single:
    """Calendar effects of each day, learned from the days before the two weeks it is in; those of the four weeks a
    series is not judged in, from themselves."""
    season = np.zeros_like(bent)
    known = ~np.isnan(bent)
    begun = _begun(known)
    filled = np.where(known, bent, 0).astype(np.float64)
    for end in range(WARM_UP, len(bent), REFIT_DAYS):
        for start in np.unique(begun[begun + WARM_UP <= end]).tolist():
            chosen = np.flatnonzero(begun == start)
            effects = _effects(columns[start:end], filled[start:end, chosen])
            first = max(0, start - REFIT_DAYS) if end - start == WARM_UP else end
            season[first : end + REFIT_DAYS, chosen] = columns[first : end + REFIT_DAYS] @ effects
    season[~known] = np.nan
    return season


def _effects(columns: Matrix, bent: Matrix) -> Matrix:
    """Effects by a Ridge beside a level that may drift; what is far off counts as three spreads, once fitted."""
    days = len(columns)
    count = max(2, days // KNOT_DAYS + 1)
    places = np.linspace(0, days - 1, count)
    knots = np.maximum(0.0, 1.0 - np.abs(np.arange(days)[:, None] - places) / (places[1] - places[0]))
    seen = np.hstack([knots, columns])
    others = np.full(columns.shape[1] - _WEEKDAYS, _PENALTY)
    penalty = np.diag(np.r_[np.full(count, _KNOT_PENALTY), np.full(_WEEKDAYS, _WEEKDAY_PENALTY), others])
    solve = np.linalg.solve(seen.T @ seen + penalty, seen.T)
    for _ in range(2):
        fitted = seen @ (solve @ bent)
        off = bent - fitted
        most = _CLIP * np.maximum(1.25 * np.median(np.abs(off), axis=0), FEWEST_OFF)
        bent = fitted + np.clip(off, -most, most)
    return np.asarray((solve @ bent)[count:])
