"""A level that wanders, weekdays and holidays, drivers and controls: a structural time series, solved exactly.

The local level model with regression of Harvey (1989), as Brodersen et al. (2015) use it for causal effects, is a
Gaussian process: cost = columns × coefficients + level + noise, the level a random walk. What a Kalman filter finds day
by day is found here for all series at once by linear algebra, on a grid of how much the level wanders and how much
controls are believed; the grid's answers are averaged by how well each explains the days before (their marginal
likelihood), so that no maximum is searched for. Days whose cost is not known are simply not among those learned from.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from apps.learning.calendars import Matrix
from apps.learning.effects.panel import Panel, Split


@dataclass(frozen=True)
class Level:
    """How a level moves: by `variance` (in that of noise) a day, or within it and forgotten within `memory` days."""

    variance: float
    memory: float = np.inf

    def covariance(self, days: Matrix) -> Matrix:
        if np.isinf(self.memory):
            return np.asarray(self.variance * np.minimum.outer(days, days))
        return np.asarray(self.variance * np.exp(-np.abs(np.subtract.outer(days, days)) / self.memory))


STILL = Level(0.0)
LEVELS = (
    STILL,
    *(Level(variance) for variance in (0.003, 0.02, 0.1, 0.5)),
    *(Level(variance, 3.0) for variance in (0.5, 2.0)),
    *(Level(variance, 20.0) for variance in (0.2, 1.0, 5.0)),
)
BELIEVED = (0.0, 0.2, 1.0, 5.0)
"""The variance the coefficients of all controls have together before anything is seen, in that of the noise."""
INTERCEPT, CALENDAR, TREND, DRIVER = 1e4, 3.0, 0.3, 10.0
"""The variances of the other coefficients, in the same: a trend over all days is not much believed."""
NEVER = 1e-12
"""The variance of a coefficient of a column that a series may not use."""
LEAST_NOISE = 1e-9
"""In squares of a series' own spread: one that is explained to the last decimal has some noise all the same."""


@dataclass(frozen=True)
class Forecast:
    """Series × days ahead: what is expected and its spread; and the spread of the sum of the days that are counted."""

    expected: Matrix
    spread: Matrix
    sum_spread: Matrix


@dataclass(frozen=True)
class Scaled:
    """The columns of an origin, in units of each series' spread before it."""

    columns: Matrix
    series: Matrix
    prior: Matrix
    """Series × columns: variances of coefficients, `NEVER` where a series may not use a column."""
    controls: slice
    mean: Matrix
    sd: Matrix

    @classmethod
    def at(cls, panel: Panel, split: Split) -> "Scaled":
        rows = np.arange(len(panel.days), dtype=float)
        trend = (rows - split.train.mean()) / len(split.train)
        costs, mean, sd = _standardised(panel.costs, split.train)
        drivers, _, _ = _standardised(panel.drivers, split.train)
        series, controls = costs.shape[1], costs.shape[1] - 1
        calendar = panel.calendar.shape[1]
        fixed = np.r_[INTERCEPT, np.full(calendar, CALENDAR), TREND]
        prior = np.hstack([
            np.tile(fixed, (series, 1)),
            np.full((series, drivers.shape[1]), NEVER),
            np.full((series, controls), 1 / max(controls, 1)),
        ])  # fmt: skip
        first = prior.shape[1] - controls
        prior[0, len(fixed) : first] = DRIVER
        prior[np.arange(1, series), first + np.arange(controls)] = NEVER
        columns = np.column_stack([np.ones(len(rows)), panel.calendar, trend, drivers, costs[:, 1:]])
        return cls(columns, costs, prior, slice(first, prior.shape[1]), mean, sd)

    def prior_of(self, believed: float) -> Matrix:
        prior = self.prior.copy()
        prior[:, self.controls] = np.maximum(prior[:, self.controls] * believed, NEVER)
        return prior


def expect(
    scaled: Scaled, split: Split, levels: tuple[Level, ...] = LEVELS, believed: tuple[float, ...] = BELIEVED
) -> Forecast:
    """The days ahead of every series, averaged over a grid by its marginal likelihood."""
    answers = [
        _answer(scaled, split, white, belief)
        for white in (_whitened(scaled, split, level) for level in levels)
        for belief in believed
    ]
    likelihood = np.stack([answer.likelihood for answer in answers])
    weight = np.exp(likelihood - likelihood.max(axis=0))
    weight /= weight.sum(axis=0)
    means, variances, sum_variances = (
        np.stack(parts) for parts in zip(*((one.mean, one.variance, one.sum_variance) for one in answers), strict=True)
    )
    mean = np.einsum("gs,gsd->sd", weight, means)
    variance = np.einsum("gs,gsd->sd", weight, variances + (means - mean) ** 2)
    sums = means @ split.counted
    sum_variance = (weight * (sum_variances + (sums - (weight * sums).sum(axis=0)) ** 2)).sum(axis=0)
    sd = scaled.sd[:, None]
    return Forecast(scaled.mean[:, None] + sd * mean, sd * np.sqrt(variance), scaled.sd * np.sqrt(sum_variance))


@dataclass(frozen=True)
class _White:
    """Products of columns and series in which the level and the noise are uncorrelated and of size one."""

    log_determinant: float
    gram: Matrix
    right: Matrix
    squares: Matrix
    columns: Matrix
    """Days ahead x columns: what each differs by from what the level before makes of it."""
    level: Matrix
    """Series x days ahead: how the level before goes on."""
    variance: Matrix
    """Days ahead x days ahead: of noise, and of the level that is not known from the days before."""


def _whitened(scaled: Scaled, split: Split, level: Level) -> _White:
    days = np.r_[split.train, split.ahead] - split.train[0] + 1.0
    covariance = level.covariance(days) + np.eye(len(days))
    count, width = len(split.train), scaled.columns.shape[1]
    root = np.linalg.cholesky(covariance[:count, :count])
    before = np.column_stack([scaled.columns[split.train], scaled.series[split.train], covariance[:count, count:]])
    solved = solve_triangular(root, before, lower=True)
    x, y, on = np.split(solved, [width, width + scaled.series.shape[1]], axis=1)
    return _White(
        log_determinant=2 * float(np.log(np.diag(root)).sum()),
        gram=x.T @ x,
        right=x.T @ y,
        squares=(y * y).sum(axis=0),
        columns=scaled.columns[split.ahead] - on.T @ x,
        level=y.T @ on,
        variance=covariance[count:, count:] - on.T @ on,
    )


@dataclass(frozen=True)
class _Answer:
    likelihood: Matrix
    mean: Matrix
    variance: Matrix
    sum_variance: Matrix


def _answer(scaled: Scaled, split: Split, white: _White, believed: float) -> _Answer:
    """What one point of the grid expects: coefficients as in Bayesian regression, the variance by what they leave."""
    prior = scaled.prior_of(believed)
    precision = white.gram + np.apply_along_axis(np.diag, 1, 1 / prior)
    inverse = np.linalg.inv(precision)
    coefficients = np.einsum("scd,ds->sc", inverse, white.right)
    rest = np.maximum(white.squares - np.einsum("cs,sc->s", white.right, coefficients), LEAST_NOISE)
    count = len(split.train)
    _, log_determinants = np.linalg.slogdet(precision * prior[:, None, :])
    likelihood = -0.5 * (white.log_determinant + log_determinants + count * np.log(rest))
    noise = rest / count
    doubt = ((white.columns @ inverse) * white.columns).sum(axis=2)
    summed = split.counted @ white.columns
    sum_variance = split.counted @ white.variance @ split.counted + ((summed @ inverse) * summed).sum(axis=1)
    return _Answer(
        likelihood,
        mean=coefficients @ white.columns.T + white.level,
        variance=noise[:, None] * (np.diag(white.variance) + doubt),
        sum_variance=noise * sum_variance,
    )


def _standardised(values: Matrix, train: NDArray[np.int64]) -> tuple[Matrix, Matrix, Matrix]:
    """Values less their mean, in units of their spread, both of the days learned from; 0 where they never changed."""
    mean, sd = values[train].mean(axis=0), values[train].std(axis=0)
    changes = sd > 1e-9 * np.abs(values[train]).max(axis=0, initial=0.0)
    sd = np.where(changes, sd, 0.0)
    return np.where(changes, (values - mean) / np.where(changes, sd, 1.0), 0.0), mean, sd
