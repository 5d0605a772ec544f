"""Memory: a request above the highest of the last days by an upper tail, as too little is not slow but a kill.

How far a day's peak goes beyond the highest of the seven days before it is told by all workloads together, drawn
towards the workload's own days. Of all together the highest tenth is not counted but drawn: beyond it the tail falls
exponentially (peaks over threshold), so that risks are told that nobody has seen yet.
"""

from dataclasses import dataclass

import numpy as np

from apps.planning.methods.rightsizing.rules import PEAK, windowed
from apps.planning.methods.rightsizing.usage import Array, Usage

WINDOW = 7
BORROWED_DAYS = 30
TAIL = 0.9
STEPS = np.linspace(0.0, 1.5, 76)
"""What may be added to the highest, as a logarithm: nothing to 4.5 times."""
UNSEEN_START, UNSEEN_MEAN = 0.1, 0.1
"""The tail of whoever has no days yet."""
LEAST_GIB = 1 / 64


@dataclass(frozen=True)
class MemoryPlan:
    """Requests in GiB by day (rows; one more than the days known) and workload, and the chance of a day with a peak
    above each."""

    request: Array
    chance: Array


def plan_memory(usage: Usage, risk: float, margin: float = 0.0) -> MemoryPlan:
    """Requests whose day peaks above them with the chance `risk`; each row knows the days before it only."""
    peaks = usage.upper(PEAK)
    base = windowed(peaks, WINDOW)
    with np.errstate(divide="ignore", invalid="ignore"):
        beyond = np.log(peaks / base[:-1])
    beyond = np.where(np.isfinite(beyond), beyond, np.nan)
    steps = STEPS + np.log1p(margin)
    above = np.zeros((len(STEPS), usage.count))
    seen = np.zeros(usage.count)
    request, chance = (np.full(base.shape, np.nan) for _ in range(2))
    for day in range(len(base)):
        if day:
            own = beyond[day - 1]
            above += own[None, :] > steps[:, None]
            seen += ~np.isnan(own)
        chances = (BORROWED_DAYS * _together(beyond[:day], steps)[:, None] + above) / (BORROWED_DAYS + seen)
        at = np.where((chances <= risk).any(axis=0), (chances <= risk).argmax(axis=0), len(STEPS) - 1)
        request[day] = np.maximum(base[day] * np.exp(steps[at]), LEAST_GIB)
        chance[day] = np.where(np.isnan(base[day]), np.nan, np.take_along_axis(chances, at[None], axis=0)[0])
    return MemoryPlan(request, chance)


def _together(beyond: Array, steps: Array) -> Array:
    """The chance that a day of any workload goes further than each step."""
    known = beyond[~np.isnan(beyond)]
    if not len(known):
        return (1 - TAIL) * np.exp(-np.clip(steps - UNSEEN_START, 0, None) / UNSEEN_MEAN)
    known = np.sort(known)
    start = max(float(np.quantile(known, TAIL)), 0.0)
    excess = known[known > start] - start
    part = len(excess) / len(known)
    counted = 1 - np.searchsorted(known, steps, side="right") / len(known)
    mean = max(float(excess.mean()), 0.01) if len(excess) else 0.01
    drawn = max(part, 1 / len(known)) * np.exp(-(steps - start) / mean)
    return np.where(steps < start, counted, np.minimum(drawn, 1.0))
