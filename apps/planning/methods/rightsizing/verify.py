"""Requests held against what was used, one sample at a time; shares nothing with what chose them."""

from collections.abc import Sequence
from dataclasses import dataclass
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
