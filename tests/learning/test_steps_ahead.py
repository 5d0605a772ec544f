"""Forecasts of weeks whose future is known, because a rule wrote them."""

import numpy as np
import pytest

from apps.learning.autoregression import AutoRidge
from apps.learning.calendars import TooShort
from apps.learning.steps_ahead import StepExperts, StepsForecaster, level

AHEAD = 13


def year(weeks: np.ndarray) -> np.ndarray:
    """100 a week, 50 more at the height of the year and as much less in its depth."""
    return 100 + 50 * np.sin(2 * np.pi * weeks / (365.25 / 7))


def rules(count: int) -> dict[str, np.ndarray]:
    week = np.arange(count, dtype=float)
    return {
        "level": np.full(count, 40.0),
        "trend": 100 + 2 * week,
        "season": year(week),
        "season and trend": year(week) + week,
        "credits": -year(week),
        "nothing": np.zeros(count),
    }


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each rule the forecast and what came; the last series began only 60 weeks ago."""
    series = rules(300 + AHEAD)
    every = np.stack([*series.values(), series["trend"]], axis=1)
    past = every[:300].copy()
    past[:240, -1] = np.nan
    forecast = StepsForecaster(origins=8).fit(None, past).predict()
    return {name: (forecast[:, at], every[300:, at]) for at, name in enumerate([*series, "young trend"])}


@pytest.mark.parametrize(
    ("rule", "within"),
    [
        pytest.param("level", 0.001, id="what never changes stays"),
        pytest.param("nothing", 0.0, id="nothing stays nothing"),
        pytest.param("trend", 0.01, id="a straight line goes on"),
        pytest.param("season", 0.02, id="the year repeats"),
        pytest.param("season and trend", 0.02, id="the year repeats on a straight line"),
        pytest.param("credits", 0.03, id="credits repeat like charges"),
        pytest.param("young trend", 0.01, id="a series younger than the others is told from what it has"),
    ],
)
def test_weeks_by_a_rule_are_continued_by_it(
    told: dict[str, tuple[np.ndarray, np.ndarray]], rule: str, within: float
) -> None:
    forecast, came = told[rule]

    assert np.abs(forecast - came).sum() <= within * np.abs(came).sum()


@pytest.mark.parametrize(
    ("recency", "expected"),
    [
        pytest.param(1.0, 8.0, id="the newest only"),
        # weights 1, 1/2, 1/4 from the newest on: (8 + 2 + 1) / 1.75
        pytest.param(0.5, 44 / 7, id="each step half of the next"),
    ],
)
def test_a_level_forgets_at_its_pace(recency: float, expected: float) -> None:
    assert level(np.array([[4.0], [4.0], [8.0]]), recency)[0] == pytest.approx(expected)


def test_two_steps_that_alternate_are_told_by_an_autoregression() -> None:
    past = np.tile([[10.0], [20.0]], (60, 1))

    found = AutoRidge(season=4, recent=2, seasons=0, penalty=0.1).fit(None, past).predict(4)

    assert found[:, 0] == pytest.approx([10, 20, 10, 20], rel=0.01)


def test_an_expert_that_is_not_known_tells_the_naive() -> None:
    found = StepExperts(horizon=4).fit(None, np.array([[float(week)] for week in range(1, 31)])).experts_

    assert np.isfinite(found).all()
    assert found[7][:, 0].tolist() == [30.0] * 4  # last year's same weeks are not known after 30


def test_noise_is_inside_its_intervals() -> None:
    drawn = np.random.default_rng(5)
    every = 100 + 10 * drawn.standard_normal((200 + AHEAD, 12))

    fitted = StepsForecaster(origins=8).fit(None, every[:200])

    low, high = fitted.intervals_.days(AHEAD, 0.8)
    error = every[200:] - fitted.forecast_
    assert 0.7 <= ((error >= low) & (error <= high)).mean() <= 0.9


def test_forecasts_do_not_depend_on_the_size_of_a_unit() -> None:
    weeks = np.stack([rules(120)["season"], rules(120)["trend"]], axis=1)
    fitted, thousandfold = (StepsForecaster(origins=2).fit(None, factor * weeks).forecast_ for factor in (1.0, 1000.0))

    assert thousandfold == pytest.approx(1000 * fitted, rel=1e-6)


def test_a_series_of_few_steps_is_refused_with_what_is_missing() -> None:
    weeks = np.ones((30, 2))
    weeks[:25, 1] = np.nan

    with pytest.raises(TooShort, match="needs 10 steps of history; a series has 5"):
        StepsForecaster().fit(None, weeks)


@pytest.mark.parametrize("hole", [pytest.param(20, id="between steps"), pytest.param(29, id="at the newest step")])
def test_a_hole_in_a_series_is_refused(hole: int) -> None:
    weeks = np.ones((30, 1))
    weeks[hole] = np.nan

    with pytest.raises(ValueError, match="after its first"):
        StepsForecaster().fit(None, weeks)
