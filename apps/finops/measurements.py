"""What people measure beside money, as they write it: a number within bounds, and a day that was."""

from datetime import date
from decimal import Decimal
from typing import Any

from apps.finops.errors import CostOpsError
from apps.finops.money import NotAnAmount, parse_amount


class BadOutcome(CostOpsError):
    """A measurement beside the money cannot be read; nothing was kept."""


def value_of(given: Any, *, least: Decimal, most: Decimal) -> Decimal:
    """A number that somebody measured."""
    try:
        value, is_rounded = parse_amount(str(given if given is not None else ""))
    except NotAnAmount:
        raise BadOutcome(f"value: {str(given)[:20]!r} is no number.") from None
    if is_rounded or not least <= value <= most:
        raise BadOutcome(f"value: {str(given)[:20]} is not between {least:,} and {most:,}, of 12 decimals at most.")
    return value


def day_of(given: Any, today: date) -> date:
    """The day it is of: today unless another is given."""
    try:
        day = date.fromisoformat(str(given)) if given else today
    except ValueError:
        raise BadOutcome(f"day: {str(given)[:20]!r} is no date; write it such as 2026-12-01.") from None
    if day > today:
        raise BadOutcome(f"day: {day} is still to come; a measurement is of a day that was.")
    return day
