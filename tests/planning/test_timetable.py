"""Schedules by the timetable: every class has its replicas in time, and the files say so too."""

from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from apps.charts.colours import PALETTE
from apps.marts.models import Publication
from apps.planning.arrays import unpack
from apps.planning.models import Timetable
from apps.planning.planners.timetable import PLANNER
from apps.planning.reading import timetable as reading
from tests.planning.school_world import HEAD, NOW, bring, classes, planned, publish

pytestmark = pytest.mark.django_db


def test_coming_classes_without_past_ones_are_told(school: Publication) -> None:
    """Nobody can know what a first class needs; who reads the plan is not left to believe it is there."""
    line = f"{HEAD}\nschool,First,2026-10-06T03:00+00:00,2026-10-06T04:00+00:00,100000\n"
    bring(line.encode())
    assert any("1 classes have no replicas of their own" in str(line) for line in planned(school).says)


def test_replicas_that_are_added_cost_what_others_save(school: Publication) -> None:
    """At 30 % of a core a replica, classes need far more than ran: nothing is saved, and nobody is asked for it."""
    bring(classes(6))
    draft = planned(school, target=30)
    assert (draft.saving_per_month, draft.actions) == (0, ())


def test_a_module_that_nothing_runs_is_named(school: Publication) -> None:
    line = f"{HEAD}\nlab,First,2026-10-06T03:00+00:00,2026-10-06T04:00+00:00,9\n"
    bring(line.encode())
    *_, last = PLANNER.read(school, NOW)
    assert str(last.withheld) == (
        "1 modules of the timetable have classes to come and no workload that a schedule can be made for: lab."
    )


def test_one_name_in_two_clusters_has_a_plan_in_each(school: Publication, monkeypatch: pytest.MonkeyPatch) -> None:
    clusters = reading.Metering.clusters
    monkeypatch.setattr(reading.Metering, "clusters", lambda self: clusters(self) * 2)
    subjects = [case.subject for case in PLANNER.read(school, NOW) if not case.withheld]
    assert subjects == ["school/live", "online/school/live"]


def test_every_class_of_the_coming_week_has_its_replicas_in_time(school: Publication) -> None:
    """Ten cores at 80 % of a core a replica are thirteen; 25 classes a week, each from ten minutes before it begins."""
    bring(classes(6))
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
    bring(classes(6))
    draft = planned(school)
    most = (Decimal(5 * 80 + 2 * 120) / 4 / 7) * 365 / 12
    assert most * Decimal("0.8") < draft.saving_per_month <= most
    assert [action.team for action in draft.actions] == ["teachers"]
    ((place, part, _),) = draft.actions[0].stakes
    assert (place[1], part) == ("teachers", draft.actions[0].saving_per_month)


@pytest.mark.parametrize("days", [21, 27, 28])
def test_a_core_hour_costs_what_it_cost_in_the_days_that_are_metered(home: Path, days: int) -> None:
    (case,) = [case for case in PLANNER.read(publish(days), NOW) if not case.withheld]
    meta, _arrays = unpack(case.data)
    assert Decimal(meta["price"]) == Decimal("0.25")  # 30 ÷ 120 a day, on the node that comes and goes


@pytest.mark.parametrize("days", [3, 7])
def test_a_cluster_that_went_silent_is_planned_by_its_own_days(home: Path, days: int) -> None:
    """Another cluster is metered to the end; the plan begins today all the same."""
    pinned = publish(silent=days)
    bring(classes(6))
    (case,) = [case for case in PLANNER.read(pinned, NOW) if not case.withheld]
    meta, arrays = unpack(case.data)
    assert (case.subject, meta["ahead"], len(arrays["demand"])) == ("school/live", days, (28 - days) * 24)
    assert not np.isnan(arrays["demand"]).any()


def test_within_the_autoscaler_classes_are_told_uncovered(school: Publication) -> None:
    bring(classes(6))
    draft = planned(school, bounded=1)
    assert draft.is_verified
    assert {row[4] for row in draft.tables["classes"]} == {5}
    assert "In two weeks 50 classes are not covered: the most of 8 replicas is reached." in map(str, draft.risks)
    assert PLANNER.draw(draft, "gantt")["data"][-1]["marker"]["color"] == PALETTE[9]  # red


def test_without_a_timetable_the_week_is_learned(school: Publication) -> None:
    draft = planned(school)
    (drawn,) = PLANNER.draw(draft, "gantt")["data"]
    steps = draft.content["steps"]
    assert drawn["y"] == [count for _start, _end, count in steps] + [steps[-1][2]]  # each its height, until the end
    assert drawn["x"] == [start for start, _end, _count in steps] + [steps[-1][1]]
    assert len(set(drawn["y"])) > 1
    assert draft.is_verified
    assert "by the week's own pattern" in str(draft.says[0])
    assert max(row[2] for row in draft.tables["steps"]) == 13
    assert draft.tables["classes"] == []


@pytest.mark.parametrize(
    ("days", "told"),
    [
        pytest.param(7, "In the coming week 25 classes", id="bills are a week late"),
        pytest.param(8, "In the week from 2026-10-05 on, which is over, 25 classes", id="they ended before it"),
    ],
)
def test_a_plan_of_bills_that_ended_long_ago_does_not_speak_of_the_coming_week(
    school: Publication, days: int, told: str
) -> None:
    bring(classes(8))
    (case,) = [case for case in PLANNER.read(school, NOW + timedelta(days=days)) if not case.withheld]
    draft = PLANNER.make(case.data, PLANNER.defaults)
    assert str(draft.says[0]).startswith(told)
    assert draft.billed_until == date(2026, 10, 4)


def test_a_timetable_is_brought_on_the_page_at_the_terminal_and_by_programs(
    school: Publication, tmp_path: Path
) -> None:
    han = Client()
    han.force_login(User.objects.get(username="han"))
    assert "Timetable of classes" in han.get("/plans/timetable/").content.decode()
    file = SimpleUploadedFile("t.csv", classes(6))
    told = han.post("/plans/timetable/", {"action": "bring", "table": file})
    assert told.status_code == 302, told.content.decode()
    wrong = SimpleUploadedFile("t.csv", f"{HEAD}\nm,c,soon,x,1\n".encode())
    refused = han.post("/plans/timetable/", {"action": "bring", "table": wrong})
    assert refused.status_code == 400
    assert "line 2, column start" in refused.content.decode()
    assert han.post("/plans/timetable/", {"action": "bring"}).status_code == 400
    told = han.post("/api/v1/plans/timetable/table/?name=own", classes(7), content_type="text/csv")
    assert (told.status_code, told.json()["told"][:11]) == (201, "175 classes")
    assert han.post("/api/v1/plans/pools/table/", b"x", content_type="text/csv").status_code == 404
    path, out = tmp_path / "t.csv", StringIO()
    path.write_bytes(classes(6))
    call_command("plans", "bring", "timetable", str(path), stdout=out)
    assert out.getvalue().startswith("150 classes, version ")
    assert Timetable.objects.count() == 3
