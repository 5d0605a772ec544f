"""ISO weeks: Monday up to, not including, the next Monday."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.finops.errors import CostOpsError

SEND_HOUR = 8
ONE_WEEK = timedelta(days=7)
MOST_HOLIDAYS = timedelta(days=21)
"""More than any company rests at once: beyond it, a day is taken as it comes."""
_WEEK = re.compile(r"(\d{4})-W(\d{2})", re.ASCII)


class NotAWeekError(CostOpsError):
    """The text does not name a week."""


@dataclass(frozen=True, order=True)
class Week:
    """A week, known by its Monday."""

    start: date

    @classmethod
    def parse(cls, text: str) -> "Week":
        """A week as ISO 8601 writes it: `2026-W44`."""
        found = _WEEK.fullmatch(text)
        try:
            if found and 1970 <= int(found[1]) < 2200:
                return cls(date.fromisocalendar(int(found[1]), int(found[2]), 1))
        except ValueError:
            pass
        raise NotAWeekError(f"week: {text[:20]!r} is not a week such as 2026-W44")

    @classmethod
    def last_full(cls, day: date) -> "Week":
        """The newest week that ended before this day or with the day before."""
        return cls(day - timedelta(days=day.weekday()) - ONE_WEEK)

    @property
    def end(self) -> date:
        return self.start + ONE_WEEK

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    def before(self, weeks: int = 1) -> "Week":
        """The week so many weeks earlier."""
        return Week(self.start - weeks * ONE_WEEK)

    def __str__(self) -> str:
        year, week, _ = self.start.isocalendar()
        return f"{year}-W{week:02d}"


def weeks_to_send(now: datetime, zone: ZoneInfo, is_working: Callable[[date], bool]) -> list[Week]:
    """The weeks whose report is due: the last full one from 08:00 of business time on the first working day after it.

    So is the week before, where the whole of the last one was a holiday and nobody worked in it.
    """
    local = now.astimezone(zone)
    last = Week.last_full(local.date())
    moments = {
        week: datetime.combine(first_working_day(week.end, is_working), time(SEND_HOUR), zone)
        for week in (last.before(), last)
    }
    return [week for week, due in moments.items() if due <= local and (week == last or due.date() >= last.end)]


def first_working_day(day: date, is_working: Callable[[date], bool]) -> date:
    """The first day from this one on that is worked, as the business calendar has it."""
    ahead = (day + timedelta(days=number) for number in range(MOST_HOLIDAYS.days))
    return next((one for one in ahead if is_working(one)), day)


def waited_long_enough(week: Week, now: datetime, zone: ZoneInfo) -> bool:
    """Whether bills had two more days to arrive: from Wednesday 08:00 on a report goes out with what is there."""
    return now.astimezone(zone) >= datetime.combine(week.end + timedelta(days=2), time(SEND_HOUR), zone)
