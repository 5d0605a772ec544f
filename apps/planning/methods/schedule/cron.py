"""A schedule as cron: what comes in every week as weekly entries, the rest on its day, once.

Cron knows no year: an entry of a date comes again a year later, unless whoever runs it runs it once or it is removed.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.planning.methods.schedule.problem import WEEK_MINUTES, Span

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


@dataclass(frozen=True)
class Trigger:
    """So many replicas from one moment to another, both of the week or both of a date."""

    start: Moment
    end: Moment
    replicas: int


def jobs(steps: Sequence[Span], zone: ZoneInfo) -> list[Job]:
    """Every change of a schedule, and its beginning, as jobs."""
    weeks = _whole_weeks(steps)
    found: dict[tuple[Moment, int], list[Span]] = defaultdict(list)
    for step in _cut(steps, weeks):
        found[_weekly(step.start, zone), step.replicas].append(step)
    listed: list[Job] = []
    for (moment, replicas), same in found.items():
        if weeks and len(same) == weeks:
            listed.append(Job(moment, replicas))
        else:
            listed += [Job(_dated(step.start, zone), replicas) for step in same]
    return sorted(listed, key=lambda job: _order(job.at))


def triggers(steps: Sequence[Span], zone: ZoneInfo) -> list[Trigger]:
    """Every step above the least, from its beginning to its end."""
    weeks, least = _whole_weeks(steps), min((step.replicas for step in steps), default=0)
    found: dict[tuple[Moment, Moment, int], list[Span]] = defaultdict(list)
    for step in _cut(steps, weeks):
        if step.replicas > least:
            found[_weekly(step.start, zone), _weekly(step.end, zone), step.replicas].append(step)
    listed: list[Trigger] = []
    for (start, end, replicas), same in found.items():
        if weeks and len(same) == weeks and start != end:
            listed.append(Trigger(start, end, replicas))
        else:
            listed += [Trigger(_dated(one.start, zone), _dated(one.end, zone), replicas) for one in same]
    return sorted(listed, key=lambda one: _order(one.start))


def _order(at: Moment) -> tuple[bool, int, int, int, int, int, int]:
    return at.once, at.year or 0, at.month or 0, at.day or 0, at.weekday, at.hour, at.minute


def _whole_weeks(steps: Sequence[Span]) -> int:
    """How many weeks a schedule covers; 0 where it ends amid one, so that nothing is known to come every week."""
    days, rest = divmod(steps[-1].end - steps[0].start, 24 * 60) if steps else (0, 0)
    near = days + (rest > 12 * 60)  # an hour more or less where clocks change
    return near // 7 if near % 7 == 0 else 0


def _cut(steps: Sequence[Span], weeks: int) -> list[Span]:
    """The steps, ended and begun anew where a week of the schedule ends: what holds then looks the same every week."""
    edges = [steps[0].start + week * WEEK_MINUTES for week in range(1, weeks)] if steps else []
    found: list[Span] = []
    for step in steps:
        bounds = [step.start, *(edge for edge in edges if step.start < edge < step.end), step.end]
        found += [Span(start, end, step.replicas) for start, end in pairwise(bounds)]
    return found


def _local(minute: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(minutes=minute)).astimezone(zone)


def _weekly(minute: int, zone: ZoneInfo) -> Moment:
    local = _local(minute, zone)
    return Moment(local.minute, local.hour, local.isoweekday() % 7)


def _dated(minute: int, zone: ZoneInfo) -> Moment:
    local = _local(minute, zone)
    return Moment(local.minute, local.hour, local.isoweekday() % 7, local.day, local.month, local.year)
