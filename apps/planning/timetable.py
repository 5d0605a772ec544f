"""Class timetables: read from CSV, XLSX or iCal, all of it or nothing, and every version kept.

The newest version says what is to come. What took place stays a fact: of the past each version tells the stretch in
which none that was brought later speaks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.conf import settings

from apps.finops import icalendars, sheets, workbooks
from apps.finops.errors import CostOpsError
from apps.finops.sheets import BadSheet, WrongCell
from apps.planning import ical
from apps.planning.arrays import pack, unpack
from apps.planning.methods.schedule.problem import Lesson
from apps.planning.models import Timetable
from apps.teams.approval import Actor, NotYours

COLUMNS = ("module", "class", "start", "end", "expected_students")
MOST_CLASSES = 500_000
MOST_BYTES = 64 << 20
MOST_STUDENTS = 10_000_000
LONGEST = timedelta(days=1)


class NoSuchTimetable(CostOpsError):
    """There is no version of this number."""


@dataclass(frozen=True)
class Class:
    """A line of a timetable; `module` is a namespace, or `namespace/workload`."""

    module: str
    name: str
    start: datetime
    end: datetime
    students: int


def bring(content: bytes, name: str, *, by: Actor, now: datetime) -> Timetable:
    """Take a timetable in place of the one before; raises BadSheet and keeps nothing where any class is wrong. Where
    the one before has the same classes, that one holds on."""
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
    held = Timetable.objects.order_by("-pk").first()
    if held is not None and _in_order(bytes(held.data)) == _in_order(data):
        return held
    return Timetable.objects.create(name=name, classes=len(classes), data=data, by=by.name, at=now)


def take(content: bytes, name: str, by: Actor, now: datetime) -> str:
    """The same, and what was taken."""
    before = version()
    kept = bring(content, name, by=by, now=now)
    if kept.pk == before:
        return f"These are the {kept.classes} classes of version {kept.pk} already; nothing was changed."
    return f"{kept.classes} classes, version {kept.pk}; schedules are made by them from the next fill on."


def version() -> int:
    """The newest version of the timetable: 0 where nobody brought one."""
    return Timetable.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def versions() -> list[Timetable]:
    """All that were brought, the newest first; their classes stay in the database."""
    return list(Timetable.objects.defer("data").order_by("-pk"))


def brought(number: int | None = None) -> list[tuple[str, Lesson]]:
    """The classes of a version, by default the newest, with their modules."""
    known = Timetable.objects.order_by("-pk")
    kept = (known if number is None else known.filter(pk=number)).first()
    if kept is None:
        raise NoSuchTimetable(
            f"There is no timetable {number}." if number is not None else "Nobody has brought a timetable."
        )
    return list(_lessons(bytes(kept.data)))


def known(since: datetime) -> dict[str, list[Lesson]]:
    """The classes by module from a moment on: those to come of the newest version, those that were of the version that
    held then. A version also tells the past before it was brought, from its own first class of a module on."""
    found: dict[str, list[Lesson]] = {}
    until: dict[str, int] = {}
    newer = None
    for kept in Timetable.objects.order_by("-pk").iterator(chunk_size=1):
        first: dict[str, int] = {}
        for module, lesson in _lessons(bytes(kept.data)):
            first[module] = min(first.get(module, lesson.start), lesson.start)
            if lesson.start >= _minute(since) and (
                newer is None or lesson.start < min(newer, until.get(module, newer))
            ):
                found.setdefault(module, []).append(lesson)
        newer = _minute(kept.at)
        for module, minute in first.items():
            until[module] = min(until.get(module, minute), minute)
        if kept.at <= since:
            break
    return {module: sorted(lessons, key=lambda one: (one.start, one.name)) for module, lessons in found.items()}


def _in_order(data: bytes) -> list[tuple[str, int, int, str, int]]:
    """The classes in one order, whichever their file has."""
    return sorted((module, one.start, one.end, one.name, one.students) for module, one in _lessons(data))


def _lessons(data: bytes) -> Iterator[tuple[str, Lesson]]:
    meta, arrays = unpack(data)
    columns = (arrays[name].tolist() for name in ("module", "start", "end", "students"))
    for name, module, start, end, students in zip(meta["names"], *columns, strict=True):
        yield meta["modules"][module], Lesson(name, start, end, students)


def read(content: bytes, name: str, *, now: datetime) -> list[Class]:
    """The classes of a file, by what it begins with: a workbook, a calendar, else CSV."""
    if len(content) > MOST_BYTES:
        raise BadSheet(f"{name}: more than {MOST_BYTES >> 20} MiB; bring fewer months.")
    if icalendars.is_calendar(content):
        found = workbooks.checked(name, ical.events(content, name, now), _row, what="class")
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
