"""In which clusters nobody can tell what is used again or gone, for they were not heard as finding asks for."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.finops.tables import NODE_HOURS, WORKLOAD_HOURS, UsageTable
from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle.ledger import complete_window
from apps.insights.idle.silence import WEEKS, days_between, usually_silent_days, without_silent_hours
from apps.learning.idle.evidence import ENOUGH_COVERAGE, ENOUGH_DAYS, MEMORY_DAYS
from apps.marts.heard import ENDED_DAYS, Heard, HeardHour, heard_hours, heard_shares, loud_days
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

_ENDED = timedelta(days=ENDED_DAYS)
_LOOKED_AT = timedelta(days=ENDED_DAYS + MEMORY_DAYS, weeks=WEEKS)
"""What was known at any day of the last two months is told by so many days."""


@dataclass(frozen=True)
class Hearing:
    """`untold` are the clusters of which nothing may be concluded from what is not found in them. `unjudged` are told,
    but switched off by the clock for so long that the finder knows too little of what runs in them: what is still there
    is not found either. The last day that each was heard."""

    untold: frozenset[str] = frozenset()
    unjudged: Mapping[str, date] = field(default_factory=dict)


def hear(pinned: Publication, *, today: date) -> Hearing:
    """How far the clusters of a publication were heard until today. One that is silent for two months is no more, and
    so is all in it. Nor is anybody waited for longer where a cluster is heard too little."""
    window = complete_window(pinned, today=today)
    known = _lately(heard_shares(pinned), today)
    hours = _hours(known, pinned)
    ended = max((one.at for told in hours.values() for one in told), default=0) + 1
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    heard = {one: without_silent_hours(days, hours.get(one, ()), end=ended, zone=zone) for one, days in known.items()}
    loud = {cluster: days for cluster in heard if (days := sorted(loud_days(heard[cluster])))}
    newest = max((days[-1] for days in loud.values()), default=today)
    end = max(newest + ONE_DAY, window.end) if window else newest + ONE_DAY
    lately = {cluster: days for cluster, days in loud.items() if end - days[-1] <= _ENDED}
    told = {
        cluster
        for cluster, days in lately.items()
        if _is_costed(days, window) and _is_told(heard[cluster], days, newest)
    }
    untold = frozenset(
        cluster
        for cluster, days in lately.items()
        if cluster not in told and (newest - days[0] < _ENDED or _was_told(heard[cluster], days, newest))
    )
    unjudged = {cluster: loud[cluster][-1] for cluster in told if not _is_judged(hours.get(cluster, ()), ended)}
    return Hearing(untold, unjudged)


def _lately(heard: Mapping[str, Heard], today: date) -> dict[str, Heard]:
    """The days that are looked at: the last ones that are over."""
    last = max((day for days in heard.values() for day in days if day < today), default=today)
    return {
        cluster: over
        for cluster, days in heard.items()
        if (over := {day: share for day, share in days.items() if last - _LOOKED_AT < day <= last})
    }


def _hours(heard: Mapping[str, Heard], pinned: Publication) -> Mapping[str, Sequence[HeardHour]]:
    days = [day for known in heard.values() for day in known]
    return heard_hours(pinned, min(days), max(days) + ONE_DAY) if days else {}


def _is_costed(loud: list[date], window: Window | None) -> bool:
    """Whether it was heard on days that are costed: without these nothing of a cluster is found."""
    return window is not None and any(window.start <= day < window.end for day in loud)


def _was_told(heard: Heard, loud: list[date], newest: date) -> bool:
    """Whether anything could be told of it in the last two months."""
    days = (newest - timedelta(days=ago) for ago in range(ENDED_DAYS))
    return any(_is_told(heard, known, day) for day in days if (known := loud[: bisect_right(loud, day)]))


def _is_judged(hours: Iterable[HeardHour], end: int) -> bool:
    """Whether so many hours before `end` are known as the finder asks for (`Evidence.is_enough`)."""
    known = [one.at for one in hours if one.observed and one.at >= end - 24 * MEMORY_DAYS]
    return len(known) >= max(24 * ENOUGH_DAYS, ENOUGH_COVERAGE * (end - min(known, default=end)))


def _is_told(heard: Heard, loud: list[date], newest: date) -> bool:
    """Whether it was heard when others last were, and on enough of the days that are looked at, but for the weekdays
    on which it is usually silent. `loud` are the days until `newest`."""
    spared = usually_silent_days(loud, newest)
    memory = newest - timedelta(days=MEMORY_DAYS - 1)
    first = next((day for day in loud if day >= memory), None)
    if first is None or sum(day not in spared for day in days_between(loud[-1], newest + ONE_DAY)) > 1:
        return False
    asked = [day for day in Window(first, newest + ONE_DAY).days() if day not in spared]
    before = [float(heard[day]) for day in loud if day < memory]
    usual = median(before if len(before) >= ENOUGH_DAYS else [float(heard[day]) for day in loud])
    known = sum(min(float(heard.get(day, 0)) / usual, 1.0) for day in asked)
    return known >= max(ENOUGH_DAYS, ENOUGH_COVERAGE * len(asked))


def still_there(pinned: Publication, days: Mapping[str, date]) -> frozenset[tuple[str, ...]]:
    """What stood in clusters on a day of each: namespaces and workloads by (cluster, namespace, workload), nodes by
    (cluster, node)."""
    found: set[tuple[str, ...]] = set()
    for cluster, namespace, workload in _named(pinned, WORKLOAD_HOURS, ("namespace", "workload"), days):
        found |= {(cluster, namespace, ""), (cluster, namespace, workload)}
    return frozenset(found.union(_named(pinned, NODE_HOURS, ("node",), days)))


def _named(
    pinned: Publication, table: UsageTable, names: tuple[str, ...], days: Mapping[str, date]
) -> Iterable[tuple[str, ...]]:
    at = pinned.versions.get(table.name)
    for cluster, day in days.items() if at is not None else ():
        rows = lake.between(table, "day", day, day + ONE_DAY, at=at)
        yield from rows_of(rows.filter(rows.cluster == cluster).select("cluster", *names).distinct())
