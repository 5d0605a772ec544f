"""Reading a calendar somebody brings as iCal: its events, those that repeat too."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from apps.finops.sheets import BadSheet

MAGIC = b"BEGIN:VCALENDAR"


def is_calendar(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \r\n").startswith(MAGIC)


def events(content: bytes, name: str, *, until: date, most: int, what: str) -> Sequence[Any]:
    """The events of a calendar up to a day, at most so many of `what`; raises BadSheet for what cannot be read."""
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]  # ships none

    try:
        calendar = icalendar.Calendar.from_ical(content)
        if any(_too_often(event.get("RRULE")) for event in calendar.walk("VEVENT")):
            raise BadSheet(f"{name}: an event repeats by the minute or second; {what} repeat by the hour at most.")
        begins = [day_of(event.decoded("DTSTART")) for event in calendar.walk("VEVENT")]
        first = min(begins, default=until)
        found: Sequence[Any] = recurring_ical_events.of(calendar).between(first, max(until, first))
    except BadSheet:
        raise
    except Exception as broken:  # whatever a broken calendar makes its reader raise
        raise BadSheet(f"{name}: not a calendar that can be read ({str(broken)[:200]}).") from broken
    if len(found) > most:
        raise BadSheet(f"{name}: {len(found)} {what}; at most {most} can be brought at once.")
    return found


def _too_often(told: Any) -> bool:
    """Whether one of the rules of an event repeats more often than anything here: unpacking it would take hours."""
    rules = told if isinstance(told, list) else [told] if told else []
    return any({"SECONDLY", "MINUTELY"} & set(rule.get("FREQ", ())) for rule in rules)


def day_of(moment: Any) -> date:
    """The day of a moment, or of what is a day already."""
    return date(moment.year, moment.month, moment.day)


def last_day(event: Any) -> date:
    """The last day of an event: a whole-day event ends before its DTEND, another on the day of its last moment."""
    start = event.decoded("DTSTART")
    end = event.decoded("DTEND") if "DTEND" in event else start
    if isinstance(end, datetime):
        return max(day_of(start), (end - timedelta(microseconds=1)).date())
    return max(day_of(start), end - timedelta(days=1))


def category(event: Any) -> str:
    """The first category of an event; empty where it has none."""
    told = event.get("CATEGORIES")
    many: Sequence[Any] = told if isinstance(told, list) else [told] if told is not None else []
    return next((str(one) for group in many for one in getattr(group, "cats", [group])), "")
