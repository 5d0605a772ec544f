"""Forecasts of series whose future is known, because a rule wrote them."""

from datetime import date

import numpy as np
import pytest

from apps.learning.calendars import Calendar, Season, consecutive, following
from apps.learning.conformal import ConformalIntervals
from apps.learning.forecaster import Forecaster, TooShort
from apps.learning.scores import naive2, owa
from apps.learning.seasonal import SeasonalLevelRidge, SeasonalNaive

MONDAY = date(2026, 1, 5)
WEEK = np.array([100.0, 110, 120, 110, 100, 40, 30])


def days(count: int, first: date = MONDAY) -> np.ndarray:
    return np.datetime64(first) + np.arange(count)


def weekly(count: int, factor: float = 1.0) -> np.ndarray:
    return factor * WEEK[np.arange(count) % 7]


def noisy(count: int, series: int, seed: int = 7, noise: float = 0.1) -> np.ndarray:
    drawn = np.random.default_rng(seed)
    levels = drawn.uniform(50, 500, series)
    return levels * (weekly(count)[:, None] / 100) * np.exp(noise * drawn.standard_normal((count, series)))


@pytest.mark.parametrize(
    ("history", "future", "within"),
    [
        pytest.param(weekly(84), weekly(28), 0.03, id="the week repeats"),
        pytest.param(np.full(84, 5.0), np.full(28, 5.0), 0.001, id="what never changes stays"),
        pytest.param(np.zeros(84), np.zeros(28), 0.0, id="nothing stays nothing"),
        pytest.param(-weekly(84), -weekly(28), 0.03, id="credits repeat like charges"),
        pytest.param(
            np.r_[weekly(63), weekly(21, 2)], weekly(28, 2), 0.1, id="after a step three weeks ago the new level holds"
        ),
        pytest.param(weekly(21), weekly(28), 0.05, id="three weeks of history are enough"),
    ],
)
def test_a_series_by_a_rule_is_continued_by_it(history: np.ndarray, future: np.ndarray, within: float) -> None:
    found = Forecaster(Calendar(("CN",)), horizon=28).fit(days(len(history)), history[:, None]).forecast_[:, 0]

    assert np.abs(found - future).sum() <= within * np.abs(future).sum()


def test_fewer_than_three_weeks_are_refused_with_what_is_missing() -> None:
    with pytest.raises(TooShort, match="needs 21 days of history; there are 20"):
        Forecaster().fit(days(20), weekly(20)[:, None])


def test_a_gap_between_days_is_refused() -> None:
    with pytest.raises(ValueError, match="without a gap"):
        consecutive([date(2026, 1, 1), date(2026, 1, 3)])


def test_a_holiday_is_learned_and_expected_again() -> None:
    every = days(800, date(2025, 1, 1))
    off = np.isin(every, np.array(["2025-10-01", "2025-10-02", "2026-10-01", "2026-10-02"], dtype="datetime64[D]"))
    cost = np.where(off, 20.0, 100.0)[:, None] * np.array([1, 2, 3, 5.0])
    seen = int((np.datetime64("2026-09-20") - every[0]).astype(int))
    columns = Calendar(("CN",)).columns(every)

    fitted = SeasonalLevelRidge(penalty=0.1).fit(columns[:seen], cost[:seen])

    ahead = fitted.predict(columns[seen : seen + 30])
    on_holiday = ahead[off[seen : seen + 30]]
    assert (on_holiday < 0.6 * ahead[:5].mean(axis=0)).all()


def test_a_named_season_is_learned_and_expected_again() -> None:
    term = (
        Season("term", date(2026, 3, 1), date(2026, 4, 30)),
        Season("term", date(2026, 7, 1), date(2026, 7, 31)),
    )
    every = days(210, date(2026, 1, 1))
    busy = np.isin(every, every[(every >= np.datetime64("2026-03-01")) & (every <= np.datetime64("2026-04-30"))])
    cost = np.where(busy, 200.0, 100.0)[:180, None].repeat(8, axis=1)
    columns = Calendar((), term).columns(every)

    ahead = SeasonalLevelRidge(penalty=0.1).fit(columns[:180], cost).predict(columns[180:])

    in_term = every[180:] >= np.datetime64("2026-07-01")
    assert ahead[in_term].mean() > 1.5 * ahead[~in_term].mean()


def test_the_order_of_series_does_not_matter() -> None:
    cost, order = noisy(120, 12), np.random.default_rng(1).permutation(12)

    straight = Forecaster(horizon=28).fit(days(120), cost).forecast_
    mixed = Forecaster(horizon=28).fit(days(120), cost[:, order]).forecast_

    assert np.allclose(straight[:, order], mixed, rtol=2e-2)


def test_the_same_history_gives_the_same_forecast() -> None:
    cost = noisy(120, 12)

    first, second = (Forecaster(horizon=28, random_state=3).fit(days(120), cost) for _ in range(2))

    assert (first.forecast_ == second.forecast_).all()
    assert (first.intervals_.days(28, 0.8)[1] == second.intervals_.days(28, 0.8)[1]).all()


def test_the_unit_of_amounts_does_not_matter() -> None:
    cost = noisy(120, 4)

    yuan = Forecaster(horizon=28).fit(days(120), cost).forecast_
    cents = Forecaster(horizon=28).fit(days(120), 100 * cost).forecast_

    assert np.allclose(100 * yuan, cents, rtol=1e-4)


def test_the_naive_ships_where_it_is_not_beaten() -> None:
    cost = np.stack([weekly(120), noisy(120, 1)[:, 0]], axis=1)

    found = Forecaster(horizon=28).fit(days(120), cost)

    assert found.is_naive_[0]
    assert (found.forecast_[:, 0] == weekly(148)[120:]).all()
    assert not found.is_naive_[1]
    assert found.scores_.mase[1] < found.scores_.naive_mase[1]


def test_the_naive_repeats_the_last_week() -> None:
    found = SeasonalNaive().fit(np.empty((14, 0)), np.arange(14.0)[:, None]).predict(np.empty((9, 0)))

    assert found[:, 0].tolist() == [7, 8, 9, 10, 11, 12, 13, 7, 8]


def test_intervals_hold_what_they_promise_for_days_and_for_sums() -> None:
    cost = noisy(400 + 28, 150, seed=11)
    found = Forecaster(horizon=28).fit(days(400), cost[:400])
    error = cost[400:] - found.forecast_

    for level, low, high in ((0.80, 0.74, 0.86), (0.95, 0.91, 0.98)):
        lower, upper = found.intervals_.days(28, level)
        assert low <= ((error >= lower) & (error <= upper)).mean() <= high
        lower, upper = found.intervals_.total(0, 28, level)
        assert low - 0.06 <= ((error.sum(axis=0) >= lower) & (error.sum(axis=0) <= upper)).mean() <= 1.0


def test_the_interval_of_a_sum_is_learned_from_sums() -> None:
    """Errors that cancel each other out over two days: the sum is certain, its days are not."""
    errors = np.tile(np.array([1.0, -1.0])[None, :, None], (8, 14, 1)) * np.arange(1, 9)[:, None, None]

    fitted = ConformalIntervals().fit(np.ones(1), errors)

    assert np.allclose(fitted.total(0, 2, 0.8), 0)
    assert (fitted.day(0, 0.8)[1] - fitted.day(0, 0.8)[0] > 1).all()


def test_a_wider_level_never_gives_a_narrower_interval() -> None:
    fitted = Forecaster(horizon=28).fit(days(120), noisy(120, 9)).intervals_

    (low80, high80), (low95, high95) = fitted.days(28, 0.80), fitted.days(28, 0.95)

    assert (low95 <= low80).all()
    assert (high95 >= high80).all()


def test_a_series_that_begins_later_is_forecast_from_its_own_days() -> None:
    cost = noisy(120, 10, noise=0.01)
    cost[:90, 0] = np.nan

    found = Forecaster(horizon=14).fit(days(120), cost)

    expected = cost[-7:, 0]
    assert np.allclose(found.forecast_[:7, 0], expected, rtol=0.2)


def test_a_hole_in_a_series_is_refused() -> None:
    cost = noisy(60, 2)
    cost[30, 1] = np.nan

    with pytest.raises(ValueError, match="write 0 where nothing was charged"):
        Forecaster(horizon=14).fit(days(60), cost)


def test_days_that_were_not_forecast_cannot_be_asked_for() -> None:
    found = Forecaster(horizon=7).fit(days(60), noisy(60, 2))

    assert found.predict(following(days(60), 3)).shape == (3, 2)
    with pytest.raises(ValueError, match="only 2026-03-06 to 2026-03-12 were forecast"):
        found.predict(days(60)[-2:])


@pytest.mark.parametrize(
    ("past", "season", "expected"),
    [
        pytest.param([4, 5, 6], 1, [6, 6, 6], id="without a season: as the newest"),
        pytest.param([2, 6] * 6, 2, [2, 6, 2], id="a season beyond doubt is repeated"),
        pytest.param([2, 6, 2, 6, 2], 2, [2, 2, 2], id="less than three seasons are too few"),
        pytest.param([0, 6] * 6, 2, [6, 6, 6], id="shares of nothing tell nothing"),
        pytest.param([5] * 12, 2, [5, 5, 5], id="what never changes has no season"),
    ],
)
def test_the_second_naive_of_m4(past: list[float], season: int, expected: list[float]) -> None:
    assert naive2(np.array(past, dtype=float), 3, season).tolist() == pytest.approx(expected)


def test_the_overall_weighted_average_of_the_second_naive_is_one() -> None:
    history, actual = noisy(60, 3)[:50], noisy(60, 3)[50:]
    simple = np.stack([naive2(past, 10, 7) for past in history.T], axis=1)

    assert owa(actual, simple, history, season=7) == pytest.approx(1)
    assert owa(actual, actual, history, season=7) == 0
    assert owa(actual, np.repeat(history[-1:], 10, axis=0), history) == pytest.approx(1), (
        "without a season: as yesterday"
    )
