"""Findings become recommendations: once each, updated, closed, woken and asked about again."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User

from apps.finops.errors import CostOpsError
from apps.finops.findings import Sentence
from apps.operations import deciding, kinds, people
from apps.operations.deciding import Step
from apps.operations.models import Recommendation, RecommendationStep
from apps.teams.models import Membership, Team
from apps.warehouse.sentences import told_of
from tests.operations.worlds import ANYBODY, NOW, a_finding, hire, history, one, recommend

pytestmark = pytest.mark.django_db


def decide(action: str, *, days: int = 0, **said: object) -> None:
    deciding.take([one()], Step(action, **said), by=ANYBODY, now=NOW + timedelta(days=days))


def test_what_is_found_is_assigned_to_the_lead_and_due_by_policy():
    people_ = hire()

    result = recommend(a_finding())

    found = one()
    assert (result.rows, found.state, found.assignee) == (1, "assigned", people_["lilei"])
    assert (found.due, found.since) == (date(2026, 11, 16), date(2026, 10, 1))
    assert found.saving == Decimal("100.000000000001"), "exact to the last decimal"
    assert (told_of(found.title), [told_of(one) for one in found.evidence]) == (
        "Delete disk-1", ["Nobody read it since 2026-10-01"],
    )  # fmt: skip
    assert history() == ["machine: find → found", "machine: assign → assigned"]


def test_what_nobody_leads_waits_for_somebody():
    recommend(a_finding(team="unallocated"))

    assert (one().state, one().assignee) == ("found", None)


def test_found_again_it_is_updated_and_not_repeated():
    recommend(a_finding())
    before = Recommendation.objects.values("pk", "found_at", "found_in", "due").get()

    recommend(a_finding(saving_per_month=Decimal(120), title=Sentence("Delete it now")), days=1)

    after = Recommendation.objects.values("pk", "found_at", "found_in", "due").get()
    assert after == before
    assert (one().saving, told_of(one().title), one().seen_in) == (120, "Delete it now", one().found_in + 1)
    assert history() == ["machine: find → found"]


def test_the_same_subject_in_two_currencies_is_two_and_told_twice_at_once_is_one():
    recommend(a_finding(), a_finding(), a_finding(currency="USD"))

    assert sorted(Recommendation.objects.values_list("currency", flat=True)) == ["CNY", "USD"]


def test_findings_of_another_kind_are_another_line_s():
    recommend(a_finding(), a_finding("night", kind="schedule"))

    assert [row.subject for row in Recommendation.objects.all()] == ["disk-1"]


def test_the_same_publication_again_changes_nothing():
    hire()
    recommend(a_finding())
    rows, steps = list(Recommendation.objects.values()), list(RecommendationStep.objects.values())

    from apps.operations import services

    kind = kinds.Kind("idle", "Idle", lambda _pinned, _now: (a_finding(),), 14)
    services.recommend(now=NOW, kinds=(kind,))

    assert (list(Recommendation.objects.values()), list(RecommendationStep.objects.values())) == (rows, steps)


def test_what_is_found_no_longer_closes_itself_and_says_why():
    recommend(a_finding())

    recommend(days=1, gone="Somebody reads it again")

    last = one().steps.latest("pk")
    assert (one().state, last.by, last.why) == ("closed", "", "Somebody reads it again")


@pytest.mark.parametrize(
    ("decided", "state"),
    [
        pytest.param([("accept", {})], "closed", id="accepted, and gone before anybody began"),
        pytest.param([("accept", {}), ("start", {})], "done", id="in progress, and gone: it is done"),
        pytest.param([("decline", {"why": "kept"})], "declined", id="what is declined stays declined"),
        pytest.param([("accept", {}), ("finish", {})], "done", id="what is done stays done"),
        pytest.param([("snooze", {"until": date(2026, 12, 1)})], "closed", id="what sleeps closes too"),
    ],
)
def test_what_becomes_of_what_is_found_no_longer(decided, state):
    recommend(a_finding())
    for action, said in decided:
        decide(action, **said)

    recommend(days=1)

    assert one().state == state


def test_what_closed_itself_and_is_found_again_goes_on_with_its_history():
    hire()
    recommend(a_finding())
    recommend(days=1)

    recommend(a_finding(), days=3)

    assert (one().state, one().due) == ("assigned", date(2026, 11, 19))
    assert history()[-3:] == ["machine: close → closed", "machine: return → found", "machine: assign → assigned"]


@pytest.mark.parametrize(
    ("then", "now", "state"),
    [
        pytest.param("100", "149.999999999999", "declined", id="less than half as much again"),
        pytest.param("100", "150", "found", id="half as much again"),
        pytest.param("0", "0", "declined", id="a question without money"),
        pytest.param("0", "5", "found", id="a question that costs money by now"),
    ],
)
def test_what_was_declined_is_asked_about_again_only_for_much_more_money(then, now, state):
    recommend(a_finding(saving_per_month=Decimal(then)))
    decide("decline", why="kept for the audit")

    recommend(a_finding(saving_per_month=Decimal(now)), days=1)

    assert one().state == state


def test_why_it_is_asked_about_again_is_said():
    recommend(a_finding(saving_per_month=Decimal(100)))
    decide("decline", why="kept")
    recommend(a_finding(saving_per_month=Decimal(1500)), days=1)

    last = one().steps.latest("pk")
    assert last.why % last.values == "It was declined at 100.00 CNY a month and is 1,500.00 CNY now"


@pytest.mark.parametrize(
    ("days", "state"),
    [
        pytest.param(44, "done", id="findings look back some weeks"),
        pytest.param(45, "found", id="it did not help"),
    ],
)
def test_what_was_done_and_is_found_still_is_asked_about_again(days, state):
    recommend(a_finding())
    decide("accept")
    decide("finish")
    decide("comment", why="deleted", days=20)

    recommend(a_finding(), days=days)

    assert one().state == state


@pytest.mark.parametrize(
    ("days", "state", "due"),
    [
        pytest.param(7, "snoozed", date(2026, 11, 16), id="it sleeps"),
        pytest.param(8, "assigned", date(2026, 11, 24), id="the day has come, and its days begin anew"),
        pytest.param(30, "assigned", date(2026, 12, 16), id="what woke late is not overdue at once"),
    ],
)
def test_what_sleeps_wakes_on_its_day(days, state, due):
    hire()
    recommend(a_finding())
    decide("snooze", until=date(2026, 11, 10))

    recommend(a_finding(), days=days)

    assert (one().state, one().due, one().snoozed_until is None) == (state, due, state != "snoozed")


def test_a_kind_that_could_not_be_looked_for_closes_nothing():
    recommend(a_finding())

    def broken(_pinned: object, _now: object) -> tuple[()]:
        raise CostOpsError("There is no forecast yet.")

    result = recommend(days=1, findings=broken)

    assert one().state == "found"
    assert [(problem.severity, problem.subject) for problem in result.problems] == [("note", "idle")]
    assert "What was found before stays" in result.problems[0].message


def test_cost_that_moved_to_another_team_takes_its_recommendations_along():
    people_ = hire()
    recommend(a_finding())

    recommend(a_finding(team="data"), days=1)

    assert (one().team, one().assignee, one().state) == ("data", people_["meimei"], "assigned")
    assert history()[-1] == "machine: hand over → assigned"


@pytest.mark.parametrize(
    ("lead_email", "members", "lead"),
    [
        pytest.param("A@example.com", ["b", "c"], "a", id="who has the lead's address"),
        pytest.param("", ["b"], "b", id="the only member"),
        pytest.param("nobody@example.com", ["b"], "b", id="an address of nobody here: the only member"),
        pytest.param("", ["b", "c"], None, id="of several members none is the lead"),
        pytest.param("", [], None, id="nobody"),
    ],
)
def test_who_leads_a_team(lead_email, members, lead):
    team = Team.objects.create(name="live", lead_email=lead_email)
    users = {name: User.objects.create_user(name, email=f"{name}@example.com") for name in "abc"}
    for name in members:
        Membership.objects.create(user=users[name], team=team)

    assert people.lead_of("live") == users.get(lead)


def test_a_subject_longer_than_its_column_is_kept_and_found_again():
    long = "d" * 2_000

    recommend(a_finding(long, at_stake=long))
    recommend(a_finding(long, at_stake=long), a_finding(f"{long}2"), days=1)

    assert Recommendation.objects.count() == 2


@pytest.mark.parametrize(
    "text", ["ownership", "nothing=3", "ownership=0", "ownership=-1", "ownership=soon", "landing=²"]
)
def test_days_that_cannot_be_read_are_refused(text, settings):
    settings.COSTOPS_RECOMMENDATION_DAYS = [text]
    with pytest.raises(kinds.BadDays, match="such as ownership=14"):
        kinds.days_until_due()


def test_days_of_a_kind_are_a_setting(settings):
    settings.COSTOPS_RECOMMENDATION_DAYS = ["landing=3"]
    assert kinds.days_until_due() | {"landing": 7} == {kind.name: kind.days for kind in kinds.KINDS}
    assert kinds.days_until_due()["landing"] == 3


def test_the_moment_is_business_time(settings):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    assert deciding.today(datetime(2026, 11, 1, 16, tzinfo=UTC)) == date(2026, 11, 2)
