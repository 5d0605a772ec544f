"""The upper bound of online use, hour by hour: a weekly season, its spread, and conformal margins that adapt."""

from dataclasses import dataclass

import numpy as np

from apps.planning.methods.colocation.history import HOURS, Choices, History, Matrix, evening_of

HALF_LIFE = 7.0
"""Days after which what was seen counts half."""
OTHER_KIND = 0.02
"""What a working day tells about a free one, and the other way round, in parts of a day of the same kind."""
SHARED = 0.3
"""So much of an hour's spread is taken from what is usual for all hours."""
TAIL = 0.97
"""Margins beyond this quantile of the scores follow the mean excess above it: an exponential tail."""
SPREAD_OUT = 3.0
"""An hour may be given at most so many times the risk of all hours, and at least so small a part of it."""
CAREFUL = 0.6
"""The first bound takes so much of the risk allowed: days to come surprise more than days left out."""
RATE, STRICTEST, WORST = 0.1, 0.1, 4.0
"""How fast the risk taken answers to breaches, the least part of what is allowed, what a day counts at most."""


@dataclass(frozen=True)
class Tail:
    """The scores of a bucket of hours: how many spreads above its centre online use came."""

    quantile: float
    excess: float
    scores: Matrix
    ranks: Matrix

    def margin(self, risk: Matrix) -> Matrix:
        """How many spreads above the centre leave `risk`."""
        beyond = self.quantile + self.excess * np.log((1 - TAIL) / np.maximum(risk, 1e-12))
        inside = self.scores[np.minimum(np.searchsorted(self.ranks, 1 - risk), len(self.scores) - 1)]
        return np.asarray(np.where(risk < 1 - TAIL, beyond, inside))


def bound_of(history: History, day: int, risk: float, limit: Matrix, evening: tuple[int, int]) -> Matrix:
    """The 24 bounds of one day from the days before: use exceeds them in a share `risk` of samples.

    `day` counts from the history's first; every day of the history before it is learned from, each scored by the
    centre and the spread that all the others give it. Risk is spent where it buys the most cores, in proportion to
    an hour's spread, but never more than the common one in the evening. The evening's scores are a bucket of their own
    that can only widen its margins: where most is at stake, the quiet of few evenings is no evidence.
    """
    past = history.up_to(min(day, history.days))
    peaks = past.peaks()
    alike, near = _weights(history, past.days, day)
    centre = _mean(alike, peaks)
    size = np.abs(peaks - centre[:-1]) / np.maximum(centre[:-1], 1e-9)
    spread = _smooth(_mean(near, size))
    spread = (1 - SHARED) * spread + SHARED * spread.mean(axis=1, keepdims=True)
    few = np.sqrt(1 + 1 / np.maximum(alike.sum(axis=1), 0.1))  # the centre of few days is itself uncertain
    spread = np.maximum(spread * few[:, None], 1e-6) * np.maximum(centre, 1e-9)

    scores = (past.use - centre[:-1, :, None]) / spread[:-1, :, None]
    is_evening = _in_evening(evening)
    open_hours = centre[-1] < limit
    mean_spread = spread[-1][open_hours].mean() if open_hours.any() else spread[-1].mean()
    risks = np.clip(risk * spread[-1] / mean_spread, risk / SPREAD_OUT, risk * SPREAD_OUT)
    risks[is_evening] = np.minimum(risks[is_evening], risk)
    margin = _tail(scores, near[-1]).margin(risks)
    own = _tail(scores[:, is_evening], near[-1]).margin(risks[is_evening])
    margin[is_evening] = np.maximum(margin[is_evening], own)
    return np.asarray(np.maximum(centre[-1] + margin * spread[-1], 0.0))


def replay_bounds(
    history: History, choices: Choices, first: int, last: int, capacity: Matrix | None = None
) -> tuple[Matrix, float]:
    """The bounds of the days `first` <= day < `last`, each decided the day before, and the risk to take after them.

    After every day the risk taken answers to what was breached on it: less after a bad day, more after good ones.
    """
    risk = CAREFUL * choices.breach_target
    bounds = []
    for day in range(first, last):
        limit = choices.theta * (history.capacity[day] if capacity is None else capacity)
        evening = evening_of(history.up_to(day), choices)
        bound = bound_of(history, day, risk, limit, evening)
        bounds.append(bound)
        risk = adapted(risk, breached(history.use[day], bound, limit), choices.breach_target)
    return np.array(bounds).reshape(-1, HOURS), risk


def adapted(risk: float, breach: float, target: float) -> float:
    """The risk to take after a day on which a share `breach` of the samples exceeded the bound."""
    if np.isnan(breach):
        return risk
    return float(np.clip(risk * np.exp(RATE * (1 - min(breach / target, WORST))), STRICTEST * target, target))


def breached(use: Matrix, bound: Matrix, limit: Matrix) -> float:
    """The share of a day's samples in which online use and the batch let in exceed the limit; NaN if nobody looked."""
    seen = ~np.isnan(use)
    over = (use > bound[:, None]) & (bound < limit)[:, None] & seen
    return float(over.sum() / seen.sum()) if seen.any() else float("nan")


def _weights(history: History, days: int, day: int) -> tuple[Matrix, Matrix]:
    """(days + 1) x days: what each day tells of each other, and of `day` last; once by age and kind, once by age."""
    numbers = np.array([*range(days), day])
    free = np.array([history.is_free(int(number)) for number in numbers])
    near = 0.5 ** (np.abs(numbers[:, None] - numbers[None, :days]) / HALF_LIFE)
    near[np.arange(days), np.arange(days)] = 0.0
    return near * np.where(free[:, None] == free[None, :days], 1.0, OTHER_KIND), near


def _mean(weights: Matrix, values: Matrix) -> Matrix:
    """Weighted means of each hour over the days that are known; of all hours where no day is."""
    seen = ~np.isnan(values)
    total, weight = weights @ np.where(seen, values, 0.0), weights @ seen
    usual = total.sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1e-12)
    return np.asarray(np.where(weight > 1e-9, total / np.maximum(weight, 1e-12), usual))


def _smooth(spread: Matrix) -> Matrix:
    """Each hour's spread with half of its neighbours'."""
    return np.asarray(0.5 * spread + 0.25 * (np.roll(spread, 1, axis=1) + np.roll(spread, -1, axis=1)))


def _tail(scores: Matrix, weights: Matrix) -> Tail:
    """The scores of one bucket, days x hours x samples, each day with its weight."""
    weight = np.broadcast_to(weights[:, None, None], scores.shape).ravel()
    flat = scores.ravel()
    seen = ~np.isnan(flat)
    if not seen.any():
        return Tail(3.0, 1.0, np.array([3.0]), np.array([1.0]))
    flat, weight = flat[seen], weight[seen]
    order = np.argsort(flat, kind="stable")
    flat, weight = flat[order], weight[order]
    ranks = np.cumsum(weight) / weight.sum()
    quantile = float(flat[min(int(np.searchsorted(ranks, TAIL)), len(flat) - 1)])
    above = flat > quantile
    excess = float(np.average(flat[above] - quantile, weights=weight[above])) if above.any() else 0.0
    return Tail(quantile, max(excess, 0.05), flat, ranks)


def _in_evening(evening: tuple[int, int]) -> np.ndarray:
    hours = np.arange(HOURS)
    return np.asarray((hours >= evening[0]) & (hours <= evening[1]))
