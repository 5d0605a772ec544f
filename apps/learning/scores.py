"""How good forecasts were at past origins, in the measures of the forecasting competitions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.calendars import Matrix

MONTH_DAYS = 28
SURE_DAYS = 168
"""From so many days on a back-test of one series decides by itself which of two forecasts was better."""
USUALLY = float(np.log(0.9))
"""The logarithm of the error of a forecast in those of the naive, where little else is known."""


@dataclass(frozen=True)
class Scores:
    """Per series: the mean absolute scaled error of the forecast that ships and of the seasonal naive, and by how
    much of it the total of the first `total_days` was off on average. NaN where there was nothing to compare."""

    origins: int
    days: int
    total_days: int
    mase: Matrix
    naive_mase: Matrix
    total_error: Matrix
    naive_total_error: Matrix


def score(actual: Matrix, forecast: Matrix, naive: Matrix, y: Matrix) -> Scores:
    """Scores of a back-test: all are origins × days ahead × series, `y` the history errors are scaled by."""
    scale = seasonal_scale(y)
    days = min(MONTH_DAYS, actual.shape[1])
    return Scores(
        origins=actual.shape[0],
        days=actual.shape[1],
        total_days=days,
        mase=_mean(np.abs(actual - forecast)) / scale,
        naive_mase=_mean(np.abs(actual - naive)) / scale,
        total_error=_total_error(actual[:, :days], forecast[:, :days]),
        naive_total_error=_total_error(actual[:, :days], naive[:, :days]),
    )


def is_as_good(actual: Matrix, naive: Matrix, forecast: Matrix, days: int) -> NDArray[np.bool_]:
    """Whether the naive was at least as good as the forecast, per series; not where nothing can be compared.

    A back-test of few `days` says little by itself: up to `SURE_DAYS` it is read beside what is usual for all series,
    and that beside what is usual anywhere.
    """
    ours, theirs = _mean(np.abs(actual - forecast)), _mean(np.abs(actual - naive))
    own = np.log(np.maximum(ours, 1e-300)) - np.log(np.maximum(theirs, 1e-300))
    both = np.isfinite(own) & (ours > 0) & (theirs > 0)
    sure = min(1.0, days / SURE_DAYS)
    usual = sure * float(np.median(own[both])) + (1 - sure) * USUALLY if both.any() else 0.0
    is_beaten = sure * own + (1 - sure) * usual < 0
    return np.asarray(np.where(both, ~is_beaten, ours >= theirs), dtype=bool)


def seasonal_scale(y: Matrix, season: int = 7) -> Matrix:
    """The mean absolute change to the same weekday a week later; NaN for a series that never changes."""
    change = np.abs(y[season:] - y[:-season])
    mean = _mean(change[None])
    return np.where(mean > 0, mean, np.nan)


def owa(actual: Matrix, forecast: Matrix, y: Matrix, season: int = 1) -> float:
    """The overall weighted average of M4: mean sMAPE and mean MASE, each in those of Naive2, averaged.

    `actual` and `forecast` are days × series, `y` their history, NaN before a series begins; errors are scaled by its
    changes over a `season`.
    """
    scale = seasonal_scale(y, season)
    simple = np.stack([naive2(past[~np.isnan(past)], len(actual), season) for past in y.T], axis=1)
    smapes = [float(np.mean(smape(actual, said))) for said in (forecast, simple)]
    mases = [float(np.nanmean(np.abs(actual - said).mean(axis=0) / scale)) for said in (forecast, simple)]
    return (smapes[0] / smapes[1] + mases[0] / mases[1]) / 2


def naive2(past: Matrix, ahead: int, season: int) -> Matrix:
    """The benchmark of M4 of one series: as the newest, seasonally adjusted where the season is beyond doubt.

    The adjustment is the classical multiplicative one, the test that of autocorrelation at 90 % (Makridakis et al.
    2020).
    """
    newest = np.repeat(past[-1:], ahead)
    if season < 2 or len(past) < 3 * season or (past <= 0).any() or not _is_seasonal(past, season):
        return np.asarray(newest)
    index = _seasonal_index(past, season)
    place = len(past) + np.arange(ahead)
    return np.asarray(newest / index[(len(past) - 1) % season] * index[place % season])


def _is_seasonal(past: Matrix, season: int) -> bool:
    centred = past - past.mean()
    whole = float(centred @ centred)
    if whole <= 0:
        return False
    lags = np.array([centred[lag:] @ centred[:-lag] for lag in range(1, season + 1)]) / whole
    limit = 1.645 * np.sqrt((1 + 2 * (lags[:-1] ** 2).sum()) / len(past))
    return bool(abs(lags[-1]) > limit)


def _seasonal_index(past: Matrix, season: int) -> Matrix:
    """By place in the season, from the begin of the history on: the mean share of the centred moving average."""
    weights = np.ones(season) if season % 2 else np.r_[0.5, np.ones(season - 1), 0.5]
    trend = np.convolve(past, weights / season, "valid")
    first = len(weights) // 2
    shares, places = past[first : first + len(trend)] / trend, (first + np.arange(len(trend))) % season
    index = np.bincount(places, shares, season) / np.bincount(places, minlength=season)
    return np.asarray(index / index.mean())


def smape(actual: Matrix, forecast: Matrix) -> Matrix:
    """The symmetric mean absolute percentage error per series, 0 to 200; two zeros are no error."""
    size = np.abs(actual) + np.abs(forecast)
    return np.asarray(200 * np.mean(np.abs(actual - forecast) / np.where(size > 0, size, 1.0), axis=0))


def _total_error(actual: Matrix, forecast: Matrix) -> Matrix:
    totals, said = actual.sum(axis=1), forecast.sum(axis=1)
    size = np.abs(totals)
    return _mean((np.abs(totals - said) / np.where(size > 0, size, np.nan))[None])


def _mean(values: Matrix) -> Matrix:
    """The mean over origins and days of what is known, per series."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=(0, 1))
    return np.where(count > 0, np.nan_to_num(values).sum(axis=(0, 1)) / np.maximum(count, 1), np.nan)
