"""Figures: what Plotly accepts, with the numbers and colours they were given."""

from datetime import date
from itertools import pairwise

import pandas as pd
import plotly.graph_objects as go
import pytest

from apps.charts import colours
from apps.charts.figures import Band, Step, bridge, cost_lines, cost_trend, unit_lines

BANDS = [Band("a", "直播 <b>课堂</b>", "#3b7dd8"), Band("b", "Idle", "#c2762f", "/")]
COSTS = pd.DataFrame(
    [(date(2026, 10, 1), "a", 2.5), (date(2026, 10, 2), "a", -1.0), (date(2026, 10, 2), "b", 4.0)],
    columns=["time", "band", "cost"],
)
GROUNDS = {"light": "#ffffff", "dark": "#161a20"}


@pytest.mark.parametrize("build", [cost_trend, cost_lines, unit_lines])
def test_a_figure_is_one_that_plotly_accepts(build):
    figure = build(COSTS, bands=BANDS, currency="CNY", day_format="%-d %b")
    assert [trace.name for trace in go.Figure(figure).data] == ["直播 &lt;b&gt;课堂&lt;/b&gt;", "Idle"]


def test_a_trend_holds_every_amount_and_refunds_hang_below_zero():
    figure = cost_trend(COSTS, bands=BANDS, currency="CNY", day_format="%-d %b")
    assert [(trace["x"], trace["y"]) for trace in figure["data"]] == [
        (["2026-10-01", "2026-10-02"], [2.5, -1.0]),
        (["2026-10-02"], [4.0]),
    ]
    assert figure["layout"]["barmode"] == "relative"


STEPS = [Step("Before", 600, True), Step("<b>Mix</b>", 60.5), Step("Price", -160.25), Step("After", 500.25, True)]


def test_a_bridge_leads_from_level_to_level_and_writes_the_sign_of_every_step():
    (bars,) = bridge(STEPS, currency="CNY")["data"]
    assert bars["base"] == [0, 600, 660.5, 0]
    assert bars["text"] == ["600", "+60.50", "-160", "500"]
    assert bars["hovertext"] == ["600.00", "+60.50", "-160.25", "500.25"]
    assert bars["x"][1] == "&lt;b&gt;Mix&lt;/b&gt;"
    assert bars["marker"]["color"] == [colours.OTHERS, colours.RISE, colours.FALL, colours.OTHERS]
    assert len(go.Figure(bridge(STEPS, currency="CNY")).data) == 1
    assert bridge([], currency="CNY")["data"] == []
    (nothing,) = bridge([Step("Mix", -0.001)], currency="CNY")["data"]
    assert nothing["text"] == ["+0.00"], "what rounds to nothing has no minus"


def test_nothing_to_draw_is_an_empty_figure():
    assert cost_trend(COSTS[:0], bands=[], currency="", day_format="%-d %b")["data"] == []


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("ground", GROUNDS.values(), ids=GROUNDS)
@pytest.mark.parametrize("colour", sorted({*colours.PALETTE, *colours.KINDS.values(), colours.OTHERS}))
def test_a_colour_is_seen_on_either_ground(colour, ground):
    assert contrast(colour, ground) >= 3


def test_forty_teams_have_forty_colours():
    made = colours.by_order([f"team-{n}" for n in range(40)])
    assert len(set(made.values())) == 40
    assert all(one != other for one, other in pairwise(made.values()))


def test_a_new_team_changes_nobodys_colour():
    teams = ["web", "data", "search"]
    assert colours.by_order(teams).items() <= colours.by_order([*teams, "aardvark"]).items()


def test_a_name_without_a_place_keeps_its_colour():
    assert colours.by_name("gone") == colours.by_name("gone")
    assert colours.by_name("\ud800") in colours.PALETTE
