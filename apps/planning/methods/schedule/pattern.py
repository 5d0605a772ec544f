"""The week's own pattern: what a quantile of its days needs, slot by slot, learned from days that were.

A day is foretold by the mean of the days before it, the recent and the alike weighing more, times a margin that would
have held the wanted share of the days so far, for busy slots and for quiet ones apart (split conformal, rolling). How
fast days age and how much unlike days tell is chosen by the pinball loss of the last days.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from apps.planning.methods.schedule.problem import Floats, Ints

Booleans = npt.NDArray[np.bool_]
LEAST_DAYS = 3
HALF_LIVES = (1.0, 2.0, 4.0, 8.0, 30.0)
UNLIKE = (1.0, 0.3, 0.0)
"""What a day of another kind counts."""
BUSY = 0.6
"""A slot of at least this share of the day's highest is busy."""
JUDGED_SHARE = 0.5
_LEAST = 1e-9


class TooLittleHistory(ValueError):
    """There are too few days to learn from."""


@dataclass(frozen=True)
class Pattern:
    """`needs` of each kind of day by slot (kinds × slots), at the quantile that was asked for; `pinball` is the loss of
    the last days, in the unit of the values, and `naive_pinball` that of the highest of the same kind of day so far."""

    needs: Floats
    pinball: float
    naive_pinball: float
    half_life: float
    unlike: float


def pinball(actual: Floats, said: Floats, quantile: float) -> float:
    """The loss whose least is the quantile: `quantile` for each unit missed, the rest for each unit too much."""
    over = actual - said
    return float(np.nanmean(np.maximum(quantile * over, (quantile - 1) * over)))


def learn(days: Floats, kinds: Ints, quantile: float, *, kind_count: int | None = None) -> Pattern:
    """The pattern of `days` (days × slots, NaN where nothing is known), the oldest first, each of one of the kinds."""
    known = ~np.isnan(days).all(axis=1)
    days, kinds = days[known], kinds[known]
    if len(days) < LEAST_DAYS:
        raise TooLittleHistory(f"{len(days)} days are known; a pattern is learned from {LEAST_DAYS} or more")
    judged = max(1, int(len(days) * JUDGED_SHARE))
    loss, half_life, unlike = min(
        (_judge(days, _rolled(days, kinds, *tried), quantile, judged), *tried) for tried in product(HALF_LIVES, UNLIKE)
    )
    said = _rolled(days, kinds, half_life, unlike)
    busy, quiet = _margins(days[1:], said[1:], quantile)
    counted = range(kind_count if kind_count is not None else int(kinds.max()) + 1)
    centres = np.array([_centre(days, _weights(kinds, kind, half_life, unlike)) for kind in counted])
    needs = np.where(_is_busy(centres), centres * busy, centres * quiet)
    highest = np.array([_highest(days[:place], kinds[:place], kinds[place]) for place in range(1, len(days))])
    naive = pinball(days[-judged:], highest[-judged:], quantile)
    return Pattern(needs, loss, naive, half_life, unlike)


def _rolled(days: Floats, kinds: Ints, half_life: float, unlike: float) -> Floats:
    """Each day as foretold by the days before it; the first by nothing."""
    said = np.full_like(days, np.nan)
    for place in range(1, len(days)):
        said[place] = _centre(days[:place], _weights(kinds[:place], int(kinds[place]), half_life, unlike))
    return said


def _weights(kinds: Ints, kind: int, half_life: float, unlike: float) -> Floats:
    age = np.arange(len(kinds))[::-1]
    alike = np.where(kinds == kind, 1.0, max(unlike, _LEAST))
    weights: Floats = alike * 0.5 ** (age / half_life)
    return weights


def _centre(days: Floats, weights: Floats) -> Floats:
    known = ~np.isnan(days)
    total = (weights[:, None] * known).sum(axis=0)
    summed = (weights[:, None] * np.where(known, days, 0)).sum(axis=0)
    centre: Floats = np.divide(summed, total, out=np.full(days.shape[1], np.nan), where=total > 0)
    filled: Floats = np.where(np.isnan(centre), np.nanmax(centre), centre)  # a slot never seen: as the busiest
    return filled


def _is_busy(said: Floats) -> Booleans:
    found: Booleans = said >= BUSY * np.nanmax(said, axis=1, keepdims=True)
    return found


def _margins(days: Floats, said: Floats, quantile: float) -> tuple[float, float]:
    """By how much busy and quiet slots have to be raised."""
    ratios = days / np.maximum(said, _LEAST)
    is_busy = _is_busy(said)
    return conformal(ratios[is_busy], quantile), conformal(ratios[~is_busy], quantile)


def conformal(ratios: Floats, quantile: float) -> float:
    """The quantile that holds for one more of the same kind, too; 1 where there are none."""
    known = np.sort(ratios[~np.isnan(ratios)])
    if not len(known):
        return 1.0
    rank = min(len(known), int(np.ceil((len(known) + 1) * quantile)))
    return float(known[rank - 1])


def _judge(days: Floats, said: Floats, quantile: float, judged: int) -> float:
    """The loss of the last days, each with the margins of the days before it."""
    losses = []
    for place in range(max(2, len(days) - judged), len(days)):
        busy, quiet = _margins(days[1:place], said[1:place], quantile)
        row = said[place : place + 1]
        raised = np.where(_is_busy(row), row * busy, row * quiet)
        losses.append(pinball(days[place : place + 1], raised, quantile))
    return float(np.mean(losses))


def _highest(days: Floats, kinds: Ints, kind: int) -> Floats:
    alike = days[kinds == kind]
    used = alike if len(alike) else days
    found: Floats = np.where(
        np.isnan(used).all(axis=0), np.nan, np.nanmax(np.where(np.isnan(used), -np.inf, used), axis=0)
    )
    return found
