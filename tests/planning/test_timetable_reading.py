"""Timetables: brought in three forms, refused whole with the place of every mistake, and every version kept."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from openpyxl import Workbook

from apps.finops import icalendars
from apps.finops.sheets import BadSheet
from apps.planning import services, timetable
from apps.planning.models import Timetable
from apps.teams.approval import Actor, NotYours
from tests.planning.school_world import FINANCE, HEAD, NOW, bring

pytestmark = pytest.mark.django_db
CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:1
DTSTART:20261005T110000Z
DTEND:20261005T115000Z
RRULE:FREQ=WEEKLY;COUNT=3
SUMMARY:Maths 7
CATEGORIES:school
DESCRIPTION:Room 4\\nstudents: 120
END:VEVENT
END:VCALENDAR
"""


ZONE = b"""BEGIN:VTIMEZONE
TZID:x
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0000
RRULE:FREQ=SECO
 NDLY
END:STANDARD
END:VTIMEZONE
"""


def moments(found: list[timetable.Class]) -> list[tuple[str, str, datetime, int, int]]:
    minutes = timedelta(minutes=1)
    return [(one.module, one.name, one.start, (one.end - one.start) // minutes, one.students) for one in found]


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cut(book: bytes) -> bytes:
    """The same workbook; its sheet ends within the second row."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as whole, zipfile.ZipFile(out, "w") as short:
        for name in whole.namelist():
            part = whole.read(name)
            short.writestr(name, part[: part.index(b'<row r="2"') + 40] if name.endswith("sheet1.xml") else part)
    return out.getvalue()


def test_the_same_class_in_three_forms() -> None:
    at = datetime(2026, 10, 5, 11, tzinfo=UTC)
    wanted = ("school", "Maths 7", at, 50, 120)
    csv = f"{HEAD}\nschool,Maths 7,2026-10-05T19:00+08:00,2026-10-05T19:50+08:00,120\n".encode()
    local = at.replace(tzinfo=None)
    sheet = workbook(HEAD.split(","), ["school", "Maths 7", local, local + timedelta(minutes=50), 120.0])
    assert moments(timetable.read(csv, "t.csv", now=NOW)) == [wanted]
    assert moments(timetable.read(sheet, "t.xlsx", now=NOW)) == [wanted]
    weekly = moments(timetable.read(CALENDAR, "t.ics", now=NOW))
    assert weekly == [("school", "Maths 7", at + timedelta(days=7 * week), 50, 120) for week in range(3)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(f"{HEAD}\nm,c,soon,2026-10-05T20:00,9\n".encode(), "line 2, column start: 'soon' is no moment",
                     id="no moment"),
        pytest.param(f"{HEAD}\nm,c,2026-10-05T20:00,2026-10-05T19:00,9\n".encode(), "column end: .* is not after",
                     id="ends before it begins"),
        pytest.param(f"{HEAD}\nm,c,2026-10-05T20:00,2026-10-05T21:00,many\n".encode(), "expected_students: 'many'",
                     id="no number"),
        pytest.param(f"{HEAD}\nm,c,2026-10-05T20:00,2026-10-05T21:00,{'9' * 5000}\n".encode(), "is not a whole number",
                     id="thousands of digits"),
        pytest.param(f"{HEAD}\n,c,2026-10-05T20:00,2026-10-05T21:00,1\n".encode(), "column module: is empty",
                     id="no module"),
        pytest.param(b"module,class\nm,c\n", "the columns must be module,class,start", id="other columns"),
        pytest.param(b"\xff\xfe\x00", "not UTF-8", id="no text"),
        pytest.param(b"PK\x03\x04broken", "not a workbook that can be read", id="a broken workbook"),
        pytest.param(b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:x\n", "not a calendar that can be read|no class",
                     id="a broken calendar"),
        pytest.param(CALENDAR.replace(b"FREQ=WEEKLY", b"FREQ=SECONDLY"), "repeats by the minute or second",
                     id="a calendar of every second"),
        pytest.param(CALENDAR.replace(b"WEEKLY;COUNT=3", b"HOURLY").replace(b"DTSTART:2026", b"DTSTART:1926"),
                     "repeat up to [0-9,]+ times until 2027-11-09", id="every hour of a century"),
        pytest.param(CALENDAR.replace(b"COUNT=3", b"BYHOUR=1,2,3,4;BYMINUTE=1,2,3,4;BYSECOND=" + b",".join(
                     b"%d" % second for second in range(60)) + b";BYDAY=MO"), "repeat up to", id="many times a day"),
        pytest.param(CALENDAR.replace(b"SUMMARY", b"RDATE:" + b",".join(
                     b"20261005T%02d%02d%02dZ" % (hour, minute, second) for hour in range(24) for minute in range(60)
                     for second in range(0, 60, 3)) + b"\nSUMMARY"), "repeat up to 28,803 times", id="many dates"),
        pytest.param(CALENDAR.replace(b"BEGIN:VEVENT", ZONE + b"BEGIN:VEVENT"), "a time zone in it changes",
                     id="a clock that changes every second"),
        pytest.param(CALENDAR.replace(b"BEGIN:VEVENT", b"BEGIN:VTIMEZONE\n" * 1_000 + ZONE.replace(b"END:VT", b"END:X")
                     + b"BEGIN:VEVENT"), "a time zone in it changes", id="a thousand zones without an end"),
        pytest.param(CALENDAR.replace(b"BEGIN:VEVENT", ZONE.replace(b"VTIMEZONE", b"VTIME\n\n ZONE", 1)
                     + b"BEGIN:VEVENT"), "a time zone in it changes", id="a zone folded over an empty line"),
        pytest.param(CALENDAR.replace(b"END:VCALENDAR", b"BEGIN:VEVENT\nEND:VEVENT\n" * 25_000 + b"END:VCALENDAR"),
                     "25,001 events; a calendar may have 25,000", id="too many events"),
        pytest.param(cut(workbook(HEAD.split(","), ["m", "c", "", "", "1"])), "not a workbook that can be read",
                     id="a workbook cut short"),
        pytest.param(CALENDAR.replace(b"students: 120", b""), "column expected_students: ''", id="nobody is expected"),
        pytest.param(workbook(HEAD.split(",")), "no class in it", id="an empty workbook"),
    ],
)  # fmt: skip
def test_a_mistake_refuses_the_whole_timetable(content: bytes, said: str) -> None:
    with pytest.raises(BadSheet, match=said):
        timetable.bring(content, "t", by=FINANCE, now=NOW)
    assert not Timetable.objects.exists()


@pytest.mark.parametrize(
    ("rule", "count"),
    [
        pytest.param(b"FREQ=HOURLY;COUNT=6", 6, id="by the hour, six times"),
        pytest.param(b"FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261018T000000Z", 4, id="twice a week until a day"),
        pytest.param(b"FREQ=DAILY;INTERVAL=2;COUNT=5", 5, id="every other day"),
        pytest.param(b"FREQ=MONTHLY;UNTIL=20270101T000000Z", 3, id="every month"),
    ],
)
def test_calendars_may_repeat_as_classes_do(rule: bytes, count: int) -> None:
    found = timetable.read(CALENDAR.replace(b"FREQ=WEEKLY;COUNT=3", rule), "t.ics", now=NOW)
    assert len(found) == count <= icalendars.MOST_EVENTS


def test_only_finance_brings_one_and_the_newest_holds() -> None:
    line = f"{HEAD}\nschool,A,2026-10-05T19:00,2026-10-05T20:00,5\n".encode()
    with pytest.raises(NotYours):
        timetable.bring(line, "t", by=Actor("mei", frozenset({"web"})), now=NOW)
    before = services.identity()
    timetable.bring(line, "t", by=FINANCE, now=NOW)
    timetable.bring(line.replace(b",A,", b",B,"), "t", by=FINANCE, now=NOW)
    assert services.identity() != before
    assert [one.name for one in timetable.known(NOW)["school"]] == ["B"]


def test_what_comes_once_a_year_may_have_begun_long_ago() -> None:
    old = CALENDAR.replace(b"FREQ=WEEKLY;COUNT=3", b"FREQ=YEARLY").replace(b":2026", b":1990")
    event = old[old.index(b"BEGIN:VEVENT") : old.index(b"END:VCALENDAR")]
    many = b"".join(event.replace(b"UID:1", b"UID:%d" % number) for number in range(2, 9))
    found = timetable.read(old.replace(b"END:VCALENDAR", many + b"END:VCALENDAR"), "t.ics", now=NOW)
    assert len(found) == 8 * 38  # 1990 to 2027


def line(name: str, day: int, module: str = "school") -> str:
    return f"{module},{name},2026-10-{day:02}T19:00,2026-10-{day:02}T20:00,5"


def day(number: int) -> datetime:
    return datetime(2026, 10, number, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("brought", "names"),
    [
        pytest.param([(1, [("a", 2), ("b", 3), ("c", 9)]), (5, [("d", 9)])], ["a", "b", "d"],
                     id="what took place stays a fact, what was to come is replaced"),
        pytest.param([(1, [("a", 2), ("b", 4)]), (5, [("B", 4), ("d", 9)])], ["a", "B", "d"],
                     id="a version that tells the past corrects it from its first class on"),
        pytest.param([(1, [("a", 2), ("b", 7)]), (5, [("c", 6)]), (8, [("d", 9)])], ["a", "c", "d"],
                     id="a class that a later version had struck off before it began never took place"),
        pytest.param([(5, [("a", 2), ("b", 4)])], ["a", "b"], id="one version tells its own past"),
        pytest.param([(1, [("a", 2)]), (4, [("x", 6)]), (5, [("c", 7)])], ["a", "c"],
                     id="what two versions say is to come is as the last one says"),
    ],
)  # fmt: skip
def test_every_version_tells_the_past_in_which_it_held(
    brought: list[tuple[int, list[tuple[str, int]]]], names: list[str]
) -> None:
    for at, lessons in brought:
        bring("\n".join([HEAD, *(line(*lesson) for lesson in lessons)]).encode(), at=day(at))
    assert [one.name for one in timetable.known(day(1))["school"]] == names
    assert [one.name for one in timetable.known(day(8)).get("school", [])] == [name for name in names if name == "d"]


def test_a_module_that_the_newest_leaves_out_has_its_past_and_nothing_to_come() -> None:
    bring("\n".join([HEAD, line("a", 2, "lab"), line("b", 9, "lab")]).encode(), at=day(1))
    bring("\n".join([HEAD, line("c", 9)]).encode(), at=day(5))
    assert {module: [one.name for one in lessons] for module, lessons in timetable.known(day(1)).items()} == {
        "lab": ["a"], "school": ["c"],
    }  # fmt: skip


def test_the_same_classes_again_change_nothing_in_whichever_order_they_come() -> None:
    lines = [line("a", 2), line("b", 9), line("c", 9, "lab")]
    told = timetable.take("\n".join([HEAD, *lines]).encode(), "t.csv", FINANCE, day(1))
    before, identity = timetable.known(day(1)), services.identity()

    again = timetable.take("\n".join([HEAD, *reversed(lines)]).encode(), "again.csv", FINANCE, day(5))

    assert told.startswith("3 classes, version")
    assert again == f"These are the 3 classes of version {timetable.version()} already; nothing was changed."
    assert (timetable.known(day(1)), services.identity(), Timetable.objects.count()) == (before, identity, 1)
    bring("\n".join([HEAD, line("d", 9)]).encode(), at=day(6))
    bring("\n".join([HEAD, *lines]).encode(), at=day(7))
    assert Timetable.objects.count() == 3, "what held before may hold again"


def test_its_version_is_told_without_unpacking_it() -> None:
    assert timetable.version() == 0
    kept = Timetable.objects.create(name="t", classes=1, data=b"no timetable", by="fin", at=NOW)
    assert timetable.version() == kept.pk
    assert [one.name for one in timetable.versions()] == ["t"]


def test_versions_are_listed_and_shown_at_the_terminal() -> None:
    def told(*words: str) -> list[str]:
        out = StringIO()
        call_command("plans", "timetable", *words, stdout=out)
        return out.getvalue().splitlines()

    with pytest.raises(CommandError, match="Nobody has brought a timetable"):
        told("show")
    bring("\n".join([HEAD, line("a", 2)]).encode(), at=day(1))
    bring("\n".join([HEAD, line("b", 9)]).encode(), at=day(5))
    newest, first = (one.pk for one in timetable.versions())
    listed = told("list", "--format", "csv")
    assert listed[0] == "version,name,classes,by,at,holds"
    assert [row.split(",")[:4] for row in listed[1:]] == [[f"{pk}", "t.csv", "1", "fin"] for pk in (newest, first)]
    assert [row.split(",")[-1] for row in listed[1:]] == ["yes", ""]
    shown = told("show", "--format", "csv")
    assert shown == [HEAD, "school,b,2026-10-09T19:00:00+00:00,2026-10-09T20:00:00+00:00,5"]
    assert told("show", f"{first}", "--format", "csv")[1].startswith("school,a,")
    timetable.bring("\n".join(shown).encode(), "again.csv", by=FINANCE, now=day(6))
    with pytest.raises(CommandError, match="no timetable 99999"):
        told("show", "99999")


@pytest.mark.django_db
def test_days_on_which_nobody_works_are_told_by_the_business_calendar():
    """National Day begins on a Thursday; on Saturday the tenth the company works in exchange."""
    from apps.planning.reading.timetable import _free

    free = _free(datetime(2026, 9, 30, 8, tzinfo=UTC), 11 * 24)

    assert free == [0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1]
