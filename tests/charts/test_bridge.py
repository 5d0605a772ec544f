"""A bridge: every step begins where the one before ended, and the library takes the figure."""

from decimal import Decimal

import plotly.graph_objects as go
import pytest

from apps.charts.bridge import Step, cost_bridge


def bridge(start: str, *steps: str) -> dict:
    amounts = [Decimal(step) for step in steps]
    end = sum(amounts, Decimal(start))
    return cost_bridge(
        Step("before", Decimal(start)),
        [Step(f"step {n}", amount) for n, amount in enumerate(amounts)],
        Step("<b>after", end),
        currency="CNY",
    )


@pytest.mark.parametrize(
    ("start", "steps", "bases", "heights"),
    [
        pytest.param("100", ["20", "-50"], [0, 100, 120, 0], [100, 20, -50, 70], id="up, then down"),
        pytest.param("0", ["7"], [0, 0, 0], [0, 7, 7], id="from nothing"),
        pytest.param("5", ["-8"], [0, 5, 0], [5, -8, -3], id="through the ground"),
        pytest.param("5", [], [0, 0], [5, 5], id="no step"),
    ],
)
def test_steps_stand_on_one_another(start: str, steps: list[str], bases: list[float], heights: list[float]) -> None:
    figure = bridge(start, *steps)
    (trace,) = figure["data"]
    assert trace["base"] == bases
    assert trace["y"] == heights
    go.Figure(figure)


def test_a_sign_says_what_the_colour_says() -> None:
    (trace,) = bridge("100", "20", "-50")["data"]
    assert trace["text"] == ["100.00", "+20.00", "\u221250.00", "70.00"]
    assert trace["x"][-1] == "&lt;b&gt;after"


def test_small_steps_between_high_ends_can_be_seen() -> None:
    assert bridge("1000000", "3")["layout"]["yaxis"]["range"] == [999999.25, 1000003.75]
    assert "range" not in bridge("10", "300")["layout"]["yaxis"]
