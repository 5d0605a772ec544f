"""What is done around a measurement: controls are suggested, savings shared, costs corrected."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.tsa.statespace.structural import UnobservedComponents

from apps.learning.effects.controls import suggest_controls
from apps.learning.effects.corrections import normalise
from apps.learning.effects.panel import Split
from apps.learning.effects.sharing import capped, coalitions, shapley, split_exactly
from apps.learning.effects.structural import Level, Scaled, expect
from apps.learning.effects.study import EffectError, TooShort

amounts = st.floats(-1e6, 1e6)
NAMES = ("cache", "compiler", "spot")


def games() -> st.SearchStrategy[dict[frozenset[str], float]]:
    return st.fixed_dictionaries({one: amounts for one in coalitions(NAMES) if one})


def test_the_alike_are_suggested_before_the_others() -> None:
    drawn = np.random.default_rng(5)
    load = np.cumsum(drawn.normal(0, 2, 90)) + 100
    candidates = {
        "twin": 3 * load + drawn.normal(0, 1, 90),
        "cousin": load + drawn.normal(0, 4, 90),
        "stranger": 100 + drawn.normal(0, 5, 90),
        "opposite": 300 - load,
        "flat": np.full(90, 4.0),
        "new": np.r_[np.full(60, np.nan), load[60:]],
    }

    found = suggest_controls(load, candidates, before=80)

    assert [one.name for one in found if one.is_suggested] == ["twin", "cousin"]
    assert found[0].correlation > found[1].correlation > 0.2
    assert {one.name: one.missing for one in found}["new"] == pytest.approx(0.75)


def test_a_common_week_alone_makes_nobody_alike() -> None:
    drawn = np.random.default_rng(6)
    week = np.tile([5.0, 5, 5, 5, 5, 1, 1], 12)
    found = suggest_controls(week + drawn.normal(0, 0.3, 84), {"other": week + drawn.normal(0, 0.3, 84)}, before=84)

    assert not found[0].is_suggested


def test_what_comes_after_the_start_suggests_nothing() -> None:
    drawn = np.random.default_rng(7)
    cost, other = drawn.normal(100, 5, (2, 90))
    later = np.r_[other[:60], cost[60:]]

    assert suggest_controls(cost, {"x": other}, before=60) == suggest_controls(cost, {"x": later}, before=60)


def test_controls_are_not_suggested_from_three_weeks() -> None:
    with pytest.raises(TooShort, match="there are 21"):
        suggest_controls(np.ones(21), {}, before=21)


@given(values=games())
def test_shares_add_up_to_what_all_saved_together(values: dict[frozenset[str], float]) -> None:
    assert sum(shapley(values).values()) == pytest.approx(values[frozenset(NAMES)], rel=1e-9, abs=1e-3)


@given(values=games())
def test_who_adds_the_same_gets_the_same_and_who_adds_nothing_gets_nothing(values: dict[frozenset[str], float]) -> None:
    symmetric = {one: values[frozenset(NAMES[: len(one)])] for one in values}
    without_spot = {one: values.get(one - {"spot"}, 0.0) for one in values}

    shares = shapley(symmetric)
    assert shares["cache"] == pytest.approx(shares["spot"], rel=1e-9, abs=1e-3)
    assert shapley(without_spot)["spot"] == pytest.approx(0, abs=1e-3)


def test_shares_of_two_can_be_added_up_on_paper() -> None:
    values = {frozenset({"cache"}): 60.0, frozenset({"spot"}): 50.0, frozenset({"cache", "spot"}): 80.0}

    assert shapley(values) == {"cache": 45.0, "spot": 35.0}


@given(alone=st.dictionaries(st.sampled_from("abcde"), amounts, min_size=1), together=amounts)
def test_however_much_each_claims_no_more_is_shared_than_was_saved(alone: dict[str, float], together: float) -> None:
    shares = shapley(capped(alone, together))

    assert sum(shares.values()) == pytest.approx(together, rel=1e-9, abs=1e-3)
    assert together < 0 or min(shares.values()) >= -1e-3


def test_a_coalition_that_nobody_measured_is_named() -> None:
    with pytest.raises(EffectError, match="spot saves together is not told"):
        shapley({frozenset({"cache"}): 1.0, frozenset({"cache", "spot"}): 2.0})


def test_nine_cannot_share_exactly() -> None:
    with pytest.raises(EffectError, match="at most 8 initiatives"):
        shapley({frozenset("abcdefghi"): 1.0})
    with pytest.raises(EffectError, match="at most 8 initiatives"):
        capped(dict.fromkeys("abcdefghi", 1.0), 5.0)


@given(
    total=st.decimals(-(10**30), 10**30, places=12),
    shares=st.dictionaries(st.sampled_from("abcdefgh"), st.floats(0, 1e9), min_size=1),
)
def test_parts_add_up_to_the_last_decimal(total: Decimal, shares: dict[str, float]) -> None:
    parts = split_exactly(total, shares)

    assert sum(map(Fraction, parts.values())) == Fraction(total)
    assert set(parts) == set(shares)


def test_a_third_each_leaves_nothing_over() -> None:
    assert split_exactly(Decimal("100"), {"a": 1, "b": 1, "c": 1}, places=2) == {
        "a": Decimal("33.33"),
        "b": Decimal("33.34"),
        "c": Decimal("33.33"),
    }


def test_a_price_cut_is_no_saving_of_the_initiative() -> None:
    cost = np.array([10.0, 10, 8, 4])
    price = np.array([1.0, 1, 0.8, 0.8])

    found = normalise(cost, before=2, price=price)

    assert found.cost == pytest.approx([10, 10, 10, 5])
    assert found.price == pytest.approx([0, 0, 2, 1])


def test_the_price_before_is_weighed_by_what_was_bought_at_it() -> None:
    found = normalise(np.array([30.0, 20, 10]), before=2, price=np.array([1.0, 2, 1]))

    assert found.cost == pytest.approx([37.5, 12.5, 12.5])


def test_what_moved_elsewhere_is_still_paid() -> None:
    found = normalise(np.array([10.0, 10, 4]), before=2, moved=np.array([0.0, 0, 6]))

    assert found.cost == pytest.approx([10, 10, 10])


def test_a_day_without_volume_has_no_known_cost_per_unit() -> None:
    found = normalise(np.array([10.0, 20, 5]), before=2, volume=np.array([100.0, 200, 0]))

    assert found.cost[:2] == pytest.approx([15, 15])
    assert np.isnan(found.cost[2])


@given(st.lists(st.tuples(*[st.floats(1, 1e4)] * 4), min_size=3, max_size=8))
def test_corrections_add_up_to_the_corrected_cost(rows: list[tuple[float, float, float, float]]) -> None:
    cost, price, volume, moved = np.array(rows).T

    found = normalise(cost, before=2, price=price, volume=volume, moved=moved)

    assert cost + found.moved + found.price + found.volume == pytest.approx(found.cost, rel=1e-9)


def test_corrections_need_a_day_before_the_start() -> None:
    with pytest.raises(EffectError, match="0 days before the start"):
        normalise(np.ones(3), before=0)


def test_the_structure_is_expected_to_go_on_as_a_kalman_filter_says() -> None:
    drawn = np.random.default_rng(11)
    series = np.cumsum(drawn.normal(0, 0.3, 90)) + drawn.normal(0, 1, 90)
    known = np.delete(np.arange(80), [5, 40, 41])
    split = Split(train=known, ahead=np.arange(80, 90), counted=np.ones(10))
    scaled = Scaled(np.ones((90, 1)), series[:, None], np.full((1, 1), 1e8), slice(1, 1), np.zeros(1), np.ones(1))

    found = expect(scaled, split, levels=(Level(0.09),), believed=(0.0,))

    seen = np.full(80, np.nan)
    seen[known] = series[known]
    reference = UnobservedComponents(seen, "llevel").filter([1.0, 0.09]).get_forecast(10)
    assert found.expected[0] == pytest.approx(reference.predicted_mean, rel=1e-4)
    assert (found.spread[0] / found.spread[0, 0]) ** 2 == pytest.approx(
        reference.var_pred_mean / reference.var_pred_mean[0], rel=1e-3
    )
