"""The loop closes: what was stated before is measured afterwards, and only what can be told from noise is verified."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DataError, OperationalError

from apps.finops.findings import Sentence
from apps.operations import deciding
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.savings import selectors, services
from apps.savings.models import Initiative, InitiativeStep, Measurement
from apps.savings.statements import read_statement
from apps.savings.timing import milestones
from apps.teams.models import Team
from apps.warehouse import fencing
from tests.operations.worlds import ANYBODY, a_finding, recommend
from tests.savings.ledgers import BEFORE, CELLS, END, FINANCE, NOW, START, costs, given, publish, stated, truth
from tests.worlds import publish_costs

pytestmark = pytest.mark.django_db
OSS = ("live", "OSS")
State = Initiative.State
DAYS = [START + timedelta(days=number) for number in (7, 14, 21, 28, 58)]


@pytest.fixture(autouse=True)
def _home(home):
    """Every test has a lake of its own."""


def verified(change, **more) -> tuple[Initiative, Measurement]:
    """Stated before, measured when all days are published."""
    publish(change)
    one = stated(**more)
    services.verify(now=NOW)
    one.refresh_from_db()
    return one, one.measurements.order_by("-pk")[0]


def do(one: Recommendation, **days: date) -> None:
    """Take steps with a recommendation, each on its day."""
    for action, day in days.items():
        deciding.take(
            [one], Step(action, why="so"), by=ANYBODY, now=datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        )


@pytest.mark.parametrize("left", [pytest.param(0.75, id="a quarter less"), pytest.param(0.88, id="an eighth less")])
def test_a_known_effect_is_verified_within_its_interval(left):
    change = {OSS: left}

    one, found = verified(change)

    actual = truth(change, OSS, START, found.end)
    assert one.state == State.VERIFIED
    assert found.is_final
    assert Decimal(found.lower_text) < Decimal(repr(actual)) < Decimal(found.upper_text)
    assert 0 < Decimal(found.lower_text) < Decimal(found.saving_text)


def test_a_worker_that_was_taken_over_measures_nothing():
    publish({OSS: 0.75})
    one = stated()
    with fencing.held_while(lambda: False), pytest.raises(fencing.TakenOver):
        services.verify(now=NOW)
    assert one.measurements.count() == 0


def test_a_change_that_did_nothing_is_not_verified():
    one, found = verified({})

    assert (one.state, found.verdict) == (State.NOT_VERIFIED, Measurement.Verdict.NOT_SHOWN)
    assert Decimal(found.lower_text) < 0 < Decimal(found.upper_text)
    assert selectors.verified(None, START, END) == {}


def test_what_cost_more_is_told_as_such():
    one, found = verified({OSS: 1.3})

    assert (one.state, found.verdict) == (State.NOT_VERIFIED, Measurement.Verdict.COST_MORE)


def test_cost_that_only_moved_to_another_service_of_the_team_is_no_saving():
    """A quarter of the storage costs 200 a day less, and as much more elsewhere."""
    one, found = verified({OSS: 0.75, ("live", "CDN"): 1 + 0.25 * CELLS[OSS] / CELLS["live", "CDN"]})

    assert one.state == State.NOT_VERIFIED
    assert Decimal(found.content["moved"]) > 0
    assert any("moved" in said["text"] for said in found.content["says"])


def test_controls_are_chosen_by_rule_from_what_it_leaves_alone():
    publish({OSS: 0.75})

    one = stated()

    cells = {(control["team"][0], control["service"][0]) for control in one.controls}
    assert not {cell for cell in cells if cell[0] == "live"}
    assert cells <= set(CELLS)
    assert len(cells) >= 3
    assert 0 < float(one.detectable_text) < 20


def test_days_after_the_start_change_nothing_of_what_was_stated():
    """Controls and what can be detected come of days before the start: hindsight has no part in them."""
    publish()
    first = stated()
    publish({("data", "ECS"): 3.0, OSS: 0.2})

    second = stated(name="again")

    assert (first.controls, first.detectable_text) == (second.controls, second.detectable_text)


def test_measuring_again_changes_nothing_and_a_restated_bill_is_measured_anew():
    one, _ = verified({OSS: 0.75})
    steps, measured = InitiativeStep.objects.count(), Measurement.objects.count()

    assert services.verify(now=NOW).rows == 0
    publish({OSS: 0.75})
    assert services.verify(now=NOW).rows == 0
    assert (InitiativeStep.objects.count(), Measurement.objects.count()) == (steps, measured)

    publish({})
    services.verify(now=NOW)
    one.refresh_from_db()

    assert one.state == State.NOT_VERIFIED
    assert Measurement.objects.count() == measured + 1


def test_while_its_window_runs_it_is_measured_and_nothing_is_concluded():
    publish({OSS: 0.75}, until=START + timedelta(days=15))
    one = stated()

    services.verify(now=NOW)

    one.refresh_from_db()
    found = one.measurements.get()
    assert (one.state, found.is_final, found.end) == (State.STATED, False, START + timedelta(days=14))
    assert selectors.verified(None, START, END) == {}


def test_too_short_a_history_is_said_and_not_guessed():
    rows = [row for row in costs({OSS: 0.75}) if row["day"] >= START - timedelta(days=20)]
    publish_costs(rows)
    one = stated()

    services.verify(now=NOW)

    one.refresh_from_db()
    found = one.measurements.get()
    assert (one.state, found.verdict, found.saving_text) == (State.STATED, Measurement.Verdict.UNKNOWN, "")
    assert "28 days" in found.content["says"][-1]["values"]["why"]


def test_one_stated_after_it_began_gets_no_better_grade_than_c():
    publish({OSS: 0.75})
    one = stated(now=NOW)

    services.verify(now=NOW)

    assert one.measurements.get().grade == "C"


def test_a_recommendation_that_was_done_is_verified_by_what_it_stated_itself(monkeypatch):
    """Nobody wrote an initiative: what was found said what to do, which cost would fall, and by how much."""
    publish({OSS: 0.75})
    scope = {"team": "live", "service": "OSS"}
    recommend(a_finding(scope=scope, saving_per_month=Decimal(4000)), days=-70)
    done = Recommendation.objects.get()
    do(done, accept=START - timedelta(days=2), start=START, finish=START, comment=START + timedelta(days=9))
    publish({OSS: 0.75})

    services.verify(now=NOW)

    done.refresh_from_db()
    one = Initiative.objects.get()
    assert (done.state, one.state) == ("verified", State.VERIFIED)
    assert (one.start, one.promised, list(one.recommendations.all())) == (START, Decimal(4000), [done])
    last = done.steps.order_by("-pk")[0]
    assert (last.by, last.action, "saving" in last.values) == ("", "verify", True)
    assert one.measurements.get().grade != ""


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
    do(done, revert=END)
    assert services.identity() != identity

    look_again()

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
    later = END + timedelta(days=1)
    do(done, **dict.fromkeys((*again, "accept", "finish"), later))

    for left in (0.74, 0.73):
        look_again(left=left, now=NOW + timedelta(days=2))

    done.refresh_from_db()
    first.refresh_from_db()
    second = Initiative.objects.exclude(pk=first.pk).get()
    assert (first.state, second.state, done.state) == (before, State.STATED, "done")
    assert (second.start, second.transition_days) == (later, 0)


def test_a_clock_that_was_set_back_takes_nothing_up_twice():
    done, first = a_verified_recommendation()
    do(done, reopen=END + timedelta(days=9), accept=END, finish=END)

    for left in (0.74, 0.73):
        look_again(left=left)

    assert Initiative.objects.exclude(pk=first.pk).count() == 1


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
    ("title", "started", "start", "transition_days"),
    [
        pytest.param("disk-1", START + timedelta(days=1), START, 1, id="a clock was set back before it was finished"),
        pytest.param(LONG, START, START, 0, id="a name longer than its column"),
    ],
)
def test_strange_recommendations_are_taken_up(title, started, start, transition_days):
    publish({OSS: 0.75})
    recommend(a_finding(scope={"team": "live"}, title=Sentence("Delete %(name)s", {"name": title})), days=-70)
    do(Recommendation.objects.get(), accept=started, start=started, finish=START)

    assert services.verify(now=NOW).problems == ()

    one = Initiative.objects.get()
    assert (one.name, one.start, one.transition_days) == (f"Delete {title}"[:200], start, transition_days)


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


def test_what_promises_nothing_or_names_no_cost_is_not_taken_up():
    publish()
    recommend(a_finding(), a_finding("ask", saving_per_month=Decimal(0), scope={"team": "live"}), days=-70)
    deciding.take(list(Recommendation.objects.all()), Step("accept"), by=ANYBODY, now=NOW)
    deciding.take(list(Recommendation.objects.all()), Step("finish"), by=ANYBODY, now=NOW)

    services.verify(now=NOW)

    assert not Initiative.objects.exists()


def test_a_saving_that_ends_lapses_and_what_it_carried_out_with_it():
    one, _ = verified({OSS: 0.75})
    assert one.state == State.VERIFIED
    later = START + timedelta(days=150)
    saved = [row for row in costs({OSS: 0.75}, until=later) if row["day"] < START + timedelta(days=40)]
    ended = [row for row in costs({}, until=later) if row["day"] >= START + timedelta(days=40)]
    publish_costs([*saved, *ended])

    services.verify(now=NOW + timedelta(days=150))

    one.refresh_from_db()
    assert one.state == State.REVERTED
    assert one.steps.order_by("-pk")[0].action == "lapse"
    assert selectors.verified(None, START, later) == {}


def test_verified_money_of_some_days_adds_up_to_all_of_it():
    _, found = verified({OSS: 0.75})
    middle = START + timedelta(days=11)

    parts = [selectors.verified(None, *days)["CNY"] for days in ((START, middle), (middle, found.end))]

    assert abs(sum(parts) - Decimal(found.saving_text)) <= Decimal("0.01")
    assert selectors.verified(frozenset({"data"}), START, found.end) == {}
    assert selectors.verified(frozenset({"live"}), START, found.end).keys() == {"CNY"}


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(START + timedelta(days=6), [], id="before the first week is over: nothing"),
        pytest.param(START + timedelta(days=7), [START + timedelta(days=7)], id="its first week"),
        pytest.param(START + timedelta(days=27), DAYS[:3], id="three weeks"),
        pytest.param(START + timedelta(days=58), DAYS[:5], id="a month on"),
    ],
)
def test_it_is_measured_every_week_then_every_month_for_a_year(until, expected):
    one = Initiative(start=START, window_days=28)

    assert milestones(one, until) == expected
    assert max(milestones(one, date(2100, 1, 1))) == START + timedelta(days=28 + 360)
