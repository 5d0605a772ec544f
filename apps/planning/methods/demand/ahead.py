"""The capacity a demand needs tomorrow: what similar days needed at most, and a margin learned from past mistakes."""

from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

FIRST_DAYS = 3
"""A day is judged by at least so many days before it."""
RAISED = 0.2
"""This part of a margin is in proportion to the day's mean, the rest to the step itself: quiet steps err by more than
their size tells."""
STEEPEST = 4.0
"""No margin is more than so many times that of a step as high as the day's mean."""
LEAST_MARGIN, MOST_MARGIN = 0.01, 0.5
"""A series that went wild in its past is planned by what it lately was, and by no more than half of that on top."""


class DayAhead(BaseEstimator):
    """A capacity plan for the next day in steps, for many series at once.

    A step needs what the last `alike` days of the same kind (working days, or days of rest) needed at most in it,
    and a margin. The margin is that which would have left a share `risk` of samples under-planned in the last `recent`
    days, had each been planned from the days before it; it leans on `usual_margin`, which counts as much as
    `usual_days` days.
    """

    def __init__(
        self,
        *,
        alike: int = 5,
        recent: int = 5,
        risk: float = 0.03,
        usual_margin: float = 0.15,
        usual_days: float = 10.0,
    ) -> None:
        self.alike = alike
        self.risk = risk
        self.usual_margin = usual_margin
        self.usual_days = usual_days
        self.recent = recent

    def fit(self, X: Flags, y: Floats) -> Self:
        """`X` says of each past day whether it was one of rest; `y` is days × steps × samples × series of demand."""
        if y.ndim != 4 or len(X) != len(y):
            raise ValueError("Demand must be days × steps × samples × series, with a flag of rest for every day.")
        if not len(y):
            raise ValueError("There is no past day to plan from.")
        if not np.isfinite(y).all() or (y < 0).any():
            raise ValueError("Demand must be known and not negative; fill what is missing first.")
        self.rest_, self.peaks_ = np.asarray(X, dtype=bool), y.max(axis=2)
        tried = range(max(FIRST_DAYS, len(y) - self.recent), len(y))
        self.tried_days_ = len(tried)
        self.margin_ = np.full(y.shape[3], self.usual_margin)
        if tried:
            planned = np.stack([self._envelope(day, rest=bool(self.rest_[day])) for day in tried])
            missed = (y[tried.start :] - planned[:, :, None]) / np.maximum(self._scale(planned)[:, :, None], 1e-12)
            learned = np.minimum(np.quantile(missed, 1 - self.risk, axis=(0, 1, 2)), MOST_MARGIN)
            weight = self.tried_days_ / (self.tried_days_ + self.usual_days)
            self.margin_ = np.maximum(weight * learned + (1 - weight) * self.usual_margin, LEAST_MARGIN)
        return self

    def predict(self, X: Flags) -> Floats:
        """Days × steps × series: the capacity to plan for coming days, of which `X` says whether they are of rest."""
        bases = np.stack([self._envelope(len(self.peaks_), rest=bool(rest)) for rest in X])
        return np.asarray(bases + self.margin_ * self._scale(bases))

    def _envelope(self, day: int, *, rest: bool) -> Floats:
        """Steps × series: the most that the last days of a kind before `day` needed; of any kind while there are
        fewer than two of it."""
        before = self.rest_[:day] == rest
        days = np.flatnonzero(before) if before.sum() >= 2 else np.arange(day)
        return np.asarray(self.peaks_[days[-self.alike :]].max(axis=0))

    @staticmethod
    def _scale(plans: Floats) -> Floats:
        """Days × steps × series: what one unit of margin adds."""
        mean = plans.mean(axis=1, keepdims=True)
        return np.asarray(np.minimum((1 - RAISED) * plans + RAISED * mean, STEEPEST * plans))
