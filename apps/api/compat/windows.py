"""The `window`, `step` and `accumulate` of OpenCost, read as whole days of the books.

OpenCost takes any moment; the books hold days of the business time zone. What is not made of whole days is refused:
an answer for half a day would have to be made up.
"""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from apps.api.grammar import MOST_DAYS
from apps.api.parameters import FIRST_DAY, LAST_DAY
from apps.finops.windows import ONE_DAY, Window

MAX_SETS = 1_000
"""An answer has one set per step; more than these nobody reads."""

_MINUTES = {"m": 1, "h": 60, "d": 1_440, "w": 10_080}
_LENGTH = r"(\d{1,7})(m|h|d|w)"
_DURATION = re.compile(_LENGTH, re.ASCII)
_PAST = re.compile(rf"{_LENGTH}(?: offset {_LENGTH})?", re.ASCII)
_UNIX_PAIR = re.compile(r"(\d{1,12})-(\d{1,12})", re.ASCII)
_UNIX = re.compile(r"\d{1,12}", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+\- ]\d{2}:\d{2})", re.ASCII)
_LAST_SECOND = 10**10  # in the year 2286
_FORMS = (
    "today, yesterday, week, month, lastweek, lastmonth, 7d, 24h, 1w, 7d offset 1d, or two of a date (2026-10-01), "
    "a moment (2026-10-01T00:00:00Z) or Unix seconds, with a comma between"
)


def parse_window(text: str, *, today: date, zone: ZoneInfo, widen: bool = False) -> Window:
    """The days a window means; ValueError says what it may be.

    One that begins or ends within a day is refused, unless it may be widened to whole days.
    """
    try:
        start, end = _days(text.strip(), today, zone, widen)
    except (OverflowError, OSError) as beyond:
        raise ValueError(f"reaches beyond {FIRST_DAY} to {LAST_DAY}") from beyond
    if not start >= FIRST_DAY or not end <= LAST_DAY + ONE_DAY:
        raise ValueError(f"reaches beyond {FIRST_DAY} to {LAST_DAY}")
    if start >= end:
        raise ValueError(f"ends ({end}) before it begins ({start}); the end itself is not included")
    if (end - start).days > MOST_DAYS:
        raise ValueError(f"is of {(end - start).days} days; {MOST_DAYS} days, ten years, are the most")
    return Window(start, end)


def _days(text: str, today: date, zone: ZoneInfo, widen: bool) -> tuple[date, date]:
    if named := _NAMED.get(text):
        return named(today)
    if past := _PAST.fullmatch(text):
        length = whole_days(past[1], past[2], widen=widen)
        back = whole_days(past[3], past[4]) if past[3] else 0
        end = today + timedelta(days=1 - back)
        return end - timedelta(days=length), end
    if _DATE.fullmatch(text):
        return _beginning(text, zone), _beginning(text, zone) + ONE_DAY
    first, last = _pair(text)
    return _beginning(first, zone, widen=widen), _ending(last, zone, widen=widen)


def _pair(text: str) -> tuple[str, str]:
    """The two moments of a window."""
    if pair := _UNIX_PAIR.fullmatch(text):
        return pair[1], pair[2]
    first, comma, last = text.partition(",")
    if not comma:
        raise ValueError(f"is not a window: {_FORMS}")
    return first.strip(), last.strip()


def _sunday(day: date) -> date:
    """The Sunday a day's week began with: OpenCost's weeks begin on Sunday."""
    return day - timedelta(days=day.isoweekday() % 7)


def _month_before(today: date) -> tuple[date, date]:
    end = today.replace(day=1)
    return (end - ONE_DAY).replace(day=1), end


_NAMED: dict[str, Callable[[date], tuple[date, date]]] = {
    "today": lambda today: (today, today + ONE_DAY),
    "yesterday": lambda today: (today - ONE_DAY, today),
    "week": lambda today: (_sunday(today), today + ONE_DAY),
    "lastweek": lambda today: (_sunday(today) - timedelta(days=7), _sunday(today)),
    "month": lambda today: (today.replace(day=1), today + ONE_DAY),
    "lastmonth": _month_before,
}


def whole_days(number: str, unit: str, *, widen: bool = False) -> int:
    """A length of time in days; ValueError unless it is one or more whole days, or may be made so."""
    days, rest = divmod(int(number) * _MINUTES[unit], _MINUTES["d"])
    if rest and widen:
        return days + 1
    if rest or not days:
        raise ValueError(f"of {number}{unit} cannot be answered: the books hold whole days (24h, 1d, 7d, 1w)")
    return days


def _beginning(text: str, zone: ZoneInfo, *, widen: bool = False) -> date:
    """The day that begins at a moment, or that the moment lies in."""
    moment = _moment(text, zone)
    if moment.time() != time() and not widen:
        raise ValueError(
            f"begins or ends at {moment.isoformat()}, within a day: the books hold whole days of {zone.key}; "
            f"say {moment.date()}, or wholeDays=true for all days that it touches"
        )
    return moment.date()


def _ending(text: str, zone: ZoneInfo, *, widen: bool = False) -> date:
    """The day after the last; 23:59:59 is how many programs write the end of a day."""
    moment = _moment(text, zone)
    is_last_second = moment.time().replace(microsecond=0) == time(23, 59, 59)
    if is_last_second or (widen and moment.time() != time()):
        return moment.date() + ONE_DAY
    return _beginning(text, zone)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    if _UNIX.fullmatch(text):
        if int(text) > _LAST_SECOND:
            raise OverflowError
        return datetime.fromtimestamp(int(text), zone)
    if _DATE.fullmatch(text):
        return datetime.combine(_as_date(text), time(), zone)
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"is not a window: {_FORMS}")
    try:
        return datetime.fromisoformat(text.replace(" ", "+")).astimezone(zone)  # a plus sign arrives as a blank
    except ValueError as unknown:
        raise ValueError(f"names a moment there is not: {text}") from unknown


def _as_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as unknown:
        raise ValueError(f"names a day there is not: {text}") from unknown


# --- The sets of an answer ----------------------------------------------------------------------------------------
_UNIT_END: dict[str, Callable[[date], date]] = {
    "day": lambda day: day + ONE_DAY,
    "week": lambda day: _sunday(day) + timedelta(days=7),
    "month": lambda day: (day.replace(day=1) + timedelta(days=32)).replace(day=1),
    "quarter": lambda day: (day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1) + timedelta(days=95)).replace(day=1),
}
"""The first day after the calendar unit a day lies in."""


def parse_step(text: str) -> Callable[[date], date]:
    """From the first day of a step to the day after its last; ValueError says what a step may be."""
    if text in _UNIT_END:
        return _UNIT_END[text]
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"is not a step: a length of whole days such as 1d or 7d, or one of {', '.join(_UNIT_END)}")
    days = whole_days(match[1], match[2])
    return lambda day: day + timedelta(days=days)


def parse_accumulate(text: str) -> str:
    """`true` (or `all`) for one set, `false` (or `none`) for one per step, or the calendar unit of a set."""
    found = {"": "false", "all": "true", "none": "false"}.get(text.lower(), text.lower())
    if found == "hour":
        raise ValueError("by hour cannot be answered: the books hold whole days")
    if found not in ("true", "false", *_UNIT_END):
        raise ValueError(f"is not one of true, false, {', '.join(_UNIT_END)}")
    return found


def sets_of(window: Window, *, step: str, accumulate: str) -> list[Window]:
    """The windows of the sets of an answer, which are exactly the window; the whole window without a step."""
    if accumulate == "true" or not (step or accumulate != "false"):
        return [window]
    end_of = _UNIT_END[accumulate] if accumulate in _UNIT_END else parse_step(step)
    found: list[Window] = []
    start = window.start
    while start < window.end:
        if len(found) == MAX_SETS:
            raise ValueError(f"makes more than {MAX_SETS} sets; ask for a shorter window or a longer step")
        end = _at_most(end_of, start, window.end)
        found.append(Window(start, end))
        start = end
    return found


def _at_most(end_of: Callable[[date], date], start: date, end: date) -> date:
    try:
        return min(end_of(start), end)
    except OverflowError:
        return end
