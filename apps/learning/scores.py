"""How good forecasts were at past origins, in the measures of the forecasting competitions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.learning.calendars import Matrix

MONTH_DAYS = 28


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


def is_as_good(actual: Matrix, naive: Matrix, forecast: Matrix) -> NDArray[np.bool_]:
    """Whether the naive was at least as good as the forecast, per series; not where nothing can be compared."""
    return np.asarray(_mean(np.abs(actual - forecast)) >= _mean(np.abs(actual - naive)))


def seasonal_scale(y: Matrix, season: int = 7) -> Matrix:
    """The mean absolute change to the same weekday a week later; NaN for a series that never changes."""
    change = np.abs(y[season:] - y[:-season])
    mean = _mean(change[None])
    return np.where(mean > 0, mean, np.nan)


def owa(actual: Matrix, forecast: Matrix, y: Matrix, season: int = 1) -> float:
    """The overall weighted average of M4: sMAPE and MASE in those of the naive "as yesterday", averaged.

    `actual` and `forecast` are days × series, `y` their history; errors are scaled by its changes over a `season`.
    """
    yesterday = np.repeat(y[-1:], len(actual), axis=0)
    scale = seasonal_scale(y, season)
    smapes = [float(np.mean(smape(actual, said))) for said in (forecast, yesterday)]
    mases = [float(np.nanmean(np.abs(actual - said).mean(axis=0) / scale)) for said in (forecast, yesterday)]
    return (smapes[0] / smapes[1] + mases[0] / mases[1]) / 2


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
