"""Checking a schedule against the classes as they were imported, minute by minute.

Nothing here is shared with what made the schedule: classes are added up one minute at a time, and what is needed for so
many students is asked of the caller.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class Uncovered:
    """A class that at some minute has fewer replicas than it needs; `missing` is the most that are missing."""

    place: int
    first_minute: int
    missing: int


@dataclass(frozen=True)
class Check:
    """A named check and whether it holds; `told` says what was seen."""

    name: str
    holds: bool
    told: str


@dataclass(frozen=True)
class Verdict:
    """All checks of a schedule."""

    checks: tuple[Check, ...]
    uncovered: tuple[Uncovered, ...]

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


def verify(
    classes: Sequence[tuple[int, int, int]],
    steps: Sequence[tuple[int, int, int]],
    replicas_for: Callable[[int, int], int],
    *,
    early: int,
    least: int,
    most: int | None,
    told_cost: int,
    change_minutes: int,
) -> Verdict:
    """Check steps (start, end, replicas) against classes (start, end, students).

    `replicas_for(students, minute)` is what so many students need. A class must have them from `early` minutes before
    it starts to its end. `told_cost` is what the schedule says it costs in replica-minutes, changes included.
    """
    starts = [start for start, _, _ in steps]
    counted: dict[int, int] = {}
    for start, end, students in classes:
        for minute in range(start - early, end):
            counted[minute] = counted.get(minute, 0) + students
    known: dict[tuple[int, int], int] = {}
    uncovered: list[Uncovered] = []
    for place, (start, end, _) in enumerate(classes):
        worst, first = 0, None
        for minute in range(start - early, end):
            key = (counted[minute], minute // 60)
            if key not in known:
                known[key] = replicas_for(counted[minute], minute)
            missing = known[key] - _standing(steps, starts, minute)
            if missing > 0:
                worst, first = max(worst, missing), minute if first is None else first
        if first is not None:
            uncovered.append(Uncovered(place, first, worst))
    checks = (
        _check_covered(len(classes), uncovered),
        _check_consecutive(steps),
        _check_limits(steps, least, most),
        _check_cost(steps, told_cost, change_minutes),
    )
    return Verdict(checks, tuple(uncovered))


def jobs_give(steps: Sequence[tuple[int, int, int]], set_at: Mapping[int, int], *, first: int, last: int) -> Check:
    """Whether what cron sets at its minutes gives the same replicas as the steps, every minute."""
    starts = [start for start, _, _ in steps]
    now = set_at.get(first)
    for minute in range(first, last):
        now = set_at.get(minute, now)
        wanted = _standing(steps, starts, minute)
        if now != wanted:
            return Check("the file says the same as the plan", False, f"minute {minute}: {now} instead of {wanted}")
    return Check("the file says the same as the plan", True, f"{last - first} minutes compared")


def _standing(steps: Sequence[tuple[int, int, int]], starts: Sequence[int], minute: int) -> int:
    place = bisect_right(starts, minute) - 1
    if place < 0 or minute >= steps[place][1]:
        return 0
    return steps[place][2]


def _check_covered(classes: int, uncovered: Sequence[Uncovered]) -> Check:
    return Check("every class is covered", not uncovered, f"{classes - len(uncovered)} of {classes} classes")


def _check_consecutive(steps: Sequence[tuple[int, int, int]]) -> Check:
    torn = sum(before[1] != after[0] for before, after in pairwise(steps))
    empty = sum(start >= end for start, end, _ in steps)
    return Check("no minute is left out or told twice", not torn and not empty, f"{len(steps)} steps")


def _check_limits(steps: Sequence[tuple[int, int, int]], least: int, most: int | None) -> Check:
    outside = [height for _, _, height in steps if height < least or (most is not None and height > most)]
    bound = f"{least} to {most}" if most is not None else f"{least} or more"
    return Check("replicas stay within their bounds", not outside, f"{bound}; {len(outside)} steps outside")


def _check_cost(steps: Sequence[tuple[int, int, int]], told: int, change: int) -> Check:
    summed = 0
    for place, (start, end, height) in enumerate(steps):
        summed += height * (end - start)
        if place and steps[place - 1][2] != height:
            summed += change
    return Check("the cost adds up", summed == told, f"{summed} replica-minutes, {told} told")
