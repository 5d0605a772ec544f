"""From which day on a budget is exceeded: by what was charged, and by where the period lands."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

from apps.finops.money import add_up
from apps.insights.landing import Landing

SURE = Decimal("0.80")
"""A day is named as that of exceeding when so many of a hundred cases have exceeded by its end."""


def first_sure_day(days: Sequence[tuple[date, Landing]], amount: Decimal) -> date | None:
    """The first day by whose end it is above the amount in 80 of 100 cases, and stays so; None without one."""
    found = None
    for day, landing in reversed(days):
        if landing.probability_above(amount) < SURE:
            break
        found = day
    return found


def crossing_day(costs: Mapping[date, Decimal], start: date, end: date, amount: Decimal) -> date | None:
    """The day on which what was charged went above the amount and stayed there; None where it did not."""
    total, found = Decimal(0), None
    for day in sorted(day for day in costs if start <= day < end):
        total = add_up([total, costs[day]])
        if total <= amount:
            found = None
        elif found is None:
            found = day
    return found
