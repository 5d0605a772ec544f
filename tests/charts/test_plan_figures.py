"""Figures of plans and of capacity: what Plotly accepts, and what their axes tell."""

import plotly.graph_objects as go

from apps.charts.capacity import HeldHour, HeldWords, held_hours, week_heat
from apps.charts.plans import Axis, Bar, Series, over, scheduled

HOURS = [f"{hour:02d}:00" for hour in range(24)]
WEEK = Axis("", ["2026-10-30T00:00", "2026-10-31T00:00", "2026-11-01T00:00"], moments="%-d %b %H:%M")
STEPS = Series("replicas", [2, 36, 36], "#3b7dd8", "area")
LESSON = Bar("classes", "2026-10-30T08:00", "2026-10-30T09:00", 3_600_000, "Maths", "#3b7dd8")


def test_a_share_is_told_in_percent() -> None:
    drawn = over(WEEK, [Series("card 0", [0.8, 0.6, 0.4], "#3b7dd8")], unit="of a card", shares=True)
    assert drawn["layout"]["yaxis"]["tickformat"] == ",~%"
    assert "%{y:,.4~%}" in drawn["data"][0]["hovertemplate"]
    go.Figure(drawn)


def test_replicas_are_steps_above_the_classes_they_are_for() -> None:
    alone, together = scheduled(WEEK, STEPS, [], unit="replicas"), scheduled(WEEK, STEPS, [LESSON], unit="replicas")
    assert [one["y"] for one in alone["data"]] == [[2, 36, 36]]
    assert alone["data"][0]["line"]["shape"] == "hv"
    assert [one.get("yaxis", "y") for one in together["data"]] == ["y", "y2"]
    assert together["layout"]["yaxis"]["domain"][0] > together["layout"]["yaxis2"]["domain"][1]
    for drawn in (alone, together):
        go.Figure(drawn)


def test_the_hours_of_a_day_are_written_out_upright() -> None:
    hours = [HeldHour(hour, 4, 3, 2, 1) for hour in HOURS]
    words = HeldWords("Capacity", "Requested", "Used", "cores")
    day, week = held_hours(hours, words=words, high="High"), week_heat(["Mon"], HOURS, [[1] * 24], "cores")
    for drawn, every in ((day, 4), (week, 6)):
        axis = drawn["layout"]["xaxis"]
        assert (axis["automargin"], axis["tickangle"], axis["dtick"]) == (True, 0, every)
        go.Figure(drawn)
