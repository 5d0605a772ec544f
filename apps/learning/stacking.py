"""One gradient boosting for all series, stacked on the experts: when to trust the fast ones, when the slow ones."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import HistGradientBoostingRegressor

from apps.learning.calendars import Matrix

MOST_ROWS = 120_000
FEWEST_SERIES = 8
"""With fewer series there is nothing to learn that is not of one of them."""
Features = NDArray[np.float32]


class StackedCorrection(RegressorMixin, BaseEstimator):
    """The median of what the mixture missed, in parts of the series' mean, half of it believed.

    One fit serves one origin: what was missed later must not be known.
    """

    def __init__(self, random_state: int = 0, believed: float = 0.5, max_iter: int = 60) -> None:
        self.random_state = random_state
        self.believed = believed
        self.max_iter = max_iter

    def fit(self, X: Features, y: Matrix) -> Self:
        """`X` rows of `features`, `y` the `errors_to_learn` beside them."""
        self.boosted_ = HistGradientBoostingRegressor(
            loss="quantile", quantile=0.5, learning_rate=0.05, max_iter=self.max_iter, max_leaf_nodes=8,
            min_samples_leaf=min(500, max(20, len(y) // 50)), l2_regularization=1.0, early_stopping=False,
            random_state=self.random_state,
        ).fit(X, y)  # fmt: skip
        return self

    def predict(self, X: Features) -> Matrix:
        """What to add to the mixture, in parts of the series' mean, one per row."""
        return np.asarray(self.believed * self.boosted_.predict(X))


def errors_to_learn(error: Matrix) -> Matrix:
    """Errors without what all series missed on one day: that is no trait of a series, and trees would learn it by
    heart, yesterday's holiday included."""
    return np.asarray(error - np.nanmedian(error, axis=1, keepdims=True))


def features(y: Matrix, experts: Matrix, mixed: Matrix, scale: Matrix, kinds: Matrix) -> Features:
    """Rows of (day, series): where the experts stand beside the mixture, what the last weeks were, what day it is."""
    days, series = mixed.shape
    columns = [(expert - mixed) / scale for expert in experts[::2]]
    columns.append(mixed / scale)
    columns += [(_same_weekdays(y, weeks, days) - mixed) / scale for weeks in (2, 6)]
    last = [np.nan_to_num(y[-length:]) for length in (28, 7, 28, 91)]
    per_series = [last[0].std(axis=0) / scale, *(part.mean(axis=0) / scale for part in last[1:])]
    columns += [np.broadcast_to(value, (days, series)) for value in per_series]
    per_day = (np.arange(days), kinds)
    columns += [np.broadcast_to(np.asarray(value)[:, None], (days, series)) for value in per_day]
    return np.stack([np.asarray(column, dtype=np.float32).ravel() for column in columns], axis=1)


def _same_weekdays(y: Matrix, weeks: int, days: int) -> Matrix:
    """The mean of the same weekday in the last weeks."""
    weeks = max(1, min(weeks, len(y) // 7))
    mean = np.nan_to_num(y[-7 * weeks :]).reshape(weeks, -1, y.shape[1]).mean(axis=0)
    return np.asarray(mean[np.arange(days) % len(mean)])
