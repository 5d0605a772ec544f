"""Candidates for a schedule: workloads that are used, but not in every hour of the week."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from apps.finops.findings import Sentence
from apps.finops.windows import Window
from apps.insights.idle import describing, kinds
from apps.insights.idle.candidates import Candidate, Clock
from apps.insights.idle.judging import Judged
from apps.insights.idle.kinds import MEAN_FLOORS
from apps.insights.idle.listening import Clocked, Heard, Listener
from apps.learning.idle.activity import Flags, Hours, Matrix
from apps.learning.idle.evidence import ENOUGH_COVERAGE, ENOUGH_DAYS, IDLE_SHARE, MEMORY_DAYS, Verdict
from apps.learning.idle.weeks import WEEK, hours_of_week

if TYPE_CHECKING:
    from apps.learning.idle.offhours import OffHours

LEAST_HOURS = 25
"""For fewer hours a week nobody sets up a schedule."""
LEAST_PRECISION = 0.9
_DECIMALS = 6
Key = tuple[str, ...]
"""Cluster, namespace and workload."""


def off_hours(
    heard: Heard,
    judged: tuple[Judged, ...],
    listener: Listener,
    window: Window,
    clock: Clock,
    clocked: Mapping[str, Clocked],
) -> Iterator[Candidate]:
    """Workloads at work that could be switched off for hours of the week, and how much of what they claim is then."""
    from apps.learning.idle.offhours import OffHours  # two seconds that only learning needs to wait for

    running = listener.running()
    if running is None:
        return
    place = {key: column for column, key in enumerate(running.keys)}
    columns = {key: column for column, key in enumerate(heard.keys)}
    chosen = [
        one for one in (*judged, *_known_by_the_clock(heard, columns, judged, clocked))
        if one.is_known and not one.is_idle and one.key in place
    ]  # fmt: skip
    if not chosen:
        return
    activity = heard.activity.of([columns[one.key] for one in chosen])
    fitted = OffHours(timezone=clock.timezone, precision=LEAST_PRECISION, floors=dict(MEAN_FLOORS)).fit(activity)
    slots = hours_of_week(activity.hours, clock.timezone)
    costed = _costed(activity.hours, window, clock)
    for column, one in enumerate(chosen):
        off = fitted.slots_[:, column]
        is_sure = not fitted.precision_[column] < LEAST_PRECISION  # not known counts as sure: the threshold was asked
        if LEAST_HOURS <= off.sum() < WEEK and is_sure:
            share = _share(running.activity.signals["claimed"][:, place[one.key]], off[slots] & costed, costed)
            yield _candidate(one, fitted, column, share, window.start, clock)


def _known_by_the_clock(
    heard: Heard, columns: Mapping[Key, int], judged: Iterable[Judged], clocked: Mapping[str, Clocked]
) -> list[Judged]:
    """Workloads at work of which too little is known only because their clusters are off in hours of the week: enough
    of all other hours."""
    unknown = [
        one for one in judged
        if not one.is_known and one.known_hours >= 24 * ENOUGH_DAYS and one.key[0] in clocked
    ]  # fmt: skip
    if not unknown:
        return []
    activity = heard.activity.of([columns[one.key] for one in unknown])
    part = activity.since(max(0, len(activity.hours) - 24 * MEMORY_DAYS))
    loud = part.loudness(MEAN_FLOORS)
    known, hours = ~np.isnan(loud), part.hours.astype(np.int64)
    on = np.stack([~np.isin(hours, list(clocked[one.key[0]].silent)) for one in unknown], axis=1)
    asked = (known | (on & np.logical_or.accumulate(known, axis=0))).sum(axis=0)
    known_hours, active = known.sum(axis=0), (np.nan_to_num(loud) >= 1).sum(axis=0)
    is_told = (known_hours >= ENOUGH_COVERAGE * asked) & (active > IDLE_SHARE * known_hours)
    return [replace(one, verdict=Verdict.KEEP) for one, told in zip(unknown, is_told.tolist(), strict=True) if told]


def _costed(hours: Hours, window: Window, clock: Clock) -> Flags:
    """Which hours are of the days whose cost is counted."""
    first, end = (np.datetime64(int(moment.timestamp()) // 3600, "h") for moment in window.hours(clock.zone))
    return np.asarray((hours >= first) & (hours < end))


def _share(claimed: Matrix, off: Flags, costed: Flags) -> Fraction:
    """The part of what was claimed in the costed hours that was claimed in hours to be switched off."""
    whole, part = float(np.nansum(claimed[costed])), float(np.nansum(claimed[off]))
    return Fraction(str(round(part / whole, _DECIMALS))) if whole else Fraction(0)


def _candidate(one: Judged, fitted: "OffHours", column: int, share: Fraction, since: date, clock: Clock) -> Candidate:
    cluster, namespace, workload = one.key
    lines = [Sentence(describing.SLOTS, {"off": str(int(fitted.slots_[:, column].sum()))})]
    if not np.isnan(fitted.precision_[column]):
        lines.append(Sentence(describing.HELD, {"precision": f"{100 * fitted.precision_[column]:.0f}"}))
    lines += describing.evidence(one, clock.zone)[:2]
    windows = tuple((span.weekday, span.start_hour, span.hours) for span in fitted.windows(column))
    return Candidate(
        kinds.SCHEDULE, "review", is_known=True, since=since, evidence=tuple(lines),
        lost=Sentence(describing.LOST_NOTHING), cluster=cluster, namespace=namespace, workload=workload,
        judged=replace(one, probability=None),
        share=share, windows=windows,
    )  # fmt: skip
