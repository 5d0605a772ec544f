"""The class timetable of the simulated company: lessons of past weeks and of the next two, ready to be imported."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path

from apps.demo.organisation import Organisation
from apps.demo.papers import write_table
from apps.demo.timetable import SHANGHAI_OFFSET, day_load

ARCHETYPE, PROFILE = "live-class", "live"
"""Each namespace of this kind is a module that gives lessons."""
SEATS_PER_REPLICA = 40
FEWEST_LOAD = 0.45
"""Hours below this load have no lessons: what runs then are replays and preparations."""
LESSON_MINUTES = 50
AHEAD_DAYS = 14
HEADER = ("module", "class", "start", "end", "expected_students")

Lesson = tuple[str, str, str, str, int]
_SHANGHAI = timezone(timedelta(hours=SHANGHAI_OFFSET))


def write(path: Path, organisation: Organisation, *, start: date, end: date) -> None:
    """Write the lessons from `start` to AHEAD_DAYS after `end`, the first day after the window."""
    days = [start + timedelta(days=number) for number in range((end - start).days + AHEAD_DAYS)]
    write_table(path, HEADER, _lessons(organisation, days, last=end - timedelta(days=1)))


def _lessons(
    organisation: Organisation, days: Iterable[date], *, last: date
) -> Iterator[tuple[str, str, str, str, int]]:
    """What is expected, not what came: the load without the luck of the day."""
    seats = _seats(organisation)
    for day in days:
        for hour, load in enumerate(day_load(day, PROFILE, last).tolist()):
            if load >= FEWEST_LOAD:
                begin = datetime.combine(day, time(hour), _SHANGHAI)
                finish = begin + timedelta(minutes=LESSON_MINUTES)
                for module, most in seats.items():
                    students = max(1, round(min(load, 1.0) * most))
                    yield module, f"{module} {begin:%a %H:%M}", begin.isoformat(), finish.isoformat(), students


def _seats(organisation: Organisation) -> dict[str, int]:
    """Module → how many students all its replicas can have in class."""
    seats: dict[str, int] = {}
    for workload in organisation.workloads:
        namespace = organisation.namespaces[workload.namespace]
        if namespace.archetype.name == ARCHETYPE:
            seats[namespace.name] = seats.get(namespace.name, 0) + workload.most * SEATS_PER_REPLICA
    return seats
