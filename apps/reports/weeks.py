"""ISO weeks: Monday up to, not including, the next Monday."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.finops.errors import CostOpsError

SEND_HOUR = 8
ONE_WEEK = timedelta(days=7)
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


def week_to_send(now: datetime, zone: ZoneInfo) -> Week | None:
    """The week whose report is due: the last full one from Monday 08:00 of business time on, none before."""
    local = now.astimezone(zone)
    week = Week.last_full(local.date())
    return week if local >= datetime.combine(week.end, time(SEND_HOUR), zone) else None


def waited_long_enough(week: Week, now: datetime, zone: ZoneInfo) -> bool:
    """Whether bills had two more days to arrive: from Wednesday 08:00 on a report goes out with what is there."""
    return now.astimezone(zone) >= datetime.combine(week.end + timedelta(days=2), time(SEND_HOUR), zone)
