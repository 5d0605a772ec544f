"""Intervals from errors at past origins, of single days and of sums of days, without a word about distributions."""

from typing import Self

import numpy as np
from sklearn.base import BaseEstimator

from apps.learning.calendars import Matrix

BAND = 3
"""The error of a day is learned from the days around it, so many to either side."""
BORROWED = 2.0
"""So many origins' worth of a series' spread are borrowed from what is usual for a series as rough as it is."""


UNKNOWN = 0.5
"""The spread of days in parts of their mean where no series has erred yet."""


class ConformalIntervals(BaseEstimator):
    """Errors of a series are measured in its own spread; how often that is exceeded is learned from all series.

    The spread an error is measured in leaves out its own origin, as the spread of the future does. Beyond the days
    the back-test reached, spread grows with the root of the distance, and that of a sum in proportion to its length.
    """

    def fit(self, X: Matrix, y: Matrix) -> Self:
        """`y` is origins × days ahead × series of errors (actual - forecast); NaN where a series had not begun.

        `X` is the size of each series: one that is too young to have erred is taken to be as rough as most.
        """
        self.errors_ = y
        seen = ~np.isnan(y)
        count = seen.sum(axis=(0, 1))
        rough = np.abs(np.nan_to_num(y)).sum(axis=(0, 1)) / np.maximum(count, 1)
        usual = float(np.median((rough / X)[count > 0])) if count.any() else UNKNOWN
        self.rough_ = np.where(count > 0, rough, usual * X)
        return self

    def day(self, ahead: int, level: float) -> tuple[Matrix, Matrix]:
        """What to add to the forecast of the day `ahead` (0 is the first): lower and upper bound, per series."""
        last = self.errors_.shape[1] - 1
        near = min(ahead, last)
        first = max(0, min(near - BAND, last - 2 * BAND))
        band = self.errors_[:, first : near + BAND + 1]
        grows = np.sqrt((ahead + 1) / (near + 1))
        lower, upper = self._bounds(band, level)
        return lower * grows, upper * grows

    def days(self, count: int, level: float) -> tuple[Matrix, Matrix]:
        """Days × series: lower and upper bounds of the first `count` days ahead."""
        bounds = [self.day(ahead, level) for ahead in range(count)]
        return np.stack([lower for lower, _ in bounds]), np.stack([upper for _, upper in bounds])

    def total(self, first: int, end: int, level: float) -> tuple[Matrix, Matrix]:
        """What to add to the sum of the days `first` <= ahead < `end`: lower and upper bound, per series.

        It is learned from sums: bounds of days cannot be added up, as some errors cancel out and others do not.
        """
        reach = self.errors_.shape[1]
        length = end - first
        begin = min(first, max(0, reach - length))
        part = self.errors_[:, begin : min(begin + length, reach)]
        grows = length / part.shape[1]
        lower, upper = self._bounds(part.sum(axis=1, keepdims=True), level)
        return lower * grows, upper * grows

    def covered(self, level: float) -> Matrix:
        """The share of past days inside the interval that the other origins would have given, per series."""
        inside = []
        for ahead in range(self.errors_.shape[1]):
            lower, upper, spreads, errors = self._scores(self.errors_[:, [ahead]], level)
            inside.append((errors >= lower * spreads) & (errors <= upper * spreads) | np.isnan(errors))
        return np.asarray(np.mean(np.stack(inside), axis=(0, 1, 2)))

    def _bounds(self, errors: Matrix, level: float) -> tuple[Matrix, Matrix]:
        lower, upper, _, _ = self._scores(errors, level)
        spread = self._spread(errors).mean(axis=(0, 1))
        return lower * spread, upper * spread

    def _scores(self, errors: Matrix, level: float) -> tuple[float, float, Matrix, Matrix]:
        """The quantiles of errors over spreads, the spreads leaving out each error's own origin, and the errors."""
        spreads = self._spread(errors, without_own=True)
        scores = (errors / spreads)[~np.isnan(errors)]
        if not len(scores):
            return 0.0, 0.0, spreads, errors
        # The quantile of n + 1 values, one of them the future's, which may be the most extreme.
        tail = (1 - level) / 2 * (1 + 1 / len(scores))
        share = max(0.0, (1 - level) / 2 - (tail - (1 - level) / 2))
        return float(np.quantile(scores, share)), float(np.quantile(scores, 1 - share)), spreads, errors

    def _spread(self, errors: Matrix, *, without_own: bool = False) -> Matrix:
        """The mean size of errors, 1 or origins × 1 × series: of all origins, or of all but each one."""
        size = np.abs(np.nan_to_num(errors)).mean(axis=1)
        seen = (~np.isnan(errors)).any(axis=1)
        usual = self.rough_ * (size[seen].sum() / max(np.broadcast_to(self.rough_, size.shape)[seen].sum(), 1e-300))
        total, count = size.sum(axis=0), seen.sum(axis=0)
        if without_own:
            total, count = total - size, count - seen
        spread = (total + BORROWED * usual) / (count + BORROWED)
        return np.asarray(np.maximum(np.atleast_2d(spread)[:, None, :], 1e-300))
