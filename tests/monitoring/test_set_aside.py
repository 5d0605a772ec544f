"""Work that is set aside since workers died of it: told in numbers until it is done, or fails otherwise."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.ingest.models import Source
from apps.monitoring.metrics import GAUGES
from apps.pipeline.models import StepRun
from apps.pipeline.steps import NAMES

pytestmark = pytest.mark.django_db
(SET_ASIDE,) = (gauge for gauge in GAUGES if gauge.name == "runs_set_aside")
ASIDE = {"state": "failed", "failure": "quarantined"}
DONE = {"state": "done"}


def told():
    numbers = {step: number for (step,), number in SET_ASIDE.rows()}
    assert numbers.keys() >= set(NAMES), "zero is told too"
    return {step: number for step, number in numbers.items() if number}


def run(days_ago=0, **given):
    ended = timezone.now() - timedelta(days=days_ago)
    StepRun.objects.create(**{"step": "plan", "key": "plan", "asked_at": ended, "finished_at": ended} | given)


@pytest.mark.parametrize(
    ("runs", "number"),
    [
        pytest.param([DONE], 0, id="all is well"),
        pytest.param([ASIDE], 1, id="workers died of it"),
        pytest.param([ASIDE | {"days_ago": 1}, ASIDE], 1, id="and of the next try, a day later"),
        pytest.param([ASIDE, ASIDE | {"key": "plan b"}], 2, id="two pieces of work"),
        pytest.param([ASIDE, {"state": "running", "finished_at": None}], 1, id="it is being tried again"),
        pytest.param([ASIDE, DONE], 0, id="it was done since"),
        pytest.param([ASIDE, DONE | {"key": "plan b"}], 0, id="done under another key"),
        pytest.param([ASIDE, DONE | {"key": "plan bill", "source": "bill"}], 1, id="another source was done"),
        pytest.param([ASIDE, {"state": "failed", "failure": "refused"}], 0, id="it fails otherwise since"),
        pytest.param([{"state": "failed", "failure": "crashed"}], 0, id="it failed, and no worker died"),
        pytest.param([ASIDE | {"days_ago": 14.1}], 0, id="long ago, and not asked for again"),
        pytest.param([ASIDE | {"days_ago": 13.9}], 1, id="a little less long ago"),
    ],
)
def test_work_that_is_set_aside_is_told_until_it_is_made_good(runs, number):
    for given in runs:
        run(**given)
    assert told() == ({"plan": number} if number else {})


def test_work_of_a_source_that_is_looked_at_no_more_is_not_told():
    Source.objects.create(name="bill", kind="focus", is_active=False, created_at=timezone.now())
    run(**ASIDE | {"step": "land", "key": "land bill", "source": "bill"})
    run(**ASIDE | {"step": "land", "key": "land shop", "source": "shop"})
    assert told() == {"land": 1}
