"""The co-location method on days one can see through: bounds, quotas, the evening cut, ramps, rules beside."""

from datetime import date

import numpy as np
import pytest

from apps.planning.methods.colocation.baselines import RULES, oracle
from apps.planning.methods.colocation.bounds import adapted, bound_of, breached, replay_bounds
from apps.planning.methods.colocation.history import Choices, History, evening_of, theta_of_slo
from apps.planning.methods.colocation.quotas import guarded, quotas, with_ramps

MONDAY = date(2026, 11, 2)
DAY = np.array([10.0] * 8 + [40.0] * 11 + [80.0] * 4 + [20.0])


def history(days: int = 14, noise: float = 0.02, weekend: float = 0.5) -> History:
    """Days with a peak from 19 to 22 o'clock, weekends at a part of it."""
    drawn = np.random.default_rng(7)
    size = np.array([weekend if day % 7 >= 5 else 1.0 for day in range(days)])
    use = size[:, None, None] * DAY[None, :, None] * (1 + noise * drawn.standard_normal((days, 24, 12)))
    return History(MONDAY, np.maximum(use, 0), np.full((days, 24), 200.0))


def test_the_bound_knows_weekends_and_holds() -> None:
    known = history(28)
    bounds, _ = replay_bounds(known, Choices(), 14, 28)
    over = np.mean([breached(known.use[14 + day], bounds[day], np.full(24, 130.0)) for day in range(14)])
    assert over <= 0.01
    assert 40 <= bounds[5][20] <= 50  # Saturday's evening: half of 80, and a margin
    assert 80 <= bounds[0][20] <= 95


def test_days_that_repeat_exactly_are_bounded_by_themselves() -> None:
    known = history(14, noise=0.0)
    bound = bound_of(known, 14, 0.003, np.full(24, 130.0), (19, 22))
    assert bound == pytest.approx(DAY, rel=5e-3)  # other days tell a little


def test_the_evening_is_where_the_history_has_it_or_where_people_say() -> None:
    assert evening_of(history(), Choices()) == (19, 22)
    assert evening_of(history(), Choices(evening=(18, 21))) == (18, 21)


@pytest.mark.parametrize(
    ("breach", "expected"),
    [
        pytest.param(0.0, 0.003 * np.exp(0.1), id="a quiet day: a little more risk"),
        pytest.param(0.005, 0.003, id="just as much as allowed: as before"),
        pytest.param(0.5, 0.003 * np.exp(-0.3), id="a bad day counts four times at most"),
        pytest.param(float("nan"), 0.003, id="nobody looked: as before"),
    ],
)
def test_the_risk_taken_answers_to_breaches(breach: float, expected: float) -> None:
    assert adapted(0.003, breach, 0.005) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("envelope", "expected"),
    [
        pytest.param([0, 10, 10], [0, 4, 8], id="up late"),
        pytest.param([10, 10, 0], [8, 4, 0], id="down early"),
        pytest.param([3, 5, 4], [3, 5, 4], id="slow enough as it is"),
    ],
)
def test_ramps(envelope: list[float], expected: list[float]) -> None:
    assert with_ramps(np.array(envelope, float), np.full(3, 4.0)).tolist() == expected


def test_the_evening_is_cut_earlier_by_the_drain_time() -> None:
    assert np.flatnonzero(guarded(24, (19, 22), 2)).tolist() == [17, 18, 19, 20, 21, 22]
    given = quotas(np.full(24, 30.0), np.full(24, 200.0), (19, 22), Choices(drain_hours=2, ramp_share=1.0))
    assert given.quota[16] == 100  # 65 % of 200, less 30
    assert given.quota[17:23].tolist() == [20] * 6  # 10 % of 200
    assert given.binds[16:18] == ("online", "evening")


def test_a_quota_is_never_negative_nor_above_what_memory_leaves() -> None:
    given = quotas(np.full(24, 300.0), np.full(24, 200.0), (19, 22), Choices())
    assert given.quota.tolist() == [0] * 24
    given = quotas(np.full(24, 30.0), np.full(24, 200.0), (19, 22), Choices(), np.full(24, 5.0))
    assert given.quota.max() == 5
    assert set(given.binds) == {"ceiling"}


@pytest.mark.parametrize("name", RULES)
def test_rules_bound_days_that_repeat(name: str) -> None:
    known = history(14, noise=0.0, weekend=1.0)
    assert (RULES[name](known, 13) >= oracle(known, 13) * 0.99).all()


def test_thin_history_is_told() -> None:
    assert history(5).thin() == "5 whole days of use are known, at least 7 are needed."
    known = history(14)
    known.use[:, :12] = np.nan
    assert known.thin() == "50% of the hours were observed, at least 80% are needed."
    assert history(14).thin() == ""


def test_theta_of_a_promise() -> None:
    assert theta_of_slo(2) == 0.5
    assert theta_of_slo(100) == 0.9
    with pytest.raises(ValueError, match="above 1"):
        theta_of_slo(1)
    with pytest.raises(ValueError, match="theta is 2"):
        Choices(theta=2)
