"""Figures of cost: frames in, Plotly figures as plain dictionaries out.

Plain dictionaries, not `plotly.graph_objects`: a figure is built in a request, and importing and validating the objects
takes longer than answering the question. A test validates every figure against them. Colours of text, grid and ground
are left to the page, which knows the theme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pandas as pd

from apps.charts.colours import ESTIMATED, FALL, OTHERS, RISE
from apps.charts.labels import label

Figure = dict[str, Any]


@dataclass(frozen=True)
class Band:
    """One series of a figure: the `key` in its frame, the name people read, its colour and, if any, its hatching."""

    key: str
    title: str
    colour: str
    pattern: str = ""


def cost_trend(costs: pd.DataFrame, *, bands: Sequence[Band], currency: str, day_format: str) -> Figure:
    """Stacked cost over time, one band per series, the first band at the bottom.

    `costs` has one row per (`time`, `band`) with `cost` in whole units of `currency`; `day_format` is d3's.
    Refunds hang below zero. A time without a row of a band draws nothing there: it is not a zero.
    """
    return {
        "data": [_bars(costs[costs["band"] == band.key], band, currency) for band in bands],
        "layout": time_layout(day_format) | {"barmode": "relative", "bargap": 0.18},
    }


def with_estimates(figure: Figure, points: Sequence[tuple[date, float]], *, title: str, currency: str) -> Figure:
    """A trend with what is estimated of later times (`points`: time, cost), hatched, on top of what is billed."""
    rows = pd.DataFrame(points, columns=["time", "cost"])
    return figure | {"data": [*figure["data"], _bars(rows, Band("estimated", title, ESTIMATED, "/"), currency)]}


def with_shades(figure: Figure, spans: Sequence[tuple[date, date]]) -> Figure:
    """A trend by day with a grey ground under the days `first` <= day < `end` of every span."""
    half = timedelta(hours=12)  # a day's bar stands around its midnight
    shapes = [
        {
            "type": "rect", "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "layer": "below", "line": {"width": 0},
            "x0": (_midnight(first) - half).isoformat(), "x1": (_midnight(end) - half).isoformat(),
            "fillcolor": "rgba(128, 128, 128, 0.14)",
        }
        for first, end in spans
    ]  # fmt: skip
    return figure | {"layout": figure["layout"] | {"shapes": shapes}}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def cost_lines(costs: pd.DataFrame, *, bands: Sequence[Band], currency: str, day_format: str) -> Figure:
    """Cost over time, one line per series; `costs` as in `cost_trend`."""
    return {
        "data": [_line(costs[costs["band"] == band.key], band, currency) for band in bands],
        "layout": time_layout(day_format),
    }


@dataclass(frozen=True)
class Step:
    """One bar of a bridge: an amount that is added to what is before it, or (`is_level`) the height reached."""

    title: str
    amount: float
    is_level: bool = False


def bridge(steps: Sequence[Step], *, currency: str) -> Figure:
    """How the first level becomes the last: each step floats where the one before it ended, its sign written on it."""
    bases, reached = [], 0.0
    for step in steps:
        bases.append(0.0 if step.is_level else reached)
        reached = step.amount if step.is_level else reached + step.amount
    names = [label(step.title) for step in steps]
    bars = {
        "type": "bar", "x": names, "y": [step.amount for step in steps], "base": bases, "cliponaxis": False,
        "text": [_step_text(step) for step in steps], "textposition": "outside", "textangle": 0,
        "hovertext": [_step_text(step, decimals=2) for step in steps], "constraintext": "none", "showlegend": False,
        "marker": {"color": [_step_colour(step) for step in steps], "line": {"width": 0}},
        "hovertemplate": f"%{{x}}<br><b>%{{hovertext}}</b> {label(currency)}<extra></extra>",
    }  # fmt: skip
    layout = time_layout("")
    return {
        "data": [bars] if steps else [],
        "layout": layout | {
            "xaxis": {"type": "category", "showgrid": False, "automargin": True, "fixedrange": True, "tickangle": 0},
            "margin": layout["margin"] | {"t": 28}, "bargap": 0.35,
        },
    }  # fmt: skip


def _step_text(step: Step, decimals: int | None = None) -> str:
    """The amount, signed where it is a change; beyond a hundred nobody reads decimals above a bar."""
    places = (0 if abs(step.amount) >= 100 else 2) if decimals is None else decimals
    return f"{step.amount:{'' if step.is_level else '+'}z,.{places}f}"


def _step_colour(step: Step) -> str:
    if step.is_level:
        return OTHERS
    return RISE if step.amount > 0 else FALL


def unit_lines(costs: pd.DataFrame, *, bands: Sequence[Band], currency: str, day_format: str) -> Figure:
    """Cost per unit over time, one line per series; `costs` as in `cost_trend`. Small numbers keep their digits."""
    lines = [_line(costs[costs["band"] == band.key], band, currency) for band in bands]
    for line in lines:
        line["mode"] = "lines+markers"
        line["hovertemplate"] = f"{line['name']}<br><b>%{{y:,.4~g}}</b> {label(currency)}<extra></extra>"
    layout = time_layout(day_format)
    return {"data": lines, "layout": layout | {"yaxis": layout["yaxis"] | {"tickformat": ",.4~g"}}}


def _bars(rows: pd.DataFrame, band: Band, currency: str) -> Figure:
    marker: Figure = {"color": band.colour, "line": {"width": 0}}
    if band.pattern:
        marker["pattern"] = {
            "shape": band.pattern,
            "size": 5,
            "solidity": 0.25,
            "fillmode": "overlay",
            "fgcolor": "#ffffff",
        }
    return _series(rows, band, currency) | {"type": "bar", "marker": marker}


def _line(rows: pd.DataFrame, band: Band, currency: str) -> Figure:
    drawn = {"color": band.colour, "width": 2, "dash": "dot" if band.pattern else "solid"}
    return _series(rows, band, currency) | {"type": "scatter", "mode": "lines", "line": drawn}


def _series(rows: pd.DataFrame, band: Band, currency: str) -> Figure:
    name = label(band.title)
    return {
        "name": name,
        "x": [moment.isoformat() for moment in rows["time"]],
        "y": [float(cost) for cost in rows["cost"]],
        "hovertemplate": f"{name}<br><b>%{{y:,.2f}}</b> {label(currency)}<extra></extra>",
    }


def time_layout(day_format: str) -> Figure:
    return {
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "xaxis": {
            "type": "date", "tickformat": day_format, "hoverformat": day_format, "showgrid": False, "automargin": True,
            "fixedrange": True, "nticks": 5, "tickangle": 0,
        },
        "yaxis": {
            "automargin": True, "fixedrange": True, "nticks": 6, "tickformat": ",~s",
            "rangemode": "tozero", "zeroline": True,
        },
        "legend": {
            "orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "traceorder": "normal",
        },
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "namelength": -1},
    }  # fmt: skip
