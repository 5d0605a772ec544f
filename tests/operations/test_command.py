"""Recommendations at the terminal, and when the pipeline looks for them."""

import csv
import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.insights.models import WorklistDecision
from apps.marts.models import Publication
from apps.operations import deciding
from apps.operations.deciding import Step
from apps.pipeline import due
from apps.pipeline.due import Ask
from apps.pipeline.models import StepRun
from tests.operations.worlds import ANYBODY, NOW, a_finding, hire, history, one, recommend

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("recommendations", *words, stdout=out)
    return out.getvalue()


def test_the_terminal_lists_shows_and_takes_steps():
    hire()
    recommend(a_finding(at_stake="vm"), a_finding("disk-2", at_stake="vm", saving_per_month=Decimal(40)))
    number = str(one().pk)

    rows = list(csv.DictReader(io.StringIO(said("list", "--format", "csv"))))
    assert [(row["title"], row["counted"]) for row in rows] == [
        ("Delete disk-1", "100.000000000001"), ("Delete disk-2", ""),
    ]  # fmt: skip
    assert "100.00 CNY a month together" in said("list")
    assert (
        said("step", number, "decline", "--why", "kept", "--as", "lilei") == f"Recommendation {number} is declined.\n"
    )
    shown = said("show", number)
    assert "Nobody read it since 2026-10-01" in shown
    assert "By default the lead of live" in shown
    assert [row["number"] for row in csv.DictReader(io.StringIO(said("list", "--state", "declined", "--format", "csv")))
            ] == [number]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "refusal"),
    [
        pytest.param(["show", "999"], "no recommendation 999", id="none such"),
        pytest.param(["step", "999", "accept"], "no recommendation 999", id="a step with none such"),
    ],
)
def test_what_is_not_there_is_said(words, refusal):
    with pytest.raises(CommandError, match=refusal):
        said(*words)


def test_as_a_user_one_has_their_rights():
    hire()
    recommend(a_finding())
    with pytest.raises(CommandError, match="members of live, or finance"):
        said("step", str(one().pk), "accept", "--as", "meimei")
    assert history()[-1] == "machine: assign → assigned"


def works(days: int = 0) -> list[str]:
    return [work.key for work in due.recommend(Ask(NOW + timedelta(days=days)))]


def test_the_pipeline_looks_when_days_or_decisions_changed_and_when_something_slept_long_enough():
    assert works() == [], "nothing is published"
    recommend(a_finding())
    (work,) = due.recommend(Ask(NOW))
    StepRun.objects.create(
        step="recommend", key=work.key, fingerprint=work.fingerprint, state=StepRun.State.DONE, asked_at=NOW
    )

    assert works(days=9) == [], "it was looked through already"
    deciding.take([one()], Step("snooze", until=date(2026, 11, 10)), by=ANYBODY, now=NOW)
    assert (works(days=7), works(days=8)) == ([], ["recommend"])
    assert [work.key for work in due.recommend(Ask(NOW, forced=frozenset({"recommend"})))] == ["recommend"]
    Publication.objects.create(created_at=NOW, versions={}, ruleset=1, status="final")
    assert works() == [], "another publication of the same days"
    WorklistDecision.objects.create(subject="shared", title="shared", is_dismissed=True, by="han", at=NOW)
    assert works() == ["recommend"]
