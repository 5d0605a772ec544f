"""Which publications stay readable: all of the last COSTOPS_KEEP_ALL_DAYS days, the last of every day of the last
COSTOPS_KEEP_DAYS, the last of every month before, and those that something rests on, such as a closed month. The others
are let go, and the lake with them.

In two steps: a publication that is let go can no longer be asked for, and its files lie there until it is looked at
again after the grace period. Whatever came to rest on it by then, or a setting that keeps more, has it back; else it
is gone, whatever a clock or a setting says later.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from apps.marts.models import Publication
from apps.warehouse import reclaiming
from apps.warehouse.orphans import GRACE
from apps.warehouse.reclaiming import Reclaimed

_rested_on: dict[str, Callable[[], Iterable[int | None]]] = {}


def rest(name: str, ask: Callable[[], Iterable[int | None]]) -> None:
    """A floor above shows numbers of publications for years: it says which, once, when it starts."""
    _rested_on[name] = ask


@dataclass(frozen=True)
class Kept:
    """What a look at the publications did, or would do: how many stay, how many were let go now, and what was taken
    away of those that were let go before."""

    staying: int
    let_go: int
    reclaimed: Reclaimed


def tidy(now: datetime, *, dry_run: bool = False) -> Kept:
    """Let publications go that need not stay, and take away the files that nothing else has of those that were let go
    longer ago than the grace period. Repeating it changes nothing more."""
    with transaction.atomic():
        lying = list(Publication.objects.filter(gone_at=None).order_by("number"))
        wanted = _wanted(lying, now)
        changed, let_go = [], 0
        for one in lying:
            before = one.let_go_at, one.gone_at
            if one.number in wanted:
                one.let_go_at = None
            elif one.let_go_at is None:
                one.let_go_at = now
                let_go += 1
            elif one.let_go_at <= now - GRACE:
                one.gone_at = now
            if (one.let_go_at, one.gone_at) != before:
                changed.append(one)
        if not dry_run:
            Publication.objects.bulk_update(changed, ["let_go_at", "gone_at"], batch_size=100)
    pinned: dict[str, set[int]] = defaultdict(set)
    for one in lying:
        if one.gone_at is None:
            for table, version in one.versions.items():
                pinned[table].add(version)
    reclaimed = reclaiming.reclaim(pinned, now, dry_run=dry_run)
    return Kept(len(wanted), let_go, reclaimed)


def _wanted(known: list[Publication], now: datetime) -> set[int]:
    """The numbers of those that stay, of these."""
    days = settings.COSTOPS_KEEP_DAYS
    numbers = {one.number for one in known}
    if not days:
        return numbers
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    last: dict[Any, int] = {}
    for one in known:  # the later takes the place of the earlier of its time
        at = one.created_at.astimezone(zone)
        last[f"{at:%Y-%m}"] = one.number
        if at >= now - timedelta(days=days):
            last[at.date()] = one.number
            if at >= now - timedelta(days=settings.COSTOPS_KEEP_ALL_DAYS):
                last[one.number] = one.number
    rested_on = {number for ask in _rested_on.values() for number in ask() if number is not None}
    return {*last.values()} | (rested_on & numbers)
