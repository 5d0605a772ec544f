"""Figures of cost: frames in, Plotly figures as plain dictionaries out.

Plain dictionaries, not `plotly.graph_objects`: a figure is built in a request, and importing and validating the objects
takes longer than answering the question. A test validates every figure against them. Colours of text, grid and ground
are left to the page, which knows the theme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

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
        "layout": _layout(day_format) | {"barmode": "relative", "bargap": 0.18},
    }


def cost_lines(costs: pd.DataFrame, *, bands: Sequence[Band], currency: str, day_format: str) -> Figure:
    """Cost over time, one line per series; `costs` as in `cost_trend`."""
    return {
        "data": [_line(costs[costs["band"] == band.key], band, currency) for band in bands],
        "layout": _layout(day_format),
    }


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


def _layout(day_format: str) -> Figure:
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
