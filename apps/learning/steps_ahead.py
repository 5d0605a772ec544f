"""Forecasts of equally spaced steps without a calendar, such as weeks: many series of different lengths at once."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin

from apps.learning.autoregression import AutoRidge
from apps.learning.calendars import Matrix, TooShort
from apps.learning.conformal import ConformalIntervals
from apps.learning.mixture import losses, mix, weigh
from apps.learning.seasonal import SeasonalLevelRidge
from apps.learning.stacking import FEWEST_SERIES, Features, StackedCorrection
from apps.learning.threads import alone

WEEKS_OF_YEAR = 365.25 / 7
FEWEST_STEPS = 10
"""So many steps of a series are needed to forecast it."""
TRUSTED_ORIGINS = 12
"""By so many origins before it an origin trusts the experts; the boosting learns from origins that had half of them."""
TRUST, SHARED = 12.0, 0.3
"""A loss over a quarter says more than one over a week: it is trusted more, and that of the series itself most."""
ROUNDS = 300
RECENCIES = (1.0, 0.75, 0.5, 0.25)
"""Simple exponential smoothings; the first is the naive: as the newest step."""
DRIFTS = (0.5, 2.0, 8.0)
"""Seasons a straight line is drawn over, from the first step to the newest."""
HARMONICS, SEASONS_READ = 12, 20
YEARS, THEN = (1, 2, 4, 8), (0.3, 0.7, 1.0)


class StepExperts(RegressorMixin, BaseEstimator):
    """All forecasts there are to choose from, the naive first; one that is not known for a series tells the naive.

    Levels, drifts, the season before, what came after the same step of the last 1 to 8 seasons (added to the level,
    or in proportion to it), the Ridge of levels and waves of the season, and autoregressions.
    """

    def __init__(self, horizon: int = 13, season: float = WEEKS_OF_YEAR) -> None:
        self.horizon = horizon
        self.season = season

    def fit(self, X: None, y: Matrix) -> Self:
        """`y` is steps × series, NaN before a series begins; every series has begun."""
        y = np.asarray(y, dtype=float)
        parts = [*self._plain(y), *self._same_time(y), *self._waves(y)]
        parts += [ridge.fit(None, y).predict(self.horizon) for ridge in self._ridges()]
        stacked = np.stack(parts)
        self.experts_ = np.where(np.isfinite(stacked), stacked, stacked[:1])
        return self

    def predict(self, X: None = None) -> Matrix:
        """The mean of the experts, steps ahead × series."""
        return np.asarray(self.experts_.mean(axis=0))

    def _plain(self, y: Matrix) -> list[Matrix]:
        ahead = np.ones((self.horizon, 1))
        found = [ahead * level(y, recency) for recency in RECENCIES]
        last, columns = len(y) - 1, np.arange(y.shape[1])
        for seasons in DRIFTS:
            begin = np.maximum((~np.isnan(y)).argmax(axis=0), last - round(seasons * self.season))
            slope = (y[-1] - y[begin, columns]) / np.maximum(last - begin, 1)
            found.append(y[-1] + slope * np.cumsum(ahead, axis=0))
        return [*found, self._after(y, round(self.season))]

    def _after(self, y: Matrix, lag: int) -> Matrix:
        """The steps that came after the one `lag` steps ago; NaN where they are not known."""
        after = np.full((self.horizon, y.shape[1]), np.nan)
        if len(y) >= lag:
            known = y[len(y) - lag :][: self.horizon]
            after[: len(known)] = known
        return after

    def _same_time(self, y: Matrix) -> list[Matrix]:
        """The level of now with the changes that came after the same step of earlier seasons, on average."""
        is_positive = np.nanmin(y, axis=0) > 0
        lags = [round(self.season * back) for back in range(1, max(YEARS) + 1)]
        lags = [lag for lag in lags if lag < len(y) - 1]
        if not lags:
            return []
        after = np.stack([self._after(y, lag) for lag in lags])
        found = []
        for recency in THEN:
            now, then = level(y, recency), np.stack([level(y[:-lag], recency) for lag in lags])[:, None]
            change = after - then
            found += [now + _mean(change[:years]) for years in YEARS]
            ratio = after / np.where(then > 0, then, np.nan)
            found += [np.where(is_positive, now * _mean(ratio[:years]), np.nan) for years in YEARS[::2]]
        return found

    def _waves(self, y: Matrix) -> Matrix:
        """The Ridge of days, given waves of the season in place of a calendar."""
        y = y[-round(SEASONS_READ * self.season) :]
        ahead = np.arange(1 - len(y), self.horizon + 1)
        waves = np.outer(ahead / self.season, 2 * np.pi * np.arange(1, min(HARMONICS, int(self.season / 4)) + 1))
        columns = np.hstack([np.sin(waves), np.cos(waves)])
        fitted = SeasonalLevelRidge(
            half_lives=(0.5, 2, 8, 26), season_half_life=5 * self.season, penalty=0.3, knot_days=round(self.season)
        ).fit(columns[: len(y)], y)
        return fitted.experts(columns[len(y) :])

    def _ridges(self) -> list[AutoRidge]:
        """Short memories with those of the same time in earlier seasons, and one whole season."""
        season, quarter = self.season, round(self.season / 4)
        near = round(self.season / 13)
        return [
            AutoRidge(season, recent=quarter, seasons=2, around=near),
            AutoRidge(season, recent=quarter, seasons=2, around=near, is_log=False),
            AutoRidge(season, recent=quarter, seasons=1, around=near),
            AutoRidge(season, recent=2 * near, seasons=2, around=near // 2, is_log=False),
            AutoRidge(season, recent=2 * near, seasons=3, around=near // 2, is_log=False),
            AutoRidge(season, recent=round(season) + 2 * near, seasons=0, penalty=80.0),
            AutoRidge(season, recent=round(season) + 2 * near, seasons=0, of_changes=False),
        ]


@dataclass(frozen=True)
class _Origin:
    """A forecast from the steps before `end`; with what was missed, where the future is known."""

    end: int
    mixture: Matrix
    forecast: Matrix
    losses: Matrix
    rows: Features
    scale: Matrix
    depth: int


class StepsForecaster(RegressorMixin, BaseEstimator):
    """Many series of equal steps, `horizon` steps ahead: experts, mixed by past origins, corrected by one boosting.

    Parameters
    ----------
    horizon
        Steps ahead; origins of the back-test are as far apart, so that no future is known at any of them.
    season
        Steps until things repeat, not necessarily whole: a year has 52.18 weeks.
    origins
        The back-test stands at so many past steps, fewer where history is short.
    random_state
        Of the boosting.
    """

    def __init__(
        self, horizon: int = 13, season: float = WEEKS_OF_YEAR, origins: int = 16, random_state: int = 0
    ) -> None:
        self.horizon = horizon
        self.season = season
        self.origins = origins
        self.random_state = random_state

    @alone
    def fit(self, X: None, y: Matrix) -> Self:
        """`y` is steps × series, all ending with the newest step; NaN before a series begins.

        Sets `forecast_` (steps ahead × series) and `intervals_`, learned from the origins of the back-test.
        """
        y = np.asarray(y, dtype=float)
        shortest = int((~np.isnan(y)).sum(axis=0).min(initial=len(y)))
        if shortest < FEWEST_STEPS:
            raise TooShort(f"a forecast needs {FEWEST_STEPS} steps of history; a series has {shortest}")
        if np.isnan(y[-1]).any() or (np.diff((~np.isnan(y)).astype(int), axis=0) < 0).any():
            raise ValueError("a series has a step without amount after its first; write 0 where there was nothing")
        ends = [len(y) - self.horizon * back for back in range(self.origins, -1, -1)]
        past: list[_Origin] = []
        for end in ends:
            if _begun(y, end).any():
                past.append(self._stand(past, y, end))
        self.forecast_ = past[-1].forecast
        told = [self._actual(y, one.end) - one.forecast for one in past[:-1] if one.depth]
        missed = np.stack(told) if told else np.full((1, self.horizon, y.shape[1]), np.nan)
        self.intervals_ = ConformalIntervals().fit(_size(y), missed)
        return self

    def predict(self, X: None = None) -> Matrix:
        """Steps ahead × series."""
        return np.asarray(self.forecast_)

    def _stand(self, past: list[_Origin], y: Matrix, end: int) -> _Origin:
        """The forecast from the steps before `end`, learned from what was over by then."""
        begun = _begun(y, end)
        known = y[:end, begun]
        own = StepExperts(self.horizon, self.season).fit(None, known).experts_
        experts = np.full((len(own), self.horizon, y.shape[1]), np.nan)
        experts[:, :, begun] = own
        before = [one.losses for one in past[-TRUSTED_ORIGINS:] if len(one.losses) == len(own)]
        mixture = mix(experts, weigh(before, len(own), trust=TRUST, shared=SHARED))
        scale = np.full(y.shape[1], np.nan)
        scale[begun] = _change(known)
        rows = _features(y[:end], experts, mixture, scale)
        forecast = mixture + self._correction(past, y, rows) * scale
        missed = losses(experts, self._actual(y, end))
        return _Origin(end, mixture, forecast, missed, rows, scale, len(before))

    def _correction(self, past: list[_Origin], y: Matrix, rows: Features) -> Matrix:
        """What the boosting of earlier origins adds, in parts of the usual change of each series."""
        shape = (self.horizon, y.shape[1])
        taught = [one for one in past if one.depth >= TRUSTED_ORIGINS // 2 and one.rows.shape[1] == rows.shape[1]]
        if not taught or y.shape[1] < FEWEST_SERIES:
            return np.zeros(shape)
        X = np.vstack([one.rows for one in taught])
        missed = np.concatenate([((self._actual(y, one.end) - one.mixture) / one.scale).ravel() for one in taught])
        seen = np.isfinite(missed)
        boosted = StackedCorrection(random_state=self.random_state, max_iter=ROUNDS).fit(X[seen], missed[seen])
        return boosted.predict(rows).reshape(shape)

    def _actual(self, y: Matrix, end: int) -> Matrix:
        """What came after an origin, NaN for the future."""
        actual = np.full((self.horizon, y.shape[1]), np.nan)
        after = y[end : end + self.horizon]
        actual[: len(after)] = after
        return actual


def level(y: Matrix, recency: float) -> Matrix:
    """Simple exponential smoothing per series; NaN where it has not begun."""
    weights = (1 - recency) ** np.arange(len(y))[::-1]
    known = ~np.isnan(y)
    whole = weights @ known
    return np.asarray(np.where(known[-1], weights @ np.nan_to_num(y) / np.where(whole > 0, whole, 1.0), np.nan))


def _begun(y: Matrix, end: int) -> Matrix:
    """Which series are known long enough before an origin."""
    return np.asarray((~np.isnan(y[: max(end, 0)])).sum(axis=0) >= FEWEST_STEPS)


def _size(y: Matrix) -> Matrix:
    size = np.nanmean(np.abs(y), axis=0)
    return np.where(size > 0, size, 1.0)


def _change(y: Matrix) -> Matrix:
    """The usual change from step to step; the size of the series where it never changes."""
    change = np.nanmean(np.abs(np.diff(y, axis=0)), axis=0)
    return np.where(change > 0, change, _size(y))


def _features(y: Matrix, experts: Matrix, mixture: Matrix, scale: Matrix) -> Features:
    """Rows of (step, series): where the experts stand beside the mixture, how restless the series is, how far it is."""
    newest = y[-1]
    move = np.vstack([np.full(y.shape[1], np.nan), np.abs(np.diff(y, axis=0))])
    per_series = [
        *(_mean(move[-length:]) / scale for length in (13, 52)),
        *((newest - _mean(y[-length:])) / scale for length in (4, 52)),
        experts.std(axis=0).mean(axis=0) / scale,
        scale / np.where(newest != 0, np.abs(newest), np.nan),
        (~np.isnan(y)).sum(axis=0),
    ]
    columns = [(expert - mixture) / scale for expert in experts]
    columns += [np.broadcast_to(value, mixture.shape) for value in per_series]
    columns += [(mixture - newest) / scale, np.broadcast_to(np.arange(len(mixture))[:, None], mixture.shape)]
    return np.stack([np.clip(one, -1e3, 1e3).astype(np.float32).ravel() for one in columns], axis=1)


def _mean(values: Matrix) -> Matrix:
    """The mean over the first axis of what is known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    return np.where(count > 0, np.nan_to_num(values).sum(axis=0) / np.maximum(count, 1), np.nan)
