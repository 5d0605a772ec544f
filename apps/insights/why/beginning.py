"""Since when a segment costs what it does: the first day of its step, by the series of its days."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import ibis
import numpy as np

from apps.finops.tables import COST_MART
from apps.finops.windows import Window
from apps.insights.why.searching import Values
from apps.learning.steps import first_day_of_step
from apps.marts.query import CostQuery
from apps.marts.selectors import publication, seen, window_of
from apps.warehouse.engine import rows_of


@dataclass(frozen=True)
class Beginning:
    """The first day of another level, and whether that is higher."""

    day: date
    rises: bool


def beginnings(query: CostQuery, before: Window, segments: Sequence[Values]) -> list[Beginning | None]:
    """The step of each segment, where one stands out; periods that are not next to each other are no series."""
    if before.end != query.start or not segments:
        return [None] * len(segments)
    whole = query.between(before.start, query.end)
    costs = _by_day(whole, segments)
    days = [whole.start + timedelta(days=number) for number in range((whole.end - whole.start).days)]
    found: list[Beginning | None] = []
    for place in range(len(segments)):
        series = np.array([costs[place].get(day, 0.0) for day in days])
        first = first_day_of_step(series, weekday=whole.start.weekday())
        rises = first is not None and bool(series[first:].mean() > series[:first].mean())
        found.append(None if first is None else Beginning(days[first], rises))
    return found


def _by_day(query: CostQuery, segments: Sequence[Values]) -> dict[int, dict[date, float]]:
    """The cost of each day by segment; a row belongs to the first segment that holds it."""
    found: dict[int, dict[date, float]] = defaultdict(dict)
    rows = window_of(COST_MART, publication(query.as_of), query.start, query.end)
    if rows is None:
        return found
    rows, _rates = seen(rows, query)
    tests = [
        (ibis.and_(*(rows[name] == value for name, value in values)), ibis.literal(place))
        for place, values in enumerate(segments)
    ]
    place = ibis.cases(*tests, else_=ibis.literal(-1)).name("place")
    summed = rows.group_by(place, rows.day).aggregate(cost=rows[query.metric].sum())
    for number, day, cost in rows_of(summed):
        found[number][day] = float(cost)
    return found
