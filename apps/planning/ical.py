"""Classes of an iCal file: its events, those that repeat too."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from apps.finops import icalendars

AHEAD = timedelta(days=400)
STUDENTS = "X-EXPECTED-STUDENTS"
"""The property of an event that says how many students are expected; without it `students: 120` in its description."""


def events(content: bytes, name: str, now: datetime) -> Iterator[tuple[int, dict[str, str]]]:
    """The events of a calendar as cells, up to some months ahead: the category or the place is the module, the summary
    the class."""
    found = icalendars.events(content, name, until=now.date() + AHEAD, what="classes")
    for number, event in enumerate(found, start=1):
        yield number, _event(event)


def _event(event: Any) -> dict[str, str]:
    start = event.decoded("DTSTART")
    end = event.decoded("DTEND") if "DTEND" in event else start
    return {
        "module": icalendars.category(event) or str(event.get("LOCATION", "")),
        "class": str(event.get("SUMMARY", "")),
        "start": start.isoformat(), "end": end.isoformat(),
        "expected_students": str(event.get(STUDENTS, "")).strip() or _described(str(event.get("DESCRIPTION", ""))),
    }  # fmt: skip


def _described(text: str) -> str:
    """`students: 120`, wherever it stands in a description."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() == "students":
            return value.strip()
    return ""
