"""Demand a day ahead: days of a kind, margins learned from mistakes."""

import numpy as np
import pytest

from apps.planning.methods.demand.ahead import DayAhead

WORK, REST = False, True


def days(*levels: float) -> np.ndarray:
    """Days of two steps with three samples each, of one series: the first step half as high as the second."""
    return np.stack([np.array([[level / 2] * 3, [level] * 3])[:, :, None] for level in levels])


def test_few_days_lean_on_the_usual_margin():
    planned = DayAhead(usual_margin=0.1).fit(np.array([WORK, WORK]), days(8, 10)).predict(np.array([WORK]))
    # Of the margin 0.1 four fifths are of the step, one fifth of the day's mean (5 + 10) / 2.
    assert planned[0, :, 0].tolist() == pytest.approx([5 + 0.1 * (4 + 1.5), 10 + 0.1 * (8 + 1.5)])


def test_days_of_rest_are_planned_from_days_of_rest():
    rest = np.array([WORK, WORK, REST, REST, WORK, WORK])
    fitted = DayAhead().fit(rest, days(10, 10, 4, 4, 10, 10))
    work, quiet = fitted.predict(np.array([WORK, REST]))[:, 1, 0]
    assert quiet == pytest.approx(work * 4 / 10)


def test_series_that_never_err_get_less_than_the_usual_margin_and_wild_ones_more():
    steady = days(*[10.0] * 8)
    wild = days(*(10.0 if number % 2 else 10.0 + 3 * number for number in range(8)))
    fitted = DayAhead(usual_margin=0.15).fit(np.full(8, WORK), np.concatenate([steady, wild], axis=3))
    assert fitted.margin_[0] == pytest.approx(0.15 * 10 / 15)
    assert fitted.margin_[1] > fitted.margin_[0]


def test_one_series_or_many_are_planned_the_same():
    drawn = np.random.default_rng(1).uniform(1, 9, (6, 4, 3, 2))
    rest = np.array([WORK, WORK, WORK, REST, REST, WORK])
    both = DayAhead().fit(rest, drawn).predict(np.array([REST]))
    alone = [DayAhead().fit(rest, drawn[..., [one]]).predict(np.array([REST])) for one in (0, 1)]
    assert np.allclose(both, np.concatenate(alone, axis=2))


@pytest.mark.parametrize(
    ("rest", "demand", "said"),
    [
        pytest.param([WORK], days(1, 2), "flag of rest", id="a day without a flag"),
        pytest.param([], np.empty((0, 2, 3, 1)), "no past day", id="no days"),
        pytest.param([WORK], np.full((1, 2, 3, 1), np.nan), "must be known", id="unknown samples"),
    ],
)
def test_bad_demand_is_refused(rest, demand, said):
    with pytest.raises(ValueError, match=said):
        DayAhead().fit(np.array(rest, dtype=bool), demand)
