"""A mixture of experts: each series trusts the forecasts that were right at earlier origins."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin, clone

from apps.learning.calendars import YEARLY_COLUMNS, Matrix
from apps.learning.seasonal import SeasonalLevelRidge, SeasonalNaive

YEARLY_DAYS = 560
"""From so much history on the waves of the year can be told from a trend: one and a half years."""
RIDGES = (
    SeasonalLevelRidge(ignored_columns=YEARLY_COLUMNS),
    SeasonalLevelRidge(season_half_life=180, ignored_columns=YEARLY_COLUMNS),
)
YEARLY_RIDGE = SeasonalLevelRidge(knot_days=400)
Weights = NDArray[np.float64]


class Experts(RegressorMixin, BaseEstimator):
    """All forecasts there are to choose from: the levels of each Ridge, and the seasonal naive.

    `is_yearly` adds a Ridge that also looks at the last columns of `X`, the waves of the year.
    """

    def __init__(self, ridges: tuple[SeasonalLevelRidge, ...] = RIDGES, is_yearly: bool = False) -> None:
        self.ridges = ridges
        self.is_yearly = is_yearly

    def fit(self, X: Matrix, y: Matrix) -> Self:
        ridges = (*self.ridges, YEARLY_RIDGE) if self.is_yearly else self.ridges
        self.fitted_ = [clone(ridge).fit(X, y) for ridge in ridges]
        self.naive_ = SeasonalNaive().fit(X, y)
        return self

    def experts(self, X: Matrix) -> Matrix:
        """Experts × days × series, the seasonal naive last; single precision, there are many."""
        parts = [ridge.experts(X).astype(np.float32) for ridge in self.fitted_]
        return np.concatenate([*parts, self.naive_.predict(X)[None].astype(np.float32)])

    def predict(self, X: Matrix) -> Matrix:
        return np.asarray(self.experts(X).mean(axis=0))


def losses(experts: Matrix, actual: Matrix) -> Matrix:
    """Experts × series: the mean absolute error of each; NaN where a series had not begun."""
    return np.asarray(np.abs(experts - actual).mean(axis=1))


def weigh(past: list[Matrix], count: int, *, trust: float = 5.0, shared: float = 0.5) -> Weights | float:
    """Experts × series, adding up to 1: how far each series trusts each expert, by their losses at past origins.

    Losses are measured in those of the best expert. `shared` is how much the losses of all series count beside the
    series' own, `trust` how strongly a loss lowers a weight. Without any past every expert counts the same.
    """
    if not past:
        return 1.0 / count
    stacked = np.stack(past)
    seen = ~np.isnan(stacked)
    own = np.where(seen, stacked, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    # An expert that was never wrong counts a thousand times as much as the others, not infinitely.
    least = 1e-3 * own.mean(axis=0) + 1e-12
    relative = (own + least) / (own.min(axis=0) + least)
    typical = np.minimum(relative, 10).mean(axis=1, keepdims=True)
    mixed = shared * typical / typical.min() + (1 - shared) * np.minimum(relative, 50)
    weights = np.exp(-trust * (mixed - mixed.min(axis=0)))
    return np.asarray(weights / weights.sum(axis=0))


def mix(experts: Matrix, weights: Weights | float) -> Matrix:
    """Days × series."""
    if isinstance(weights, float):
        return np.asarray(experts.mean(axis=0), dtype=float)
    return np.asarray(np.einsum("kdn,kn->dn", experts, weights.astype(np.float32)), dtype=float)
