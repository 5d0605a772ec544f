"""Forecasts of teams, of cost centres and of services add up to the same total."""

from decimal import Decimal

import numpy as np
import pytest

from apps.learning.hierarchy import reconcile, rounded_to_add_up


def test_every_whole_is_the_sum_of_its_parts_however_they_are_nested() -> None:
    """A total (0) of teams (1 to 4) and of services (5 to 11); cost centres (12, 13) of two teams each."""
    drawn = np.random.default_rng(5)
    said, spread = drawn.uniform(1, 9, (30, 14)), drawn.uniform(0.1, 2, 14)
    sums = [(0, range(1, 5)), (0, range(5, 12)), (12, (1, 2)), (13, (3, 4))]

    found = reconcile(said, spread, sums)

    for whole, parts in sums:
        assert np.allclose(found[:, whole], found[:, list(parts)].sum(axis=1))


@pytest.mark.parametrize(
    ("said", "spread", "sums", "expected"),
    [
        pytest.param(
            [10, 9, 7], [2**0.5, 1, 1], [(0, (1, 2))], [13, 7.5, 5.5],
            id="6 too many, of a variance of 2 + 1 + 1: the total takes 3, each part 1.5",
        ),
        pytest.param([10, 9, 7], [1, 0, 1], [(0, (1, 2))], [13, 9, 4], id="who never errs keeps the forecast"),
        pytest.param(
            [30, 10, 20, 16, 20], [1] * 5, [(0, (1, 2)), (3, (1,)), (4, (2,))], [31.5, 12.25, 19.25, 12.25, 19.25],
            id="a team of 10 or, as its cost centre says, 16: 13; a sum of 33 that 30 is said of meets at 31.5",
        ),
        pytest.param([0, 0, 0], [0, 0, 0], [(0, (1, 2))], [0, 0, 0], id="nothing is the sum of nothing"),
        pytest.param([5, 2, 7], [1, 1, 1], [(0, (1,)), (2, ())], [3.5, 3.5, 0], id="a whole nobody is in is nothing"),
    ],
)  # fmt: skip
def test_what_is_surer_moves_less(said, spread, sums, expected) -> None:
    found = reconcile(np.array([said], dtype=float), np.array(spread, dtype=float), sums)

    assert found[0].tolist() == pytest.approx(expected, abs=1e-6)


def test_a_huge_total_and_a_tiny_team_add_up_too() -> None:
    said, spread = np.array([[2e12, 1e12, 0.01, 0.02]]), np.array([1e9, 1e9, 1e-4, 1e-4])

    total, huge, tiny, centre = reconcile(said, spread, [(0, (1, 2)), (3, (2,))])[0]

    assert total == pytest.approx(huge + tiny)
    assert tiny == pytest.approx(centre, abs=1e-6)
    assert 0.005 < tiny < 0.025


@pytest.mark.parametrize(
    ("parts", "total", "expected"),
    [
        pytest.param([1 / 3, 1 / 3, 1 / 3], "1.00", ["0.34", "0.33", "0.33"], id="the first takes the odd cent"),
        pytest.param([0.125, 0.875], "1.00", ["0.13", "0.87"], id="the larger remainder is rounded up"),
        pytest.param([-0.5, 1.5], "1.00", ["-0.50", "1.50"], id="credits stay credits"),
        pytest.param([], "0.00", [], id="no parts"),
    ],
)
def test_rounded_parts_add_up(parts: list[float], total: str, expected: list[str]) -> None:
    assert [str(part) for part in rounded_to_add_up(parts, Decimal(total), decimals=2)] == expected
