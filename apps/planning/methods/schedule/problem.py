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
LEAST_SHARE = 0.25


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


def covered(lessons: Sequence[Lesson], first: int, count: int) -> Floats:
    """Which share of each of `count` hours from the hour `first` on anybody is in class."""
    shares: Floats = np.zeros(count)
    for span in attending(lessons):
        for hour in range(max(span.start // HOUR_MINUTES, first), min(-(-span.end // HOUR_MINUTES), first + count)):
            inside = min(span.end, (hour + 1) * HOUR_MINUTES) - max(span.start, hour * HOUR_MINUTES)
            shares[hour - first] += inside / HOUR_MINUTES
    return shares


def in_class(means: Floats, shares: Floats) -> Floats:
    """What hours of a class would have used had it filled them: an hourly mean tells 50 minutes of class too small.

    Outside of the class an hour is taken to be as the median hour without any; less than a quarter of an hour in class
    counts as a quarter, for what little it tells would be blown up with all its noise.
    """
    quiet = means[(shares == 0) & ~np.isnan(means)]
    rest = float(np.median(quiet)) if len(quiet) else 0.0
    raised = rest + (means - rest) / np.clip(shares, LEAST_SHARE, 1.0)
    found: Floats = np.where((shares > 0) & (means > rest), raised, means)
    return found


def standing_out(means: Floats, peaks: Floats, shares: Floats) -> Floats:
    """Hours as much higher as their highest five minutes stand out of them more than usual.

    Peaks of replicas added up are too high, for they do not come at once; by how much is seen in hours without a class.
    """
    ratios = peaks / np.maximum(means, 1e-9)
    usual = ratios[(shares == 0) & (means > 0) & ~np.isnan(ratios)]
    typical = max(float(np.median(usual)), 1.0) if len(usual) else 1.0
    found: Floats = np.where(~np.isnan(peaks), means * np.maximum(ratios / typical, 1.0), means)
    return found


def joined(spans: Sequence[Span]) -> list[Span]:
    """Neighbours of the same height as one."""
    found: list[Span] = []
    for span in spans:
        if found and found[-1].end == span.start and found[-1].replicas == span.replicas:
            found[-1] = Span(found[-1].start, span.end, span.replicas)
        else:
            found.append(span)
    return found
