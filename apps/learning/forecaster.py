"""The forecast of many daily series: mixture, correction, back-test and intervals in one estimator."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin

from apps.learning.calendars import FEWEST_DAYS, Calendar, Days, Matrix, TooShort, consecutive, following, weekdays
from apps.learning.conformal import ConformalIntervals
from apps.learning.mixture import YEARLY_DAYS, Experts, losses, mix, weigh
from apps.learning.scores import Scores, is_as_good, score
from apps.learning.stacking import FEWEST_SERIES, MOST_ROWS, StackedCorrection, errors_to_learn, features
from apps.learning.threads import alone

TRAINED_ON = 10
"""The fewest days an origin of the back-test is forecast from; a third of the history, where that is more."""
FEWEST_ORIGINS = 2
"""The boosting begins to learn with so many."""


@dataclass(frozen=True)
class Origin:
    """One day a forecast was made at, from the days before `end`; with the errors, where the future is known."""

    end: int
    forecast: Matrix
    naive: Matrix
    losses: Matrix
    rows: NDArray[np.float32]
    targets: Matrix


class Forecaster(RegressorMixin, BaseEstimator):
    """Daily amounts of many series, `horizon` days ahead; where the seasonal naive was as good, it is what ships.

    Parameters
    ----------
    calendar
        Holidays and named seasons that may matter.
    horizon
        Days ahead.
    origins, origin_step
        The back-test stands at so many past days, at most so many days apart (closer where history is short).
    random_state
        Of the rows the boosting learns from.
    """

    def __init__(
        self,
        calendar: Calendar | None = None,
        horizon: int = 90,
        origins: int = 8,
        origin_step: int = 28,
        random_state: int = 0,
    ) -> None:
        self.calendar = calendar
        self.horizon = horizon
        self.origins = origins
        self.origin_step = origin_step
        self.random_state = random_state

    @alone
    def fit(self, X: Days, y: Matrix) -> Self:
        """`X` consecutive days, `y` days × series; NaN before a series begins, 0 where nothing was charged.

        Sets `forecast_` (days ahead × series), `intervals_`, `scores_` of the back-test, `is_naive_` per series.
        """
        days = consecutive(X)
        if len(days) < FEWEST_DAYS:
            raise TooShort(f"a forecast needs {FEWEST_DAYS} days of history; there are {len(days)}")
        y = np.asarray(y, dtype=float)
        self.days_ = following(days, self.horizon)
        every = np.concatenate([days, self.days_])
        columns = (self.calendar or Calendar()).columns(every)
        kinds = weekdays(every).astype(float)
        ends, reach = self._plan(len(days))
        self.backtest_ends_ = ends
        past: list[Origin] = []
        for end in ends:
            past.append(self._stand(past, columns, kinds, y, end, reach))
        newest = self._stand(past, columns, kinds, y, len(y), self.horizon)
        actual = np.stack([_known(y, origin.end, reach) for origin in past])
        forecast, naive = (np.stack(parts) for parts in zip(*((o.forecast, o.naive) for o in past), strict=True))
        self.is_naive_ = is_as_good(actual, naive, forecast, len(y) - ends[0])
        self.forecast_ = np.where(self.is_naive_, newest.naive, newest.forecast)
        self.forecast_[:, np.isnan(y).all(axis=0)] = 0  # what never began
        self.intervals_ = ConformalIntervals().fit(_scale(y), actual - np.where(self.is_naive_, naive, forecast))
        self.scores_: Scores = score(actual, np.where(self.is_naive_, naive, forecast), naive, y)
        return self

    def predict(self, X: Days) -> Matrix:
        """The forecast of some of the days ahead."""
        places = (np.asarray(X, dtype="datetime64[D]") - self.days_[0]).astype(int)
        if len(places) and (places.min() < 0 or places.max() >= self.horizon):
            raise ValueError(f"only {self.days_[0]} to {self.days_[-1]} were forecast")
        return np.asarray(self.forecast_[places])

    def _plan(self, length: int) -> tuple[list[int], int]:
        """The past origins, oldest first, and how many days each looks ahead."""
        least = max(TRAINED_ON, length // 3)
        room = length - least
        reach = min(self.horizon, room // 3)
        step = max(1, min(self.origin_step, (room - reach) // max(self.origins - 1, 1)))
        ends = [length - reach - step * back for back in range(self.origins)]
        return [end for end in reversed(ends) if end >= least], reach

    def _stand(self, past: list[Origin], columns: Matrix, kinds: Matrix, y: Matrix, end: int, reach: int) -> Origin:
        """The forecast from the days before `end`, learned from those earlier origins whose days were over then."""
        over = [origin for origin in past if origin.end + len(origin.forecast) <= end]
        ahead = slice(end, end + reach)
        fitted = Experts(is_yearly=len(y) >= YEARLY_DAYS).fit(columns[:end], y[:end])
        said = fitted.experts(columns[ahead])
        forecast = mix(said, weigh([origin.losses for origin in over], len(said)))
        actual, scale = _known(y, end, reach), _scale(y[:end])
        rows, targets = np.empty((0, 0), dtype=np.float32), np.empty(0)
        if y.shape[1] >= FEWEST_SERIES:
            rows = features(y[:end], said, forecast, scale, kinds[ahead])
            targets = errors_to_learn((actual - forecast) / scale).ravel() if end < len(y) else targets
            forecast = forecast + self._correction(over, rows).reshape(forecast.shape) * scale
        chosen = self._draw(targets, end)
        naive = fitted.naive_.predict(columns[ahead])
        return Origin(end, forecast, naive, losses(said, actual), rows[chosen], targets[chosen])

    def _correction(self, over: list[Origin], rows: NDArray[np.float32]) -> Matrix:
        """What the boosting of earlier origins adds, in parts of the series' mean."""
        taught = [origin for origin in over if len(origin.targets)]
        if len(taught) < FEWEST_ORIGINS:
            return np.zeros(len(rows))
        X, y = np.vstack([origin.rows for origin in taught]), np.concatenate([origin.targets for origin in taught])
        return StackedCorrection(random_state=self.random_state).fit(X, y).predict(rows)

    def _draw(self, targets: Matrix, end: int) -> NDArray[np.int64]:
        """The rows an origin teaches the boosting, as many as are its share."""
        usable = np.flatnonzero(~np.isnan(targets))
        most = MOST_ROWS // self.origins
        if len(usable) <= most:
            return usable
        return np.sort(np.random.default_rng((self.random_state, end)).choice(usable, most, replace=False))


def _known(y: Matrix, end: int, reach: int) -> Matrix:
    """What came after a past origin; NaN for series that had not begun by then, and for the future."""
    actual = np.full((reach, y.shape[1]), np.nan)
    after = y[end : end + reach]
    actual[: len(after)] = np.where(np.isnan(y[end - 1]), np.nan, after)
    return actual


def _scale(y: Matrix) -> Matrix:
    known = ~np.isnan(y)
    mean = np.abs(np.nan_to_num(y)).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.where(mean > 0, mean, 1.0)
