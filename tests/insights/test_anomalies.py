"""Anomalies of a published company: what is found, where it belongs, why, and what feedback does to it."""

import csv
import io
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.tables import WORKLOAD_DAYS
from apps.insights.anomalies import feedback, services
from apps.insights.anomalies.belonging import where_they_belong
from apps.insights.anomalies.causes import cause_of
from apps.insights.anomalies.cells import Cells
from apps.insights.anomalies.findings import findings
from apps.insights.anomalies.selectors import NoAnomaly, anomalies, newest_run
from apps.insights.models import Anomaly, AnomalyFeedback, AnomalyRun
from apps.learning.anomalies.describing import Alert
from apps.marts.models import Publication
from apps.marts.query import EVERYTHING, Scope
from apps.teams.approval import Actor, NotYours
from tests.worlds import publish_costs, replace_all

FIRST = date(2026, 9, 7)  # a Monday
NOW = datetime(2026, 10, 20, 3, tzinfo=UTC)
DAYS, STEP = 42, 37
WEEK = (100, 110, 120, 110, 100, 40, 30)
PLACES = (("web", "compute", "gz", "shop"), ("web", "storage", "", ""), ("data", "compute", "gz", "lake"),
          ("data", "storage", "", ""))  # fmt: skip


def world(changed: dict[tuple[str, str], dict[int, str]], *, days: int = DAYS) -> list[dict[str, object]]:
    """Four places that cost much the same every week; `changed` says how many times as much on some days."""
    drawn = random.Random(7)
    rows: list[dict[str, object]] = []
    for number in range(days):
        for team, service, cluster, namespace in PLACES:
            cost = Decimal(WEEK[number % 7]) * Decimal(str(round(1 + drawn.gauss(0, 0.01), 4)))
            factor = Decimal(changed.get((team, service), {}).get(number, "1"))
            rows.append({
                "day": FIRST + timedelta(days=number), "team": team, "service": service, "cluster": cluster,
                "namespace": namespace, "effective_cost": str(cost * factor),
            })  # fmt: skip
    return rows


def stepped(factor: str, first: int = STEP) -> dict[int, str]:
    return dict.fromkeys(range(first, DAYS), factor)


def with_usage(published: Publication, changed: dict[str, dict[int, int]]) -> None:
    """Core-hours of both namespaces: a fifth of the cost of an ordinary day, times what changed."""
    rows = []
    for number in range(DAYS):
        for namespace in ("shop", "lake"):
            hours = Decimal(WEEK[number % 7]) / 5 * changed.get(namespace, {}).get(number, 1)
            empty = {name: Decimal(0) if name[-5:] == "hours" else "" for name in WORKLOAD_DAYS.columns}
            rows.append(empty | {
                "day": FIRST + timedelta(days=number), "cluster": "gz", "namespace": namespace, "workload": "app",
                "cpu_claimed_core_hours": hours,
            })  # fmt: skip
    published.versions = published.versions | {WORKLOAD_DAYS.name: replace_all(WORKLOAD_DAYS, rows)}
    published.save()


def found(**by: str) -> Anomaly:
    return Anomaly.objects.get(**by)


def places() -> set[tuple[str, ...]]:
    return {(one.level, one.team, one.service, one.kind) for one in Anomaly.objects.filter(measure="cost")}


@pytest.fixture
def stepped_storage(db, home):
    """The storage of `data` costs twice as much from the 38th day on, 14 October."""
    publish_costs(world({("data", "storage"): stepped("2")}))
    return services.find(now=NOW)


def test_a_total_that_moved_because_one_place_did_is_one_alert_at_that_place(stepped_storage):
    assert places() == {("team_service", "data", "storage", "step")}
    assert stepped_storage.rows == 1
    one = found()
    assert (one.first_day, one.seen_day, one.last_day) == (date(2026, 10, 14), date(2026, 10, 14), date(2026, 10, 18))
    assert (one.is_going_on, one.is_upward, one.is_by_rule, one.owner) == (True, True, True, "data")


@pytest.mark.parametrize("ahead", [20, 90])
def test_a_fee_dated_ahead_changes_nothing_of_the_days_that_are_over(db, home, ahead):
    fee = {"day": NOW.date() + timedelta(days=ahead), "team": "web", "effective_cost": "5"}
    publish_costs([*world({("data", "storage"): stepped("2")}), fee])
    services.find(now=NOW)

    assert places() == {("team_service", "data", "storage", "step")}
    assert (found().last_day, found().is_going_on) == (date(2026, 10, 18), True)


def test_the_money_so_far_is_exact_actual_less_what_was_expected(stepped_storage):
    """Wednesday to Sunday: 120 + 110 + 100 + 40 + 30 were usual, and came twice."""
    one = found()
    actual = sum(
        Decimal(str(row["effective_cost"])) for row in world({("data", "storage"): stepped("2")})
        if (row["team"], row["service"]) == ("data", "storage") and row["day"] >= date(2026, 10, 14)
    )  # fmt: skip
    assert Decimal(one.actual) == actual.quantize(Decimal("0.000001"))
    assert float(one.expected) == pytest.approx(400, rel=0.04)
    assert Decimal(one.so_far) == Decimal(one.actual) - Decimal(one.expected)
    assert float(one.so_far_low) < 400 < float(one.so_far_high)
    # thirteen days of October are to come, at what the five cost more on average
    assert float(one.month_end) == pytest.approx(float(one.so_far) + 13 * float(one.per_day), rel=1e-6)
    assert float(one.per_day) == pytest.approx(80, rel=0.1)


def test_a_move_of_all_children_is_one_alert_at_their_parent(db, home):
    publish_costs(world({(team, service): stepped("1.5") for team, service, *_ in PLACES}))
    services.find(now=NOW)

    assert places() == {("total", "", "", "step")}
    assert found().owner == ""


def test_a_service_that_became_dearer_for_all_teams_is_one_alert_of_the_service(db, home):
    publish_costs(world({("web", "compute"): stepped("1.5"), ("data", "compute"): stepped("1.5")}))
    services.find(now=NOW)

    ((level, _, service, _),) = places()
    assert (level, service) in {("service", "compute"), ("cluster", "")}
    assert [share for *_, share in found().cause["parts"]] == pytest.approx([0.5, 0.5], abs=0.05)


def test_two_causes_are_two_alerts(db, home):
    publish_costs(world({("web", "storage"): {40: "3"}, ("data", "compute"): stepped("2", 39)}))
    services.find(now=NOW)

    assert {(team, kind) for _, team, _, kind in places() if team} >= {("web", "spike")}
    assert len(places()) == 2


@pytest.mark.parametrize(
    ("usage", "driver"),
    [
        pytest.param({"shop": dict.fromkeys(range(STEP, DAYS), 2)}, "usage", id="twice the cores: usage"),
        pytest.param({}, "price", id="the same cores cost twice as much: price"),
    ],
)
def test_cost_that_moves_with_usage_is_told_from_a_price(db, home, usage, driver):
    with_usage(publish_costs(world({("web", "compute"): stepped("2")})), usage)
    services.find(now=NOW)

    (one,) = Anomaly.objects.all()
    assert (one.measure, one.cause["driver"]) == ("cost", driver), "the move of usage is no alert of its own"
    assert one.cause["change"] == pytest.approx(1, abs=0.05)


def test_usage_that_moves_alone_is_an_alert_of_usage(db, home):
    with_usage(publish_costs(world({})), {"lake": stepped_usage()})
    services.find(now=NOW)

    (one,) = Anomaly.objects.all()
    assert (one.measure, one.unit, one.kind, one.owner) == ("cpu", "core-hours", "step", "data")
    assert float(one.so_far) == pytest.approx(80, rel=0.05), "a fifth of 400"


def stepped_usage() -> dict[int, int]:
    return dict.fromkeys(range(STEP, DAYS), 2)


def test_a_day_that_is_not_over_is_not_judged(db, home):
    publish_costs(world({("data", "storage"): {DAYS - 1: "5"}}))
    services.find(now=datetime(2026, 10, 18, 3, tzinfo=UTC))  # the last day is today

    assert not Anomaly.objects.exists()
    assert newest_run().end_day == date(2026, 10, 18)


def test_less_than_four_weeks_are_not_judged_and_it_is_said(db, home):
    publish_costs(world({}, days=28))

    result = services.find(now=NOW)

    assert not Anomaly.objects.exists()
    assert "29 days" in result.problems[0].message


def test_the_same_costs_are_not_looked_through_again(stepped_storage):
    before = AnomalyRun.objects.get()
    publish_costs(world({("data", "storage"): stepped("2")}))

    services.find(now=NOW + timedelta(hours=1))

    after = AnomalyRun.objects.get()
    assert (after.pk, after.publication) == (before.pk, before.publication + 1)


def test_an_anomaly_keeps_its_name_while_it_goes_on(stepped_storage):
    slug = found().slug
    publish_costs([*world({("data", "storage"): stepped("2")}), *later("2")])

    services.find(now=NOW + timedelta(days=1))

    newest = newest_run()
    assert [one.anomaly.slug for one in anomalies(newest, EVERYTHING)] == [slug]
    assert Anomaly.objects.get(run=newest).last_day == date(2026, 10, 19)


def later(factor: str) -> list[dict[str, object]]:
    """The Monday after."""
    return [
        {"day": FIRST + timedelta(days=DAYS), "team": team, "service": service, "cluster": cluster,
         "namespace": namespace,
         "effective_cost": str(100 * Decimal(factor if (team, service) == ("data", "storage") else 1))}
        for team, service, cluster, namespace in PLACES
    ]  # fmt: skip


def test_who_sees_some_teams_sees_what_is_of_one_of_these_alone(db, home):
    publish_costs(world({("data", "storage"): stepped("2")}))
    services.find(now=NOW)
    run = newest_run()

    assert len(anomalies(run, Scope(frozenset({"data"})))) == 1
    assert anomalies(run, Scope(frozenset({"web"}))) == []
    assert anomalies(run, Scope(frozenset())) == []


@pytest.mark.parametrize(
    ("verdict", "until", "state"),
    [
        pytest.param("expected", None, "reviewed", id="as it should be: silent while it goes on"),
        pytest.param("false_alarm", None, "reviewed", id="a false alarm is silent"),
        pytest.param("planned", date(2026, 12, 31), "reviewed", id="planned until a day to come"),
        pytest.param("planned", date(2026, 10, 16), "open", id="it goes on after the day it was planned until"),
        pytest.param("confirmed", None, "open", id="a confirmed one stays open"),
    ],
)
def test_feedback_is_respected_at_once(stepped_storage, verdict, until, state):
    feedback.say(found(), verdict, by="mei", now=NOW, reason="load test", until=until)

    assert [one.state for one in anomalies(newest_run(), EVERYTHING)] == [state]
    assert len(anomalies(newest_run(), EVERYTHING, state=state)) == 1


def test_the_newest_word_counts_and_every_word_stays(stepped_storage):
    feedback.say(found(), "planned", by="mei", now=NOW, reason="load test")
    feedback.say(found(), "confirmed", by="lilei", now=NOW, reason="it should have ended")

    assert [one.state for one in anomalies(newest_run(), EVERYTHING)] == ["open"]
    assert list(AnomalyFeedback.objects.order_by("pk").values_list("by", "verdict")) == [
        ("mei", "planned"), ("lilei", "confirmed"),
    ]  # fmt: skip


def test_what_was_said_is_learned_at_the_next_look(stepped_storage):
    """A rise by a quarter is flagged; a series of which people said it was a false alarm has to rise farther."""
    before = services.identity()
    feedback.say(found(), "false_alarm", by="mei", now=NOW, reason="a price list was loaded twice")
    assert services.identity() != before, "the step is due again"

    def is_flagged(factor: str) -> bool:
        AnomalyRun.objects.all().delete()
        publish_costs(world({("data", "storage"): stepped(factor)}))
        services.find(now=NOW)
        return Anomaly.objects.filter(level="team_service", team="data").exists()

    careful = [is_flagged(factor) for factor in ("1.25", "2")]
    AnomalyFeedback.objects.all().delete()
    plain = [is_flagged(factor) for factor in ("1.25", "2")]

    assert plain == [True, True]
    assert careful == [False, True]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"verdict": "fine", "reason": "x"}, "'fine' is not one of expected", id="no such verdict"),
        pytest.param({"verdict": "planned", "reason": " "}, "reason: say why", id="without a reason"),
        pytest.param(
            {"verdict": "planned", "reason": "x", "until": date(2026, 10, 1)}, "before the anomaly began",
            id="until a day before it",
        ),
    ],
)  # fmt: skip
def test_feedback_that_cannot_be_meant_is_refused(stepped_storage, given, message):
    with pytest.raises(feedback.BadFeedback, match=message):
        feedback.say(found(), by="mei", now=NOW, **given)
    assert not AnomalyFeedback.objects.exists()


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        pytest.param(Actor("mei", None), True, id="finance"),
        pytest.param(Actor("lilei", frozenset({"data"})), True, id="a member of the team"),
        pytest.param(Actor("hanmei", frozenset({"web"})), False, id="a member of another"),
    ],
)
def test_who_may_say_what_an_anomaly_is(stepped_storage, actor, may):
    if may:
        assert feedback.speaker(actor, found()) == actor.name
        return
    with pytest.raises(NotYours):
        feedback.speaker(actor, found())


def test_a_finding_tells_what_goes_on_and_what_it_costs(stepped_storage):
    pinned = Publication.objects.get()
    (one,) = findings(pinned, NOW)

    assert (one.kind, one.team, one.currency, one.since) == ("anomaly", "data", "CNY", date(2026, 10, 14))
    assert str(one.title) == "Find out why data · storage rose"
    assert one.saving_per_month == 0, "it is a question"
    assert float(one.amount_per_month) == pytest.approx(2400, rel=0.1)
    assert one.link == f"/anomalies/{found().slug}/"
    feedback.say(found(), "expected", by="mei", now=NOW, reason="new customers")
    assert findings(pinned, NOW) == ()


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("anomalies", *words, stdout=out)
    return out.getvalue()


def test_without_any_look_it_is_said_how_to_take_one_and_after_it_that_days_are_too_few(db):
    with pytest.raises(NoAnomaly, match="fill --step anomalies"):
        newest_run()
    AnomalyRun.objects.create(publication=1, model_version="1", inputs="1", end_day=None, created_at=NOW)
    assert "Publication 1, too few days to tell what is usual.\n" in said("list")


def test_the_terminal_lists_shows_and_takes_feedback(stepped_storage):
    User.objects.create_user("mei").groups.add(Group.objects.get_or_create(name="finance")[0])
    (row,) = csv.DictReader(io.StringIO(said("list", "--format", "csv")))
    assert (row["state"], row["kind"], row["place"]) == ("open", "step", "data · storage")
    assert "A fixed rule looks after cost (CNY)" in said("list")

    shown = list(csv.DictReader(io.StringIO(said("show", row["id"], "--format", "csv"))))
    assert [one["day"] for one in shown if one["expected"]] == [f"2026-10-{day}" for day in range(14, 19)]
    assert "says mei" in said("feedback", row["id"], "planned", "--reason", "load test", "--as", "mei")
    assert "mei: planned, load test" in said("show", row["id"])
    assert "reviewed" in said("list", "--state", "reviewed")
    with pytest.raises(CommandError, match="no anomaly nothing"):
        said("show", "nothing")


def cube(change: dict[tuple[str, str], float]) -> Cells:
    """Thirty equal days of three teams × three services, and one on which some cost more."""
    keys = tuple((team, service, "", "") for team in "abc" for service in "xyz")
    amounts = np.full((31, 9), 10.0)
    for place, key in enumerate(keys):
        amounts[30, place] *= 1 + change.get(key[:2], 0.0)
    return Cells("cost", "CNY", FIRST, FIRST + timedelta(days=31), keys, amounts)


def alerts_of(cells: Cells) -> list[Alert]:
    """An alert of every series that moved by a tenth."""
    one = np.array([1.0])
    return [
        Alert(place, 30, 30, 30, "spike", True, True, one, one, one)
        for place, series in enumerate(cells.series)
        if cells.matrix[30, place] > 1.1 * cells.matrix[29, place]
    ]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({("a", "x"): 3.0}, {("team_service", "a", "x")}, id="one team in one service"),
        pytest.param({("a", s): 1.0 for s in "xyz"}, {("team", "a", "")}, id="one team in all services"),
        pytest.param({(t, "x"): 1.0 for t in "abc"}, {("service", "", "x")}, id="one service of all teams"),
        pytest.param({(t, s): 1.0 for t in "abc" for s in "xyz"}, {("total", "", "")}, id="everything"),
        pytest.param(
            {("a", "x"): 3.0, ("b", "y"): 2.0}, {("team_service", "a", "x"), ("team_service", "b", "y")},
            id="two causes",
        ),
    ],
)  # fmt: skip
def test_alerts_are_told_where_they_belong(change, expected):
    cells = cube(change)

    kept = where_they_belong(cells, alerts_of(cells))

    assert {(cells.series[one.series].level, *cells.series[one.series].cell[:2]) for one in kept} == expected


def test_a_cause_is_told_by_the_dimension_in_which_the_fewest_moved():
    cells = cube({("a", s): 1.0 for s in "xyz"})
    total = next(place for place, one in enumerate(cells.series) if one.level == "total")
    one = np.array([1.0])

    cause = cause_of(cells, Alert(total, 30, 30, 30, "spike", True, True, one, one, one), [])

    assert (cause["dimension"], cause["parts"], cause["change"]) == ("team", [["a", 30.0, 1.0]], 0.3333)
