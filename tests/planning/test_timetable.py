"""Timetables: brought in three forms, refused whole with the place of every mistake, and planned by."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from openpyxl import Workbook

from apps.finops.sheets import BadSheet
from apps.finops.tables import ALLOCATED, AUTOSCALER_HOURS, CHARGES, COST_MART, NODE_HOURS, PASSED_ON, WORKLOAD_HOURS
from apps.marts.models import Publication
from apps.planning import services, timetable
from apps.planning.drafts import Draft, checked
from apps.planning.exporting import exported
from apps.planning.models import Timetable
from apps.planning.planners.timetable import PLANNER
from apps.planning.reading import timetable as reading
from apps.planning.scaling import BadObject, cron_hpa, keda
from apps.teams.approval import Actor, NotYours
from tests.insights.idle_world import write
from tests.once import made_once, put_in_home

pytestmark = pytest.mark.django_db
FINANCE = Actor("fin", None)
HEAD = "module,class,start,end,expected_students"
FIRST, DAYS = date(2026, 9, 7), 28  # a Monday
NOW = datetime(2026, 10, 6, 3, tzinfo=UTC)
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


def test_only_finance_brings_one_and_the_newest_holds() -> None:
    line = f"{HEAD}\nschool,A,2026-10-05T19:00,2026-10-05T20:00,5\n".encode()
    with pytest.raises(NotYours):
        timetable.bring(line, "t", by=Actor("mei", frozenset({"web"})), now=NOW)
    before = services.identity()
    timetable.bring(line, "t", by=FINANCE, now=NOW)
    timetable.bring(line.replace(b",A,", b",B,"), "t", by=FINANCE, now=NOW)
    assert services.identity() != before
    assert [one.name for one in timetable.newest()[0]["school"]] == ["B"]


# --- A school of one module: ten cores while a hundred students are in class, one else ------------------------------
def _is_class(at: datetime) -> bool:
    return at.weekday() < 5 and at.hour in (10, 11, 18, 19, 20)


def classes(weeks: int) -> bytes:
    """Fifty minutes each; of four weeks that were, and one that comes."""
    lines = [HEAD]
    for number in range(7 * weeks):
        for hour in range(24):
            at = datetime(2026, 9, 7, hour, tzinfo=UTC) + timedelta(days=number)
            if _is_class(at):
                lines.append(f"school,{at:%a %H},{at.isoformat()},{(at + timedelta(minutes=50)).isoformat()},100")
    return "\n".join(lines).encode()


def make() -> None:
    nodes, usage, bounds = [], [], []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        for hour in range(24):
            at = datetime(day.year, day.month, day.day, hour, tzinfo=UTC)
            common = {"source": "h", "day": day, "file_id": str(day), "hour": at, "cluster": "online"}
            busy = _is_class(at)
            bounds.append(common | {"namespace": "school", "workload": "live", "min_replicas": 4, "max_replicas": 8})
            for node in ("n1", *(["e1"] if 8 <= hour < 23 else [])):
                nodes.append(common | {
                    "node": node, "node_pool": "p", "provider_id": f"cn-beijing.i-{node}", "instance_type": "g7",
                    "cpu_capacity_core_hours": Decimal(16), "memory_capacity_gib_hours": Decimal(64),
                })  # fmt: skip
            for pod in range(12 if 8 <= hour < 23 else 4):  # whoever watches the clock runs twelve all day
                usage.append(common | {
                    "namespace": "school", "workload": "live", "workload_kind": "Deployment", "pod": f"p{pod}",
                    "node": "n1" if pod < 4 else "e1", "cpu_request_core_hours": Decimal(1),
                    "cpu_used_core_hours": round(Decimal(10 if busy else 1) / (12 if 8 <= hour < 23 else 4), 6),
                })  # fmt: skip
    costs = [
        {"day": FIRST + timedelta(days=number), "pool": "node", "resource": f"i-{node}", "cluster": "online",
         "namespace": "school", "workload": "live", "kind": "direct", "team": "teachers", "currency": "CNY",
         "source": "bill", "billing_month": "2026-09", "charge_category": "Usage", "effective_cost": Decimal(amount)}
        for number in range(DAYS) for node, amount in (("n1", "24"), ("e1", "30"))
    ]  # fmt: skip
    for row in costs:
        row["billing_month"] = f"{row['day']:%Y-%m}"
    tables = (
        (ALLOCATED, costs), (PASSED_ON, []), (CHARGES, []),
        (COST_MART, [row | {"month": row["billing_month"]} for row in costs]), (WORKLOAD_HOURS, usage),
        (NODE_HOURS, nodes), (AUTOSCALER_HOURS, bounds),
    )  # fmt: skip
    versions = {table.name: write(table, rows) for table, rows in tables}
    cache.clear()
    end = FIRST + timedelta(days=DAYS)
    Publication.objects.create(
        created_at=NOW, versions=versions, ruleset=0, status="final", first_day=FIRST, end_day=end
    )
    User.objects.create_superuser("han")


@pytest.fixture(scope="module")
def lake_of_world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    with made_once(django_db_blocker, tmp_path_factory.mktemp("school") / "lake", make) as lake:
        yield lake


@pytest.fixture
def school(lake_of_world: Path, home: Path) -> Publication:
    put_in_home(lake_of_world)
    return Publication.objects.get()


def test_coming_classes_without_past_ones_are_told(school: Publication) -> None:
    """Nobody can know what a first class needs; who reads the plan is not left to believe it is there."""
    line = f"{HEAD}\nschool,First,2026-10-06T03:00+00:00,2026-10-06T04:00+00:00,100000\n"
    timetable.bring(line.encode(), "t.csv", by=FINANCE, now=NOW)
    assert any("1 classes have no replicas of their own" in str(line) for line in planned(school).says)


def test_replicas_that_are_added_cost_what_others_save(school: Publication) -> None:
    """At 30 % of a core a replica, classes need far more than ran: nothing is saved, and nobody is asked for it."""
    timetable.bring(classes(5), "t.csv", by=FINANCE, now=NOW)
    draft = planned(school, target=30)
    assert (draft.saving_per_month, draft.actions) == (0, ())


def test_a_module_that_nothing_runs_is_named(school: Publication) -> None:
    line = f"{HEAD}\nlab,First,2026-10-06T03:00+00:00,2026-10-06T04:00+00:00,9\n"
    timetable.bring(line.encode(), "t.csv", by=FINANCE, now=NOW)
    *_, last = PLANNER.read(school, NOW)
    assert str(last.withheld) == (
        "1 modules of the timetable have classes to come and no workload that a schedule can be made for: lab."
    )


def test_one_name_in_two_clusters_has_a_plan_in_each(school: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = reading.Metering.clusters
    monkeypatch.setattr(reading.Metering, "clusters", lambda self: clusters(self) * 2)
    assert [case.subject for case in PLANNER.read(school, NOW)] == ["school/live", "online/school/live"]


def planned(school: Publication, **given: float) -> Draft:
    (case,) = PLANNER.read(school, NOW)
    assert (case.subject, case.withheld) == ("school/live", None)
    return checked(PLANNER.make(case.data, PLANNER.defaults | given))


def test_every_class_of_the_coming_week_has_its_replicas_in_time(school: Publication) -> None:
    """Ten cores at 80 % of a core a replica are thirteen; 25 classes a week, each from ten minutes before it begins."""
    timetable.bring(classes(5), "t.csv", by=FINANCE, now=NOW)
    draft = planned(school)
    assert draft.is_verified
    rows = draft.tables["classes"]
    assert (len(rows), {row[4] for row in rows}) == (25, {0})
    steps = {row[0]: row[2] for row in draft.tables["steps"]}
    assert steps["2026-10-05T09:50"] == max(steps.values()) == 13
    assert "The autoscaler allows 8 replicas at most, and the plan needs 13: raise its bound." in map(str, draft.binds)
    assert any("keeps 4 replicas at least, and the plan needs fewer" in str(line) for line in draft.binds)
    assert "above the planned replicas in 0.0 % of the hours" in str(draft.risks[0])


def test_what_ran_for_nobody_is_saved_where_nodes_come_and_go(school: Publication) -> None:
    """Eight of twelve pods ran on e1 for 15 hours: outside of classes they would not have. A core-hour there cost
    30 ÷ 120: on a working day ten hours of eight, on a free one fifteen: 80 × 0.25 and 120 × 0.25 at most."""
    timetable.bring(classes(5), "t.csv", by=FINANCE, now=NOW)
    draft = planned(school)
    most = (Decimal(5 * 80 + 2 * 120) / 4 / 7) * 365 / 12
    assert most * Decimal("0.8") < draft.saving_per_month <= most
    assert [action.team for action in draft.actions] == ["teachers"]


def test_within_the_autoscaler_classes_are_told_uncovered(school: Publication) -> None:
    timetable.bring(classes(5), "t.csv", by=FINANCE, now=NOW)
    draft = planned(school, bounded=1)
    assert draft.is_verified
    assert {row[4] for row in draft.tables["classes"]} == {5}
    assert "25 classes are not covered: the most of 8 replicas is reached." in map(str, draft.risks)
    assert (
        PLANNER.draw(draft, "gantt")["data"][-1]["marker"]["color"]
        != PLANNER.draw(draft, "gantt")["data"][0]["marker"]["color"]
    )


def test_without_a_timetable_the_week_is_learned(school: Publication) -> None:
    draft = planned(school)
    assert draft.is_verified
    assert "by the week's own pattern" in str(draft.says[0])
    assert max(row[2] for row in draft.tables["steps"]) == 13
    assert draft.tables["classes"] == []


def test_files_say_what_the_plan_says(school: Publication) -> None:
    timetable.bring(classes(5), "t.csv", by=FINANCE, now=NOW)
    draft = planned(school)
    cron = yaml.safe_load(exported(PLANNER, draft, "cronhpa.yaml").text)
    assert cron["spec"]["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "live"}
    assert {job["targetSize"] for job in cron["spec"]["jobs"]} == {row[2] for row in draft.tables["steps"]}
    assert any(job["schedule"] == "0 50 9 * * 1" and job["targetSize"] == 13 for job in cron["spec"]["jobs"])
    scaled = yaml.safe_load(exported(PLANNER, draft, "keda.yaml").text)
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    assert trigger.keys() == {"timezone", "start", "end", "desiredReplicas"}
    assert all(isinstance(value, str) for value in trigger.values())
    broken = replace(draft, content=dict(draft.content) | {"cron": [["1 2 3", False, 2], ["0 0 * * 1", False, "3"]]})
    with pytest.raises(BadObject, match="has not 6 fields"):
        cron_hpa(broken)
    with pytest.raises((BadObject, TypeError)):
        keda(broken)
    for entry, replicas, said in (("99 7 * * 1", 2, "is no cron entry"), ("0 0 * * 1", -2, "is no number of replicas")):
        with pytest.raises(BadObject, match=said):
            cron_hpa(replace(draft, content=dict(draft.content) | {"cron": [[entry, False, replicas]]}))


def test_a_timetable_is_brought_on_the_page_at_the_terminal_and_by_programs(
    school: Publication, tmp_path: Path
) -> None:
    han = Client()
    han.force_login(User.objects.get(username="han"))
    assert "Timetable of classes" in han.get("/plans/timetable/").content.decode()
    file = SimpleUploadedFile("t.csv", classes(5))
    told = han.post("/plans/timetable/", {"action": "bring", "table": file})
    assert told.status_code == 302, told.content.decode()
    wrong = SimpleUploadedFile("t.csv", f"{HEAD}\nm,c,soon,x,1\n".encode())
    refused = han.post("/plans/timetable/", {"action": "bring", "table": wrong})
    assert refused.status_code == 400
    assert "line 2, column start" in refused.content.decode()
    assert han.post("/plans/timetable/", {"action": "bring"}).status_code == 400
    told = han.post("/api/v1/plans/timetable/table/?name=own", classes(5), content_type="text/csv")
    assert (told.status_code, told.json()["told"][:11]) == (201, "125 classes")
    assert han.post("/api/v1/plans/pools/table/", b"x", content_type="text/csv").status_code == 404
    path, out = tmp_path / "t.csv", StringIO()
    path.write_bytes(classes(5))
    call_command("plans", "bring", "timetable", str(path), stdout=out)
    assert out.getvalue().startswith("125 classes, version ")
    assert Timetable.objects.count() == 3
