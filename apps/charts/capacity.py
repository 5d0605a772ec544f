"""What is held, asked for and used of a resource over time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.charts.colours import KINDS, OTHERS, PALETTE
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


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
    drawn = [
        {
            "type": "scatter", "mode": "lines", "x": stamps, "y": values, "name": label(title), "line": line,
            "fill": fill, "hovertemplate": f"{label(title)}<br>%{{x}}<br><b>%{{y:,.4~g}}</b> {label(words.unit)}"
            "<extra></extra>",
        }
        for title, values, line, fill in lines
        if any(value is not None for value in values)
    ]  # fmt: skip
    layout = time_layout(day_format)
    return {"data": drawn, "layout": layout | {"yaxis": layout["yaxis"] | {"rangemode": "tozero"}}}
