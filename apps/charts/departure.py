"""An anomaly as a figure: what was, what was expected instead, and the bounds that lies between."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.charts.colours import ESTIMATED, OTHERS, RISE
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


@dataclass(frozen=True)
class DepartureWords:
    """What the parts of the figure are called, in the reader's language."""

    actual: str
    expected: str
    bounds: str
    since: str


@dataclass(frozen=True)
class DepartureDay:
    """One day; before it began, and after it was over, nothing is told of what was expected."""

    day: date
    actual: float
    expected: float | None = None
    low: float | None = None
    high: float | None = None


def departure(
    days: Sequence[DepartureDay], *, colour: str, unit: str, words: DepartureWords, day_format: str
) -> Figure:
    """The days as a line; from the first unusual one on dotted what was expected, with its band, and a mark on it."""
    told = [one for one in days if one.expected is not None]
    at = [one.day.isoformat() for one in told]
    name = label(unit)
    band = {"type": "scatter", "mode": "lines", "x": at, "line": {"width": 0}, "hoverinfo": "skip"}
    data = [
        band | {"y": [one.low for one in told], "showlegend": False},
        band | {
            "y": [one.high for one in told], "name": label(words.bounds), "fill": "tonexty",
            "fillcolor": "rgba(125,135,148,0.22)",
        },
        _line(at, [one.expected for one in told], words.expected, OTHERS, name, "dot"),
        _line([one.day.isoformat() for one in days], [one.actual for one in days], words.actual, colour, name, "solid"),
    ]  # fmt: skip
    if told:
        first = told[0]
        data.append({
            "type": "scatter", "mode": "markers", "x": at[:1], "y": [first.actual], "name": label(words.since),
            "marker": {"size": 11, "symbol": "diamond", "color": RISE, "line": {"width": 1, "color": ESTIMATED}},
            "hovertemplate": f"{label(words.since)}<br><b>%{{y:,.2f}}</b> {name}<extra></extra>",
        })  # fmt: skip
    return {"data": data, "layout": time_layout(day_format)}


def _line(at: list[str], amounts: Sequence[float | None], title: str, colour: str, unit: str, dash: str) -> Figure:
    return {
        "type": "scatter", "mode": "lines", "x": at, "y": list(amounts), "name": label(title),
        "line": {"color": colour, "width": 2, "dash": dash},
        "hovertemplate": f"{label(title)}<br><b>%{{y:,.2f}}</b> {unit}<extra></extra>",
    }  # fmt: skip
