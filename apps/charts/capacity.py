"""What is held, asked for and used of a resource over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from apps.charts.colours import KINDS, OTHERS, PALETTE
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label

Line = tuple[str, list[float | None], dict[str, Any], str]
"""What a line is called, its values, its style and its fill."""
_HOURS = {
    "type": "category", "fixedrange": True, "automargin": True, "tickmode": "linear", "tick0": 0, "dtick": 4,
    "tickangle": 0,
}  # fmt: skip
"""The hours of a day, of which every fourth is written out: on a phone there is room for no more."""


@dataclass(frozen=True)
class HeldDay:
    """A day in units of the resource, such as cores on average; what is not known is None, and a gap."""

    day: date
    capacity: float | None
    requested: float | None
    used: float | None


@dataclass(frozen=True)
class HeldWords:
    """What the lines are called, and the unit, in the reader's language."""

    capacity: str
    requested: str
    used: str
    unit: str


def held(days: Sequence[HeldDay], *, words: HeldWords, day_format: str) -> Figure:
    """Three lines, the capacity dotted and the use filled down to zero; a line nobody knows a day of is left out."""
    lines = (
        (words.used, [one.used for one in days], {"color": KINDS["direct"], "width": 2}, "tozeroy"),
        (words.requested, [one.requested for one in days], {"color": PALETTE[1], "width": 2}, "none"),
        (words.capacity, [one.capacity for one in days], {"color": OTHERS, "width": 2, "dash": "dot"}, "none"),
    )
    stamps = [one.day.isoformat() for one in days]
    drawn = [_line(line, stamps, words.unit) for line in lines if set(line[1]) != {None}]
    layout = time_layout(day_format)
    return {"data": drawn, "layout": layout | {"yaxis": layout["yaxis"] | {"rangemode": "tozero"}}}


@dataclass(frozen=True)
class HeldHour:
    """An hour of the day in units of the resource; `high` is what is used at the worst of usual times."""

    hour: str
    capacity: float | None
    requested: float | None
    high: float | None
    used: float | None


def held_hours(hours: Sequence[HeldHour], *, words: HeldWords, high: str) -> Figure:
    """Four lines over the hours of a day; a line nobody knows an hour of is left out."""
    lines = (
        (words.used, [one.used for one in hours], {"color": KINDS["direct"], "width": 2}, "tozeroy"),
        (high, [one.high for one in hours], {"color": KINDS["direct"], "width": 2, "dash": "dash"}, "none"),
        (words.requested, [one.requested for one in hours], {"color": PALETTE[1], "width": 2}, "none"),
        (words.capacity, [one.capacity for one in hours], {"color": OTHERS, "width": 2, "dash": "dot"}, "none"),
    )
    layout = time_layout("")
    return {
        "data": [_line(line, [one.hour for one in hours], words.unit) for line in lines if set(line[1]) != {None}],
        "layout": layout | {
            "margin": layout["margin"] | {"r": 24},  # the last hour is written out
            "xaxis": _HOURS | {"showgrid": False},
            "yaxis": layout["yaxis"] | {"rangemode": "tozero"}
        },
    }  # fmt: skip


def week_heat(rows: Sequence[str], hours: Sequence[str], used: Sequence[Sequence[float | None]], unit: str) -> Figure:
    """Use as heat: a row per weekday, a column per hour. What is not known stays empty."""
    drawn = {
        "type": "heatmap", "z": [list(row) for row in used], "x": list(hours), "y": [label(row) for row in rows],
        "coloraxis": "coloraxis", "xgap": 1, "ygap": 1, "hoverongaps": False,
        "hovertemplate": f"%{{y}} %{{x}}<br><b>%{{z:,.4~g}}</b> {label(unit)}<extra></extra>",
    }  # fmt: skip
    return {
        "data": [drawn],
        "layout": time_layout("") | {
            "xaxis": _HOURS | {"dtick": 6},  # beside the names of days
            "yaxis": {"type": "category", "autorange": "reversed", "automargin": True, "fixedrange": True},
            "coloraxis": {"cmin": 0, "colorbar": {"thickness": 10, "outlinewidth": 0, "tickformat": ",~s"}},
        },
    }  # fmt: skip


def _line(line: Line, across: Sequence[str], unit: str) -> Figure:
    title, values, style, fill = line
    return {
        "type": "scatter", "mode": "lines", "x": list(across), "y": values, "name": label(title), "line": style,
        "fill": fill, "hovertemplate": f"{label(title)}<br>%{{x}}<br><b>%{{y:,.4~g}}</b> {label(unit)}<extra></extra>",
    }  # fmt: skip
