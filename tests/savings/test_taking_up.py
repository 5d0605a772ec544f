"""What was recommended and done is taken into the ledger by itself, once each time it was done, and undone with it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import DataError, OperationalError

from apps.finops.findings import Sentence
from apps.operations import deciding
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.savings import selectors, services
from apps.savings.models import Initiative, Measurement
from apps.savings.statements import read_statement
from apps.teams.models import Team
from tests.operations.worlds import ANYBODY, a_finding, recommend
from tests.savings.ledgers import BEFORE, END, FINANCE, NOW, START, given, publish, stated

pytestmark = pytest.mark.django_db
OSS = ("live", "OSS")
DAY = timedelta(days=1)
State = Initiative.State


@pytest.fixture(autouse=True)
def _home(home):
    """Every test has a lake of its own."""


def do(one: Recommendation, **days: date) -> None:
    """Take steps with a recommendation, each on its day."""
    for action, day in days.items():
        deciding.take(
            [one], Step(action, why="so"), by=ANYBODY, now=datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        )


def a_verified_recommendation() -> tuple[Recommendation, Initiative]:
    """Done when the cost of storage fell, taken up and verified by itself."""
    recommend(a_finding(scope={"team": "live", "service": "OSS"}, saving_per_month=Decimal(4000)), days=-70)
    publish({OSS: 0.75})
    done = Recommendation.objects.get()
    do(done, accept=START, finish=START)
    services.verify(now=NOW)
    done.refresh_from_db()
    assert done.state == "verified"
    return done, Initiative.objects.get()


def look_again(*, left: float = 0.74, now: datetime = NOW) -> None:
    """A restated bill: everything that is live is measured anew."""
    publish({OSS: left})
    services.verify(now=now)


def test_what_people_reverted_is_no_saving_any_more_and_no_bill_brings_it_back():
    done, one = a_verified_recommendation()
    identity = services.identity()
    do(done, revert=END + DAY)
    assert services.identity() != identity

    look_again(now=NOW + 2 * DAY)

    done.refresh_from_db()
    one.refresh_from_db()
    assert (done.state, one.state) == ("reverted", State.REVERTED)
    last = one.steps.order_by("-pk")[0]
    assert (last.by, last.why) == ("", services.UNDONE)
    assert selectors.verified(None, START, END) == {}


def test_of_several_what_people_reverted_stays_so_and_the_rest_is_measured():
    recommend(a_finding("first"), a_finding("second"), days=-70)
    publish({OSS: 0.75})
    undone, done = Recommendation.objects.order_by("pk")
    one = stated(recommendations=f"{undone.pk},{done.pk}")
    for each in (undone, done):
        do(each, accept=START, finish=START)
    do(undone, revert=END)

    services.verify(now=NOW)

    states = [Recommendation.objects.get(pk=each.pk).state for each in (undone, done)]
    one.refresh_from_db()
    assert (one.state, states) == (State.VERIFIED, ["reverted", "verified"])


@pytest.mark.parametrize(
    ("again", "before"),
    [
        pytest.param(("revert", "reopen"), State.REVERTED, id="it was undone in between"),
        pytest.param(("reopen",), State.VERIFIED, id="it was opened again, and what was saved goes on"),
    ],
)
def test_what_is_done_again_is_taken_up_again_from_its_own_day(again, before):
    done, first = a_verified_recommendation()
    later = END + DAY
    do(done, **dict.fromkeys((*again, "accept", "finish"), later))

    for left in (0.74, 0.73):
        look_again(left=left, now=NOW + 2 * DAY)

    done.refresh_from_db()
    first.refresh_from_db()
    second = Initiative.objects.exclude(pk=first.pk).get()
    assert (first.state, second.state, done.state) == (before, State.STATED, "done")
    assert (second.start, second.transition_days) == (later, 0)


@pytest.mark.parametrize("ahead", ["revert", "reopen"])
def test_a_clock_that_was_set_back_takes_nothing_up_twice(ahead):
    done, first = a_verified_recommendation()
    do(done, **dict.fromkeys(("revert", "reopen", "accept", "finish"), END + DAY) | {ahead: END + 9 * DAY})

    for left in (0.74, 0.73):
        look_again(left=left, now=NOW + 2 * DAY)

    assert Initiative.objects.exclude(pk=first.pk).get().state == State.STATED


@pytest.mark.parametrize(
    ("actions", "count"),
    [
        pytest.param((), 1, id="a draft names it: somebody is to state that"),
        pytest.param(("withdraw",), 2, id="the draft was withdrawn"),
        pytest.param(("state", "withdraw"), 1, id="it was stated, and given up"),
    ],
)
def test_what_was_done_is_taken_up_where_nobody_takes_care_of_it(actions, count):
    recommend(a_finding(scope={"team": "live", "service": "OSS"}), days=-70)
    publish({OSS: 0.75})
    done = Recommendation.objects.get()
    Team.objects.create(name="live")
    one = services.write(read_statement(given(recommendations=f"{done.pk}")), by=FINANCE, now=BEFORE)
    for action in actions:
        services.take(one, action, by=FINANCE, now=BEFORE, why="no")
    do(done, accept=START, finish=START)

    services.verify(now=NOW)

    assert Initiative.objects.count() == count


LONG = "/subscriptions/0000/resourcegroups/rg-production/providers/microsoft.compute/disks/pvc-" + "recordings-" * 20


@pytest.mark.parametrize(
    ("title", "days", "transition_days"),
    [
        pytest.param("disk-1", {"start": START + DAY, "finish": START}, 1, id="a clock was set back before the end"),
        pytest.param("disk-1", {"finish": START, "comment": START + 9 * DAY}, 0, id="somebody commented on it later"),
        pytest.param(LONG, {"finish": START}, 0, id="a name longer than its column"),
    ],
)
def test_strange_recommendations_are_taken_up(title, days, transition_days):
    publish({OSS: 0.75})
    recommend(a_finding(scope={"team": "live"}, title=Sentence("Delete %(name)s", {"name": title})), days=-70)
    do(Recommendation.objects.get(), accept=START, **days)

    assert services.verify(now=NOW).problems == ()

    one = Initiative.objects.get()
    assert (one.name, one.start, one.transition_days) == (f"Delete {title}"[:200], START, transition_days)


@pytest.mark.parametrize(
    ("fault", "at_work"),
    [
        pytest.param(DataError("value too long"), "take_up", id="a recommendation the database does not take"),
        pytest.param(ZeroDivisionError("ours"), "_look", id="an initiative we cannot measure"),
    ],
)
def test_what_fails_of_one_keeps_no_other_from_being_measured(monkeypatch, caplog, fault, at_work):
    recommend(a_finding(scope={"team": "live"}), days=-70)
    publish({OSS: 0.75})
    first, second = stated(), stated(name="Second", scope="team=live; service=CDN")
    do(Recommendation.objects.get(), accept=START, finish=END)
    works = getattr(services, at_work)

    def fail(one, *more, **facts):
        if one in (first, Recommendation.objects.first()):
            raise fault
        return works(one, *more, **facts)

    monkeypatch.setattr(services, at_work, fail)

    (problem,) = services.verify(now=NOW).problems

    assert second.measurements.exists()
    assert (problem.severity, problem.code) == ("error", "crashed")
    assert type(fault).__name__ in problem.message
    assert f"{problem.subject}: failed" in caplog.text


def test_a_database_that_is_away_is_no_fault_of_one(monkeypatch):
    publish({OSS: 0.75})
    stated()

    def away(*_given):
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(services, "_look", away)
    with pytest.raises(OperationalError):
        services.verify(now=NOW)


@pytest.mark.parametrize("at_work", ["take_up", "_look"])
def test_a_task_whose_time_is_up_ends_and_blames_none_it_was_at(monkeypatch, at_work):
    recommend(a_finding(scope={"team": "live"}), days=-70)
    publish({OSS: 0.75})
    stated()
    do(Recommendation.objects.get(), accept=START, finish=END)

    def slow(*_given, **_more):
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(services, at_work, slow)
    with pytest.raises(SoftTimeLimitExceeded):
        services.verify(now=NOW)


def test_what_there_is_no_time_for_is_told_and_left_to_the_next_publication(monkeypatch):
    recommend(a_finding(scope={"team": "live"}), days=-70)
    publish({OSS: 0.75})
    one = stated()
    done = Recommendation.objects.get()
    do(done, accept=START, finish=END)

    with monkeypatch.context() as slow:
        slow.setattr(services, "SECONDS", -1)
        told = services.verify(now=NOW).problems

    assert [(problem.code, problem.subject) for problem in told] == [
        ("later", f"recommendation {done.pk}"), ("later", f"initiative {one.pk}"),
    ]  # fmt: skip
    assert not Measurement.objects.exists()
    assert services.verify(now=NOW).problems == ()
    assert one.measurements.exists()
    assert done.initiatives.exists()
