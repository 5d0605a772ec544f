"""On which days nobody heard what a cost is told by: what workloads cost is told by their use, and where a cluster was
not metered it falls to whoever owns its nodes, as if the workloads had gone."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.finops.windows import ONE_DAY, Window
from apps.insights.idle.silence import without_silent_hours
from apps.marts.heard import ENDED_DAYS, Heard, heard_hours, heard_shares, loud_days
from apps.marts.models import Publication
from apps.savings import costs
from apps.savings.scopes import Scope


def silent_days(scopes: Iterable[Scope], currency: str, window: Window, pinned: Publication) -> frozenset[date]:
    """The days of a window on which a cluster that these scopes cost anything in was not heard."""
    own = costs.clusters(list(scopes), currency, window, pinned)
    return frozenset(day for days in silent_by_cluster(own, window, pinned).values() for day in days)


def silent_by_cluster(clusters: Iterable[str], window: Window, pinned: Publication) -> dict[str, frozenset[date]]:
    """The days of a window on which each of some clusters was not heard."""
    heard = _heard(clusters, window, pinned)
    return {one: frozenset(_silent(days, window)) for one, days in heard.items()}


def given_up(
    scopes: Iterable[Scope], currency: str, window: Window, pinned: Publication, *, since: date
) -> tuple[str, ...]:
    """The clusters of these scopes that were heard last from a day on, and count as no more at the end of a window."""
    heard = _heard(costs.clusters(list(scopes), currency, window, pinned), window, pinned)
    return tuple(
        one for one in sorted(heard)
        if (loud := _loud(heard[one], window)) and _is_over(loud, window) and max(loud) >= since
    )  # fmt: skip


def _heard(clusters: Iterable[str], window: Window, pinned: Publication) -> Mapping[str, Heard]:
    """What was heard of clusters, of each day in the hours in which there was something to hear: what is switched off
    by the clock costs nothing meanwhile, together with what watches it or not. A day on which there never was keeps
    its silence, for nobody knows whether its nodes were off as well: their cost falls to whoever owns them, whole."""
    shares = heard_shares(pinned)
    heard = {one: shares[one] for one in clusters if one in shares}
    silent = {one for one, days in heard.items() if _silent(days, window)}
    hours = heard_hours(pinned, window.start, window.end, clusters=silent) if silent else {}
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    by_hours = {
        one: without_silent_hours(heard[one], told, end=max(each.at for each in told) + 1, zone=zone)
        for one, told in hours.items()
    }
    return {one: {**days, **by_hours.get(one, {})} for one, days in heard.items()}


def _silent(heard: Heard, window: Window) -> list[date]:
    """From the first day it was ever heard, for before it there was nothing to hear. Once it is no more, its days are
    told, and cost nothing."""
    loud = _loud(heard, window)
    if not loud:
        return []
    first, end = max(window.start, min(heard)), max(loud) + ONE_DAY if _is_over(loud, window) else window.end
    return [day for day in Window(first, end).days() if day not in loud] if first < end else []


def _loud(heard: Heard, window: Window) -> set[date]:
    return {day for day in loud_days(heard) if day < window.end}


def _is_over(loud: set[date], window: Window) -> bool:
    return window.end - max(loud) > timedelta(days=ENDED_DAYS)
