"""In which clusters nobody can tell what is used again or gone, for they were not heard as finding asks for."""

from datetime import date, timedelta

from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle.ledger import complete_window
from apps.learning.idle.evidence import ENOUGH_COVERAGE, ENOUGH_DAYS, MEMORY_DAYS
from apps.marts.heard import ENDED_DAYS, Heard, beside_usual, heard_shares, loud_days
from apps.marts.models import Publication

_ENDED = timedelta(days=ENDED_DAYS)


def untold_clusters(pinned: Publication, *, today: date) -> frozenset[str]:
    """The clusters of which nothing may be concluded from what is not found in them; one that is silent for two months
    is no more, and so is all in it."""
    window = complete_window(pinned, today=today)
    heard = {
        cluster: over
        for cluster, days in heard_shares(pinned).items()
        if (over := {day: share for day, share in days.items() if day < today})
    }
    loud = {cluster: days for cluster in heard if (days := loud_days(heard[cluster]))}
    newest = max((max(days) for days in loud.values()), default=today)
    end = max(newest + ONE_DAY, window.end) if window else newest + ONE_DAY
    return frozenset(
        cluster
        for cluster, days in loud.items()
        if end - max(days) <= _ENDED and not _is_told(heard[cluster], days, newest, window)
    )


def _is_told(heard: Heard, loud: list[date], newest: date, window: Window | None) -> bool:
    """Whether it was heard when others last were, on days that are costed, and on enough of those that are looked at:
    without these nothing of a cluster is found."""
    if window is None or newest - max(loud) > ONE_DAY or not any(window.start <= day < window.end for day in loud):
        return False
    memory = newest - timedelta(days=MEMORY_DAYS - 1)
    first = min(day for day in loud if day >= memory)
    known = float(sum(part for day, part in beside_usual(heard).items() if day >= first))
    return known >= max(ENOUGH_DAYS, ENOUGH_COVERAGE * ((newest - first).days + 1))
