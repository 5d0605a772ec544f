"""In which clusters nobody can tell what is used again or gone, for they were not heard as finding asks for."""

from bisect import bisect_right
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle.ledger import complete_window
from apps.learning.idle.evidence import ENOUGH_COVERAGE, ENOUGH_DAYS, MEMORY_DAYS
from apps.marts.heard import ENDED_DAYS, Heard, heard_shares, loud_days
from apps.marts.models import Publication

_ENDED = timedelta(days=ENDED_DAYS)
_WEEKS, _MOST = 4, 3
"""A weekday that was silent on most of the last weeks is so by intent."""
_OUTAGE_DAYS = 7
"""No silence of a week is."""


def untold_clusters(pinned: Publication, *, today: date) -> frozenset[str]:
    """The clusters of which nothing may be concluded from what is not found in them; one that is silent for two months
    is no more, and so is all in it. Nor is anybody waited for longer where a cluster is heard too little."""
    window = complete_window(pinned, today=today)
    heard = {
        cluster: over
        for cluster, days in heard_shares(pinned).items()
        if (over := {day: share for day, share in days.items() if day < today})
    }
    loud = {cluster: days for cluster in heard if (days := sorted(loud_days(heard[cluster])))}
    newest = max((days[-1] for days in loud.values()), default=today)
    end = max(newest + ONE_DAY, window.end) if window else newest + ONE_DAY
    return frozenset(
        cluster
        for cluster, days in loud.items()
        if end - days[-1] <= _ENDED
        and not (_is_costed(days, window) and _is_told(heard[cluster], days, newest))
        and (newest - days[0] < _ENDED or _was_told(heard[cluster], days, newest))
    )


def _is_costed(loud: list[date], window: Window | None) -> bool:
    """Whether it was heard on days that are costed: without these nothing of a cluster is found."""
    return window is not None and any(window.start <= day < window.end for day in loud)


def _was_told(heard: Heard, loud: list[date], newest: date) -> bool:
    """Whether anything could be told of it in the last two months."""
    days = (newest - timedelta(days=ago) for ago in range(ENDED_DAYS))
    return any(_is_told(heard, known, day) for day in days if (known := loud[: bisect_right(loud, day)]))


def _is_told(heard: Heard, loud: list[date], newest: date) -> bool:
    """Whether it was heard when others last were, and on enough of the days that are looked at, but for the weekdays
    on which it is usually silent. `loud` are the days until `newest`."""
    spared = _usually_silent(loud, newest)
    memory = newest - timedelta(days=MEMORY_DAYS - 1)
    first = next((day for day in loud if day >= memory), None)
    if first is None or sum(day not in spared for day in _between(loud[-1], newest + ONE_DAY)) > 1:
        return False
    asked = [day for day in Window(first, newest + ONE_DAY).days() if day not in spared]
    before = [float(heard[day]) for day in loud if day < memory]
    usual = median(before if len(before) >= ENOUGH_DAYS else [float(heard[day]) for day in loud])
    known = sum(min(float(heard.get(day, 0)) / usual, 1.0) for day in asked)
    return known >= max(ENOUGH_DAYS, ENOUGH_COVERAGE * len(asked))


def _usually_silent(loud: list[date], newest: date) -> set[date]:
    """The silent days of the weekdays that were silent on most of the last weeks, each time for less than a week."""
    short = [
        day
        for one, other in pairwise([*loud, newest + ONE_DAY])
        if other - one <= timedelta(days=_OUTAGE_DAYS)
        for day in _between(one, other)
    ]
    recent = Counter(day.weekday() for day in short if newest - day < timedelta(weeks=_WEEKS))
    return {day for day in short if recent[day.weekday()] >= _MOST}


def _between(one: date, other: date) -> list[date]:
    """The days after one and before another."""
    return [one + timedelta(days=after) for after in range(1, (other - one).days)]
