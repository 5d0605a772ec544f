"""The way from found to verified, on numbers that can be added up on paper, and who sees what of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User

from apps.finops.findings import Finding
from apps.finops.stakes import Stake, in_cluster
from apps.operations import deciding
from apps.operations.deciding import Step
from apps.operations.models import Recommendation
from apps.savings import outcomes, selectors, services
from apps.savings.models import Initiative, Measurement
from apps.savings.outcomes import BadOutcome
from apps.savings.statements import read_statement
from apps.teams.approval import NotYours
from tests.operations.worlds import ANYBODY, NOW, a_finding, hire, recommend
from tests.savings.ledgers import FINANCE, LILEI, START, given

pytestmark = pytest.mark.django_db


def found(*amounts: int, **more: Any) -> list[Recommendation]:
    recommend(*(a_finding(f"disk-{one}", saving_per_month=Decimal(one), **more) for one in amounts))
    return list(Recommendation.objects.order_by("pk"))


def do(one: Recommendation, *actions: str) -> None:
    for action in actions:
        deciding.take([one], Step(action, why="no"), by=ANYBODY, now=NOW)


def stand(state: str, *, saving: str = "", share: str = "1", team: str = "live", **more: Any) -> Initiative:
    """An initiative as it stands, measured over 28 days where a saving is given."""
    statement = read_statement(given(team=team, scope=f"team={team}", **more))
    one = Initiative.objects.create(
        **statement.columns(), state=state, created_at=NOW, stated_at=None if state == "draft" else NOW
    )
    if saving:
        Measurement.objects.create(
            initiative=one, publication=1, at=NOW, start=START, end=START + timedelta(days=28), is_final=True,
            verdict="saved", grade="A", saving_text=saving, lower_text=saving, upper_text=saving, share_text=share,
            inputs="x",
        )  # fmt: skip
    return one


def way() -> list[str]:
    return [f"{name} {amount:.2f}" for one in selectors.ways(None) for name, amount in one.steps]


def test_what_is_found_accepted_and_done_is_counted_where_it_stands():
    open_, accepted, done, declined = found(100, 20, 3, 500)
    do(accepted, "accept")
    do(done, "accept", "finish")
    do(declined, "decline")

    assert way() == ["identified 123.00", "approved 23.00", "implemented 3.00", "verified 0.00"]
    assert open_.state == "assigned" or open_.state == "found"


def test_a_verified_initiative_counts_what_was_measured_and_its_own_share_of_it():
    """560 over 28 days is 608.33 a month; of 280 half is its own, 152.08."""
    stand("verified", saving="560", promised_per_month="900")
    stand("verified", saving="280", share="0.5", promised_per_month="100", name="Other")
    stand("draft", promised_per_month="7000", name="A draft")
    stand("withdrawn", promised_per_month="7000", name="Given up")

    assert way() == ["identified 1000.00", "approved 1000.00", "implemented 1000.00", "verified 760.41"]


def test_of_what_is_recommended_for_one_resource_only_what_an_initiative_carries_out_counts():
    large, small = found(1000, 800)
    Recommendation.objects.update(at_stake="disk d-1")
    assert way()[0] == "identified 1000.00"
    for one in (large, small):
        initiative = stand("stated", promised_per_month="90", name=f"Of {one.pk}")
        initiative.recommendations.add(one)
        assert way()[0] == "identified 90.00"
        initiative.delete()


def test_what_another_team_may_save_of_the_same_resource_counts_beside_it():
    recommend(a_finding("mine", saving_per_month=Decimal(100), at_stake="disk d-1"),
              a_finding("theirs", saving_per_month=Decimal(80), at_stake="disk d-1", team="data"))  # fmt: skip
    assert way()[0] == "identified 180.00"
    initiative = stand("stated", promised_per_month="90")
    initiative.recommendations.add(Recommendation.objects.get(subject="mine"))

    assert way()[0] == "identified 170.00"


def test_what_an_initiative_carries_out_is_not_counted_beside_it():
    (one,) = found(100)
    do(one, "accept", "finish")
    initiative = stand("stated", promised_per_month="90")
    initiative.recommendations.add(one)

    assert way() == ["identified 90.00", "approved 90.00", "implemented 0.00", "verified 0.00"]


def test_what_two_initiatives_carry_out_is_promised_once():
    (one,) = found(100)
    for promised, saving in ((90, ""), (70, "560")):
        initiative = stand("verified", saving=saving, promised_per_month=f"{promised}", name=f"Of {promised}")
        initiative.recommendations.add(one)

    assert way() == ["identified 90.00", "approved 90.00", "implemented 90.00", "verified 608.33"]


def test_what_has_begun_is_implemented_though_more_is_promised_of_the_same_by_one_that_has_not():
    (one,) = found(100)
    for state, promised, saving in (("stated", 500, ""), ("verified", 400, "560")):
        initiative = stand(state, saving=saving, promised_per_month=f"{promised}", name=f"Of {promised}")
        initiative.recommendations.add(one)

    assert way() == ["identified 500.00", "approved 500.00", "implemented 400.00", "verified 608.33"]


def test_what_is_open_again_counts_by_itself_once_its_initiative_was_reverted():
    (one,) = found(100)
    initiative = stand("reverted", promised_per_month="90")
    initiative.recommendations.add(one)

    assert way() == ["identified 100.00", "approved 0.00", "implemented 0.00", "verified 0.00"]


def test_of_one_resource_only_the_largest_promise_counts():
    found(100, 60, at_stake="i-1")

    assert way()[0] == "identified 100.00"


def of_place(subject: str, amount: int, *place: str) -> Finding:
    stake = Stake(in_cluster("online", *place), Decimal(amount))
    return a_finding(subject, saving_per_month=Decimal(amount), stakes=(stake,))


def test_what_is_done_counts_though_something_else_would_save_more_of_the_same():
    recommend(of_place("idle", 60, "live", "shop", "web"), of_place("schedule", 100, "live", "shop", "web"))
    do(Recommendation.objects.get(subject="idle"), "accept", "finish")

    assert way() == ["identified 100.00", "approved 60.00", "implemented 60.00", "verified 0.00"]


def test_what_initiatives_would_save_of_the_same_is_promised_once():
    """Both were done, and are measured by themselves: of 100 in the namespace 60 are those of its workload."""
    recommend(of_place("idle", 60, "live", "shop", "web"), of_place("smaller", 100, "live", "shop"),
              of_place("nodes", 500))  # fmt: skip
    for subject, promised in (("idle", "60"), ("smaller", "100")):
        initiative = stand("verified", saving="28", promised_per_month=promised, name=subject)
        initiative.recommendations.add(Recommendation.objects.get(subject=subject))

    assert way()[:3] == ["identified 500.00", "approved 100.00", "implemented 100.00"]


def test_what_only_one_of_two_initiatives_carries_out_counts_with_it_though_they_share_another():
    """Both are to delete the second disk; of the 80 of the other three fifths are those of the third."""
    one, two, three = found(100, 40, 60)
    for promised, carried in (("150", (one, two)), ("80", (two, three))):
        initiative = stand("verified", saving="28", promised_per_month=promised, name=f"Of {promised}")
        initiative.recommendations.add(*carried)

    assert way()[:3] == ["identified 198.00", "approved 198.00", "implemented 198.00"]


def test_currencies_are_never_added():
    found(100)
    stand("stated", currency="USD", promised_per_month="5")

    assert [(one.currency, one.identified) for one in selectors.ways(None)] == [
        ("CNY", Decimal("100.00")), ("USD", Decimal(5)),
    ]  # fmt: skip


def test_everybody_sees_the_initiatives_of_their_teams():
    people = hire()
    mine, other = stand("stated"), stand("stated", team="data")

    def numbers(user: User) -> set[int]:
        return {entry.one.pk for entry in selectors.entries(user)}

    assert numbers(people["lilei"]) == {mine.pk}
    assert numbers(people["meimei"]) == {other.pk}
    assert numbers(people["finance"]) == {mine.pk, other.pk}
    with pytest.raises(selectors.NoSuchInitiative):
        selectors.entry(other.pk, people["lilei"])


def test_people_revert_with_a_reason_and_what_it_carried_out_goes_along():
    (one,) = found(100)
    do(one, "accept", "finish")
    initiative = stand("stated")
    initiative.recommendations.add(one)

    services.take(initiative, "revert", by=LILEI, now=NOW, why="it slowed the lessons")

    one.refresh_from_db()
    assert (initiative.state, one.state) == ("reverted", "reverted")
    assert one.steps.order_by("-pk")[0].why == "it slowed the lessons"


def test_what_others_decide_about_stays_as_it_is_when_people_revert_and_is_told_of_it():
    recommend(a_finding("mine"), a_finding("others", team="data"))
    mine, others = Recommendation.objects.order_by("pk")
    do(mine, "accept", "finish")
    do(others, "accept", "finish")
    initiative = stand("stated")
    initiative.recommendations.add(mine, others)

    services.take(initiative, "revert", by=LILEI, now=NOW, why="it slowed the lessons")

    mine.refresh_from_db()
    others.refresh_from_db()
    assert (mine.state, others.state) == ("reverted", "done")
    last = others.steps.order_by("-pk")[0]
    assert (last.by, last.action, last.values) == ("", "comment", {"number": f"{initiative.pk}"})
    assert "slowed" not in last.why


def test_what_is_measured_beside_the_money_is_told_before_and_after():
    one = stand("stated", transition_days="7")
    for day, value in ((-3, 100), (-2, 120), (-1, 500), (2, 999), (8, 60), (9, 90)):
        told = {"name": "latency", "unit": "ms", "value": value, "day": f"{START + timedelta(days=day)}"}
        outcomes.keep(one, told, by=FINANCE, now=NOW)

    (beside,) = outcomes.beside(one)

    assert (beside.count, beside.before, beside.after, beside.change) == (6, 120, 75, Decimal("-37.5"))


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param({"value": "1"}, "name: say", id="no name"),
        pytest.param({"name": "latency", "value": "fast"}, "is no number", id="no number"),
        pytest.param({"name": "latency", "value": "Infinity"}, "is no number", id="without end"),
        pytest.param({"name": "latency", "value": "1e13"}, "is not between", id="beyond measure"),
        pytest.param({"name": "latency", "value": "1e-13"}, "of 12 decimals at most", id="finer than is told"),
        pytest.param({"name": "latency", "value": "1e-30000000"}, "is no number", id="a number of 30 MB"),
        pytest.param({"name": "latency", "value": "1", "day": "2030-01-01"}, "still to come", id="a day to come"),
        pytest.param({"name": "latency", "value": "1", "day": "x"}, "is no date", id="no day"),
        pytest.param({"name": "a\x00b", "value": "1"}, "no database keeps", id="a strange name"),
    ],
)
def test_what_is_no_measurement_is_refused(told, said):
    one = stand("stated")

    with pytest.raises(BadOutcome, match=said):
        outcomes.keep(one, told, by=FINANCE, now=NOW)

    with pytest.raises(NotYours):
        outcomes.keep(one, {"name": "latency", "value": "1"}, by=LILEI.__class__("x", frozenset({"data"})), now=NOW)
