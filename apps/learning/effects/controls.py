"""Which untouched series move like a cost: suggested controls, from the days before the change alone."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from apps.learning.calendars import Matrix
from apps.learning.effects.panel import MOST_MISSING, correlation
from apps.learning.effects.study import LEAST_BEFORE, EffectError, TooShort

ALIKE = 0.2
MOST_SUGGESTED = 20
STEP_SHARE = 0.5
"""A candidate whose level changed by more between the halves of the days is told as unstable."""


@dataclass(frozen=True)
class Control:
    """A candidate: how its weekly changes go with those of the cost, -1 to 1, over all days and in the worse half.

    `drift` is how much its level changed, relative to that of the cost, from the first to the second half of the days.
    """

    name: str
    correlation: float
    worse_half: float
    drift: float
    missing: float
    is_suggested: bool


def suggest_controls(cost: Matrix, candidates: Mapping[str, Matrix], *, before: int) -> tuple[Control, ...]:
    """The candidates, the most alike first; those suggested are alike in both halves of the first `before` days.

    That a candidate is untouched by the change is for people to say.
    """
    seen = np.asarray(cost, dtype=float)[:before]
    known = int((~np.isnan(seen)).sum())
    if known < LEAST_BEFORE:
        raise TooShort(LEAST_BEFORE, known, "before the start")
    for name, values in candidates.items():
        if len(values) < len(seen):
            raise EffectError(f"{name} must have a value for each day before the start")
    found = [_compared(name, seen, np.asarray(values, dtype=float)[: len(seen)]) for name, values in candidates.items()]
    found.sort(key=lambda one: (not one.is_suggested, -one.correlation, one.name))
    return tuple(
        Control(
            one.name,
            one.correlation,
            one.worse_half,
            one.drift,
            one.missing,
            one.is_suggested and place < MOST_SUGGESTED,
        )
        for place, one in enumerate(found)
    )


def _compared(name: str, cost: Matrix, other: Matrix) -> Control:
    half = len(cost) // 2
    alike = correlation(cost, other)
    worse = min(correlation(cost[:half], other[:half]), correlation(cost[half:], other[half:]))
    drift = abs(_growth(other, half) / _growth(cost, half) - 1)
    missing = float(np.isnan(other).mean())
    suggested = alike >= ALIKE and worse > 0 and drift <= STEP_SHARE and missing <= MOST_MISSING
    return Control(name, alike, worse, drift, missing, suggested)


def _growth(values: Matrix, half: int) -> float:
    first, second = (np.nanmean(part) if (~np.isnan(part)).any() else 0.0 for part in (values[:half], values[half:]))
    return float(second / first) if first and second else np.inf
