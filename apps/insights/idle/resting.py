"""Whether what a schedule names hours of the week for is off in them: that nobody finds it any more does not say so."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.conf import settings

from apps.finops.findings import WeekHours
from apps.finops.tables import WORKLOAD_HOURS
from apps.insights.idle.silence import WEEKS, hour_of_week, usually_silent_hours
from apps.learning.idle.evidence import ENOUGH_COVERAGE
from apps.marts.heard import HeardHour, heard_hours
from apps.marts.models import Publication
from apps.warehouse import lake
from apps.warehouse.engine import rows_of

RESTED_HOURS = 2 * 7 * 24
"""So many last hours are looked at: in one week alone a holiday may have been."""
_LEAST = Fraction(9, 10)
"""Of the hours that are named a tenth may be worked in, as when somebody is late."""
_LOOKED_AT = timedelta(weeks=WEEKS + 1)


def rests(pinned: Publication, placed: Mapping[str, str], spans: Iterable[WeekHours], *, today: date) -> bool:
    """Whether a workload (cluster, namespace, workload) did not run in these hours of the last two weeks. Hours in
    which its cluster usually is silent are off; where it is silent otherwise nobody knows, and too much of that says
    nothing. In a cluster of which hours are not told, or that is no more, what did not run was off."""
    zone = ZoneInfo(settings.COSTOPS_TIME_ZONE)
    hours = heard_hours(pinned, today - _LOOKED_AT, today)
    ran = _ran(pinned, placed, today)
    end = max((one.at for known in hours.values() for one in known), default=max(ran, default=0)) + 1
    named = _named(spans)
    asked = {at for at in range(end - RESTED_HOURS, end) if hour_of_week(at, zone) in named}
    told = asked & (ran | _known(hours.get(placed["cluster"]), asked, end, zone))
    return len(told) >= ENOUGH_COVERAGE * len(asked) and len(told - ran) >= _LEAST * len(told)


def _named(spans: Iterable[WeekHours]) -> set[tuple[int, int]]:
    """Weekdays and hours; of each span without its first hour, in which it is switched off."""
    return {
        divmod((24 * weekday + start + number) % (7 * 24), 24)
        for weekday, start, count in spans
        for number in range(min(1, count - 1), count)
    }


def _known(hours: Iterable[HeardHour] | None, asked: set[int], end: int, zone: ZoneInfo) -> set[int]:
    if hours is None:
        return asked
    loud = {one.at for one in hours if one.observed}
    return loud | usually_silent_hours(loud, end, zone)


def _ran(pinned: Publication, placed: Mapping[str, str], today: date) -> set[int]:
    """The hours of the last weeks in which it claimed anything."""
    version = pinned.versions.get(WORKLOAD_HOURS.name)
    if version is None:
        return set()
    rows = lake.between(WORKLOAD_HOURS, "day", today - _LOOKED_AT, today, at=version)
    for name, value in placed.items():
        rows = rows.filter(rows[name] == value)
    claims = ("cpu_used_core_hours", "cpu_request_core_hours", "memory_used_gib_hours", "memory_request_gib_hours")
    found = rows.group_by(second=rows.hour.epoch_seconds()).aggregate(
        claimed=sum((rows[name].fill_null(0).sum() for name in claims[1:]), rows[claims[0]].fill_null(0).sum())
    )
    return {int(second) // 3600 for second, claimed in rows_of(found) if claimed}
