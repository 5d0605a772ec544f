"""Reading a file of days that are like each other: CSV, a workbook or iCal, all of it or nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from apps.calendars.models import KINDS
from apps.finops import icalendars, sheets, workbooks
from apps.finops.sheets import BadSheet, Wrong, WrongCell

COLUMNS = ("name", "kind", "first", "last")
MOST_SPANS = 500
MOST_BYTES = 4 << 20
LONGEST = timedelta(days=366)
AHEAD = timedelta(days=3 * 366)
"""How far ahead events that repeat are taken."""


@dataclass(frozen=True)
class Told:
    """One span of a file."""

    line: int
    name: str
    kind: str
    first: date
    last: date


def read(content: bytes, name: str, *, today: date, kind: str = "") -> list[Told]:
    """The spans of a file; `kind` is what an event without such a category is."""
    if kind not in ("", *KINDS):
        raise BadSheet(f"kind: {kind[:40]!r} is not one of {', '.join(KINDS)}.")
    if len(content) > MOST_BYTES:
        raise BadSheet(f"{name}: more than {MOST_BYTES >> 20} MiB; bring fewer years.")
    if icalendars.is_calendar(content):
        found = workbooks.checked(name, _events(content, name, today, kind), _row, what="event")
    else:
        found = workbooks.read(content, name=name, headers=[COLUMNS], row=_row)
    if len(found) > MOST_SPANS:
        raise BadSheet(f"{name}: {len(found)} lines; at most {MOST_SPANS} can be brought at once.")
    sheets.refuse(name, list(_overlapping(found)))
    return found


def _row(line: int, cells: dict[str, str]) -> Told:
    name, kind = sheets.words(cells, "name", most=100), cells["kind"].lower()
    if kind not in KINDS:
        raise WrongCell("kind", f"{kind[:40]!r} is not one of {', '.join(KINDS)}")
    first, last = sheets.day(cells, "first"), sheets.day(cells, "last")
    if not first <= last < first + LONGEST:
        raise WrongCell("last", f"{last} is before the first day, or more than a year after it")
    return Told(line, name, kind, first, last)


def _events(content: bytes, name: str, today: date, kind: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The events of a calendar: the summary is the name, the category the kind."""
    found = icalendars.events(content, name, until=today + AHEAD, most=MOST_SPANS, what="events")
    for number, event in enumerate(found, start=1):
        yield number, _cells(event, kind)


def _cells(event: Any, kind: str) -> dict[str, str]:
    told = icalendars.category(event).lower()
    return {
        "name": str(event.get("SUMMARY", "")).strip(), "kind": told if told in KINDS else kind or told,
        "first": icalendars.day_of(event.decoded("DTSTART")).isoformat(),
        "last": icalendars.last_day(event).isoformat(),
    }  # fmt: skip


def _overlapping(found: list[Told]) -> Iterator[Wrong]:
    """A day is once in a term of one name, and not both off and worked."""
    before: dict[tuple[str, str], Told] = {}
    for one in sorted(found, key=lambda told: (told.first, told.line)):
        key = (one.name, one.kind)
        if key in before and one.first <= before[key].last:
            yield Wrong(one.line, f"column first: {one.kind} {one.name[:40]!r} overlaps line {before[key].line}")
        before[key] = one
