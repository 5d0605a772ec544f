"""Segments that explain a change: found exactly, not invented, and the day a series stepped."""

import numpy as np
import pytest

from apps.learning.segments import SegmentSearch, deviations
from apps.learning.steps import first_day_of_step

SIZES = (6, 5, 8, 4)


def cube(*causes, noise=0.15, missing=0.2, seed=3):
    """Codes, before and after of a cube; a cause is (values by attribute, factor)."""
    drawn = np.random.default_rng(seed)
    codes = np.stack(np.unravel_index(np.arange(np.prod(SIZES)), SIZES), axis=1)
    codes = codes[drawn.random(len(codes)) >= missing]
    before = drawn.weibull(0.8, len(codes)) * 100
    after = before * np.maximum(1 + noise * drawn.standard_normal(len(codes)), 0)
    for values, factor in causes:
        inside = np.all([codes[:, attribute] == value for attribute, value in values.items()], axis=0)
        after = np.where(inside, after * factor, after)
    return codes, before, after


def found(*told, **options):
    return {segment.values for segment in SegmentSearch(**options).fit(*told).segments_}


@pytest.mark.parametrize(
    ("causes", "segments"),
    [
        pytest.param([({0: 2}, 1.5)], {((0, 2),)}, id="one attribute"),
        pytest.param([({1: 3, 2: 5}, 0.4)], {((1, 3), (2, 5))}, id="two attributes, a fall"),
        pytest.param([({0: 1, 2: 7, 3: 2}, 3.0)], {((0, 1), (2, 7), (3, 2))}, id="three attributes, few leaves"),
        pytest.param([({0: 4}, 0.0)], {((0, 4),)}, id="everything of it is gone"),
        pytest.param(
            [({0: 2, 1: 0}, 1.8), ({0: 2, 1: 4}, 1.8)], {((0, 2), (1, 0)), ((0, 2), (1, 4))},
            id="two with something in common are not told as one that is wider",
        ),
        pytest.param(
            [({0: 0}, 1.6), ({0: 5, 2: 3}, 0.3)], {((0, 0),), ((0, 5), (2, 3))}, id="one rises, another falls",
        ),
    ],
)  # fmt: skip
def test_the_causes_of_a_change_are_found(causes, segments):
    codes, before, after = cube(*causes)

    assert found(codes, before, after) == segments


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda drawn, before: before, id="nothing changed"),
        pytest.param(lambda drawn, before: before * (1 + 0.15 * drawn.standard_normal(len(before))), id="noise"),
        pytest.param(lambda drawn, before: before * np.maximum(1 + 0.1 * drawn.standard_t(3, len(before)), 0),
                     id="noise with long tails"),
        pytest.param(lambda drawn, before: np.where(drawn.random(len(before)) < 0.2, 0, before),
                     id="a fifth of the leaves, by chance, are gone"),
        pytest.param(lambda drawn, before: before * 1.3, id="everything rose alike"),
    ],
)  # fmt: skip
def test_no_segment_is_invented(change):
    codes, before, _ = cube()
    drawn = np.random.default_rng(11)

    assert found(codes, before, change(drawn, before)) == set()


def test_no_leaves_no_segments():
    assert found(np.empty((0, 2), dtype=np.int64), np.empty(0), np.empty(0)) == set()


def test_a_segment_says_what_it_was_and_is():
    codes, before, after = cube(({0: 2}, 1.5))
    (segment,) = SegmentSearch().fit(codes, before, after).segments_
    inside = codes[:, 0] == 2

    assert segment.before == pytest.approx(before[inside].sum())
    assert segment.change == pytest.approx((after - before)[inside].sum())


def test_the_search_leaves_its_arguments_alone_and_repeats_itself():
    told = cube(({0: 2}, 1.5))
    copies = [one.copy() for one in told]

    assert found(*told) == found(*told)
    assert all(np.array_equal(one, copy) for one, copy in zip(told, copies, strict=True))


def test_money_weighs_where_it_is_told_to():
    """A hundred small leaves doubled, one large rose by half: the large one moved most of the money."""
    codes = np.array([[0, number] for number in range(100)] + [[1, 100], [2, 101], [2, 102]])
    before = np.array([1.0] * 100 + [10_000.0, 9_000.0, 9_000.0])
    after = np.array([2.0] * 100 + [15_000.0, 9_000.0, 9_000.0])
    money = (before + after) / 2
    search = SegmentSearch(most=1, noise=0.05, cap=None, has_tails=False)

    assert [one.values for one in search.fit(codes, before, after, weight=money / money.mean()).segments_] == [
        ((0, 1),)
    ]


def test_deviations_are_between_minus_two_and_two():
    before, after = np.array([0.0, 1, 1, 0, -1, 3]), np.array([0.0, 1, 0, 1, 1, 1])

    assert deviations(before, after).tolist() == [0, 0, -2, 2, 2, -1]


WEEK = np.array([10.0, 10, 10, 10, 10, 4, 4])


@pytest.mark.parametrize(
    ("series", "first"),
    [
        pytest.param(np.r_[np.full(7, 10.0), np.full(7, 15.0)], 7, id="a step between two weeks"),
        pytest.param(np.r_[np.full(9, 10.0), np.full(5, 0.0)], 9, id="gone"),
        pytest.param(np.r_[np.tile(WEEK, 3), np.tile(WEEK, 2) + 5], 21, id="a step beside the pattern of the week"),
        pytest.param(np.r_[np.tile(WEEK, 2), (WEEK + 5)[:2], (WEEK + 5)[2:], WEEK + 5], 14, id="in the middle"),
        pytest.param(np.tile(WEEK, 5), None, id="weekends are no step"),
        pytest.param(np.full(14, 3.0), None, id="nothing happened"),
        pytest.param(np.array([1.0, 2, 3]), None, id="too few days to tell"),
        pytest.param(np.arange(14) % 2 * 1.0, None, id="up and down every day"),
    ],
)
def test_the_first_day_of_a_step(series, first):
    assert first_day_of_step(series, weekday=0) == first
