"""Quotas of batch cores, hour by hour: what the bound leaves, cut before the evening peak, with bounded ramps."""

from dataclasses import dataclass

import numpy as np

from apps.planning.methods.colocation.history import HOURS, Choices, Matrix


@dataclass(frozen=True)
class Quotas:
    """Cores by hour: `room` is what theta leaves, `guard` what the evening lets in, `quota` what is given.

    `binds` says by hour what keeps the quota from being higher: `online` use, the `evening` guard, a `ramp`, or another
    `ceiling` (memory, or no batch work fits).
    """

    room: Matrix
    guard: Matrix
    quota: Matrix
    binds: tuple[str, ...]


def quotas(
    bounds: Matrix, capacity: Matrix, evening: tuple[int, int], choices: Choices, ceiling: Matrix | None = None
) -> Quotas:
    """The quota of each of the following hours, midnight first; all arguments have one value per hour."""
    room = np.maximum(choices.theta * capacity - bounds, 0.0)
    guard = np.where(guarded(len(bounds), evening, choices.drain_hours), choices.guard_share * capacity, np.inf)
    other = np.full(len(bounds), np.inf) if ceiling is None else ceiling
    envelope = np.minimum(np.minimum(room, guard), other)
    quota = with_ramps(envelope, choices.ramp_share * capacity)
    return Quotas(room, guard, quota, tuple(_binding(room, guard, other, envelope, quota)))


def guarded(hours: int, evening: tuple[int, int], drain_hours: int) -> np.ndarray:
    """Which hours lie in the evening peak or less than the drain time before it."""
    of_day = np.arange(hours) % HOURS
    return np.asarray((of_day >= evening[0] - drain_hours) & (of_day <= evening[1]))


def with_ramps(envelope: Matrix, ramps: Matrix) -> Matrix:
    """The highest line nowhere above the envelope that changes by at most `ramps` from an hour to the next.

    Before a fall it comes down early, after one it goes up late: capacity that shrinks is met by the smaller ramp.
    """
    line = envelope.copy()
    step = np.minimum(ramps[1:], ramps[:-1])
    for hour in range(1, len(line)):
        line[hour] = min(line[hour], line[hour - 1] + step[hour - 1])
    for hour in range(len(line) - 2, -1, -1):
        line[hour] = min(line[hour], line[hour + 1] + step[hour])
    return line


def _binding(room: Matrix, guard: Matrix, other: Matrix, envelope: Matrix, quota: Matrix) -> list[str]:
    told = []
    for hour in range(len(room)):
        if quota[hour] < envelope[hour] - 1e-9:
            told.append("ramp")
        elif room[hour] <= min(guard[hour], other[hour]):
            told.append("online")
        else:
            told.append("evening" if guard[hour] <= other[hour] else "ceiling")
    return told
