"""What a schedule is made of: classes, what is needed minute by minute, and steps that hold it.

Minutes are whole minutes since 1970, UTC; spans are half-open.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
HOUR_MINUTES = 60
WEEK_MINUTES = 7 * 24 * HOUR_MINUTES


@dataclass(frozen=True)
class Lesson:
    """A class: so many students from one minute to another."""

    name: str
    start: int
    end: int
    students: int


@dataclass(frozen=True)
class Span:
    """So many replicas (or students) from one minute to another."""

    start: int
    end: int
    replicas: int

    @property
    def minutes(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Limits:
    """What a schedule may do: never fewer than `least`, never more than `most` (None: no limit), and a change only
    where it saves more than `change_minutes` replica-minutes."""

    least: int = 1
    most: int | None = None
    change_minutes: int = 0


def attending(lessons: Sequence[Lesson], *, early: int = 0) -> list[Span]:
    """How many students are in class at once: classes that overlap add up. `early` minutes before its start a class
    counts as begun."""
    changes: dict[int, int] = {}
    for lesson in lessons:
        changes[lesson.start - early] = changes.get(lesson.start - early, 0) + lesson.students
        changes[lesson.end] = changes.get(lesson.end, 0) - lesson.students
    spans: list[Span] = []
    now, since = 0, None
    for minute in sorted(changes):
        if since is not None and now:
            spans.append(Span(since, minute, now))
        now, since = now + changes[minute], minute
    return spans


def by_hour(lessons: Sequence[Lesson], first: int, count: int) -> Floats:
    """The most students in class at once in each of `count` hours from the hour `first` since 1970."""
    most: Floats = np.zeros(count)
    for span in attending(lessons):
        low, high = span.start // HOUR_MINUTES - first, -(-span.end // HOUR_MINUTES) - first
        if high > 0 and low < count:
            part = most[max(low, 0) : high]
            np.maximum(part, span.replicas, out=part)
    return most


def joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours of the same height as one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].end == span.start and found[-1].replicas == span.replicas:
            found[-1] = Span(found[-1].start, span.end, span.replicas)
        else:
            found.append(span)
    return found
