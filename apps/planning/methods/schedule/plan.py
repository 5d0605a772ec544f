"""The schedule of one workload: what is needed over a stretch of time, in steps, and what it costs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from apps.planning.methods.schedule.demand import Demand
from apps.planning.methods.schedule.problem import (
    HOUR_MINUTES,
    Floats,
    Ints,
    Lesson,
    Limits,
    Span,
    attending,
    joined,
)
from apps.planning.methods.schedule.steps import cheapest, cost


@dataclass(frozen=True)
class Horizon:
    """The hours a schedule is for: `first`, since 1970; of each its hour of the local day, and what the week's own
    pattern needs, in cores, without any class."""

    first: int
    clock: Ints
    base_cores: Floats

    @property
    def start(self) -> int:
        return self.first * HOUR_MINUTES

    @property
    def end(self) -> int:
        return (self.first + len(self.clock)) * HOUR_MINUTES


@dataclass(frozen=True)
class Scheduled:
    """Steps over a horizon, what was needed, and what the steps cost in replica-minutes, changes included."""

    steps: tuple[Span, ...]
    needs: tuple[Span, ...]
    cost: int

    @property
    def changes(self) -> int:
        return len(self.steps) - 1


def replicas(cores: float, per_replica: float) -> int:
    """How many replicas hold so many cores."""
    return int(np.ceil(cores / per_replica - 1e-9)) if cores > 0 else 0


def schedule(
    horizon: Horizon,
    lessons: Sequence[Lesson],
    demand: Demand | None,
    *,
    per_replica: float,
    early: int,
    limits: Limits,
    cycles: bool = False,
) -> Scheduled:
    """The cheapest steps that hold the pattern and every class from `early` minutes before it starts.

    `per_replica` is the cores one replica is to carry. Without `demand` no class needs more than the pattern.
    """
    needs = needed(horizon, lessons, demand, per_replica=per_replica, early=early)
    steps = tuple(cheapest(needs, limits, cycles=cycles))
    return Scheduled(steps, tuple(needs), cost(steps, limits, cycles=cycles))


def needed(
    horizon: Horizon, lessons: Sequence[Lesson], demand: Demand | None, *, per_replica: float, early: int
) -> list[Span]:
    """Replicas needed, in consecutive spans over the horizon."""
    spans = attending(lessons, early=early) if demand is not None else []
    edges = {horizon.start + HOUR_MINUTES * hour for hour in range(len(horizon.clock) + 1)}
    edges |= {edge for span in spans for edge in (span.start, span.end) if horizon.start < edge < horizon.end}
    minutes = np.array(sorted(edges), dtype=np.int64)
    starts = minutes[:-1]
    students = _students_at(spans, starts)
    hours = starts // HOUR_MINUTES - horizon.first
    cores = horizon.base_cores[hours]
    if demand is not None:
        cores = np.where(students > 0, np.maximum(cores, demand.cores(students, horizon.clock[hours])), cores)
    found = [
        Span(int(start), int(end), replicas(float(core), per_replica))
        for start, end, core in zip(starts, minutes[1:], cores, strict=True)
    ]
    return joined(found)


def needs_of(horizon: Horizon, demand: Demand, per_replica: float) -> Callable[[int, int], int]:
    """Replicas for so many students at a minute, as a verifier asks for them."""

    @cache
    def by_clock(students: int) -> list[int]:
        cores = demand.cores(np.full(24, float(students)), np.arange(24))
        return [replicas(float(core), per_replica) for core in cores]

    def asked(students: int, minute: int) -> int:
        hour = minute // HOUR_MINUTES - horizon.first
        return by_clock(students)[int(horizon.clock[min(max(hour, 0), len(horizon.clock) - 1)])]

    return asked


def _students_at(spans: Sequence[Span], starts: Ints) -> Floats:
    students: Floats = np.zeros(len(starts))
    for span in spans:
        low, high = np.searchsorted(starts, [span.start, span.end])
        students[low:high] = span.replicas
    return students
