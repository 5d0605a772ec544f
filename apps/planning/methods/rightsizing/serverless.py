"""Serverless pods: charged by what they ask for, so that a smaller request saves money though no node leaves."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from apps.finops.money import rounded

ECI = {
    0.25: (0.5, 1), 0.5: (1, 2), 1: (2, 4, 8), 2: (1, 2, 4, 8, 16), 4: (2, 4, 8, 16, 32), 8: (4, 8, 16, 32, 64),
    12: (12, 24, 48, 96), 16: (16, 32, 64, 128), 24: (24, 48, 96, 192), 32: (32, 64, 128, 256), 52: (96, 192, 384),
    64: (128, 256, 512),
}  # fmt: skip
"""Cores → GiB that Alibaba's elastic container instances have in all regions; what pods ask for is rounded up to one.
Help centre, "Specify vCPU and memory to create an instance", June 2026."""
SIZES = {"eci-": ECI}
"""The beginning of a billed resource → its sizes; pods of others are charged by what they ask for."""


@dataclass(frozen=True)
class Ratio:
    """What a core-hour costs against a GiB-hour."""

    cores: int
    gib: int


@dataclass(frozen=True)
class Ran:
    """So many pod-hours that asked for so many cores and GiB."""

    hours: float
    cores: float
    gib: float


def charged(cores: float, gib: float, resource: str = "") -> tuple[float, float]:
    """What a pod is charged for: the smallest size that has as much."""
    sizes = next((sizes for start, sizes in SIZES.items() if resource.startswith(start)), None)
    if sizes is None:
        return cores, gib
    known = sorted(sizes)
    for size in known[bisect_left(known, round(cores, 6)) :]:
        for memory in sizes[size]:
            if memory >= round(gib, 6):
                return size, memory
    return cores, gib


def worth(cores: float, gib: float, resource: str, ratio: Ratio) -> Fraction:
    """What an hour of a pod costs, in hours of a GiB."""
    size = charged(cores, gib, resource)
    return Fraction(size[0]) * ratio.cores + Fraction(size[1]) * ratio.gib


def cheaper(
    cost: Decimal, ran: Sequence[Ran], now: tuple[float, float], then: tuple[float, float], resource: str, ratio: Ratio
) -> Decimal:
    """What pods that cost `cost` would have cost less if they asked for `then` instead of `now`, at the unit price they
    really had; below zero where they would cost more.

    Hours in which they asked for less than now count by what they asked for: no more is saved than was paid.
    """
    paid = sum((Fraction(one.hours) * worth(one.cores, one.gib, resource, ratio) for one in ran), Fraction(0))
    if cost <= 0 or not paid:
        return Decimal(0)
    after = worth(*then, resource, ratio)
    is_less = after <= worth(*now, resource, ratio)
    saved = Fraction(0)
    for one in ran:
        before = worth(min(one.cores, now[0]), min(one.gib, now[1]), resource, ratio)
        saved += Fraction(one.hours) * (max(before - after, Fraction(0)) if is_less else before - after)
    return rounded(Fraction(cost) * saved / paid)
