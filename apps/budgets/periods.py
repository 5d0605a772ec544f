"""Months, quarters and years that budgets are for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from apps.finops.windows import Window

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Grain → months of a period; quarters and years begin as the calendar's do."""


@dataclass(frozen=True)
class Period:
    """The days `start` <= day < `end` of one period of a grain."""

    grain: str
    start: date
    end: date

    @property
    def name(self) -> str:
        if self.grain == "month":
            return f"{self.start:%Y-%m}"
        return f"{self.start.year}-Q{(self.start.month + 2) // 3}" if self.grain == "quarter" else f"{self.start.year}"

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    @property
    def following(self) -> "Period":
        return period_of(self.grain, self.end)


def period_of(grain: str, day: date) -> Period:
    """The period a day is in."""
    months = MONTHS[grain]
    start = date(day.year, months * ((day.month - 1) // months) + 1, 1)
    after = start.year * 12 + start.month - 1 + months
    return Period(grain, start, date(after // 12, after % 12 + 1, 1))


def periods(grain: str, first: date, last: date) -> Iterator[Period]:
    """The periods from the one of the first day to the one of the last."""
    one = period_of(grain, first)
    while one.start <= last:
        yield one
        one = one.following
