"""On which days nobody heard what a cost is told by: what workloads cost is told by their use, and where a cluster was
not metered it falls to whoever owns its nodes, as if the workloads had gone."""

from collections.abc import Iterable
from datetime import date, timedelta

from apps.finops.windows import ONE_DAY, Window
from apps.marts.heard import ENDED_DAYS, Heard, heard_shares, loud_days
from apps.marts.models import Publication
from apps.savings import costs
from apps.savings.scopes import Scope


def silent_days(scopes: Iterable[Scope], currency: str, window: Window, pinned: Publication) -> frozenset[date]:
    """The days of a window on which a cluster that these scopes cost anything in was not heard."""
    own = costs.clusters(list(scopes), currency, window, pinned)
    return frozenset(day for days in silent_by_cluster(own, window, pinned).values() for day in days)


def silent_by_cluster(clusters: Iterable[str], window: Window, pinned: Publication) -> dict[str, frozenset[date]]:
    """The days of a window on which each of some clusters was not heard."""
    heard = heard_shares(pinned)
    return {one: frozenset(_silent(heard[one], window)) for one in clusters if one in heard}


def given_up(
    scopes: Iterable[Scope], currency: str, window: Window, pinned: Publication, *, since: date
) -> tuple[str, ...]:
    """The clusters of these scopes that were heard last from a day on, and count as no more at the end of a window."""
    heard = heard_shares(pinned)
    own = sorted(one for one in costs.clusters(list(scopes), currency, window, pinned) if one in heard)
    return tuple(
        one for one in own if (loud := _loud(heard[one], window)) and _is_over(loud, window) and max(loud) >= since
    )


def _silent(heard: Heard, window: Window) -> Iterable[date]:
    """From the first day it was ever heard, for before it there was nothing to hear. Once it is no more, its days are
    told, and cost nothing."""
    loud = _loud(heard, window)
    if not loud:
        return ()
    first, end = max(window.start, min(heard)), max(loud) + ONE_DAY if _is_over(loud, window) else window.end
    return [day for day in Window(first, end).days() if day not in loud] if first < end else ()


def _loud(heard: Heard, window: Window) -> set[date]:
    return {day for day in loud_days(heard) if day < window.end}


def _is_over(loud: set[date], window: Window) -> bool:
    return window.end - max(loud) > timedelta(days=ENDED_DAYS)
