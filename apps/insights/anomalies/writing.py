"""An alert as it is kept: exact amounts of what happened, rounded ones of what was expected, and the cause."""

from collections.abc import Sequence
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import numpy as np

from apps.calendars.periods import period_of
from apps.finops.money import add_up, less
from apps.finops.windows import ONE_DAY
from apps.insights.anomalies.causes import cause_of
from apps.insights.anomalies.cells import FIELDS, LEVELS, Cells
from apps.insights.models import Anomaly
from apps.learning.anomalies.describing import Alert
from apps.learning.calendars import Matrix
from apps.marts import selectors as marts
from apps.marts.models import Publication
from apps.marts.query import CostQuery

DAYS_BEFORE = 45
LATELY = 7
"""What a day costs more now is told from so many last days."""
TOGETHER = 0.5
"""How far the errors of days go together: between cancelling out and adding up."""
_UNIT = Decimal("0.000001")


def anomaly(cells: Cells, alert: Alert, usage: Sequence[Cells], pinned: Publication, *, is_by_rule: bool) -> Anomaly:
    """An alert of a series, not yet saved."""
    series = cells.series[alert.series]
    first, last = cells.day(alert.first), cells.day(alert.last)
    actual = _actual(cells, alert, pinned)
    expected = add_up(_exact(amount) for amount in alert.expected)
    so_far = less(actual, expected)
    width = _of_sum((alert.high - alert.low) / 2)
    lately = alert.expected[-LATELY:]
    per_day = float(np.mean(cells.matrix[alert.last - len(lately) + 1 : alert.last + 1, alert.series] - lately))
    ahead = _days_left(cells.end) if alert.is_going_on else 0
    month_end = add_up([so_far, _exact(per_day * ahead)])
    later = width + (_of_sum(np.full(ahead, np.mean(alert.high[-LATELY:] - alert.low[-LATELY:]) / 2)) if ahead else 0)
    amounts = {
        "actual": actual, "expected": expected, "so_far": so_far, "per_day": _exact(per_day),
        "so_far_low": less(so_far, _exact(width)), "so_far_high": add_up([so_far, _exact(width)]),
        "month_end": month_end, "month_end_low": less(month_end, _exact(later)),
        "month_end_high": add_up([month_end, _exact(later)]),
    }  # fmt: skip
    owners = {cells.keys[member][0] for member in series.members.tolist()}
    return Anomaly(
        measure=cells.measure, unit=cells.unit, level=series.level, **dict(zip(FIELDS, series.cell, strict=True)),
        owner=owners.pop() if len(owners) == 1 else "", kind=alert.kind, is_upward=alert.is_upward,
        is_going_on=alert.is_going_on, is_by_rule=is_by_rule, first_day=first, seen_day=cells.day(alert.seen),
        last_day=last, days=_days(cells, alert), cause=_cause(cells, alert, usage),
        **{name: _text(amount) for name, amount in amounts.items()},
    )  # fmt: skip


def _actual(cells: Cells, alert: Alert, pinned: Publication) -> Decimal:
    """What the days of an alert came to: exact where it is money."""
    if cells.measure != "cost":
        return _exact(float(np.nansum(cells.matrix[alert.first : alert.last + 1, alert.series])))
    series = cells.series[alert.series]
    named = {name: series.cell[FIELDS.index(name)] for name in LEVELS[series.level]}
    query = CostQuery(cells.day(alert.first), cells.day(alert.last) + ONE_DAY, as_of=pinned.number)
    return marts.answer(query.narrowed(currency=cells.unit, **named)).totals.get(cells.unit, Decimal(0))


def _of_sum(widths: Matrix) -> float:
    """Half the width of a sum, from those of its days."""
    alone, together = float(np.sqrt(np.square(widths).sum())), float(widths.sum())
    return (1 - TOGETHER) * alone + TOGETHER * together


def _days_left(end: date) -> int:
    """The days that are not complete yet, to the end of the month the first of them is in; as forecasts land."""
    return (period_of("month", end).end - end).days


def _days(cells: Cells, alert: Alert) -> list[list[str]]:
    """Day, actual, expected, low and high; before it began, and after it was over, only what was."""
    begin = max(0, alert.first - DAYS_BEFORE)
    rows = []
    for place in range(begin, min(len(cells.days), alert.last + LATELY + 1)):
        amount = cells.matrix[place, alert.series]
        row = [cells.day(place).isoformat(), _text(_exact(0.0 if np.isnan(amount) else amount))]
        if alert.first <= place <= alert.last:
            row += [_text(_exact(part[place - alert.first])) for part in (alert.expected, alert.low, alert.high)]
        rows.append(row)
    return rows


def _cause(cells: Cells, alert: Alert, usage: Sequence[Cells]) -> dict[str, Any]:
    cause = cause_of(cells, alert, usage)
    return cause | {"parts": [[key, _text(_exact(amount)), share] for key, amount, share in cause["parts"]]}


def _exact(amount: float) -> Decimal:
    """A learner's number, rounded once."""
    return Decimal(float(amount)).quantize(_UNIT, rounding=ROUND_HALF_EVEN)


def _text(amount: Decimal) -> str:
    return f"{amount.quantize(_UNIT, rounding=ROUND_HALF_EVEN):f}"
