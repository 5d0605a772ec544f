"""Checking a schedule against the classes as they were imported, and its files against it, minute by minute.

Nothing here is shared with what made the schedule: classes are added up one minute at a time, what is needed for so
many students is asked of the caller, and what cron entries do is read off a clock that goes through every minute.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Uncovered:
    """A class that at some minute has fewer replicas than it needs; `missing` is the most that are missing, and
    `is_bounded` says that no more could be there: the schedule stood at the most it may have."""

    place: int
    first_minute: int
    missing: int
    is_bounded: bool


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
    cycles: bool = False,
) -> Verdict:
    """Check steps (start, end, replicas) against classes (start, end, students).

    `replicas_for(students, minute)` is what so many students need. A class must have them from `early` minutes before
    it starts to its end, or `most` where it needs more. `told_cost` is what the schedule says it costs in
    replica-minutes, changes included; with `cycles` the change from its end to its beginning, too.
    """
    starts = [start for start, _, _ in steps]
    counted: dict[int, int] = {}
    for start, end, students in classes:
        for minute in range(start - early, end):
            counted[minute] = counted.get(minute, 0) + students
    known: dict[tuple[int, int], int] = {}
    uncovered: list[Uncovered] = []
    for place, (start, end, _) in enumerate(classes):
        worst, first, is_bounded = 0, None, True
        for minute in range(start - early, end):
            key = (counted[minute], minute // 60)
            if key not in known:
                known[key] = replicas_for(counted[minute], minute)
            standing = _standing(steps, starts, minute)
            if known[key] > standing:
                worst, first = max(worst, known[key] - standing), minute if first is None else first
                is_bounded &= most is not None and standing >= most
        if first is not None:
            uncovered.append(Uncovered(place, first, worst, is_bounded))
    checks = (
        _check_covered(len(classes), uncovered),
        _check_consecutive(steps),
        _check_limits(steps, least, most),
        _check_cost(steps, told_cost, change_minutes, cycles=cycles),
    )
    return Verdict(checks, tuple(uncovered))


def fires(entries: Iterable[str], zone: ZoneInfo, *, first: int, last: int) -> dict[str, list[int]]:
    """The minutes from `first` to `last` at which each cron entry of five fields fires."""
    found: dict[str, list[int]] = {entry: [] for entry in entries}
    by_clock: dict[tuple[str, str], list[tuple[str, list[str]]]] = {}
    for entry in found:
        minute, hour, *rest = entry.split(" ")
        by_clock.setdefault((minute, hour), []).append((entry, rest))
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    for at in range(first, last):
        local = (epoch + timedelta(minutes=at)).astimezone(zone)
        told = (local.day, local.month, local.isoweekday() % 7)
        for entry, rest in by_clock.get((str(local.minute), str(local.hour)), ()):
            if all(field in ("*", str(value)) for field, value in zip(rest, told, strict=True)):
                found[entry].append(at)
    return found


def jobs_set(entries: Iterable[tuple[str, int]], zone: ZoneInfo, *, first: int, last: int) -> dict[int, int]:
    """What jobs (cron entry, replicas) set at their minutes; of two that set at once neither is to be relied on."""
    listed = list(entries)
    at = fires({entry for entry, _ in listed}, zone, first=first, last=last)
    found: dict[int, int] = {}
    for entry, replicas in listed:
        for minute in at[entry]:
            found[minute] = replicas if found.get(minute, replicas) == replicas else -1
    return found


def triggers_set(
    entries: Iterable[tuple[str, str, int]], least: int, zone: ZoneInfo, *, first: int, last: int
) -> dict[int, int]:
    """What triggers (start, end, replicas) set: outside of all of them there are `least`, within several the most."""
    listed = list(entries)
    at = fires({cron for start, end, _ in listed for cron in (start, end)}, zone, first=first, last=last)
    changes: dict[int, list[tuple[int, bool]]] = {first: []}
    for place, (start, end, _) in enumerate(listed):
        for minute in at[start]:
            changes.setdefault(minute, []).append((place, True))
        for minute in at[end]:
            changes.setdefault(minute, []).append((place, False))
    found: dict[int, int] = {}
    running: set[int] = set()
    for minute in sorted(changes):
        running -= {place for place, begins in changes[minute] if not begins}
        running |= {place for place, begins in changes[minute] if begins}
        found[minute] = max((listed[place][2] for place in running), default=least)
    return found


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
    """A class that needs more than there may be is told, and is no mistake of the schedule."""
    wrong = sum(not one.is_bounded for one in uncovered)
    return Check("every class is covered", not wrong, f"{classes - len(uncovered)} of {classes} classes")


def _check_consecutive(steps: Sequence[tuple[int, int, int]]) -> Check:
    torn = sum(before[1] != after[0] for before, after in pairwise(steps))
    empty = sum(start >= end for start, end, _ in steps)
    return Check("no minute is left out or told twice", not torn and not empty, f"{len(steps)} steps")


def _check_limits(steps: Sequence[tuple[int, int, int]], least: int, most: int | None) -> Check:
    outside = [height for _, _, height in steps if height < least or (most is not None and height > most)]
    bound = f"{least} to {most}" if most is not None else f"{least} or more"
    return Check("replicas stay within their bounds", not outside, f"{bound}; {len(outside)} steps outside")


def _check_cost(steps: Sequence[tuple[int, int, int]], told: int, change: int, *, cycles: bool) -> Check:
    summed = change if cycles and steps and steps[0][2] != steps[-1][2] else 0
    for place, (start, end, height) in enumerate(steps):
        summed += height * (end - start)
        if place and steps[place - 1][2] != height:
            summed += change
    return Check("the cost adds up", summed == told, f"{summed} replica-minutes, {told} told")
