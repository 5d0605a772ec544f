"""Sources and runs: their state, what is wrong with them, and how far the machine has come."""

import re
from datetime import timedelta

import pytest

from apps.dashboards import sources
from apps.finops.problems import Problem
from apps.pipeline.models import StepRun
from tests.dashboards import company


@pytest.fixture
def body(people, client_of) -> str:
    company.sources()
    return client_of("staff").get("/sources/").content.decode()


def test_a_refused_file_is_named_with_line_and_column(body):
    assert "bill-10.csv, line 7, column BilledCost" in body
    assert "1 refused" in body


def test_an_address_is_shown_without_its_credentials(body):
    assert "https://prometheus.example/api" in body
    assert not any(secret in body for secret in ("reader", "secret", "token=1"))


def test_a_message_from_a_file_is_shown_as_text(body):
    assert "<script>alert" not in body
    assert "\u202e" not in body


@pytest.mark.parametrize(
    ("severities", "active", "received", "state"),
    [
        pytest.param([], True, True, "ok", id="healthy"),
        pytest.param(["note"], True, True, "ok", id="a note is no trouble"),
        pytest.param(["note", "warning"], True, True, "warning", id="a warning needs a look"),
        pytest.param(["warning", "error"], True, True, "error", id="an error has failed"),
        pytest.param([], True, False, "empty", id="nothing received"),
        pytest.param(["error"], False, True, "paused", id="switched off"),
    ],
)
def test_the_state_of_a_source(people, severities, active, received, state):
    from apps.dashboards.sources import sources_page
    from apps.ingest.models import LandedFile, Source

    source = Source.objects.create(name="s", kind="focus", location="/x", is_active=active, created_at=company.MOMENT)
    problems = [{"severity": severity, "code": "c", "subject": "f", "message": "m"} for severity in severities]
    if received:
        LandedFile.objects.create(
            source=source,
            path="f",
            revision=1,
            sha256="0" * 64,
            size=1,
            modified_ns=0,
            state="current",
            rows=5,
            contents=[{"window": "2026-09", "days": ["2026-09-29", "2026-09-30"], "rows": 5}],
            problems=problems,
            delivery=1,
            landed_at=company.MOMENT,
        )
    (row,) = sources_page(company.MOMENT).sources
    assert (row.state, row.rows, str(row.last_day)) == (state, *((5, "2026-09-30") if received else (0, "None")))


def test_a_failure_is_forgotten_once_the_step_is_done(people):
    from apps.dashboards.sources import sources_page
    from apps.pipeline.models import StepRun

    company.sources()
    assert next(row for row in sources_page(company.MOMENT).sources if row.name == "bill").state == "error"
    later = company.MOMENT + timedelta(hours=1)
    StepRun.objects.create(
        step="normalize",
        source="bill",
        key="normalize bill failed",
        state="done",
        asked_at=later,
        started_at=later,
        finished_at=later,
    )
    company.LandedFile.objects.filter(state="refused").delete()
    assert next(row for row in sources_page(company.MOMENT).sources if row.name == "bill").state == "ok"


def test_the_same_thing_in_many_places_is_said_once(people):
    from apps.dashboards.sources import sources_page
    from apps.pipeline.models import StepRun

    problems = [{"severity": "warning", "code": "c", "subject": f"node {n}", "message": "No usage."} for n in range(9)]
    StepRun.objects.create(
        step="allocate",
        key="allocate",
        state="done",
        asked_at=company.MOMENT,
        started_at=company.MOMENT,
        problems=problems,
    )
    (found,) = sources_page(company.MOMENT).problems
    assert (found.count, found.first, len(found.more)) == (9, ("node 0", "node 1", "node 2"), 6)


@pytest.mark.parametrize(
    ("messages", "told"),
    [
        pytest.param(["a", "b", "c"], [("a", 0), ("b", 0), ("c", 0)], id="few are told one by one"),
        pytest.param(["a", "b", "c", "d", "d"], [("a", 4)], id="many are told as the first and others like it"),
    ],
)
def test_much_of_the_same_kind_is_said_once_with_a_way_to_see_it_all(messages, told):
    problems = [Problem("warning", "unpriced", f"node {n}", message) for n, message in enumerate(messages)]
    found = sources.grouped([*problems, Problem("error", "other", "bill", "e")])
    assert [(one.message, one.alike_count) for one in found] == [("e", 0), *told]
    listed = [*((one.first[0], one.message) for one in found), *found[-1].alike]
    assert sorted(listed) == sorted([("bill", "e"), *((one.subject, one.message) for one in problems)])


def test_progress_counts_the_work_at_hand(people):
    company.sources()
    found = sources.news(company.MOMENT)
    counts = {name: found[name] for name in ("waiting", "running", "done", "failed", "total", "finished", "is_active")}
    assert counts == {
        "waiting": 1, "running": 1, "done": 1, "failed": 1, "total": 4, "finished": 2, "is_active": True
    }  # fmt: skip
    assert [run["state"] for run in found["runs"]] == ["running", "waiting", "failed", "done"]
    assert found["runs"][2]["duration"] == "75 seconds"
    assert found["runs"][0]["window"] == "1 Sep 2026 – 30 Oct 2026"


def test_runs_ask_for_themselves_and_are_sent_when_they_changed(people, client_of):
    company.sources()
    StepRun.objects.filter(state="running").delete()  # it would last longer each time
    client = client_of("staff")
    (address,) = re.findall(r'hx-get="([^"]+)"', client.get("/sources/").content.decode().partition("<main")[2])
    assert client.get(address).status_code == 204
    StepRun.objects.filter(state="waiting").update(state="done", finished_at=company.MOMENT)
    answer = client.get(address)
    assert "Nothing is running." in answer.content.decode()
    assert address not in answer.content.decode()


def test_nothing_has_run(people, client_of):
    body = client_of("staff").get("/sources/progress/").content.decode()
    assert "Nothing is running." in body
    assert "Nothing has run yet." in body


def test_damaged_files_are_told(published, client_of):
    from apps.ingest.models import ScrubbedFile

    ScrubbedFile.objects.create(path="lake/charges/<b>", checked_at=company.MOMENT, damage="missing")
    ScrubbedFile.objects.create(path="landing/ab/abc", checked_at=company.MOMENT)
    body = client_of("finance").get("/sources/").content.decode()
    assert "Files that are no longer what they were" in body
    assert "lake/charges/&lt;b&gt;" in body
    assert "landing/ab" not in body


def test_a_late_source_is_told(home, people, client_of):
    from apps.ingest.models import Source

    Source.objects.create(
        name="slow", kind="focus", location="/x", options={"late_after": "1"}, created_at=company.MOMENT
    )
    body = client_of("finance").get("/sources/").content.decode()
    assert ">Late<" in body
    assert "it is due after 1 hours" in client_of("finance").get("/quality/").content.decode()
