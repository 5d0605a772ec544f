"""Months, and the quarters and years of the fiscal year: what budgets are for and forecasts land in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.conf import settings

from apps.finops.windows import ONE_DAY, Window

MONTHS = {"month": 1, "quarter": 3, "year": 12}
"""Grain → months of a period; quarters and years are counted from the month that COSTOPS_FISCAL_YEAR_START says."""


@dataclass(frozen=True)
class Period:
    """The days `start` <= day < `end` of one period of a grain, called `name`."""

    grain: str
    start: date
    end: date
    name: str

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)

    @property
    def last_day(self) -> date:
        return self.end - ONE_DAY

    @property
    def following(self) -> "Period":
        return period_of(self.grain, self.end)


def period_of(grain: str, day: date) -> Period:
    """The period a day is in."""
    months, first = MONTHS[grain], settings.COSTOPS_FISCAL_YEAR_START
    year = day.year if day.month >= first else day.year - 1
    number = (day.year * 12 + day.month - year * 12 - first) // months
    month = year * 12 + first - 1 + number * months
    start, end = _first_of(month), _first_of(month + months)
    names = {"month": f"{start:%Y-%m}", "quarter": f"{_named(year)}-Q{number + 1}", "year": _named(year)}
    return Period(grain, start, end, names[grain])


def periods(grain: str, first: date, last: date) -> Iterator[Period]:
    """The periods from the one of the first day to the one of the last."""
    one = period_of(grain, first)
    while one.start <= last:
        yield one
        one = one.following


def _first_of(month: int) -> date:
    """The first day of a month, counted from the year 0."""
    return date(month // 12, month % 12 + 1, 1)


def _named(year: int) -> str:
    """A fiscal year by both its calendar years: some countries name it by the first, others by the last."""
    return f"{year}" if settings.COSTOPS_FISCAL_YEAR_START == 1 else f"FY{year}/{(year + 1) % 100:02}"
