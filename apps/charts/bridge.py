"""A bridge from one amount to another: a bar for each end, and a floating bar for every step between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.charts.colours import OTHERS
from apps.charts.labels import label

UP, DOWN = "#d9662b", "#2a9d6f"
"""Cost that grew, and cost that fell; a sign in front of the amount says it too."""


@dataclass(frozen=True)
class Step:
    """One step of a bridge: its title and what it adds."""

    title: str
    amount: Decimal


def cost_bridge(start: Step, steps: Sequence[Step], end: Step, *, currency: str) -> dict[str, Any]:
    """The figure: `start` and `end` stand on the ground, each of `steps` begins where the one before ended.

    Drawn with plain bars, for the library that pages load has no waterfall. `end.amount` is `start.amount` and all
    `steps` together. The axis leaves the ground where the steps would be too small to see. On a narrow page it is
    drawn lying on its side (`meta.turns`), for its names would overlap.
    """
    levels = _levels(start.amount, steps)
    bases = [Decimal(0), *levels[:-1], Decimal(0)]
    bars = [start, *steps, end]
    colours = [OTHERS, *(UP if step.amount > 0 else DOWN for step in steps), OTHERS]
    signed = ["", *("+" if step.amount > 0 else "\u2212" for step in steps), ""]
    texts = [f"{sign}{abs(bar.amount) if sign else bar.amount:,.2f}" for sign, bar in zip(signed, bars, strict=True)]
    trace = {
        "type": "bar",
        "x": [label(bar.title) for bar in bars],
        "y": [float(bar.amount) for bar in bars],
        "base": [float(base) for base in bases],
        "text": texts,
        "textposition": "outside",
        "cliponaxis": False,
        "constraintext": "none",
        "marker": {"color": colours, "line": {"width": 0}},
        "hovertemplate": f"%{{x}}<br><b>%{{text}}</b> {label(currency)}<extra></extra>",
    }
    return {"data": [trace], "layout": _layout(levels)}


def _levels(start: Decimal, steps: Sequence[Step]) -> list[Decimal]:
    levels = [start]
    for step in steps:
        levels.append(levels[-1] + step.amount)
    return levels


def _layout(levels: Sequence[Decimal]) -> dict[str, Any]:
    low, high = min(levels), max(levels)
    room = (high - low) * Decimal("0.25")
    on_the_ground = low - room <= 0 <= high + room or not room
    yaxis: dict[str, Any] = {"automargin": True, "fixedrange": True, "nticks": 6, "tickformat": ",~s", "zeroline": True}
    if not on_the_ground:
        yaxis["range"] = [float(low - room), float(high + room)]
    return {
        "margin": {"l": 8, "r": 8, "t": 24, "b": 8},
        "xaxis": {"type": "category", "automargin": True, "fixedrange": True, "showgrid": False},
        "yaxis": yaxis,
        "showlegend": False,
        "bargap": 0.3,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "namelength": -1},
        "meta": {"turns": True},
    }
