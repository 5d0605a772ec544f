"""Class timetables: read from CSV, XLSX or iCal, all of it or nothing, and every version kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from apps.finops import icalendars, sheets, workbooks
from apps.finops.sheets import BadSheet, WrongCell
from apps.planning.arrays import pack, unpack
from apps.planning.methods.schedule.problem import Lesson
from apps.planning.models import Timetable
from apps.teams.approval import Actor, NotYours

COLUMNS = ("module", "class", "start", "end", "expected_students")
MOST_CLASSES = 500_000
MOST_BYTES = 64 << 20
MOST_STUDENTS = 10_000_000
LONGEST = timedelta(days=1)
AHEAD = timedelta(days=400)
STUDENTS = "X-EXPECTED-STUDENTS"
"""The property of an event that says how many students are expected; without it `students: 120` in its description."""


@dataclass(frozen=True)
class Class:
    """A line of a timetable; `module` is a namespace, or `namespace/workload`."""

    module: str
    name: str
    start: datetime
    end: datetime
    students: int


def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> Timetable:
    """Take a timetable in place of the one before; raises BadSheet and keeps nothing where any class is wrong."""
    if by.teams is not None:
        raise NotYours("Finance brings timetables; nothing was changed.")
    classes = read(content, name, now=now)
    modules = sorted({one.module for one in classes})
    number = {module: place for place, module in enumerate(modules)}
    data = pack(
        {"modules": modules, "names": [one.name for one in classes]},
        module=np.array([number[one.module] for one in classes], dtype=np.int32),
        start=np.array([_minute(one.start) for one in classes], dtype=np.int64),
        end=np.array([_minute(one.end) for one in classes], dtype=np.int64),
        students=np.array([one.students for one in classes], dtype=np.int64),
    )
    return Timetable.objects.create(name=name, classes=len(classes), data=data, by=by.name, at=now)


def take(content: bytes, name: str, by: Actor, now: datetime) -> str:
    """The same, and what was taken."""
    kept = bring(content, name, by=by, now=now)
    return f"{kept.classes} classes, version {kept.pk}; schedules are made by them from the next fill on."


def newest() -> tuple[dict[str, list[Lesson]], int]:
    """The classes by module, and the version of the timetable: 0 where nobody brought one."""
    kept = Timetable.objects.order_by("-pk").first()
    if kept is None:
        return {}, 0
    meta, arrays = unpack(bytes(kept.data))
    found: dict[str, list[Lesson]] = {module: [] for module in meta["modules"]}
    columns = (arrays[name].tolist() for name in ("module", "start", "end", "students"))
    for name, module, start, end, students in zip(meta["names"], *columns, strict=True):
        found[meta["modules"][module]].append(Lesson(name, start, end, students))
    return found, kept.pk


def read(content: bytes, name: str, *, now: datetime) -> list[Class]:
    """The classes of a file, by what it begins with: a workbook, a calendar, else CSV."""
    if len(content) > MOST_BYTES:
        raise BadSheet(f"{name}: more than {MOST_BYTES >> 20} MiB; bring fewer months.")
    if icalendars.is_calendar(content):
        found = workbooks.checked(name, _calendar(content, name, now), _row, what="class")
    else:
        found = workbooks.read(content, name=name, headers=[COLUMNS], row=_row, what="class")
    if len(found) > MOST_CLASSES:
        raise BadSheet(f"{name}: {len(found)} classes; at most {MOST_CLASSES} can be brought at once.")
    return found


def _minute(moment: datetime) -> int:
    return int(moment.timestamp()) // 60


def _row(_line: int, cells: dict[str, str]) -> Class:
    start, end = _moment(cells, "start"), _moment(cells, "end")
    if not timedelta(0) < end - start <= LONGEST:
        raise WrongCell("end", f"{cells['end'][:40]} is not after the start, by a day at most")
    students = cells["expected_students"]
    digits = students.isascii() and students.isdigit() and len(students) <= len(str(MOST_STUDENTS))
    if not digits or int(students) > MOST_STUDENTS:
        raise WrongCell("expected_students", f"{students[:40]!r} is not a whole number up to {MOST_STUDENTS:,}")
    return Class(
        sheets.words(cells, "module", most=300), sheets.words(cells, "class", most=300), start, end, int(students)
    )


def _moment(cells: dict[str, str], column: str) -> datetime:
    """A moment as 2026-10-01T19:00, of the company's clock unless it names another."""
    try:
        found = datetime.fromisoformat(cells[column])
    except ValueError:
        raise WrongCell(column, f"{cells[column][:40]!r} is no moment; write 2026-10-01T19:00") from None
    if not sheets.FIRST_DAY <= found.date() <= sheets.LAST_DAY:
        raise WrongCell(column, f"{cells[column][:40]} lies too far away")
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(settings.COSTOPS_TIME_ZONE))).astimezone(UTC)


def _calendar(content: bytes, name: str, now: datetime) -> Iterator[tuple[int, dict[str, str]]]:
    """The events of a calendar, those that repeat too, up to some months ahead: the category or the place is the
    module, the summary the class."""
    found = icalendars.events(content, name, until=now.date() + AHEAD, most=MOST_CLASSES, what="classes")
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
