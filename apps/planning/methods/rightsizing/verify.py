"""Requests held against what was used, one sample at a time; shares nothing with what chose them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isnan
from typing import Any

Numbers = Sequence[Any]


@dataclass(frozen=True)
class Check:
    """One named check, and what was seen."""

    name: str
    holds: bool
    told: str


def verify_replay(
    samples: Numbers, requests: Numbers, told_above: float, told_bad: float, *, bad_share: float = 0.05
) -> tuple[Check, Check]:
    """`samples` by day, sample and workload, `requests` by day and workload; what was told of the days together: the
    share of samples above the request of their day, and of days with more than `bad_share` of them."""
    days = above_sum = bad = 0.0
    for day, own in zip(samples, requests, strict=True):
        for workload, request in enumerate(own):
            known = [sample[workload] for sample in day if not isnan(sample[workload])]
            if isnan(request) or not known:
                continue
            above = sum(sample > request * (1 + 1e-6) for sample in known) / len(known)
            days, above_sum, bad = days + 1, above_sum + above, bad + (above > bad_share)
    seen = (above_sum / days, bad / days) if days else (0.0, 0.0)
    return (
        Check("throttled", abs(seen[0] - told_above) <= 1e-6, f"{seen[0]:.6f} seen, {told_above:.6f} told"),
        Check("bad_days", abs(seen[1] - told_bad) <= 1e-6, f"{seen[1]:.6f} seen, {told_bad:.6f} told"),
    )


SIZES = [(0.25, "0.5 1"), (0.5, "1 2"), (1, "2 4 8"), (2, "1 2 4 8 16"), (4, "2 4 8 16 32"), (8, "4 8 16 32 64"),
         (12, "12 24 48 96"), (16, "16 32 64 128"), (24, "24 48 96 192"), (32, "32 64 128 256"), (52, "96 192 384"),
         (64, "128 256 512")]  # fmt: skip
"""Elastic container instances, written down a second time."""


def verify_serverless(
    days: Numbers, cost: Decimal, ratio: Numbers, resource: str, *, now: Numbers, then: Numbers, months: float,
    told: float,
) -> bool:  # fmt: skip
    """`days` of (pod-hours, cores, GiB) that cost `cost` in so many `months`: whether pods that ask for `then` cost so
    much less a month as is told, and never more than they cost."""

    def price(cores: float, gib: float) -> float:
        fits = [(size, float(memory)) for size, each in SIZES for memory in each.split()
                if size >= cores - 1e-6 and float(memory) >= gib - 1e-6]  # fmt: skip
        size = min(fits) if resource.startswith("eci-") and fits else (cores, gib)
        return float(size[0] * ratio[0] + size[1] * ratio[1])

    paid = sum(hours * price(cores, gib) for hours, cores, gib in days)
    rises = price(*then) > price(*now)
    saved = 0.0
    for hours, cores, gib in days:
        part = price(min(cores, now[0]), min(gib, now[1])) - price(*then)
        saved += hours * (part if rises or part > 0 else 0.0)
    is_told = isnan(saved) or not paid or abs(float(cost) / months * saved / paid - told) <= 1e-6 * max(1, abs(told))
    return is_told and told <= float(cost) / months + 1e-6


def verify_nodes(
    before: Numbers, after: Numbers, there: Numbers, *, stand: int, elastic_hours: float, standing: int
) -> Check:
    """Claims in whole nodes by hour (cores or memory, whichever is scarcer), counted hour by hour: no node leaves that
    is needed, none that was not freed."""
    hours, keeps = 0.0, stand
    for had, has, present in zip(before, after, there, strict=True):
        freed = max(0, min(had, present) - has)
        gone = min(freed, max(0, present - stand))
        hours += gone
        keeps = min(keeps, freed - gone, max(0, stand - has))
    return Check("nodes", abs(hours - elastic_hours) <= 1e-6 and keeps == standing, f"{hours} hours, {keeps} standing")
