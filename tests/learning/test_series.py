"""What the issue of forecasting is full of: calendars, steps, and series that begin, end or are strange."""

import warnings
from datetime import date

import numpy as np
import pytest

from apps.learning.calendars import Calendar, Season
from apps.learning.forecaster import Forecaster

FIRST = date(2025, 1, 1)
COUNT, AHEAD = 640, 62
DAYS = np.datetime64(FIRST) + np.arange(COUNT + AHEAD)
MONTHS = DAYS.astype("datetime64[M]")
DAY_OF_MONTH = (DAYS - MONTHS.astype("datetime64[D]")).astype(int)
LAST_OF_MONTH = (DAYS + 1).astype("datetime64[M]") != MONTHS
WEEKDAY = (DAYS.astype(np.int64) + 3) % 7
TERM = (
    ("2025-03-01", "2025-07-10"),
    ("2025-09-01", "2026-01-20"),
    ("2026-03-01", "2026-07-10"),
    ("2026-09-01", "2027-01-20"),
)
SEASONS = tuple(Season("term", date.fromisoformat(first), date.fromisoformat(last)) for first, last in TERM)
HOLIDAYS = [np.arange(np.datetime64(f"{year}-10-01"), np.datetime64(f"{year}-10-08")) for year in (2025, 2026)]
NATIONAL_DAY = np.isin(DAYS, np.concatenate(HOLIDAYS))
IN_TERM = np.isin(
    DAYS, np.concatenate([np.arange(np.datetime64(first), np.datetime64(last) + 1) for first, last in TERM])
)


def noisy(rule: np.ndarray, series: int = 10) -> np.ndarray:
    """Series of one rule, of different size, with a noise of 2 %."""
    drawn = np.random.default_rng(3)
    return rule[:, None] * drawn.uniform(50, 500, series) * np.exp(0.02 * drawn.standard_normal((len(rule), series)))


@pytest.mark.parametrize(
    ("rule", "days", "expected"),
    [
        pytest.param(
            np.where(DAY_OF_MONTH == 0, 9.0, 1.0), DAY_OF_MONTH == 0, 9.0,
            id="day-one charges: the first of a month costs nine times as much",
        ),
        pytest.param(np.where(LAST_OF_MONTH, 3.0, 1.0), LAST_OF_MONTH, 3.0, id="month boundaries: the last day"),
        pytest.param(np.where(WEEKDAY >= 5, 0.3, 1.0), WEEKDAY >= 5, 0.3, id="weekends"),
        pytest.param(np.where(NATIONAL_DAY, 0.3, 1.0), NATIONAL_DAY, 0.3, id="holidays: National Day, once a year"),
        pytest.param(np.where(IN_TERM, 1.0, 0.5), ~IN_TERM, 0.5, id="school terms: the summer of last year tells"),
    ],
)  # fmt: skip
def test_days_that_are_unlike_others_are_expected_to_be(rule: np.ndarray, days: np.ndarray, expected: float) -> None:
    """The 62 days from 3 October 2026 on hold a part of the holidays, weekends, and two boundaries of months; for terms
    history ends on 30 June, before the holidays of summer."""
    end = int((np.datetime64("2026-07-01") - DAYS[0]).astype(int)) if expected == 0.5 else COUNT
    cost = noisy(rule)
    found = Forecaster(Calendar(("CN",), SEASONS), horizon=AHEAD, origins=4).fit(DAYS[:end], cost[:end]).forecast_

    there = days[end : end + AHEAD]
    told = (found[there].mean(axis=0) / found[~there].mean(axis=0)).mean()
    assert there.any()
    assert abs(np.log(told / expected)) < 0.35, f"{told:.2f}"


def test_after_a_step_the_total_of_the_month_is_right_within_weeks() -> None:
    """A rise by half, three weeks ago: nobody had to say so."""
    rule = np.where(np.arange(228) >= 179, 1.5, 1.0) * np.where(WEEKDAY[:228] >= 5, 0.7, 1.0)
    cost = noisy(rule)

    found = Forecaster(Calendar(("CN",)), horizon=28).fit(DAYS[:200], cost[:200]).forecast_

    off = np.abs(found.sum(axis=0) / cost[200:].sum(axis=0) - 1)
    assert np.median(off) < 0.03


def late(known: int) -> np.ndarray:
    cost = noisy(np.ones(100), 1)[:, 0]
    cost[: len(cost) - known] = np.nan
    return cost


STRANGE = {
    "all zero": np.zeros(100),
    "negative: credits": -noisy(np.ones(100), 1)[:, 0],
    "tiny": 1e-11 * noisy(np.ones(100), 1)[:, 0],
    "huge": 1e12 * noisy(np.ones(100), 1)[:, 0],
    "ended": np.where(np.arange(100) < 60, 100.0, 0.0),
    "began yesterday": late(1),
    "began last week": late(7),
    "never began": np.full(100, np.nan),
    "one charge, once": np.where(np.arange(100) == 40, 1e6, 0.0),
    "charges and refunds": np.where(np.arange(100) % 2, 100.0, -100.0),
}


@pytest.mark.parametrize("beside", [0, 9], ids=["alone", "beside nine others"])
@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_series_is_forecast_without_harm(name: str, beside: int) -> None:
    """The forecast is finite, of the size of what was, and spoils no other series; nothing warns."""
    usual = noisy(np.ones(100), 9)[:, :beside]
    cost = np.column_stack([STRANGE[name], usual])

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted = Forecaster(Calendar(("CN",)), horizon=30).fit(DAYS[:100], cost)
        edges = [*fitted.intervals_.days(30, 0.95), *fitted.intervals_.total(0, 30, 0.95)]

    found = fitted.forecast_[:, 0]
    assert np.isfinite(fitted.forecast_).all()
    assert all(np.isfinite(edge).all() for edge in edges)
    assert np.abs(found).max() <= 1.5 * np.abs(np.nan_to_num(STRANGE[name])).max() + 1e-12
    if name == "ended":
        assert np.abs(found).max() < 1, "what ended forty days ago is not expected again"
    if beside:
        assert fitted.forecast_[:, 1:].mean(axis=0) == pytest.approx(usual.mean(axis=0), rel=0.1)


def test_landings_of_generated_series_lie_inside_their_intervals_as_often_as_promised() -> None:
    """Sums of a month of 160 series with weekday patterns, noise of 2 to 15 %, and now and then a step."""
    drawn = np.random.default_rng(17)
    count, series = 228, 160
    steps = np.cumsum(drawn.normal(0, 0.25, (count, series)) * (drawn.random((count, series)) < 1 / 400), axis=0)
    week = np.where(WEEKDAY[:count] >= 5, 0.6, 1.0)[:, None]
    noise = np.exp(drawn.uniform(0.02, 0.15, series) * drawn.standard_normal((count, series)))
    cost = drawn.uniform(10, 1000, series) * week * np.exp(steps) * noise

    fitted = Forecaster(Calendar(("CN",)), horizon=28).fit(DAYS[:200], cost[:200])

    error = (cost[200:] - fitted.forecast_).sum(axis=0)
    for level, least, most in ((0.80, 0.72, 0.88), (0.95, 0.90, 0.99)):
        low, high = fitted.intervals_.total(0, 28, level)
        assert least <= ((low <= error) & (error <= high)).mean() <= most
