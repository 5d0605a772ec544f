"""Periods people ask about by name, and the ones they are compared with."""

from datetime import date, timedelta

from apps.finops.windows import ONE_DAY, Window


def windows(period: str, *, end: date, custom: Window | None = None) -> tuple[Window, Window]:
    """A period and the one to compare it with, counted back from `end`, the day after the last that came with cost.

    `month`, `quarter` and `year` are what there is of them so far, compared with the same days of the one before;
    `last-month` is compared with the month before it; anything else with as many days just before.
    """
    last = end - ONE_DAY
    if period in _BEGINNINGS:
        start = _beginning(period, last)
        return Window(start, end), _same_days_before(Window(start, end), _beginning(period, start - ONE_DAY))
    if period == "last-month":
        window = _month_before(last)
        return window, _month_before(window.start)
    window = custom or Window(end - timedelta(days=int(period)), end)
    return window, Window(window.start - (window.end - window.start), window.start)


def year_before(window: Window) -> Window:
    """The same days a year earlier; the 29th of February is the 28th there."""
    return Window(_year_earlier(window.start), _year_earlier(window.end - ONE_DAY) + ONE_DAY)


_BEGINNINGS = {"month": 1, "quarter": 3, "year": 12}
"""A period so far → how many months it has."""


def _beginning(period: str, day: date) -> date:
    months = _BEGINNINGS[period]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def _same_days_before(window: Window, start: date) -> Window:
    return Window(start, min(start + (window.end - window.start), window.start))


def _month_before(day: date) -> Window:
    end = day.replace(day=1)
    return Window((end - ONE_DAY).replace(day=1), end)


def _year_earlier(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year - 1, day=28)
