"""Half-open windows of days: `start` <= day < `end`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """The days from `start` up to, not including, `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a window ends after it starts: {self.start} .. {self.end}")

    @classmethod
    def parse(cls, start: str, end: str) -> "Window":
        return cls(date.fromisoformat(start), date.fromisoformat(end))

    def days(self) -> Iterator[date]:
        """Every day of the window, in order."""
        day = self.start
        while day < self.end:
            yield day
            day += ONE_DAY

    def hours(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The window's first and last instant in UTC, given the business time zone of its days."""
        return tuple(datetime.combine(day, time(), zone).astimezone(UTC) for day in (self.start, self.end))  # type: ignore[return-value]  # a pair, by construction

    def is_over(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether the last of its days has ended in the business time zone."""
        return self.hours(zone)[1] <= now

    def __str__(self) -> str:
        return f"{self.start}..{self.end}"


def contiguous(days: Iterable[date], *, at_most: int) -> list[Window]:
    """The fewest windows of at most `at_most` days that cover exactly these days."""
    windows: list[Window] = []
    for day in sorted(set(days)):
        last = windows[-1] if windows else None
        if last and last.end == day and (last.end - last.start).days < at_most:
            windows[-1] = Window(last.start, day + ONE_DAY)
        else:
            windows.append(Window(day, day + ONE_DAY))
    return windows
