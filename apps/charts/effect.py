"""What something cost beside what it would have cost, and how much of what was found became a verified saving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apps.charts.colours import FALL, OTHERS
from apps.charts.fan import band, line
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


@dataclass(frozen=True)
class EffectWords:
    """What the parts of the figure are called, in the reader's language."""

    actual: str
    expected: str
    bounds: str
    start: str


@dataclass(frozen=True)
class EffectDay:
    """One day: what it cost, what it would have cost, and the bounds of that."""

    day: date
    actual: float
    expected: float
    lower: float
    upper: float


def effect(
    before: Sequence[tuple[date, float]],
    days: Sequence[EffectDay],
    *,
    start: date,
    measured_from: date,
    currency: str,
    words: EffectWords,
    day_format: str,
) -> Figure:
    """Actual cost as a line, from some days `before` on, the counterfactual dotted with its band; lines mark the start
    and the end of the roll-out."""
    unit, moments = label(currency), [one.day.isoformat() for one in days]
    bounds = band(moments, [one.lower for one in days], [one.upper for one in days], words.bounds, OTHERS, 0.22)
    expected = line(moments, [one.expected for one in days], words.expected, OTHERS, unit, dash="dot")
    known = [day.isoformat() for day, _ in before] + moments
    actual = line(known, [cost for _, cost in before] + [one.actual for one in days], words.actual, FALL, unit)
    layout = time_layout(day_format)
    edges = [start.isoformat(), measured_from.isoformat()]
    layout["shapes"] = [
        {"type": "line", "xref": "x", "yref": "paper", "x0": edge, "x1": edge, "y0": 0, "y1": 1,
         "line": {"color": OTHERS, "width": 1, "dash": "dash"}}
        for edge in dict.fromkeys(edges)
    ]  # fmt: skip
    layout["annotations"] = [
        {"x": edges[0], "y": 1, "xref": "x", "yref": "paper", "text": label(words.start), "showarrow": False,
         "xanchor": "right", "yanchor": "top", "xshift": -4}
    ]  # fmt: skip
    return {"data": [*bounds, expected, actual], "layout": layout}


def way(steps: Sequence[tuple[str, Decimal]], *, currency: str) -> Figure:
    """A waterfall from what was identified to what was verified: a bar for each step, what fell away pale above it."""
    names = [label(name) for name, _ in steps]
    amounts = [float(amount) for _, amount in steps]
    before = [amounts[0], *amounts[:-1]]
    lost = [max(0.0, earlier - now) for earlier, now in zip(before, amounts, strict=True)]
    colours = [OTHERS] * (len(steps) - 1) + [FALL]
    hover = f"%{{x}}<br><b>%{{y:,.2f}}</b> {label(currency)}<extra></extra>"
    kept = {
        "type": "bar", "x": names, "y": amounts, "marker": {"color": colours, "line": {"width": 0}},
        "text": [f"{amount:,.0f}" for amount in amounts], "textposition": "outside", "cliponaxis": False,
        "constraintext": "none", "hovertemplate": hover, "showlegend": False,
    }  # fmt: skip
    gone = {
        "type": "bar", "x": names, "y": lost, "base": amounts, "showlegend": False, "hoverinfo": "skip",
        "marker": {"color": "rgba(125,135,148,0.18)", "line": {"width": 1, "color": OTHERS}},
    }  # fmt: skip
    return {
        "data": [gone, kept],
        "layout": {
            "barmode": "overlay", "margin": {"l": 8, "r": 8, "t": 24, "b": 8}, "bargap": 0.35,
            "xaxis": {"type": "category", "automargin": True, "fixedrange": True},
            "yaxis": {"rangemode": "tozero", "automargin": True, "fixedrange": True, "tickformat": ",.3~s"},
            "hoverlabel": {"align": "left", "namelength": -1},
        },
    }  # fmt: skip
