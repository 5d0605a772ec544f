"""Reading a calendar somebody brings as iCal: its events, those that repeat too, for as long as they are bounded.

Unpacking a calendar does whatever its rules ask for: one line can name every second of a century. So what rules ask
for is added up before anything is unpacked, and a file that asks for too much is refused at once.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from apps.finops.sheets import BadSheet

MAGIC = b"BEGIN:VCALENDAR"
MOST_EVENTS = 25_000
"""Reading an event and unpacking one that repeats take a millisecond each; whoever has more of them brings CSV."""
MOST_BYTES = 8 << 20
MOST_ZONE_RULES = 300
_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
_WITHIN_AN_HOUR = ("BYMINUTE", "BYSECOND")
_EVERY_TIME = frozenset({"FREQ", "COUNT", "INTERVAL", "WKST"})
"""With nothing else in a rule no period is passed over, so that its count ends it."""
_ZONE_MAY = frozenset({"FREQ", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "INTERVAL", "COUNT", "WKST"})
_PERIODS = {"WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_FOLD = re.compile(r"(?:(?<!\n)\r\n|(?<![\r\n])\n)(?:\r?\n)*[ \t]")
"""As the reader of calendars unfolds, who also passes over lines that are empty."""
_ZONE = re.compile(r"(BEGIN|END)\b[^:]*:\s*VTIMEZONE\s*")
_RULE = re.compile(r"(?:RRULE|EXRULE)\b[^:]*:(.*)", re.DOTALL)


def is_calendar(content: bytes) -> bool:
    return content.lstrip(b"\xef\xbb\xbf \r\n").startswith(MAGIC)


def events(content: bytes, name: str, *, until: date, what: str, most: int = MOST_EVENTS) -> Sequence[Any]:
    """The events of a calendar up to a day, at most so many of `what`; raises BadSheet for what cannot be read."""
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]  # ships none

    if len(content) > MOST_BYTES:
        raise BadSheet(f"{name}: more than {MOST_BYTES >> 20} MiB of calendar; bring CSV.")
    unfolded = _FOLD.sub("", content.decode("utf-8", "replace")).upper()
    if (count := unfolded.count("BEGIN:VEVENT")) > MOST_EVENTS:
        raise BadSheet(f"{name}: {count:,} events; a calendar may have {MOST_EVENTS:,}, a CSV more.")
    _refuse_zones(unfolded, name)
    try:
        calendar = icalendar.Calendar.from_ical(content)
        listed = calendar.walk("VEVENT")
        _refuse_rules(listed, name, until, what)
        first = min((day_of(event.decoded("DTSTART")) for event in listed), default=until)
        found: Sequence[Any] = recurring_ical_events.of(calendar).between(first, max(until, first))
    except BadSheet:
        raise
    except Exception as broken:  # the two readers raise whatever a broken file trips over, also TypeError
        raise BadSheet(f"{name}: not a calendar that can be read ({str(broken)[:200]}).") from broken
    if len(found) > most:
        raise BadSheet(f"{name}: {len(found)} {what}; at most {most} can be brought at once.")
    return found


def _refuse_zones(unfolded: str, name: str) -> None:
    """A time zone is unpacked as soon as it is read, until 2038: only rules by the year, and only so many, may be."""
    rules = list(_zone_rules(unfolded))
    told = [dict(part.partition("=")[::2] for part in rule.split(";")) for rule in rules]
    if len(rules) > MOST_ZONE_RULES or any(rule.get("FREQ") != "YEARLY" or rule.keys() - _ZONE_MAY for rule in told):
        raise BadSheet(f"{name}: a time zone in it changes more often than by the year; leave the zones out.")


def _zone_rules(unfolded: str) -> Iterator[str]:
    """What zones change by; every line is looked at once, and a zone without an end goes on to the last."""
    is_zone = False
    for line in unfolded.split("\n"):
        if edge := _ZONE.fullmatch(line):
            is_zone = edge[1] == "BEGIN"
        elif is_zone and (rule := _RULE.match(line)):
            yield rule[1].strip()


def _refuse_rules(listed: Sequence[Any], name: str, last: date, what: str) -> None:
    asked = 0
    for event in listed:
        for rule in _many(event.get("RRULE")):
            if _OFTEN & _frequency(rule):
                raise BadSheet(f"{name}: an event repeats by the minute or second; {what} repeat by the hour at most.")
            asked += _asked(rule, day_of(event.decoded("DTSTART")), last)
        asked += sum(len(group.dts) for group in _many(event.get("RDATE")))
    if asked > MOST_EVENTS:
        raise BadSheet(
            f"{name}: its events repeat up to {asked:,} times until {last}; {MOST_EVENTS:,} can be looked at. "
            "End them by UNTIL, bring fewer of them, or bring CSV."
        )


def _many(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told] if told else []


def _frequency(rule: Any) -> set[str]:
    return {str(one).upper() for one in rule.get("FREQ", ())}


def _asked(rule: Any, first: date, last: date) -> int:
    """How often a rule comes, at most."""
    frequency = "".join(_frequency(rule))
    days = max((min([last, *map(day_of, rule.get("UNTIL", ()))]) - first).days + 2, 1)
    times = 24 if frequency == "HOURLY" else max(len(rule.get("BYHOUR", ())), 1)
    for within in _WITHIN_AN_HOUR:
        times *= max(len(rule.get(within, ())), 1)
    simple = _EVERY_TIME | ({"BYDAY"} if frequency == "WEEKLY" else set())
    if rule.keys() - simple - {"UNTIL", "BYHOUR", *_WITHIN_AN_HOUR}:  # any day may be meant, and few may come
        return days * times
    period = _PERIODS.get(frequency, 1)
    come = (days // period + 1) * max(len(rule.get("BYDAY", ())), 1) * times
    return min([come, *map(int, rule.get("COUNT", ()))]) if not rule.keys() - simple else come


def day_of(moment: Any) -> date:
    """The day of a moment, or of what is a day already."""
    return date(moment.year, moment.month, moment.day)


def last_day(event: Any) -> date:
    """The last day of an event: a whole-day event ends before its DTEND, another on the day of its last moment."""
    start = event.decoded("DTSTART")
    end = event.decoded("DTEND") if "DTEND" in event else start
    short = timedelta(microseconds=1) if isinstance(end, datetime) else timedelta(days=1)
    return max(day_of(start), day_of(end - short))


def category(event: Any) -> str:
    """The first category of an event; empty where it has none."""
    listed = _many(event.get("CATEGORIES"))
    return next((str(one) for group in listed for one in getattr(group, "cats", [group])), "")
