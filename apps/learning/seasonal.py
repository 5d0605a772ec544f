"""Two plain forecasters of many series at once: the seasonal naive, and a Ridge of calendar and level."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from apps.learning.calendars import Matrix

WEEK = 7
KNOT_PENALTY = 1e-3
BLOCK_DAYS, FEWEST_BLOCKS = 7, 8
SURE, UNUSUAL, LEAST_STEP = 6.0, 4.0, 0.05
"""A step is so many times the noise of its windows, so many times what blocks usually change by, and so large."""
POOLED_SERIES = 10
"""From so many series on, what they have in common is learned as freely as `pooling` says."""


class SeasonalNaive(RegressorMixin, BaseEstimator):
    """Every day is like the same weekday of the last week: what any other forecast has to beat."""

    def fit(self, X: Matrix, y: Matrix) -> Self:
        """`y` is days × series."""
        self.week_ = np.nan_to_num(y[-WEEK:] if len(y) >= WEEK else np.repeat(y[-1:], WEEK, axis=0))
        return self

    def predict(self, X: Matrix) -> Matrix:
        """The days after those of `fit`, one row of `X` each."""
        return np.asarray(self.week_[np.arange(len(X)) % WEEK])


class SeasonalLevelRidge(RegressorMixin, BaseEstimator):
    """Calendar effects by a Ridge that forgets slowly, plus a level that forgets as fast as each half-life says.

    `y` is days × series; NaN stands before a series begins, nowhere else. Amounts are scaled by the series' mean and
    bent by a signed log1p, so that effects multiply where amounts are large and zeros and credits stay possible.

    Parameters
    ----------
    half_lives
        Days; one level each. One more level is the mean since the last step of the series.
    season_half_life
        Days in which a calendar effect is half forgotten.
    penalty, pooling
        The effects of a series are pulled with `penalty` towards those all series have in common, which are pulled
        with `pooling` x `penalty` towards none.
    knot_days
        Days between the knots of the drift that is kept apart from calendar effects while these are learned.
    ignored_columns
        So many of the last columns of `X` are not looked at.
    """

    def __init__(
        self,
        half_lives: tuple[float, ...] = (3, 7, 14, 28, 56, 112, 224),
        season_half_life: float = 1000,
        penalty: float = 1.0,
        pooling: float = 0.1,
        knot_days: int = 112,
        ignored_columns: int = 0,
    ) -> None:
        self.half_lives = half_lives
        self.season_half_life = season_half_life
        self.penalty = penalty
        self.pooling = pooling
        self.knot_days = knot_days
        self.ignored_columns = ignored_columns

    def fit(self, X: Matrix, y: Matrix) -> Self:
        """Learn from consecutive days: `X` their calendar columns, `y` their amounts."""
        known = ~np.isnan(y)
        starts = _starts(known)
        filled = np.where(known, y, 0.0)
        mean = np.abs(filled).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        self.scale_ = np.where(mean > 0, mean, 1.0)
        bent = _bend(filled / self.scale_) * known
        X = self._seen(X)
        self.coef_ = self._effects(X, bent, starts)
        rest = (bent - X @ self.coef_) * known
        self.levels_ = np.stack([*self._levels(rest, known & _is_of_now(rest, known)), _since_step(rest, known)])
        return self

    def experts(self, X: Matrix) -> Matrix:
        """Levels × days × series: one forecast per half-life, the last by the level since the last step."""
        return np.asarray(_unbend(self.levels_[:, None] + (self._seen(X) @ self.coef_)[None]) * self.scale_)

    def predict(self, X: Matrix) -> Matrix:
        """The mean of the experts for the days after those of `fit`."""
        return np.asarray(self.experts(X).mean(axis=0))

    def _seen(self, X: Matrix) -> Matrix:
        return X[:, : X.shape[1] - self.ignored_columns]

    def _effects(self, X: Matrix, bent: Matrix, starts: NDArray[np.int64]) -> Matrix:
        days, effects = X.shape
        recency = 0.5 ** (np.arange(days)[::-1] / self.season_half_life)
        knots = _knots(days, self.knot_days)
        columns = np.hstack([knots, X])
        penalties = np.r_[np.full(knots.shape[1], KNOT_PENALTY), np.full(effects, self.penalty)]
        weighted = columns * recency[:, None]
        right = weighted.T @ bent
        first, which = np.unique(starts, return_inverse=True)
        grams = np.stack([weighted[start:].T @ columns[start:] for start in first])
        # What all series have in common is learned from their mean; the fewer there are, the less it is believed.
        light = penalties.copy()
        light[knots.shape[1] :] = self.penalty * max(self.pooling, POOLED_SERIES / 2 / bent.shape[1])
        shares = np.bincount(which) / len(which)
        common = np.linalg.solve(np.tensordot(shares, grams, 1) + np.diag(light), right.mean(axis=1))
        common[: knots.shape[1]] = 0
        right += (penalties * common)[:, None]
        solved = np.empty_like(right)
        for place, gram in enumerate(grams):
            solved[:, which == place] = np.linalg.solve(gram + np.diag(penalties), right[:, which == place])
        return np.asarray(solved[knots.shape[1] :])

    def _levels(self, rest: Matrix, known: NDArray[np.bool_]) -> list[Matrix]:
        ages = np.arange(len(rest))[::-1]
        recencies = [0.5 ** (ages / half_life) for half_life in self.half_lives]
        seen = rest * known
        return [recency @ seen / np.maximum(recency @ known, 1e-12) for recency in recencies]


def _starts(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The first known day of each series; raises ValueError for a hole after it."""
    starts = np.where(known.any(axis=0), known.argmax(axis=0), len(known) - 1)
    if (~known & (np.arange(len(known))[:, None] >= starts) & known.any(axis=0)).any():
        raise ValueError("a series has a day without amount after its first; write 0 where nothing was charged")
    return np.asarray(starts)


def _bend(amount: Matrix) -> Matrix:
    return np.asarray(np.sign(amount) * np.log1p(np.abs(amount)))


def _unbend(bent: Matrix) -> Matrix:
    # No forecast is more than e^6 times the mean of its series: a level of a few days must not run away.
    return np.asarray(np.sign(bent) * np.expm1(np.minimum(np.abs(bent), 6.0)))


def _knots(days: int, every: int) -> Matrix:
    """Hat functions over time: a level that may drift between knots."""
    count = max(2, int(np.ceil(days / every)) + 1)
    places = np.linspace(0, days - 1, count)
    distance = np.abs(np.arange(days)[:, None] - places) / max(places[1] - places[0], 1)
    return np.asarray(np.maximum(0.0, 1.0 - distance))


def _is_of_now(rest: Matrix, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Days × series: whether a day comes after the last step that is beyond doubt; what was before tells no level.

    Medians are compared, of windows from the end that double: a spike of some days is no step. Beyond doubt is what is
    large beside the noise of days, and beside how the medians of blocks of days usually change.
    """
    days = len(rest)
    is_now = np.ones_like(known)
    blocks = days // BLOCK_DAYS
    if blocks < 2:
        return is_now
    middles = np.median(rest[-blocks * BLOCK_DAYS :].reshape(blocks, BLOCK_DAYS, -1), axis=1)
    usual = np.median(np.abs(np.diff(middles, axis=0)), axis=0) if blocks >= FEWEST_BLOCKS else 0.0
    noise = _noise(rest, known)
    grows = np.ones(rest.shape[1], dtype=bool)
    size = BLOCK_DAYS
    while size + BLOCK_DAYS <= days and grows.any():
        older = slice(max(0, days - 2 * size), days - size)
        change = np.abs(np.median(rest[-size:], axis=0) - np.median(rest[older], axis=0))
        allowed = np.maximum.reduce(
            [SURE * noise * np.sqrt(2 / size), UNUSUAL * usual + 0 * noise, LEAST_STEP + 0 * noise]
        )
        is_step = grows & (change > allowed) & known[older].all(axis=0)
        is_now[: days - size, is_step] = False
        grows &= ~is_step
        size *= 2
    return is_now


def _since_step(rest: Matrix, known: NDArray[np.bool_]) -> Matrix:
    """The mean since the last step: a window from the end doubles while the days before it have the same level."""
    backward, there = rest[::-1], known[::-1]
    sums = np.vstack([np.zeros(rest.shape[1]), np.cumsum(backward, axis=0)])
    counts = np.vstack([np.zeros(rest.shape[1]), np.cumsum(there, axis=0)])
    noise = _noise(rest, known)
    size = 4
    window = np.full(rest.shape[1], min(size, len(rest)))
    grows = np.ones(rest.shape[1], dtype=bool)
    while size < len(rest) and grows.any():
        end = min(2 * size, len(rest))
        older = counts[end] - counts[size]
        mean = sums[size] / np.maximum(counts[size], 1)
        before = (sums[end] - sums[size]) / np.maximum(older, 1)
        allowed = 3.5 * noise * np.sqrt(1 / np.maximum(counts[size], 1) + 1 / np.maximum(older, 1))
        grows &= (older >= 1) & (np.abs(mean - before) <= allowed)
        window = np.where(grows, end, window)
        size = end
    columns = np.arange(rest.shape[1])
    return np.asarray(sums[window, columns] / np.maximum(counts[window, columns], 1))


def _noise(rest: Matrix, known: NDArray[np.bool_]) -> Matrix:
    """The spread of a day around its level, by the middle of day-to-day changes: steps do not widen it."""
    change = np.abs(np.diff(rest, axis=0))
    both = known[1:] & known[:-1]
    middle = np.median(change, axis=0)
    young = ~both.all(axis=0)
    if young.any():  # the median that skips NaN is ten times slower
        seen = np.where(both[:, young], change[:, young], np.nan)
        middle[young] = np.nanmedian(np.where(both[:, young].any(axis=0), seen, 0.0), axis=0)
    return np.asarray(np.maximum(middle * 1.4826 / np.sqrt(2), 1e-3))
