"""Quotas and the batch work in them, checked hour by hour against raw series; shares nothing with what made them."""

from collections.abc import Sequence
from dataclasses import dataclass

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Check:
    """One named check, and what was seen."""

    name: str
    holds: bool
    told: str


def verify_quotas(
    quotas: Sequence[float], capacity: Sequence[float], *, evening: tuple[int, int], theta: float, guard: float,
    drain: int, ramp: float,
) -> tuple[Check, ...]:  # fmt: skip
    """Quotas by hour, the first at midnight: within theta, cut in and before the evening, no steeper than the ramp."""
    over = [
        hour for hour, quota in enumerate(quotas) if quota < -TOLERANCE or quota > theta * capacity[hour] + TOLERANCE
    ]
    loud = [
        hour
        for hour, quota in enumerate(quotas)
        if evening[0] - drain <= hour % 24 <= evening[1] and quota > guard * capacity[hour] + TOLERANCE
    ]
    steep = [
        hour
        for hour in range(1, len(quotas))
        if abs(quotas[hour] - quotas[hour - 1]) > ramp * min(capacity[hour], capacity[hour - 1]) + TOLERANCE
    ]
    return (
        Check("theta", not over, f"{len(over)} hours outside"),
        Check("evening", not loud, f"{len(loud)} hours of the evening too high"),
        Check("ramp", not steep, f"{len(steep)} steps too steep"),
    )


def verify_breaches(
    use: Sequence[float], given: Sequence[float], capacity: Sequence[float], *, theta: float, told: float
) -> Check:
    """The share of known hours in which online use and the batch work let in exceed theta of the capacity."""
    known = [(one, let, whole) for one, let, whole in zip(use, given, capacity, strict=True) if one == one]
    broken = sum(let > TOLERANCE and one + let > theta * whole + TOLERANCE for one, let, whole in known)
    share = broken / len(known) if known else 0.0
    return Check("breaches", abs(share - told) <= 1e-9, f"{share:.6f} seen, {told:.6f} told")


def verify_backlog(
    work: Sequence[float], quota: Sequence[float], placed: Sequence[Sequence[float]], most: float
) -> tuple[Check, ...]:
    """No work twice, none before it came, none beyond the quota of its hour; and as much as the bound says."""
    runs = [0.0] * len(work)
    doubled, total = 0, 0.0
    for came, own in enumerate(placed):
        doubled += sum(own) > work[came] + 1e-5 or min(own, default=0.0) < 0
        for later, cores in enumerate(own):
            total += cores
            if came + later < len(runs):
                runs[came + later] += cores
            elif cores > TOLERANCE:
                doubled += 1
    beyond = sum(run > room + 1e-5 for run, room in zip(runs, quota, strict=True))
    return (
        Check("work", not doubled, f"{doubled} hours of work placed wrongly"),
        Check("room", not beyond, f"{beyond} hours beyond their quota"),
        Check("optimal", total >= most * (1 - 1e-3) - 1e-3, f"{total:.3f} of at most {most:.3f} core-hours"),
    )
