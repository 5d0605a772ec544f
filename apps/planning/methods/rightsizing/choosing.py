"""Choosing a rule and a margin for each workload by what each would have done to it, day by day; the replay itself.

Each day every candidate (rule x margin) is held against the samples of the day. A candidate's risk is what it did to
the workload, the past fading, drawn towards what it did to all workloads as if that were `BORROWED_DAYS` of its own; a
sample within a step of the request counts by a part. What is chosen is cheapest in its request and its risk, the risk
priced by a power of the workload's size: margin is bought where it is cheap.
"""

from dataclasses import dataclass

import numpy as np

from apps.planning.methods.rightsizing.rules import FIRST_RULES, P95, P99, PEAK, Rule, remembered
from apps.planning.methods.rightsizing.usage import Array, Usage

STEP, MARGINS = 1.08, 12
"""Margins are powers of a step: none, 8 %, 17 % ... 133 %."""
NEAR = 0.3
"""A sample that is within a step of the request is this part of a throttled one."""
BORROWED_DAYS, EVIDENCE_LIVES = 30, 3
CHOSEN_AFTER, CHOSEN_AFTER_FINE, FINE = 14, 21, 100
"""Days of history after which a workload's own replay decides, and where a day has a hundred samples or more: there
half as many candidates more are to be told apart. Before, the first rule and its margin decide."""
FIRST_MARGIN = 1.15
PER_RISK, PER_BAD_DAY, SIZE_POWER = 0.5, 0.15, 0.3
"""What a certain throttled sample and a certain bad day cost, times the size's power, times 1 / the accepted risk."""
BAD_SHARE = 0.05
"""A bad day has more than this share of its samples above the request."""
ROUNDING = 1 + 1e-6


@dataclass(frozen=True)
class Settings:
    """What a person may move: accepted share of samples above the request, a margin on top, days to half a memory."""

    risk: float = 0.005
    margin: float = 0.0
    half_life: float = 10.0
    least: float = 0.01


@dataclass(frozen=True)
class Replay:
    """Requests by day (rows; one more than the days known: the next) and workload, and what each came to.

    `above` and `bad` are the realised share of samples above the request and whether that made a bad day, NaN where a
    day has no samples or no request; `stated` is the risk that was stated for the day, beforehand.
    """

    request: Array
    stated: Array
    above: Array
    bad: Array
    rules: tuple[str, ...] = ()
    chosen: Array | None = None
    slack_by_candidate: Array | None = None
    risk_by_candidate: Array | None = None
    names: tuple[str, ...] = ()


class _Evidence:
    """What the candidates did so far, by candidate and workload; the past fades."""

    def __init__(self, candidates: int, workloads: int, half_life: float) -> None:
        self._fade = np.float32(0.5 ** (1 / (half_life * EVIDENCE_LIVES)))
        self._above = np.zeros((candidates, workloads), np.float32)
        self._bad = np.zeros((candidates, workloads), np.float32)
        self._asked = np.zeros((candidates, workloads), np.float32)
        self.days = np.zeros(workloads, np.float32)

    def add(self, above: Array, bad: Array, asked: Array, seen: Array) -> None:
        for kept, new in ((self._above, above), (self._bad, bad), (self._asked, asked)):
            kept *= self._fade
            kept += np.where(seen, new, 0)
        self.days = self.days * self._fade + seen

    def risks(self) -> tuple[Array, Array]:
        """The share of samples above and of bad days to expect, drawn towards that of all workloads."""
        total = max(float(self.days.sum()), 1.0)
        return self._drawn(self._above, total), self._drawn(self._bad, total)

    def _drawn(self, kept: Array, total: float) -> Array:
        drawn: Array = (BORROWED_DAYS * kept.sum(axis=1, keepdims=True) / total + kept) / (BORROWED_DAYS + self.days)
        return drawn

    def mean_request(self) -> Array:
        return self._asked / np.maximum(self.days, 1e-9)


def replay(usage: Usage, settings: Settings | None = None, most: Array | None = None) -> Replay:
    """Decide every day from the days before, hold it against the day; the last row is the request from now on.

    `most` is the size a request cannot exceed (a machine's own), by workload or by day (and the next) and workload.
    """
    settings = settings or Settings()
    rules, bases = _bases(usage, settings.half_life)
    history, known = usage.history, usage.known
    ceiling = np.broadcast_to(np.float32(np.inf) if most is None else most, (usage.days + 1, usage.count))
    evidence = _Evidence(len(rules) * MARGINS, usage.count, settings.half_life)
    request, stated, chosen = (np.full((usage.days + 1, usage.count), np.nan) for _ in range(3))
    first = next(rules.index(rule) for rule in FIRST_RULES if rule in rules)
    extra = np.float32(1 + settings.margin)
    settled = CHOSEN_AFTER_FINE if usage.samples.shape[1] >= FINE else CHOSEN_AFTER
    for day in range(usage.days + 1):
        candidates = _candidates(bases[:, day] * extra, settings.least, ceiling[day])
        plain = bases[first, day] * FIRST_MARGIN * extra
        request[day], stated[day], chosen[day] = _choose(
            candidates, plain, first, evidence, history[day] < settled, settings, ceiling[day]
        )
        if day < usage.days:
            above = _above(usage.samples[day], candidates, known[day])
            seen = (known[day] > 0) & ~np.isnan(bases[0, day])
            evidence.add(*_near(above, len(rules)), np.nan_to_num(_own(candidates, len(rules))), seen)
    above, bad = held_against(usage, request)
    return Replay(
        request, _calibrated(stated, above), above, bad, tuple(rule.name for rule in rules), chosen,
        evidence.mean_request(), evidence.risks()[0], tuple(_names(rules)),
    )  # fmt: skip


def _bases(usage: Usage, half_life: float) -> tuple[list[Rule], Array]:
    """The rules, and what each remembers: rule x day x workload."""
    left_out = (PEAK, P99, P95) if usage.samples.shape[1] >= FINE else (PEAK, P95)
    rules, bases = [], []
    for share in left_out:
        for memory, told in remembered(usage.upper(share).astype(np.float32), half_life).items():
            rules.append(Rule(share, memory))
            bases.append(told)
    return rules, np.stack(bases)


def _candidates(bases: Array, least: float, most: Array) -> Array:
    """Requests by rule, margin and workload; the first margin is a step below none, to know what narrowly held."""
    steps = np.float32(STEP) ** np.arange(-1, MARGINS, dtype=np.float32)
    told: Array = np.minimum(np.maximum(bases[:, None, :] * steps[None, :, None], np.float32(least)), most)
    return told.astype(np.float32)


def _above(samples: Array, candidates: Array, known: Array) -> Array:
    """The share of the day's samples above each candidate."""
    told = np.empty(candidates.shape, np.float32)
    for rule in range(candidates.shape[0]):
        for margin in range(candidates.shape[1]):
            told[rule, margin] = (samples > candidates[rule, margin] * np.float32(ROUNDING)).sum(axis=0)
    told /= np.maximum(known, 1).astype(np.float32)
    return told


def _near(above: Array, rules: int) -> tuple[Array, Array]:
    """Samples above and bad days, near misses counted by their part; one row per candidate."""
    bad = (above > BAD_SHARE).astype(np.float32)
    parts = ((1 - NEAR) * told[:, 1:] + NEAR * told[:, :-1] for told in (above, bad))
    near, near_bad = (part.reshape(rules * MARGINS, -1) for part in parts)
    return near, near_bad


def _own(candidates: Array, rules: int) -> Array:
    own: Array = candidates[:, 1:].reshape(rules * MARGINS, -1)
    return own


def _choose(
    candidates: Array, plain: Array, first: int, evidence: _Evidence, begun: Array, settings: Settings, most: Array
) -> tuple[Array, Array, Array]:
    """The request of each workload, its stated risk, and the candidate it came from."""
    own = _own(candidates, len(candidates))
    above, bad = evidence.risks()
    size = np.nanmedian(np.where(np.isnan(own), 0, own), axis=0)
    cost = own + (PER_RISK * above + PER_BAD_DAY * bad) / np.float32(settings.risk) * size ** np.float32(SIZE_POWER)
    cost = np.where(np.isnan(own), np.inf, cost)
    best = cost.argmin(axis=0)
    asked = np.take_along_axis(own, best[None], axis=0)[0].astype(float)
    plain = np.minimum(np.maximum(plain, settings.least), most)
    near = first * MARGINS + round(float(np.log(FIRST_MARGIN) / np.log(STEP)))
    best = np.where(begun, near, best)
    risk = np.take_along_axis(above, best[None], axis=0)[0]
    return np.where(begun, plain, asked), risk.astype(float), best.astype(float)


def _calibrated(stated: Array, above: Array) -> Array:
    """The stated risk, raised by how much more than stated came true: whoever chooses the best flatters."""
    both = ~np.isnan(above) & ~np.isnan(stated[:-1])
    came, said = above[both].sum(), stated[:-1][both].sum()
    return np.minimum(1, stated * max(1.0, float(came / said) if said > 0 else 1.0))


def held_against(usage: Usage, request: Array) -> tuple[Array, Array]:
    """By day and workload: the share of samples above the request, and whether that is a bad day; NaN where unknown."""
    known = usage.known
    over = (usage.samples > (request[: usage.days, None, :] * ROUNDING)).sum(axis=1)
    unknown = (known == 0) | np.isnan(request[: usage.days])
    above = np.where(unknown, np.nan, over / np.maximum(known, 1))
    return above, np.where(unknown, np.nan, above > BAD_SHARE)


def _names(rules: list[Rule]) -> list[str]:
    return [f"{rule.name} +{STEP**margin - 1:.0%}" for rule in rules for margin in range(MARGINS)]
