"""Forecasts of teams and of services add up to the same total."""

from decimal import Decimal

import numpy as np
import pytest

from apps.learning.hierarchy import reconcile, rounded_to_add_up


def test_every_division_adds_up_to_the_same_total() -> None:
    drawn = np.random.default_rng(5)
    parts = {"team": drawn.uniform(1, 9, (30, 4)), "service": drawn.uniform(1, 9, (30, 7))}
    spreads = {"team": drawn.uniform(0.1, 2, 4), "service": drawn.uniform(0.1, 2, 7)}

    total, adjusted = reconcile(drawn.uniform(10, 40, 30), parts, spreads, 1.5)

    for part in adjusted.values():
        assert np.allclose(part.sum(axis=1), total)


def test_what_is_surer_moves_less() -> None:
    """A total of 10 and parts that add up to 16: a spread of 1 against 1 + 1 meets at 12, and both parts give 2."""
    total, parts = reconcile(np.array([10.0]), {"team": np.array([[9.0, 7.0]])}, {"team": np.array([1.0, 1.0])}, 1.0)

    assert total == pytest.approx([12])
    assert parts["team"][0] == pytest.approx([7, 5])


def test_a_part_that_never_errs_keeps_its_forecast() -> None:
    _, parts = reconcile(np.array([10.0]), {"team": np.array([[9.0, 7.0]])}, {"team": np.array([0.0, 1.0])}, 1e-9)

    assert parts["team"][0] == pytest.approx([9, 1])


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
