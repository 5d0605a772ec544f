"""Learning without what is known ahead, and telling it with it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from apps.insights.planned.known import Known
from apps.learning.calendars import Matrix


@dataclass(frozen=True)
class Effect:
    """What one known change is to all series: `amounts` per day, and `factors`."""

    known: Known
    amounts: Matrix
    factors: Matrix


def effects(known: Iterable[Known], series: Sequence[tuple[str, Sequence[str]]]) -> list[Effect]:
    """What is known, as it is to series that are each the sum of some keys of a level."""
    found = []
    for one in known:
        pairs = [one.on(level, keys) for level, keys in series]
        amounts, factors = (np.array(part) for part in zip(*pairs, strict=True))
        found.append(Effect(one, amounts, factors))
    return found


def without(costs: Matrix, found: Iterable[Effect], *, start: date) -> Matrix:
    """The history (days from `start` on × series) as it would have been without the changes."""
    costs = costs.copy()
    for effect in reversed(list(found)):
        after = slice(max(0, (effect.known.first_day - start).days), None)
        # A factor of nothing cannot be undone: what was switched off for good is left as it is.
        factors = np.where(effect.factors > 0, effect.factors, 1.0)
        costs[after] = (costs[after] - effect.amounts) / factors
    return costs


def with_them(said: Matrix, found: Iterable[Effect], *, start: date) -> tuple[Matrix, Matrix, list[Matrix]]:
    """A forecast (days from `start` on × series) with the changes, by how much wider its intervals become, and what
    each change added."""
    said, widths, added = said.copy(), np.ones_like(said), []
    for effect in found:
        before = said.copy()
        after = slice(max(0, (effect.known.first_day - start).days), None)
        said[after] = said[after] * effect.factors + effect.amounts
        widths[after] *= effect.factors
        added.append(said - before)
    return said, widths, added
