"""Classes of an iCal file: its events, those that repeat too, for as long as they are bounded.

Unpacking a calendar does whatever its rules ask for: one line can name every second of a century. So what rules ask
for is added up before anything is unpacked, and a file that asks for too much is refused at once.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from apps.finops.sheets import BadSheet

AHEAD = timedelta(days=400)
MOST_CLASSES = 25_000
"""Reading an event and unpacking a class take about a millisecond each; whoever has more of them brings CSV."""
MOST_BYTES = 8 << 20
MOST_ZONE_RULES = 300
STUDENTS = "X-EXPECTED-STUDENTS"
"""The property of an event that says how many students are expected; without it `students: 120` in its description."""
_OFTEN = frozenset({"SECONDLY", "MINUTELY"})
_WITHIN_AN_HOUR = ("BYMINUTE", "BYSECOND")
_EVERY_TIME = frozenset({"FREQ", "COUNT", "INTERVAL", "WKST"})
"""With nothing else in a rule no period is passed over, so that its count ends it."""
_ZONE_MAY = frozenset({"FREQ", "BYMONTH", "BYDAY", "BYMONTHDAY", "UNTIL", "INTERVAL", "COUNT", "WKST"})
_PERIODS = {"WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
_FOLD = re.compile(rb"\r?\n[ \t]")
_ZONE = re.compile(rb"^BEGIN:VTIMEZONE\s*$(.*?)^END:VTIMEZONE\s*$", re.MULTILINE | re.DOTALL)
_RULE = re.compile(rb"^(?:RRULE|EXRULE)\b[^:]*:(.*)$", re.MULTILINE)


def events(content: bytes, name: str, now: datetime) -> Iterator[tuple[int, dict[str, str]]]:
    """The events of a calendar as cells, up to some months ahead: the category or the place is the module, the summary
    the class."""
    import icalendar
    import recurring_ical_events  # type: ignore[import-untyped]  # ships none

    if len(content) > MOST_BYTES:
        raise BadSheet(f"{name}: more than {MOST_BYTES >> 20} MiB of calendar; bring CSV.")
    unfolded = _FOLD.sub(b"", content).upper()
    if (count := unfolded.count(b"BEGIN:VEVENT")) > MOST_CLASSES:
        raise BadSheet(f"{name}: {count:,} events; a calendar may have {MOST_CLASSES:,}, a CSV more.")
    _refuse_zones(unfolded, name)
    last = now.date() + AHEAD
    try:
        calendar = icalendar.Calendar.from_ical(content)
        listed = calendar.walk("VEVENT")
        _refuse_rules(listed, name, last)
        first = min((_day_of(event.decoded("DTSTART")) for event in listed), default=now.date())
        found = recurring_ical_events.of(calendar).between(first, last)
    except BadSheet:
        raise
    except Exception as broken:  # whatever a broken calendar makes its reader raise
        raise BadSheet(f"{name}: not a calendar that can be read ({str(broken)[:200]}).") from broken
    for number, event in enumerate(found, start=1):
        yield number, _event(event)


def _refuse_zones(unfolded: bytes, name: str) -> None:
    """A time zone is unpacked as soon as it is read, until 2038: only rules by the year, and only so many, may be."""
    rules = [
        rule.decode("utf-8", "replace").strip() for zone in _ZONE.findall(unfolded) for rule in _RULE.findall(zone)
    ]
    told = [dict(part.partition("=")[::2] for part in rule.split(";")) for rule in rules]
    if len(rules) > MOST_ZONE_RULES or any(rule.get("FREQ") != "YEARLY" or rule.keys() - _ZONE_MAY for rule in told):
        raise BadSheet(f"{name}: a time zone in it changes more often than by the year; leave the zones out.")


def _refuse_rules(listed: Sequence[Any], name: str, last: date) -> None:
    asked = 0
    for event in listed:
        for rule in _many(event.get("RRULE")):
            if _OFTEN & _frequency(rule):
                raise BadSheet(f"{name}: an event repeats by the minute or second; classes repeat by the hour at most.")
            asked += _asked(rule, _day_of(event.decoded("DTSTART")), last)
        asked += sum(len(group.dts) for group in _many(event.get("RDATE")))
    if asked > MOST_CLASSES:
        raise BadSheet(
            f"{name}: its events repeat up to {asked:,} times until {last}; {MOST_CLASSES:,} can be looked at. "
            "End them by UNTIL, bring fewer of them, or bring CSV."
        )


def _many(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told] if told else []


def _frequency(rule: Any) -> set[str]:
    return {str(one).upper() for one in rule.get("FREQ", ())}


def _asked(rule: Any, first: date, last: date) -> int:
    """How often a rule comes, at most."""
    frequency = "".join(_frequency(rule))
    days = max((min([last, *map(_day_of, rule.get("UNTIL", ()))]) - first).days + 2, 1)
    times = 24 if frequency == "HOURLY" else max(len(rule.get("BYHOUR", ())), 1)
    for within in _WITHIN_AN_HOUR:
        times *= max(len(rule.get(within, ())), 1)
    simple = _EVERY_TIME | ({"BYDAY"} if frequency == "WEEKLY" else set())
    if rule.keys() - simple - {"UNTIL", "BYHOUR", *_WITHIN_AN_HOUR}:  # any day may be meant, and few may come
        return days * times
    period = _PERIODS.get(frequency, 1)
    come = (days // period + 1) * max(len(rule.get("BYDAY", ())), 1) * times
    return min([come, *map(int, rule.get("COUNT", ()))]) if not rule.keys() - simple else come


def _day_of(moment: Any) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _event(event: Any) -> dict[str, str]:
    start = event.decoded("DTSTART")
    end = event.decoded("DTEND") if "DTEND" in event else start
    return {
        "module": _categories(event) or str(event.get("LOCATION", "")),
        "class": str(event.get("SUMMARY", "")),
        "start": start.isoformat(), "end": end.isoformat(),
        "expected_students": str(event.get(STUDENTS, "")).strip() or _described(str(event.get("DESCRIPTION", ""))),
    }  # fmt: skip


def _categories(event: Any) -> str:
    listed = _many(event.get("CATEGORIES"))
    return next((str(one) for group in listed for one in getattr(group, "cats", [group])), "")


def _described(text: str) -> str:
    """`students: 120`, wherever it stands in a description."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "students":
            return value.strip()
    return ""
