"""The smallest segments that explain a change: a search over combinations of attributes, by the ripple effect.

When something happens to a segment (a team, a service in a cluster, …), it changes all leaves below it in about the
same proportion: the *ripple effect* of HotSpot (Sun et al. 2018) and Squeeze (Li et al. 2019), with the symmetric
deviation d = 2 (after − before) ÷ (after + before) of AutoRoot (Jing et al. 2021) and RiskLoc (Kalander 2022). Where
nothing happened d is noise. So n leaves with the mean d̄, where all others have d̃, explain about n (d̄ − d̃)² ÷ 2σ² of
the log likelihood, which is largest where they are all the leaves of the cause and no others: a wider segment dilutes
the mean, a narrower one has fewer leaves. What a segment explains is weighed against what it takes to name it (minimum
description length).

Instead of searching within clusters of deviations, as the papers do, all segments of up to three attributes are added
up at once (one `bincount`), and sets of segments are compared by what they explain together.
"""

from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Segment:
    """Leaves with these values: (attribute, code) pairs, none for all leaves. `before` and `after` are its sums, `gain`
    how much of the log likelihood it explains."""

    values: tuple[tuple[int, int], ...]
    before: float
    after: float
    gain: float

    @property
    def change(self) -> float:
        return self.after - self.before


@dataclass
class SegmentSearch:
    """Finds the segments that explain a change.

    `most` segments of at most `depth` attributes. `least_gain` is what a segment must explain beyond its naming, in
    natural units of log likelihood, `least_share` the share of the whole absolute change of leaves that it must hold.

    `noise` is how much leaves deviate by themselves; None: it is estimated, and at least `least_noise`. Deviations
    count up to `cap` times the noise, so that a few leaves that came or went by themselves make no segment; None: they
    count whole. `has_tails`: what is left unexplained widens the noise, so that only what chance does not do is told;
    without, whatever moved most is.

    `beam` first segments are tried, each continued greedily; the best set is improved segment by segment.
    """

    most: int = 9
    depth: int = 3
    least_gain: float = 6.0
    least_share: float = 0.0
    noise: float | None = None
    least_noise: float = 0.02
    cap: float | None = 3.0
    has_tails: bool = True
    beam: int = 8
    segments_: tuple[Segment, ...] = field(default=(), init=False)
    noise_: float = field(default=0.0, init=False)

    def fit(self, codes: Codes, before: Floats, after: Floats, weight: Floats | None = None) -> "SegmentSearch":
        """`codes`: leaves × attributes, whole numbers from 0; `before` and `after`: an amount per leaf.

        `weight` says how much a leaf tells: all the same where forecasts are off by a share of the leaf, more for the
        larger where small ones vary by chance.
        """
        self.segments_ = ()
        deviation = deviations(before, after)
        if not len(codes) or not deviation.any():
            return self
        self.noise_ = max(noise_of(deviation), self.least_noise) if self.noise is None else self.noise
        weight = np.ones(len(codes)) if weight is None else weight
        every = _every_segment(codes, self.depth)
        moved = np.abs(after - before)
        scaled = deviation / self.noise_
        if self.cap is not None:
            scaled = np.clip(scaled, -self.cap, self.cap)
        state = _State.of(every, weight, scaled, moved)
        chosen = self._best_set(state)
        spread = state.spread_without(chosen) if self.has_tails else 1.0
        if spread > 1.0:  # noise has longer tails than its middle tells: what it explains by chance is more
            state = replace(state, spread=spread)
            chosen = self._best_set(state)
        self.segments_ = tuple(every.told(state, segment, codes, before, after) for segment in chosen)
        return self

    def _best_set(self, state: "_State") -> list[int]:
        best: tuple[float, list[int]] = (0.0, [])
        for gain, first in state.candidates(self.beam, self):
            total, chosen = self._continued(state.without(first), [first], gain)
            if total > best[0]:
                best = (total, chosen)
        return self._improved(state, best[1])

    def _continued(self, state: "_State", chosen: list[int], total: float) -> tuple[float, list[int]]:
        """The set made larger, greedily, while a further segment explains more than its naming costs."""
        while len(chosen) < self.most:
            found = state.candidates(1, self)
            if not found:
                break
            gain, segment = found[0]
            total, chosen, state = total + gain, [*chosen, segment], state.without(segment)
        return total, chosen

    def _improved(self, state: "_State", chosen: list[int]) -> list[int]:
        """Each segment replaced by the one that explains most beside the others, until none is."""
        for _ in range(self.most):
            before = list(chosen)
            for place in range(len(chosen)):
                rest = state
                for other in chosen[:place] + chosen[place + 1 :]:
                    rest = rest.without(other)
                found = rest.candidates(1, self)
                if found:
                    chosen[place] = found[0][1]
            if chosen == before:
                break
        return chosen


def deviations(before: Floats, after: Floats) -> Floats:
    """2 (after − before) ÷ (after + before): 0 where nothing changed, 2 where something is new, −2 where it is gone."""
    whole = np.abs(before) + np.abs(after)
    found: Floats = np.divide(2 * (after - before), whole, out=np.zeros(len(whole)), where=whole > 0)
    return found


def noise_of(deviation: Floats) -> float:
    """The spread of what happened to nothing: by the smaller deviations, for the larger ones are what is looked for."""
    return float(np.quantile(np.abs(deviation), 0.3)) / 0.3853


@dataclass(frozen=True)
class _Every:
    """All segments there are, numbered through all combinations of attributes: those of the combination at place p are
    `starts[p]` up to `starts[p + 1]`. `ids` are combinations × leaves, `cost` what it takes to name each segment."""

    named: tuple[tuple[int, ...], ...]
    starts: Codes
    ids: npt.NDArray[np.int32]
    cost: Floats

    def leaves(self, segment: int) -> Codes:
        """The leaves of a segment."""
        place = int(np.searchsorted(self.starts, segment, side="right")) - 1
        return np.flatnonzero(self.ids[place] == segment)

    def told(self, state: "_State", segment: int, codes: Codes, before: Floats, after: Floats) -> Segment:
        place = int(np.searchsorted(self.starts, segment, side="right")) - 1
        inside = self.leaves(segment)
        values = tuple((attribute, int(codes[inside[0], attribute])) for attribute in self.named[place])
        gain = float(state.gains()[segment] + self.cost[segment])
        return Segment(values, float(before[inside].sum()), float(after[inside].sum()), gain)


def _every_segment(codes: Codes, depth: int) -> _Every:
    attributes = range(codes.shape[1])
    sizes = codes.max(axis=0) + 1
    named = tuple(one for number in range(min(depth, len(attributes)) + 1) for one in combinations(attributes, number))
    ids = np.empty((len(named), len(codes)), dtype=np.int32)
    starts, costs = [0], []
    for place, one in enumerate(named):
        numbers, count = _numbered(codes, one, sizes)
        ids[place] = numbers + starts[-1]
        starts.append(starts[-1] + count)
        costs.append(np.full(count, np.log(count) + len(one)))
    return _Every(named, np.array(starts), ids, np.concatenate(costs))


def _numbered(codes: Codes, named: tuple[int, ...], sizes: Codes) -> tuple[Codes, int]:
    """The segment of each leaf as a number, and how many numbers there are."""
    numbers = np.zeros(len(codes), dtype=np.int64)
    for attribute in named:
        numbers = numbers * sizes[attribute] + codes[:, attribute]
    count = int(np.prod(sizes[list(named)].astype(float)))
    if count <= 4 * len(codes):
        return numbers, count
    found, numbers = np.unique(numbers, return_inverse=True)
    return numbers, len(found)


@dataclass(frozen=True)
class _State:
    """What is not explained yet: of every segment the weight and the weighted deviation of the leaves that are left."""

    every: _Every
    left: npt.NDArray[np.bool_]
    leaf_weight: Floats
    leaf_deviation: Floats
    leaf_moved: Floats
    weight: Floats
    deviation: Floats
    spread: float = 1.0

    @classmethod
    def of(cls, every: _Every, weight: Floats, scaled: Floats, moved: Floats) -> "_State":
        left, deviation = np.ones(len(weight), dtype=bool), weight * scaled
        sums = [_summed(every, slice(None), one) for one in (weight, deviation)]
        return cls(every, left, weight, deviation, moved, sums[0], sums[1])

    def spread_without(self, chosen: list[int]) -> float:
        """The variance of what some segments leave unexplained."""
        state = self
        for segment in chosen:
            state = state.without(segment)
        weight = self.leaf_weight[state.left]
        if not weight.sum():
            return 1.0
        scaled = self.leaf_deviation[state.left] / np.maximum(weight, 1e-12)
        mean = np.average(scaled, weights=weight)
        return float(np.average(np.square(scaled - mean), weights=weight))

    def without(self, segment: int) -> "_State":
        """The same with the leaves of a segment taken out."""
        inside = self.every.leaves(segment)
        out = inside[self.left[inside]]
        left = self.left.copy()
        left[out] = False
        fewer = (
            whole - _summed(self.every, out, leaf)
            for whole, leaf in ((self.weight, self.leaf_weight), (self.deviation, self.leaf_deviation))
        )
        weight, deviation = fewer
        return replace(self, left=left, weight=weight, deviation=deviation)

    def gains(self) -> Floats:
        """What each segment explains beyond its naming: by another mean than all the other leaves have.

        Of two halves of the leaves that which deviates less explains nothing: something happened to the other.
        """
        whole, moved = self.weight[0], self.deviation[0]
        rest = np.maximum(whole - self.weight, 1e-9)
        inside, outside = self.deviation / np.maximum(self.weight, 1e-9), (moved - self.deviation) / rest
        explained = np.square(inside - outside) * self.weight * rest / max(whole, 1e-9) / 2 / self.spread
        is_one = (self.weight > 1e-6) & (np.abs(inside) >= np.abs(outside))
        is_one[0] = False
        return np.where(is_one, explained - self.every.cost, -np.inf)

    def candidates(self, number: int, search: SegmentSearch) -> list[tuple[float, int]]:
        """The segments that explain most beyond their naming, the best first."""
        gains = self.gains()
        few = min(8 * number + 8, len(gains))
        best = np.argpartition(gains, -few)[-few:]
        best = best[np.lexsort((best, -gains[best]))]
        least = search.least_share * self.leaf_moved.sum()
        found: list[tuple[float, int]] = []
        for segment in best[gains[best] >= search.least_gain].tolist():
            inside = self.every.leaves(segment)
            if self.leaf_moved[inside[self.left[inside]]].sum() >= least:
                found.append((float(gains[segment]), segment))
            if len(found) == number:
                break
        return found


def _summed(every: _Every, leaves: Codes | slice, amounts: Floats) -> Floats:
    """Amounts of some leaves by every segment."""
    ids = every.ids[:, leaves]
    return np.bincount(ids.ravel(), np.tile(amounts[leaves], len(ids)), int(every.starts[-1])).astype(np.float64)
