"""Figures of plans: areas and steps over hours, curves, clouds of points, weeks as heat, and bars on a line of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.charts.colours import OTHERS
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label

Number = float | int | None
_SOFT = 0.55


@dataclass(frozen=True)
class Series:
    """One series: its title, its values, its colour. `look` is `area` (stacked on those before it), `step`, `line`,
    `dashed`, or `points`."""

    title: str
    values: Sequence[Number]
    colour: str
    look: str = "line"


@dataclass(frozen=True)
class Axis:
    """What an axis says, and the moments or numbers on it; `moments`: they are ISO moments, told in this format."""

    title: str
    values: Sequence[Any]
    moments: str = ""
    unit: str = ""


@dataclass(frozen=True)
class Mark:
    """A line across the figure at a value of `along` ('x' or 'y'), or a ground from one value to another."""

    along: str
    first: Any
    last: Any = None
    colour: str = OTHERS
    title: str = ""


def over(axis: Axis, series: Sequence[Series], *, unit: str, marks: Sequence[Mark] = ()) -> Figure:
    """Series over one axis, areas stacked from the bottom in their order."""
    layout = time_layout(axis.moments)
    layout["xaxis"] |= {"title": {"text": label(axis.title)}, "type": "date" if axis.moments else "linear"}
    if axis.moments:
        layout["xaxis"]["nticks"] = 8
    layout |= {"shapes": [_shape(mark) for mark in marks], "hovermode": "x" if axis.moments else "closest"}
    return {"data": [_drawn(axis, one, unit) for one in series], "layout": layout}


def cloud(points: Sequence[tuple[Series, Sequence[Number]]], *, across: str, upward: str) -> Figure:
    """Points: each series has its own places along x; titles of both axes. Both axes begin at zero."""
    data = [
        {
            "type": "scatter", "mode": "lines+markers" if one.look == "line" else "markers",
            "x": list(places), "y": list(one.values), "name": label(one.title),
            "marker": {"color": one.colour, "size": 7, "opacity": 0.9 if one.look == "line" else _SOFT},
            "line": {"color": one.colour, "width": 2, "shape": "vh"},
            "hovertemplate": f"{label(one.title)}<br>{label(across)} <b>%{{x:,.4~g}}</b><br>{label(upward)} "
                             "<b>%{y:,.4~g}</b><extra></extra>",
        }
        for one, places in points
    ]  # fmt: skip
    layout = time_layout("")
    layout["xaxis"] |= {"type": "linear", "title": {"text": label(across)}, "rangemode": "tozero"}
    layout["yaxis"] |= {"title": {"text": label(upward)}, "tickformat": ",.3~g"}
    return {"data": data, "layout": layout}


def heat(rows: Sequence[str], values: Sequence[Sequence[Number]], *, told: str, colour: str) -> Figure:
    """A row for each name, a column for each hour of the day."""
    names = [label(row) for row in rows]
    heatmap = {
        "type": "heatmap", "x": list(range(24)), "y": names, "z": [list(row) for row in values], "xgap": 1, "ygap": 1,
        "colorscale": [[0, "rgba(128,128,128,0.14)"], [1, colour]], "showscale": False, "hoverongaps": False,
        "hovertemplate": f"%{{y}} %{{x}}:00<br><b>%{{z:,.4~g}}</b> {label(told)}<extra></extra>",
    }  # fmt: skip
    axis = {"showgrid": False, "automargin": True, "fixedrange": True}
    return {
        "data": [heatmap],
        "layout": {
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "xaxis": axis | {"dtick": 3, "ticksuffix": ":00", "zeroline": False},
            "yaxis": axis | {"autorange": "reversed", "type": "category"},
            "hoverlabel": {"align": "left", "namelength": -1},
        },
    }


@dataclass(frozen=True)
class Bar:
    """A bar on a line of time: in which row, from when to when (ISO), what it says, and its colour."""

    row: str
    start: str
    end: str
    milliseconds: int
    told: str
    colour: str


def gantt(bars: Sequence[Bar], *, moments: str) -> Figure:
    """Bars on lines of time, a line for each row in the order of their coming; broken promises are drawn in red."""
    by_colour: dict[str, list[Bar]] = {}
    for bar in bars:
        by_colour.setdefault(bar.colour, []).append(bar)
    data = [
        {
            "type": "bar", "orientation": "h", "y": [label(bar.row) for bar in own], "base": [bar.start for bar in own],
            "x": [bar.milliseconds for bar in own], "text": [label(bar.told) for bar in own], "showlegend": False,
            "hovertext": [f"{bar.start[11:16]}–{bar.end[11:16]} {label(bar.told)}" for bar in own],
            "marker": {"color": colour, "line": {"width": 0}}, "textposition": "none",
            "hovertemplate": "%{y}<br><b>%{hovertext}</b><extra></extra>",
        }
        for colour, own in by_colour.items()
    ]  # fmt: skip
    layout = time_layout(moments)
    layout["xaxis"] |= {"type": "date", "nticks": 8}
    layout["yaxis"] = {"automargin": True, "fixedrange": True, "autorange": "reversed", "type": "category"}
    return {"data": data, "layout": layout | {"barmode": "overlay", "bargap": 0.35}}


def _drawn(axis: Axis, one: Series, unit: str) -> Figure:
    name = label(one.title)
    drawn: Figure = {
        "type": "scatter", "name": name, "x": list(axis.values), "y": list(one.values),
        "mode": "markers" if one.look == "points" else "lines",
        "line": {"color": one.colour, "width": 2 if one.look != "area" else 0.5},
        "hovertemplate": f"{name}<br>%{{x}}<br><b>%{{y:,.4~g}}</b> {label(unit)}<extra></extra>",
    }  # fmt: skip
    if one.look == "area":
        drawn |= {"stackgroup": "one", "fillcolor": one.colour}
        drawn["line"] |= {"shape": "hv"}
    if one.look == "step":
        drawn["line"] |= {"shape": "hv"}
    if one.look == "dashed":
        drawn["line"] |= {"dash": "dot", "color": one.colour}
    return drawn


def _shape(mark: Mark) -> Figure:
    last = mark.first if mark.last is None else mark.last
    if mark.along == "x":
        place: Figure = {"xref": "x", "yref": "paper", "x0": mark.first, "x1": last, "y0": 0, "y1": 1}
    else:
        place = {"xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": mark.first, "y1": last}
    if mark.last is not None:
        look: Figure = {"type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": "rgba(128,128,128,0.14)"}
    else:
        look = {"type": "line", "line": {"color": mark.colour, "width": 1.5, "dash": "dot"}}
    told = {"label": {"text": label(mark.title), "textposition": "top left"}} if mark.title else {}
    return place | look | told
