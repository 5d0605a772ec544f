"""Where a month and a quarter will land: what was charged so far, and the forecast of the rest."""

from dataclasses import dataclass
from datetime import date

from apps.finops.windows import ONE_DAY


@dataclass(frozen=True)
class Period:
    """A month or a quarter, half-open."""

    name: str
    kind: str
    start: date
    end: date


def periods(day: date) -> tuple[Period, Period]:
    """The month and the quarter a day is in."""
    month = day.replace(day=1)
    first = month.replace(month=3 * ((day.month - 1) // 3) + 1)
    return (
        Period(f"{day:%Y-%m}", "month", month, _month_after(month)),
        Period(
            f"{day.year}-Q{(first.month + 2) // 3}",
            "quarter",
            first,
            _month_after(first.replace(month=first.month + 2)),
        ),
    )


def _month_after(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def last_day(period: Period) -> date:
    return period.end - ONE_DAY
