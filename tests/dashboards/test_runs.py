"""The page of runs: steps, runs with what they cost and what to do, and what staff ask of the machine there."""

import pytest

from apps.dashboards.running import ADVICE
from apps.dashboards.words import STEPS
from apps.pipeline import retries
from apps.pipeline.models import StepRun
from apps.pipeline.steps import NAMES
from tests.dashboards import company


@pytest.fixture
def rung(monkeypatch):
    """How often a worker was woken; none listens here."""
    from apps.dashboards import run_views

    bells = []
    monkeypatch.setattr(run_views, "ring", lambda: bells.append(1))
    return bells


def failed(**given) -> StepRun:
    facts = {
        "step": "normalize", "source": "bill", "key": "normalize bill", "state": "failed", "failure": "refused",
        "attempt": 2, "asked_at": company.MOMENT, "started_at": company.MOMENT, "finished_at": company.MOMENT,
        "cost_in": {"CNY": "1234.5"}, "cost_out": {"CNY": "1200"}, "message": "bill-10.csv, line 7: no amount",
    }  # fmt: skip
    return StepRun.objects.create(**(facts | given))


def test_every_step_and_every_failure_has_its_words():
    assert tuple(STEPS) == NAMES
    assert set(ADVICE) == {retries.UNAVAILABLE, retries.REFUSED, retries.CRASHED, retries.QUARANTINED}


def test_a_failure_says_what_is_wrong_what_it_cost_and_what_to_do(people, client_of):
    failed()
    body = client_of("finance").get("/runs/").content.decode()
    for told in ("bill-10.csv, line 7: no amount", "1,234.50 CNY", "1,200.00 CNY", "Mend what the message names"):
        assert told in body
    assert ">Retry<" not in body  # finance looks, staff retries


@pytest.mark.parametrize(
    ("query", "count"),
    [("", 4), ("?state=failed", 1), ("?step=publish", 0), ("?source=bill&state=done", 1), ("?source=nobody", 0)],
)
def test_runs_are_filtered(people, client_of, query, count):
    company.sources()
    body = client_of("finance").get(f"/runs/progress/{query}").content.decode()
    assert body.count('<th scope="row">') == count
    assert client_of("finance").get("/runs/?state=sleeping").status_code == 400


def test_staff_retry_a_failed_run_once(people, client_of, rung):
    run = failed()
    staff = client_of("staff")
    assert staff.post("/runs/fill/", {"run": run.pk}).status_code == 302
    assert list(StepRun.objects.filter(key=run.key).values_list("state", flat=True).order_by("pk")) == [
        "failed", "waiting",
    ]  # fmt: skip
    assert rung == [1]
    assert staff.post("/runs/fill/", {"run": run.pk}).status_code == 409  # a newer one is at hand
    assert staff.post("/runs/fill/", {"run": "x"}).status_code == 409
    assert client_of("finance").post("/runs/fill/", {"run": run.pk}).status_code == 403


def test_filling_now_waits_for_nothing_that_failed_lately(people, client_of, rung):
    from apps.ingest.models import Source
    from apps.pipeline import due
    from apps.pipeline.services import tick

    Source.objects.create(name="bill", kind="focus", location="/nowhere", created_at=company.MOMENT)
    (work,) = due.land(due.Ask(company.MOMENT))
    failed(step=work.step, key=work.key, source=work.source, fingerprint=work.fingerprint)
    tick(now=company.MOMENT)  # the clock lets it rest a while
    assert not StepRun.objects.filter(key="land bill", state="waiting").exists()
    assert client_of("staff").post("/runs/fill/").status_code == 302
    assert StepRun.objects.filter(key="land bill", state="waiting").exists()
