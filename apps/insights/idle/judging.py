"""What is idle of what was heard: the judgement of every subject, with what it rests on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from apps.insights.idle.kinds import MEAN_FLOORS
from apps.insights.idle.listening import Heard
from apps.learning.idle.activity import Activity, Flags
from apps.learning.idle.evidence import Evidence, Verdict, look
from apps.learning.idle.lessons import drawn
from apps.learning.idle.weeks import WEEK, hours_of_week

if TYPE_CHECKING:
    from apps.learning.idle.finder import IdleFinder

PRESENT_HOURS = 48
"""What was not heard of for longer is gone already."""
SILENT_DAYS = 28
CHART_DAYS = 45
MOST_CELLS = 2_000_000
"""So many hours × subjects are looked at together: a look takes some fifteen times their memory."""


Present = Callable[[Activity, tuple[tuple[str, ...], ...]], Flags]
"""Which subjects, with their keys, are still there."""


@dataclass(frozen=True)
class Judged:
    """One subject as it was judged; amounts of time are in hours, `peaks` by signal, `floors` of the same.

    `days` are the highest values of the last days by signal (None: not known), `slots` the share of active hours of
    each hour of the week, Monday midnight in the business time zone first.
    """

    key: tuple[str, ...]
    verdict: str
    probability: float | None
    last_active: datetime | None
    silent_hours: int
    longest_silence_hours: int
    known_hours: int
    peaks: Mapping[str, float]
    floors: Mapping[str, float]
    days: Mapping[str, list[float | None]]
    slots: list[float | None]

    @property
    def is_idle(self) -> bool:
        return self.verdict in (Verdict.SAFE, Verdict.REVIEW)

    @property
    def is_known(self) -> bool:
        return self.verdict != Verdict.UNKNOWN


@dataclass(frozen=True)
class Fleet:
    """Subjects that are judged together: their keys, and the activity of some of them by their places. That of hundreds
    of thousands of resources at once would not fit into memory."""

    keys: tuple[tuple[str, ...], ...]
    part: Callable[[NDArray[np.int64]], Activity]

    @classmethod
    def of(cls, heard: Heard) -> "Fleet":
        return cls(heard.keys, heard.activity.of)


@dataclass(frozen=True)
class Judgement:
    """All subjects of a kind that were judged together, one after the other in their order, and how: `way` says whether
    verdicts were learned from the fleet's own past (`model`, `rule`) or come by a shipped curve (`prior`), with the
    back-test of what was learned."""

    way: Mapping[str, Any]
    judged: Iterator[Judged]


def judge(
    fleet: Fleet, timezone: str, floors: Mapping[str, float] = MEAN_FLOORS, *, only_present: bool = True,
    last_heard: Mapping[str, int] = MappingProxyType({}),
) -> Judgement:  # fmt: skip
    """Judge all subjects that are still there; `timezone` is that of the hours of the week. Of clusters that are off by
    the clock now, what was there when they were `last_heard` still is.

    The finder says how probable it is that each stays idle, and what of it is safe enough. What was silent for four
    weeks (`_is_silent`) is reviewed, however little the fleet's past taught.
    """
    from apps.learning.idle.finder import IdleFinder  # two seconds that only learning needs to wait for

    taught = fleet.part(drawn(len(fleet.keys)))
    finder = IdleFinder(floors=dict(floors)).fit(taught)
    at_once = max(1, MOST_CELLS // max(1, len(taught.hours)))
    present = partial(_present, last_heard=last_heard) if only_present else None
    return Judgement(_way(finder), _each(fleet, at_once, finder, timezone, floors, present))


def _each(
    fleet: Fleet, at_once: int, finder: "IdleFinder", timezone: str, floors: Mapping[str, float],
    present: Present | None,
) -> Iterator[Judged]:  # fmt: skip
    for first in range(0, len(fleet.keys), at_once):
        keys = fleet.keys[first : first + at_once]
        part = fleet.part(np.arange(first, first + len(keys)))
        if part.signals:
            yield from _all_of(part, keys, finder, timezone, floors, present)
        elif present is None:  # nothing is known of any of them: one stands for all
            (one,) = _all_of(part.of([0]), keys[:1], finder, timezone, floors, None)
            yield from (replace(one, key=key) for key in keys)


def _all_of(
    activity: Activity, keys: tuple[tuple[str, ...], ...], finder: "IdleFinder", timezone: str,
    floors: Mapping[str, float], present: Present | None,
) -> Iterator[Judged]:  # fmt: skip
    evidence = look(activity, floors=floors)
    chances = finder.predict_proba(activity)[:, 1]
    verdicts = np.asarray(finder.verdicts_of(chances)).astype(object)
    verdicts[_is_silent(evidence) & (verdicts == Verdict.KEEP)] = Verdict.REVIEW
    slots = _hours_of_week(activity, timezone)
    columns = np.flatnonzero(present(activity, keys)) if present else np.arange(len(keys))
    heard = Heard(activity, keys)
    for column in columns.tolist():
        yield _judged(heard, evidence, column, str(verdicts[column]), chances[column], floors, slots)


def _way(finder: "IdleFinder") -> dict[str, Any]:
    told = finder.backtest_
    if told is None:
        return {"way": finder.way_}
    names = ("subjects", "decisions", "average_precision", "rule_average_precision")
    scores = {name: round(float(getattr(told, name)), 4) for name in names}
    return {"way": finder.way_, **scores} | {
        name: {verdict: round(float(share), 4) for verdict, share in getattr(told, name).items() if share == share}
        for name in ("precision", "recall")
    }


def _is_silent(evidence: Evidence) -> Flags:
    """Never active in at least four known weeks; or known by nothing but its attachment, and detached for so long."""
    weeks = 24 * SILENT_DAYS
    never = (evidence.active_hours == 0) & (evidence.known_hours >= weeks)
    others = [~np.isnan(peak) for name, peak in evidence.peaks.items() if name != "attached"]
    is_alone = ~np.logical_or.reduce(others) if others else np.ones(len(never), dtype=bool)
    return np.asarray(evidence.is_enough & (never | (is_alone & (evidence.silent_hours >= weeks))))


def judged_at(heard: Heard, column: int, timezone: str, floors: Mapping[str, float] = MEAN_FLOORS) -> Judged:
    """One subject with its evidence and no verdict of its own."""
    evidence, slots = look(heard.activity, floors=floors), _hours_of_week(heard.activity, timezone)
    return _judged(heard, evidence, column, str(Verdict.UNKNOWN), float("nan"), floors, slots)


def _present(activity: Activity, keys: tuple[tuple[str, ...], ...], *, last_heard: Mapping[str, int]) -> Flags:
    present = is_present(activity)
    for cluster, last in last_heard.items():
        columns = [column for column, key in enumerate(keys) if key[0] == cluster]
        if columns:
            until = last + 1 - int(activity.hours[0].astype(int))
            present[columns] = is_present(activity.of(columns).until(until))
    return present


def is_present(activity: Activity) -> np.ndarray[Any, Any]:
    """Which subjects were heard of in the last two days."""
    recent = activity.since(max(0, activity.shape[0] - PRESENT_HOURS))
    known = [~np.isnan(values).all(axis=0) for values in recent.signals.values()]
    present: np.ndarray[Any, Any] = np.logical_or.reduce(known)
    return present


def _judged(
    heard: Heard, evidence: Evidence, column: int, verdict: str, chance: float, floors: Mapping[str, float],
    slots: NDArray[np.int64],
) -> Judged:  # fmt: skip
    signals = [name for name in floors if name in evidence.peaks and not np.isnan(evidence.peaks[name][column])]
    last = evidence.last_active[column]
    loud = heard.activity.of([column]).loudness(floors)[:, 0]
    return Judged(
        key=heard.keys[column],
        verdict=verdict,
        probability=None if np.isnan(chance) else round(float(chance), 4),
        last_active=None if np.isnat(last) else datetime.fromtimestamp(int(last.astype(int)) * 3600, UTC),
        silent_hours=int(evidence.silent_hours[column]),
        longest_silence_hours=int(evidence.longest_silence_hours[column]),
        known_hours=int(evidence.known_hours[column]),
        peaks={name: round(float(evidence.peaks[name][column]), 3) for name in signals},
        floors={name: floors[name] for name in signals},
        days={name: _days(heard.activity.signals[name][:, column]) for name in signals},
        slots=_slots(loud, slots),
    )


def _days(values: np.ndarray[Any, Any]) -> list[float | None]:
    """The highest value of each of the last days, the newest last."""
    count = min(CHART_DAYS, len(values) // 24)
    by_day = values[len(values) - 24 * count :].reshape(count, 24)
    highest = np.fmax.reduce(by_day, axis=1)
    return [None if np.isnan(value) else round(float(value), 3) for value in highest]


def _hours_of_week(activity: Activity, timezone: str) -> NDArray[np.int64]:
    return hours_of_week(activity.hours[-24 * CHART_DAYS :], timezone)


def _slots(loud: np.ndarray[Any, Any], slots: NDArray[np.int64]) -> list[float | None]:
    """The share of active hours among the known ones, by hour of the week."""
    loud = loud[-len(slots) :]
    known, active = ~np.isnan(loud), np.nan_to_num(loud) >= 1
    totals, counts = (np.bincount(slots[flags], minlength=WEEK) for flags in (known, active))
    return [round(int(one) / int(of), 3) if of else None for one, of in zip(counts, totals, strict=True)]
