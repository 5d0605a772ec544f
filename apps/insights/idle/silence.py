"""When a cluster is usually silent: it is switched off by the clock, and that is no outage of metering."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from apps.finops.windows import ONE_DAY
from apps.marts.heard import Heard, HeardHour

WEEKS, _MOST = 4, 3
"""What was silent on most of the last weeks is so by intent."""
_OUTAGE_DAYS = 7
"""No silence of a week is."""


def without_silent_hours(heard: Heard, hours: Sequence[HeardHour], *, end: int, zone: ZoneInfo) -> Heard:
    """Each day by its hours in which something was to be heard before the hour `end`; a day without any is left out.

    Not to be heard are the silent hours of those hours of the week (local time) in which the cluster was silent on most
    of the last weeks, each time for less than a week.
    """
    silent = usually_silent_hours((one.at for one in hours if one.observed), end, zone)
    touched = {one.day for one in hours if one.at in silent} & heard.keys()
    left: dict[date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for one in hours:
        if one.day in touched and one.at not in silent:
            observed, expected = left[one.day]
            left[one.day] = observed + one.observed, expected + one.expected
    shares = {day: share for day, share in heard.items() if day not in touched}
    return shares | {day: Fraction(observed, expected) for day, (observed, expected) in left.items() if expected}


def usually_silent_hours(loud: Iterable[int], end: int, zone: ZoneInfo) -> set[int]:
    """The silent hours before `end` of the hours of the week that were silent on most of the last weeks, each time for
    less than a week."""
    short = [
        at
        for one, other in pairwise([*sorted(loud), end])
        if other - one <= 24 * _OUTAGE_DAYS
        for at in range(one + 1, other)
    ]
    slots = {at: hour_of_week(at, zone) for at in short}
    recent = Counter(slots[at] for at in short if end - at <= 24 * 7 * WEEKS)
    return {at for at in short if recent[slots[at]] >= _MOST}


def hour_of_week(at: int, zone: ZoneInfo) -> tuple[int, int]:
    """The local weekday (0 is Monday) and hour of an hour since 1970."""
    local = datetime.fromtimestamp(3600 * at, UTC).astimezone(zone)
    return local.weekday(), local.hour


def usually_silent_days(loud: Sequence[date], newest: date) -> set[date]:
    """The silent days of the weekdays that were silent on most of the last weeks, each time for less than a week."""
    short = [
        day
        for one, other in pairwise([*loud, newest + ONE_DAY])
        if other - one <= timedelta(days=_OUTAGE_DAYS)
        for day in days_between(one, other)
    ]
    recent = Counter(day.weekday() for day in short if newest - day < timedelta(weeks=WEEKS))
    return {day for day in short if recent[day.weekday()] >= _MOST}


def days_between(one: date, other: date) -> list[date]:
    """The days after one and before another."""
    return [one + timedelta(days=after) for after in range(1, (other - one).days)]
