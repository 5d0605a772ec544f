"""A fill from files to a publication: what is done, what is done again, and what is left alone."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from apps.finops.steps import QUEUES, StepResult
from apps.finops.windows import Window
from apps.ingest.models import Source
from apps.insights.models import AnomalyRun, ForecastRun, IdleRun
from apps.pipeline import leases, services
from apps.pipeline.models import Clock, FilledDay, StepRun
from apps.pipeline.selectors import last_fill, progress, recent_runs
from apps.pipeline.services import fill
from apps.pipeline.steps import STEPS
from apps.pipeline.work import Work
from apps.teams.services import import_teams
from apps.warehouse import fencing
from tests.pipeline import school
from tests.pipeline.world import NOW, OCTOBER
from tests.worlds import FOUND

pytestmark = pytest.mark.django_db


def done(report) -> list[str]:
    return [f"{run.key} {run.state}" for run in report.runs]


FIRST_FILL = [
    "land bill done", "land hours done", "normalize bill done", "meter hours done",
    "allocate 2026-10-01..2026-10-04 done", "publish 2026-10-01..2026-10-04 done", *(f"{step} done" for step in FOUND),
]  # fmt: skip


def test_the_first_fill_goes_from_files_to_a_publication(a_school):
    report = fill(now=NOW)
    assert sorted(done(report)) == sorted(FIRST_FILL)
    assert (report.failed, report.errors) == ((), ())
    costs = a_school.costs()
    assert sum(costs.values()) == school.total(3) == Decimal("7.50")
    # 3 of 4 cores and 3 of 16 GiB of a node with 48 units: 27/48 of 1.20
    assert costs["2026-10-01", "live", "direct", "live-1", "CNY"] == Decimal("0.675")
    assert costs["2026-10-01", "live", "direct", "", "CNY"] == Decimal("0.06")


def test_filling_again_changes_nothing(a_school):
    fill(now=NOW)
    before, costs, filled = a_school.publications(), a_school.costs(), list(FilledDay.objects.values_list())
    for hours in range(1, 4):
        report = fill(now=NOW + timedelta(hours=hours))
        assert done(report) == ["land bill done", "land hours done"]
    assert (a_school.publications(), a_school.costs()) == (before, costs)
    assert list(FilledDay.objects.values_list()) == filled


def test_more_days_fill_only_those_days(a_school):
    fill(now=NOW)
    a_school.write_bill("2026-10b.csv", OCTOBER + timedelta(days=3), 2)
    a_school.write_usage(OCTOBER + timedelta(days=3), 2)
    report = fill(now=NOW)
    assert "allocate 2026-10-04..2026-10-06 done" in done(report)
    assert sum(a_school.costs().values()) == school.total(5)
    assert len(a_school.publications()) == 2


def test_a_worker_that_was_taken_over_commits_nothing(a_school):
    """Whatever the step: one that wakes up late would set what was found since back to an older publication."""
    fill(now=NOW)
    now = NOW + timedelta(days=1)
    for step in STEPS:
        if step.after and step.name in FOUND and step.name != "verify":  # which found nothing here to measure
            with fencing.held_while(lambda: False), pytest.raises(fencing.TakenOver):
                step.run(Work(step.name), now)


def test_more_of_today_publishes_and_nothing_is_learned_from_it(a_school):
    """What learns looks at days that are over: found in an earlier publication, it stands in the newest as well."""
    evening, fourth = datetime(2026, 10, 4, 20, tzinfo=ZoneInfo("Asia/Shanghai")), OCTOBER + timedelta(days=3)
    fill(now=evening)
    runs = {kind: kind.objects.get().pk for kind in (ForecastRun, AnomalyRun, IdleRun)}
    for hour, price in enumerate(("1.20", "2.40"), start=1):
        a_school.write_bill("2026-10b.csv", fourth, 1, node_price=price)
        report = fill(now=evening + timedelta(hours=hour))
        assert sorted(_found(report)) == ["alert", "anomalies", "budgets", "forecast", "idle"]
        assert {kind: kind.objects.get(publication=report.publication).pk for kind in runs} == runs
        assert sum(a_school.costs().values()) == school.total(3) + school.total(1, node_price=price)

    a_school.write_bill("2026-10.csv", OCTOBER, 3, node_price="9.99")
    assert sorted(_found(fill(now=evening + timedelta(hours=3)))) == sorted(FOUND), "a day that is over changed"
    assert sorted(_found(fill(now=evening + timedelta(days=1)))) == sorted(FOUND), "today is over"


def _found(report) -> list[str]:
    return [run.step for run in report.runs if run.step in FOUND]


def test_a_restated_bill_replaces_the_days_it_bills(a_school):
    fill(now=NOW)
    a_school.write_bill("2026-10.csv", OCTOBER, 3, node_price="9.99")
    fill(now=NOW)
    assert sum(a_school.costs().values()) == school.total(3, node_price="9.99")


def test_new_rules_allocate_everything_again(a_school):
    fill(now=NOW)
    rules = a_school.folder / "teams.yaml"
    rules.write_text(school.TEAMS.replace("live: 60, data: 40", "live: 10, data: 90"), encoding="utf-8")
    import_teams(rules, NOW)
    assert done(fill(now=NOW))[2:] == FIRST_FILL[4:]
    assert a_school.costs()["2026-10-01", "live", "direct", "", "CNY"] == Decimal("0.01")


ASKED = {
    "one step of all sources": ({"steps": ["land"]}, ["land bill", "land hours"]),
    "one step of one source": ({"steps": ["land"], "sources": ["bill"]}, ["land bill"]),
    "one source, and what follows from it": ({"sources": ["bill"]}, ["land bill"]),
    "a step that is not due": ({"steps": ["publish"]}, ["publish 2026-10-01..2026-10-04"]),
    "a window that is not due": (
        {"window": Window(date(2026, 10, 2), date(2026, 10, 3))},
        ["land bill", "land hours", "allocate 2026-10-02..2026-10-03", "publish 2026-10-02..2026-10-03", *FOUND],
    ),
    "days nobody knows": ({"steps": ["publish"], "window": Window(date(2027, 1, 1), date(2027, 1, 2))}, []),
}


def test_what_is_asked_for_is_done(a_school):
    fill(now=NOW)
    costs = a_school.costs()
    for sentence, (ask, expected) in ASKED.items():
        assert done(fill(now=NOW, **ask)) == [f"{key} done" for key in expected], sentence
    assert a_school.costs() == costs


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        pytest.param(
            {"sources": ["bil"]}, r"There is no source bil\. There are: bill, hours\.", id="an unknown source"
        ),
        pytest.param({"steps": ["mete"]}, "There is no step mete", id="an unknown step"),
    ],
)
def test_an_unknown_name_is_refused(a_school, ask, message):
    with pytest.raises(services.UnknownName, match=message):
        fill(now=NOW, **ask)
    assert not StepRun.objects.exists()


def test_one_bad_source_does_not_stop_the_others(a_school):
    (a_school.folder / "bills" / "broken.csv").write_text("BilledCost\n1.2.3\n")
    Source.objects.create(name="gone", kind="focus", location=str(a_school.folder / "gone"), created_at=NOW)
    report = fill(now=NOW)
    assert [run.key for run in report.failed] == ["land gone"]
    assert [problem["subject"].startswith("broken.csv") for problem in report.errors]
    assert sum(a_school.costs().values()) == school.total(3)


def test_a_fault_in_one_step_fails_that_run_with_its_message(a_school, monkeypatch):
    def fail(*_arguments: object, **_options: object) -> StepResult:
        raise ZeroDivisionError("one of our own")

    monkeypatch.setattr(services.BY_NAME["normalize"].run.__globals__["ingest"], "normalize", fail)
    report = fill(now=NOW)
    assert [(run.key, run.failure, run.message) for run in report.failed] == [
        ("normalize bill", "crashed", "ZeroDivisionError: one of our own")
    ]
    assert "meter hours done" in done(report)
    monkeypatch.undo()
    assert fill(now=NOW).failed == ()
    assert sum(a_school.costs().values()) == school.total(3)


def test_an_interrupted_run_waits_for_the_next_fill(a_school, monkeypatch):
    def interrupt(*_arguments: object) -> StepResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(services.BY_NAME["land"].run.__globals__["ingest"], "land", interrupt)
    with pytest.raises(KeyboardInterrupt):
        fill(now=NOW)
    assert set(StepRun.objects.values_list("state", "attempt")) == {("waiting", 0)}
    monkeypatch.undo()
    fill(now=NOW, steps=["land"])
    assert set(StepRun.objects.values_list("key", "state")) == {("land bill", "done"), ("land hours", "done")}


def test_what_a_worker_does_after_losing_its_lease_does_not_count(a_school):
    fill(now=NOW, steps=["land", "normalize", "meter"])
    services.ask_for(list(services.BY_NAME["allocate"].due(services.Ask(NOW))), NOW)
    slow = leases.claim()
    StepRun.objects.filter(pk=slow.pk).update(lease_until=NOW - timedelta(days=9999))
    quick = leases.claim()
    assert quick.pk == slow.pk
    services.execute(slow, NOW)
    slow.refresh_from_db()
    assert (slow.state, slow.worker, FilledDay.objects.count()) == ("running", quick.worker, 0)
    services.execute(quick, NOW)
    assert StepRun.objects.get(pk=quick.pk).state == "done"
    fill(now=NOW)
    assert sum(a_school.costs().values()) == school.total(3)


def test_the_clock_looks_at_sources_when_their_time_has_come(a_school):
    assert services.tick(now=NOW)
    assert [run.key for run in recent_runs()] == ["land hours", "land bill"]
    assert progress().waiting == 2
    assert not services.work(now=NOW, seconds=60)
    assert sorted(f"{run.key} {run.state}" for run in recent_runs()) == sorted(FIRST_FILL)
    assert not services.tick(now=NOW + timedelta(minutes=59))
    assert services.tick(now=NOW + timedelta(minutes=60))
    assert (last_fill().looked_at, last_fill().failed) == (NOW + timedelta(minutes=60), None)
    assert Clock.objects.count() == 1


def test_a_clock_that_jumped_a_day_ahead_and_back_mutes_no_source(a_school):
    assert services.tick(now=NOW + timedelta(days=1))
    StepRun.objects.update(state=StepRun.State.DONE, finished_at=NOW)
    assert services.tick(now=NOW)
    StepRun.objects.update(state=StepRun.State.DONE, finished_at=NOW)
    assert not services.tick(now=NOW + timedelta(minutes=1))


def test_workers_of_queues_hand_on_to_one_another(a_school):
    services.tick(now=NOW)
    assert services.at_hand() == {"io": 2}
    rung = []

    def work_of(queue):
        rung.clear()
        services.work(now=NOW, seconds=60, queue=queue, on_more=lambda: rung.append(services.at_hand()))
        return rung[-1:] or [None]

    assert work_of("learn") == [None], "who did nothing rings nobody"
    assert work_of("io") == [{"compute": 2}]
    assert work_of("compute") == [{"learn": 1}]
    assert StepRun.objects.filter(state="done", step="publish").exists()
    work_of("learn")
    work_of("io")
    assert services.at_hand() == {}
    assert sorted(f"{run.key} {run.state}" for run in recent_runs()) == sorted(FIRST_FILL)
    assert sum(a_school.costs().values()) == school.total(3)


def test_a_worker_that_is_told_no_queue_serves_all_of_them():
    from costops.celery import app

    app.loader.import_default_modules()
    assert {queue.name for queue in app.amqp.queues.consume_from.values()} == set(QUEUES)
    routed = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks if name.startswith("apps.")}
    assert set(routed.values()) == set(QUEUES)
    assert routed["apps.channels.tasks.deliver"] == "io"


def test_a_bell_that_kills_its_worker_is_not_handed_to_the_next_one():
    """Only the pipeline counts attempts; for all else beat rings again."""
    from costops.celery import app

    app.loader.import_default_modules()
    own = {name: task for name, task in app.tasks.items() if name.startswith("apps.")}
    assert all(task.acks_late for task in own.values())
    again = {name for name, task in own.items() if task.reject_on_worker_lost}
    assert again == {"apps.pipeline.tasks.tick", "apps.pipeline.tasks.run_due"}
    rung = {bell["task"] for bell in app.conf.beat_schedule.values()}
    assert own.keys() - rung == {"apps.pipeline.tasks.run_due"}


def test_a_fill_at_the_terminal_looks_at_sources_too(a_school):
    assert last_fill().looked_at is None
    fill(now=NOW)
    assert last_fill().looked_at == NOW


def test_the_clock_goes_on_where_a_worker_died(a_school):
    services.tick(now=NOW)
    leases.claim()
    StepRun.objects.filter(state="running").update(lease_until=NOW - timedelta(days=9999))
    assert services.tick(now=NOW + timedelta(minutes=1))
    services.work(now=NOW, seconds=60)
    assert set(StepRun.objects.values_list("state", flat=True)) == {"done"}
    assert sum(a_school.costs().values()) == school.total(3)


def test_work_that_takes_long_is_handed_on(a_school):
    services.tick(now=NOW)
    rings = 1
    while services.work(now=NOW, seconds=0):
        rings += 1
    assert rings >= len(FIRST_FILL)
    assert sum(a_school.costs().values()) == school.total(3)


def test_the_command_tells_what_it_did(a_school):
    out = StringIO()
    call_command("fill", stdout=out)
    assert "Publication" in out.getvalue()
    for word in ("allocate", "2026-10-01 .. 2026-10-04", "7.50 CNY"):
        assert word in out.getvalue()


def test_on_a_terminal_a_bar_counts_the_runs(a_school):
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    out = Terminal()
    call_command("fill", stdout=out)
    shown = out.getvalue()
    assert "all runs" in shown
    assert "land bill: done" in shown
    assert f"{len(FIRST_FILL)}/{len(FIRST_FILL)}" in shown


def test_the_command_names_a_refused_file(a_school):
    (a_school.folder / "bills" / "broken.csv").write_text("BilledCost\n1.2.3\n")
    with pytest.raises(CommandError, match=r"broken\.csv"):
        call_command("fill", "--step", "land", "--step", "normalize", stdout=StringIO())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["--start", "2026-10-01"], "--start and --end go together", id="half a window"),
        pytest.param(
            ["--start", "2026-10-01", "--end", "2026-10-01"], "a window ends after it starts", id="an empty window"
        ),
        pytest.param(["--start", "1.10.2026"], "is no day", id="a date written another way"),
        pytest.param(["--source", "nobody"], "There is no source nobody", id="an unknown source"),
        pytest.param(["--step", "dance"], "invalid choice", id="an unknown step"),
    ],
)
def test_the_command_refuses_what_it_does_not_understand(arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("fill", *arguments, stdout=StringIO())
