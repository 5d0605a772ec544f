"""A forecast as a fan: what was, what is expected, and the bounds it lies between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


@dataclass(frozen=True)
class FanWords:
    """What the parts of a fan are called, in the reader's language."""

    history: str
    mean: str
    inner: str
    outer: str
    known: str


@dataclass(frozen=True)
class FanDay:
    """One day ahead: the mean, and the bounds of 80 % and of 95 %."""

    day: date
    mean: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float


def fan(
    history: Sequence[tuple[date, float]],
    ahead: Sequence[FanDay],
    *,
    colour: str,
    currency: str,
    words: FanWords,
    day_format: str,
    marks: Sequence[tuple[date, str]] = (),
) -> Figure:
    """The history as a line, the mean dotted, and two bands around it, the wider one paler; `marks` name days on which
    something changes that is known ahead."""
    days = [one.day.isoformat() for one in ahead]
    unit = label(currency)
    bands = [
        band(days, [one.low_95 for one in ahead], [one.high_95 for one in ahead], words.outer, colour, 0.14),
        band(days, [one.low_80 for one in ahead], [one.high_80 for one in ahead], words.inner, colour, 0.28),
    ]
    lines = [
        line([day.isoformat() for day, _ in history], [cost for _, cost in history], words.history, colour, unit),
        line(days, [one.mean for one in ahead], words.mean, colour, unit, dash="dot"),
    ]
    height = {day.isoformat(): cost for day, cost in history} | {one.day.isoformat(): one.mean for one in ahead}
    told = [(day.isoformat(), text) for day, text in marks if day.isoformat() in height]
    lines = [*_marks(told, height, words.known, colour), *lines]
    return {"data": [*(trace for band in bands for trace in band), *lines], "layout": time_layout(day_format)}


def band(days: list[str], low: list[float], high: list[float], name: str, colour: str, opacity: float) -> list[Figure]:
    plain = {"type": "scatter", "mode": "lines", "x": days, "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        plain | {"y": low, "showlegend": False},
        plain | {"y": high, "name": label(name), "fill": "tonexty", "fillcolor": _faded(colour, opacity)},
    ]


def _marks(told: list[tuple[str, str]], height: dict[str, float], name: str, colour: str) -> list[Figure]:
    if not told:
        return []
    return [
        {
            "type": "scatter", "mode": "markers", "name": label(name), "x": [day for day, _ in told],
            "y": [height[day] for day, _ in told], "text": [label(text) for _, text in told],
            "marker": {"color": colour, "size": 10, "symbol": "diamond"}, "hovertemplate": "%{text}<extra></extra>",
        }
    ]  # fmt: skip


def _faded(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def line(days: list[str], costs: list[float], name: str, colour: str, unit: str, dash: str = "solid") -> Figure:
    return {
        "type": "scatter", "mode": "lines", "x": days, "y": costs, "name": label(name),
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"{label(name)}<br><b>%{{y:,.2f}}</b> {unit}<extra></extra>",
    }  # fmt: skip
