"""Autoregressions of many series at once: each step from the last ones, and from those of a season ago."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from apps.learning.calendars import Matrix

MOST_STEPS = 1600
BLOCK_SERIES = 64
"""So many series are multiplied out together, for all together would fill the memory."""
COMMON_PENALTY = 0.02
FEWEST_KNOWN = 40
"""A series tells of what all have in common from so many steps with all their lags on."""
MIDDLE_SEASONS = 2
FURTHEST = 30.0
"""No logarithm runs away beyond it."""


class AutoRidge(RegressorMixin, BaseEstimator):
    """A Ridge of lags per series, pulled towards the one all series have in common; many steps ahead one by one.

    Parameters
    ----------
    season
        Steps of a season, not necessarily whole.
    recent, seasons, around
        The lags: the last `recent` steps, and those up to `around` steps from each of so many seasons ago.
    penalty
        How strongly a series is pulled towards what is common.
    is_log
        Series that are always positive are told in logarithms.
    of_changes
        Changes from step to step are told; else distances from the mean of the last two seasons.
    """

    def __init__(
        self,
        season: float,
        recent: int,
        seasons: int,
        around: int = 0,
        penalty: float = 20.0,
        is_log: bool = True,
        of_changes: bool = True,
    ) -> None:
        self.season = season
        self.recent = recent
        self.seasons = seasons
        self.around = around
        self.penalty = penalty
        self.is_log = is_log
        self.of_changes = of_changes

    def fit(self, X: None, y: Matrix) -> Self:
        """`y` is steps × series, NaN before a series begins."""
        size = np.nanmean(np.abs(y), axis=0)
        self.size_ = np.where(size > 0, size, 1.0)
        self.in_log_ = (np.nanmin(y, axis=0) > 0) & self.is_log
        told = np.where(self.in_log_, np.log(np.where(self.in_log_, y, 1.0)), y / self.size_)
        told[np.isnan(y)] = np.nan
        self.base_ = told[-1] if self.of_changes else np.nanmean(told[-round(MIDDLE_SEASONS * self.season) :], axis=0)
        moves = (np.diff(told, axis=0) if self.of_changes else told - self.base_)[-MOST_STEPS:]
        self.spread_ = np.nanstd(moves, axis=0) + 1e-9
        self.moves_ = moves / self.spread_
        self.lags_ = self._lags()
        self.coef_ = self._coefficients(self.moves_) if len(moves) > self.lags_.max() else None
        return self

    def predict(self, X: int) -> Matrix:
        """The next `X` steps × series; NaN where history is shorter than the lags."""
        if self.coef_ is None:
            return np.full((X, self.moves_.shape[1]), np.nan)
        moves = np.nan_to_num(self.moves_[-self.lags_.max() :])
        for _ in range(X):
            moves = np.vstack([moves, np.einsum("ln,nl->n", moves[-self.lags_], self.coef_)])
        ahead = moves[-X:] * self.spread_
        told = self.base_ + (np.cumsum(ahead, axis=0) if self.of_changes else ahead)
        return np.asarray(np.where(self.in_log_, np.exp(np.clip(told, -FURTHEST, FURTHEST)), told * self.size_))

    def _lags(self) -> NDArray[np.int64]:
        near = np.arange(-self.around, self.around + 1)
        seasonal = [round(self.season * back) + near for back in range(1, self.seasons + 1)]
        return np.unique(np.concatenate([np.arange(1, self.recent + 1), *seasonal]))

    def _coefficients(self, moves: Matrix) -> Matrix:
        """Series × lags."""
        parts = [self._products(moves[:, at : at + BLOCK_SERIES]) for at in range(0, moves.shape[1], BLOCK_SERIES)]
        grams, rights, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
        one = np.eye(len(self.lags_))
        common = np.zeros(len(self.lags_))
        telling = counts >= FEWEST_KNOWN
        if telling.any():
            shares = telling / np.maximum(counts, 1) / telling.sum()
            gram, right = np.tensordot(shares, grams, 1), shares @ rights
            common = np.linalg.solve(gram + COMMON_PENALTY * one, right)
        solved = np.linalg.solve(grams + self.penalty * one, (rights + self.penalty * common)[..., None])
        return np.where(counts[:, None] > 0, solved[..., 0], np.nan)

    def _products(self, moves: Matrix) -> tuple[Matrix, Matrix, Matrix]:
        """Of each series: lags × lags, lags × the step itself, and how many steps have all their lags."""
        first = self.lags_.max()
        lagged = np.stack([moves[first - lag : len(moves) - lag] for lag in self.lags_], axis=2).transpose(1, 0, 2)
        steps = moves[first:].T
        known = ~np.isnan(lagged).any(axis=2) & ~np.isnan(steps)
        lagged, steps = np.where(known[..., None], lagged, 0.0), np.where(known, steps, 0.0)
        turned = lagged.transpose(0, 2, 1)
        return turned @ lagged, (turned @ steps[..., None])[..., 0], known.sum(axis=1)
