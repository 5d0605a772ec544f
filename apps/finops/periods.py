"""Periods people ask about by name, the ones they are compared with, and which days of both can be compared."""

from dataclasses import dataclass
from datetime import date, timedelta

from apps.finops.windows import ONE_DAY, Window


@dataclass(frozen=True)
class Published:
    """The days that are published and have come: from the `first` up to, not including, `until`; None without cost. Of
    those from there up to `in_part` a bill is late.

    They alone are compared, and a mean by the day is of them: a day that is to come, or one of whose bills is, would
    pass for a fall, one before the first for a rise. What is charged of later days counts in the total of these.
    """

    first: date | None
    until: date | None
    in_part: date | None = None

    def part_of(self, window: Window) -> Window | None:
        """The days of a window that are published; None where none is."""
        if self.first is None or self.until is None:
            return None
        start, end = max(window.start, self.first), min(window.end, self.until)
        return Window(start, end) if start < end else None

    def came_in_part(self, window: Window) -> Window | None:
        """The days of a window that came, where a bill is late on every one of them: none is compared, then."""
        known = Published(self.first, self.in_part or self.until)
        return None if self.part_of(window) else known.part_of(window)

    def ahead_in(self, window: Window) -> Window | None:
        """The days of a window that have not come; None where all have."""
        start = max(window.start, self.until or window.start)
        return Window(start, window.end) if start < window.end else None

    def compared(self, window: Window, before: Window | None = None) -> tuple[Window, Window] | None:
        """The days of a window that are compared, and those they are compared with: as many of the period named, from
        where they stand in it, else as many just before. Of a window that came in part no more are compared than the
        period named has. None where nothing of the window is published, or not all of what it is compared with."""
        part = self.part_of(window)
        if part is None:
            return None
        if before is None:
            before = Window(part.start - (part.end - part.start), part.start)
        elif part != window:
            start = before.start + (part.start - window.start)
            length = min(part.end - part.start, before.end - start)
            if length < ONE_DAY:
                return None
            part, before = Window(part.start, part.start + length), Window(start, start + length)
        return (part, before) if self.part_of(before) == before else None

    def beside(self, window: Window, before: Window) -> Window:
        """What is compared with of a period named; all of it where nothing is."""
        compared = self.compared(window, before)
        return compared[1] if compared else before


def windows(
    period: str, *, end: date, custom: Window | None = None, whole: date | None = None
) -> tuple[Window, Window]:
    """A period and the one to compare it with, counted back from `end`, the day after the last that came with cost;
    from `whole` on, where that is earlier, a bill is late, and nothing is compared.

    `month`, `quarter` and `year` are what there is of them so far, compared with the same days of the one before;
    `last-month` is compared with the month before it; anything else with as many days just before as came of it.
    """
    last = end - ONE_DAY
    if period in _BEGINNINGS:
        start = _beginning(period, last)
        return Window(start, end), _same_days_before(Window(start, end), _beginning(period, start - ONE_DAY))
    if period == "last-month":
        window = _month_before(last)
        return window, _month_before(window.start)
    window = custom or Window(end - timedelta(days=int(period)), end)
    came = min(end, whole or end)
    length = (min(window.end, came) if window.start < came else window.end) - window.start
    return window, Window(window.start - length, window.start)


def year_before(window: Window) -> Window:
    """The same days a year earlier: up to the end of the same month, where that is the end. The 29th of February is the
    28th elsewhere."""
    is_whole = window.end.day == 1
    end = _year_earlier(window.end) if is_whole else _year_earlier(window.end - ONE_DAY) + ONE_DAY
    return Window(_year_earlier(window.start), end)


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
