"""What speaks for a thing being idle: its signals day by day, and the hours of its week."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from apps.charts.colours import FALL, OTHERS, PALETTE
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


@dataclass(frozen=True)
class SignalLine:
    """One signal: its name, its unit, the floor it counts as work from, and its highest value of each day."""

    title: str
    unit: str
    floor: float
    values: Sequence[float | None]


def signal_lines(days: Sequence[date], lines: Sequence[SignalLine], *, floor: str, day_format: str) -> Figure:
    """Every signal in parts of its floor, so that 1 is work, with the floor dotted; what is not known is a gap."""
    stamps = [day.isoformat() for day in days]
    drawn = [_line(stamps, one, PALETTE[place % len(PALETTE)]) for place, one in enumerate(lines)]
    bound = {
        "type": "scatter", "mode": "lines", "x": [stamps[0], stamps[-1]], "y": [1, 1], "name": label(floor),
        "line": {"color": OTHERS, "width": 1.5, "dash": "dot"}, "hoverinfo": "skip",
    }  # fmt: skip
    layout = time_layout(day_format)
    return {"data": [*drawn, bound], "layout": layout | {"yaxis": layout["yaxis"] | {"tickformat": ".3~g"}}}


def _line(days: list[str], one: SignalLine, colour: str) -> Figure:
    parts = [None if value is None else value / one.floor for value in one.values]
    told = ["" if value is None else f"{value:,.4g} {label(one.unit)}".strip() for value in one.values]
    return {
        "type": "scatter", "mode": "lines+markers", "x": days, "y": parts, "text": told, "name": label(one.title),
        "line": {"color": colour, "width": 2}, "marker": {"size": 4},
        "hovertemplate": f"{label(one.title)}<br>%{{x}}<br><b>%{{text}}</b><extra></extra>",
    }  # fmt: skip


@dataclass(frozen=True)
class WeekWords:
    """The days of the week, Monday first, and what the shades mean, in the reader's language."""

    days: Sequence[str]
    active: str
    off: str


def week(slots: Sequence[float | None], off: Sequence[tuple[int, int]], *, words: WeekWords) -> Figure:
    """The share of active hours by hour of the week, a row per day; `off` are slots (weekday, hour) to switch off,
    marked by a cross."""
    rows = [
        [None if value is None else round(100 * value, 1) for value in slots[24 * d : 24 * d + 24]] for d in range(7)
    ]
    names = [label(day) for day in words.days]
    heat = {
        "type": "heatmap", "x": list(range(24)), "y": names, "z": rows, "zmin": 0, "zmax": 100, "xgap": 1, "ygap": 1,
        "colorscale": [[0, "rgba(128,128,128,0.16)"], [1, PALETTE[0]]], "showscale": False, "hoverongaps": False,
        "hovertemplate": f"%{{y}} %{{x}}:00<br><b>%{{z}} %</b> {label(words.active)}<extra></extra>",
    }  # fmt: skip
    marks = {
        "type": "scatter", "mode": "markers", "x": [hour for _, hour in off], "y": [names[day] for day, _ in off],
        "marker": {"symbol": "x-thin", "size": 7, "line": {"width": 1.5, "color": FALL}}, "name": label(words.off),
        "showlegend": True, "hoverinfo": "skip",
    }  # fmt: skip
    axis = {"showgrid": False, "automargin": True, "fixedrange": True}
    layout: Mapping[str, object] = {
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": axis | {"dtick": 3, "ticksuffix": ":00", "zeroline": False},
        "yaxis": axis | {"autorange": "reversed", "type": "category"},
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
        "hoverlabel": {"align": "left", "namelength": -1},
    }  # fmt: skip
    return {"data": [heat, *([marks] if off else [])], "layout": dict(layout)}
