"""The loop closes: what was stated before is measured afterwards, and only what can be told from noise is verified."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from apps.operations import deciding
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.savings import selectors, services
from apps.savings.models import Initiative, InitiativeStep, Measurement
from apps.savings.timing import milestones
from apps.warehouse import fencing
from tests.operations.worlds import ANYBODY, a_finding, recommend
from tests.savings.ledgers import CELLS, END, NOW, START, costs, publish, stated, truth
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


@pytest.mark.parametrize("left", [pytest.param(0.75, id="a quarter less"), pytest.param(0.88, id="an eighth less")])
def test_a_known_effect_is_verified_within_its_interval(left):
    change = {OSS: left}

    one, found = verified(change)

    actual = truth(change, OSS, START, found.end)
    assert one.state == State.VERIFIED
    assert found.is_final
    assert Decimal(found.lower_text) < Decimal(repr(actual)) < Decimal(found.upper_text)
    assert 0 < Decimal(found.lower_text) < Decimal(found.saving_text)


def test_what_has_more_rows_than_a_change_is_searched_in_is_verified(monkeypatch):
    """What prices changed is told without a search: of two teams' storage, that of one service."""
    monkeypatch.setattr("apps.marts.cube.MAX_ROWS", 1)

    one, found = verified({OSS: 0.6, ("data", "OSS"): 0.6}, scope="service=OSS")

    assert one.state == State.VERIFIED
    assert not any("prices" in said["text"] for said in found.content["says"])


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
    for action, day in (("accept", START - timedelta(days=2)), ("start", START), ("finish", START)):
        deciding.take([done], Step(action), by=ANYBODY, now=NOW.replace(month=day.month, day=day.day))
    publish({OSS: 0.75})

    services.verify(now=NOW)

    done.refresh_from_db()
    one = Initiative.objects.get()
    assert (done.state, one.state) == ("verified", State.VERIFIED)
    assert (one.start, one.promised, list(one.recommendations.all())) == (START, Decimal(4000), [done])
    last = done.steps.order_by("-pk")[0]
    assert (last.by, last.action, "saving" in last.values) == ("", "verify", True)
    assert one.measurements.get().grade != ""


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
