"""Figures of plans: areas and steps over hours, curves, clouds of points, weeks as heat, and bars on a line of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.charts.colours import OTHERS
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label

Number = float | int | None
_SOFT = 0.55
_ON_A_PHONE = {"ticks": 3}  # a day with its hour is long


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


def over(
    axis: Axis, series: Sequence[Series], *, unit: str, marks: Sequence[Mark] = (), shares: bool = False
) -> Figure:
    """Series over one axis, areas stacked from the bottom in their order; `shares`: 0.8 is told as 80 %."""
    layout = time_layout(axis.moments)
    layout["xaxis"] |= {"title": {"text": label(axis.title)}, "type": "date" if axis.moments else "linear"}
    if axis.moments:
        layout |= {"xaxis": layout["xaxis"] | {"nticks": 8}, "meta": _ON_A_PHONE}
    if shares:
        layout["yaxis"]["tickformat"] = ",~%"
    layout |= {"shapes": [_shape(mark) for mark in marks], "hovermode": "x" if axis.moments else "closest"}
    told = ",.4~%" if shares else ",.4~g"
    return {"data": [_drawn(axis, one, unit, told) for one in series], "layout": layout}


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


def scheduled(axis: Axis, steps: Series, bars: Sequence[Bar], *, unit: str) -> Figure:
    """A number that changes in steps, and what it is there for on lines of time below, over the same moments."""
    drawn = over(axis, [steps], unit=unit)
    if not bars:
        return drawn
    layout = drawn["layout"]
    layout["xaxis"]["anchor"] = "y2"
    layout["yaxis"]["domain"] = [0.34, 1]
    rows = {
        "automargin": True, "fixedrange": True, "showgrid": False, "autorange": "reversed", "type": "category",
        "domain": [0, 0.26], "anchor": "x",
    }  # fmt: skip
    return {
        "data": [*drawn["data"], *_bars(bars)],
        "layout": layout | {"yaxis2": rows, "barmode": "overlay", "bargap": 0.35, "hovermode": "closest"},
    }


def _bars(bars: Sequence[Bar]) -> list[Figure]:
    """Bars on lines of time, a line for each row in the order of their coming."""
    by_colour: dict[str, list[Bar]] = {}
    for bar in bars:
        by_colour.setdefault(bar.colour, []).append(bar)
    return [
        {
            "type": "bar", "orientation": "h", "yaxis": "y2", "y": [label(bar.row) for bar in own],
            "base": [bar.start for bar in own], "x": [bar.milliseconds for bar in own],
            "text": [label(bar.told) for bar in own], "showlegend": False,
            "hovertext": [f"{bar.start[11:16]}–{bar.end[11:16]} {label(bar.told)}" for bar in own],
            "marker": {"color": colour, "line": {"width": 0}}, "textposition": "none",
            "hovertemplate": "%{y}<br><b>%{hovertext}</b><extra></extra>",
        }
        for colour, own in by_colour.items()
    ]  # fmt: skip


def _drawn(axis: Axis, one: Series, unit: str, told: str) -> Figure:
    name = label(one.title)
    drawn: Figure = {
        "type": "scatter", "name": name, "x": list(axis.values), "y": list(one.values),
        "mode": "markers" if one.look == "points" else "lines",
        "line": {"color": one.colour, "width": 2 if one.look != "area" else 0.5},
        "hovertemplate": f"{name}<br>%{{x}}<br><b>%{{y:{told}}}</b> {label(unit)}<extra></extra>",
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
