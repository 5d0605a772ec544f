"""A schedule as cron: changes that come every week as weekly jobs, the others on their day, once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apps.planning.methods.schedule.problem import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Moment:
    """A minute of the local clock: of a date, or, without one, of a weekday (0 is Sunday, as cron counts)."""

    minute: int
    hour: int
    weekday: int
    day: int | None = None
    month: int | None = None
    year: int | None = None

    @property
    def cron(self) -> str:
        """Five fields: minute, hour, day of the month, month, day of the week."""
        if self.day is None:
            return f"{self.minute} {self.hour} * * {self.weekday}"
        return f"{self.minute} {self.hour} {self.day} {self.month} *"

    @property
    def once(self) -> bool:
        return self.day is not None


@dataclass(frozen=True)
class Job:
    """Set so many replicas at a moment."""

    at: Moment
    replicas: int


def jobs(steps: Sequence[Span], zone: ZoneInfo) -> list[Job]:
    """Every change of a schedule, and its beginning, as jobs."""
    weeks = _whole_weeks(steps)
    found: dict[tuple[Moment, int], list[Span]] = defaultdict(list)
    for step in steps:
        found[_weekly(step.start, zone), step.replicas].append(step)
    listed: list[Job] = []
    for (moment, replicas), same in found.items():
        if weeks and len(same) == weeks:
            listed.append(Job(moment, replicas))
        else:
            listed += [Job(_dated(step.start, zone), replicas) for step in same]
    return sorted(listed, key=lambda job: _order(job.at))


def _order(at: Moment) -> tuple[bool, int, int, int, int, int, int]:
    return at.once, at.year or 0, at.month or 0, at.day or 0, at.weekday, at.hour, at.minute


def _whole_weeks(steps: Sequence[Span]) -> int:
    """How many weeks a schedule covers; 0 where it ends amid one, so that nothing is known to come every week."""
    days, rest = divmod(steps[-1].end - steps[0].start, 24 * 60) if steps else (0, 0)
    near = days + (rest > 12 * 60)  # an hour more or less where clocks change
    return near // 7 if near % 7 == 0 else 0


def _local(minute: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(minutes=minute)).astimezone(zone)


def _weekly(minute: int, zone: ZoneInfo) -> Moment:
    local = _local(minute, zone)
    return Moment(local.minute, local.hour, local.isoweekday() % 7)


def _dated(minute: int, zone: ZoneInfo) -> Moment:
    local = _local(minute, zone)
    return Moment(local.minute, local.hour, local.isoweekday() % 7, local.day, local.month, local.year)
