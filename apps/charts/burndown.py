"""A budget's period as a figure: what was spent day by day, what its profile allows, and where it lands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from apps.charts.colours import OTHERS, RISE
from apps.charts.fan import band, line
from apps.charts.figures import Figure, time_layout
from apps.charts.labels import label


@dataclass(frozen=True)
class BurnWords:
    """What the parts of the figure are called, in the reader's language."""

    spent: str
    allowed: str
    landing: str
    inner: str
    budget: str
    exceeded: str


@dataclass(frozen=True)
class BurnAhead:
    """The cost of the period by the end of a day ahead, with its bounds of 80 %."""

    day: date
    mean: float
    low: float
    high: float


Points = Sequence[tuple[date, float]]


def burn_down(
    spent: Points,
    allowed: Points,
    ahead: Sequence[BurnAhead],
    *,
    amount: float,
    exceeds_on: date | None,
    colour: str,
    currency: str,
    words: BurnWords,
    day_format: str,
) -> Figure:
    """All amounts are of the period up to the end of each day: spent as a line, its forecast dotted with its band, what
    the profile allows dashed, and the budget as a level; a mark stands where that is exceeded."""
    unit = label(currency)
    days = [one.day.isoformat() for one in ahead]
    at = [day.isoformat() for day, _ in allowed]
    data = (
        band(days, [one.low for one in ahead], [one.high for one in ahead], words.inner, colour, 0.24) if ahead else []
    )
    data.append(line(at, [amount] * len(at), words.budget, RISE, unit))
    data.append(line(at, [value for _, value in allowed], words.allowed, OTHERS, unit, dash="dash"))
    data.append(line([day.isoformat() for day, _ in spent], [value for _, value in spent], words.spent, colour, unit))
    if ahead:
        data.append(line(days, [one.mean for one in ahead], words.landing, colour, unit, dash="dot"))
    if exceeds_on is not None:
        data.append(_mark(exceeds_on, amount, words.exceeded))
    return {"data": data, "layout": time_layout(day_format)}


def _mark(day: date, amount: float, name: str) -> Figure:
    return {
        "type": "scatter", "mode": "markers", "name": label(name), "x": [day.isoformat()], "y": [amount],
        "marker": {"color": RISE, "size": 11, "symbol": "diamond"},
        "hovertemplate": f"{label(name)}<extra></extra>",
    }  # fmt: skip
