"""The fan of a forecast: bands under lines, the wider one paler, in the words of the reader."""

from datetime import date

import plotly.graph_objects as go

from apps.charts.fan import FanDay, FanWords, fan

WORDS = FanWords("Cost", "<b>Forecast</b>", "80 of 100", "95 of 100", "Known")
HISTORY = [(date(2026, 11, 1), 10.0), (date(2026, 11, 2), 12.0)]
AHEAD = [FanDay(date(2026, 11, 3), 11.0, 9.0, 13.0, 7.0, 15.5)]


def drawn() -> dict:
    return fan(HISTORY, AHEAD, colour="#3b7dd8", currency="CNY", words=WORDS, day_format="%b %-d")


def test_the_bands_lie_under_the_lines_and_hold_their_bounds():
    low_95, high_95, low_80, high_80, history, mean = drawn()["data"]

    assert [trace["y"] for trace in (low_95, high_95, low_80, high_80)] == [[7.0], [15.5], [9.0], [13.0]]
    assert (history["x"], history["y"]) == (["2026-11-01", "2026-11-02"], [10.0, 12.0])
    assert (mean["x"], mean["y"], mean["line"]["dash"]) == (["2026-11-03"], [11.0], "dot")
    assert high_95["fillcolor"] == "rgba(59,125,216,0.14)"


def test_names_of_series_cannot_bring_markup():
    assert "<b>" not in drawn()["data"][-1]["name"]


def test_plotly_takes_the_figure():
    assert len(go.Figure(drawn()).data) == 6


def test_a_day_on_which_something_changes_is_marked_on_the_line():
    marks = [(date(2026, 11, 3), "a <b>move</b>"), (date(2030, 1, 1), "far away")]
    figure = fan(HISTORY, AHEAD, colour="#3b7dd8", currency="CNY", words=WORDS, day_format="%b %-d", marks=marks)

    (marked,) = [trace for trace in go.Figure(figure).data if trace.name == "Known"]
    assert (marked.x, marked.y) == (("2026-11-03",), (11.0,))
    assert "<b>" not in marked.text[0]
