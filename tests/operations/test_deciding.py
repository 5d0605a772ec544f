"""What people do: who may, what must be said, all or none, and nobody unknowingly against somebody else."""

from datetime import date

import pytest

from apps.operations import deciding, selectors
from apps.operations.deciding import BadStep, NotPossible, Step
from apps.operations.models import Recommendation, RecommendationStep
from apps.operations.selectors import NoSuchRecommendation, Wanted
from apps.teams.approval import Actor, NotYours, actor_of
from tests.operations.worlds import ANYBODY, LEILI, NOW, a_finding, hire, history, one, recommend

pytestmark = pytest.mark.django_db


@pytest.fixture
def found():
    people = hire()
    recommend(a_finding(), a_finding("disk-2", team="data"), a_finding("bucket", team="unallocated"))
    return people


def take(action: str, subject: str = "disk-1", *, by=ANYBODY, **said) -> None:
    deciding.take([one(subject)], Step(action, **said), by=by, now=NOW)


def test_a_life_from_found_to_done_is_written_down_with_who_and_why(found):
    for action, said in (("accept", {}), ("comment", {"why": "on Friday"}), ("start", {}), ("finish", {"why": "gone"})):
        take(action, by=LEILI, **said)

    assert history()[2:] == [
        "lilei: accept → accepted", "lilei: comment → accepted", "lilei: start → in_progress", "lilei: finish → done",
    ]  # fmt: skip
    assert list(one().steps.order_by("pk").values_list("why", flat=True))[3] == "on Friday"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        pytest.param(Step("close"), "is not one of comment, assign", id="what only the machine does"),
        pytest.param(Step("delete"), "is not one of", id="no action at all"),
        pytest.param(Step("decline", why="  "), "to decline say why", id="no reason"),
        pytest.param(Step("comment"), "to comment say why", id="an empty comment"),
        pytest.param(Step("snooze"), "after 2026-11-02", id="no day"),
        pytest.param(Step("snooze", until=date(2026, 11, 2)), "after 2026-11-02", id="today is no later day"),
        pytest.param(Step("assign"), "name the user", id="nobody"),
        pytest.param(Step("assign", assignee="meimei"), "is nobody who can see", id="who cannot see the team"),
        pytest.param(Step("accept", why="x" * 4001), "at most 4000", id="a novel"),
        pytest.param(Step("comment", why="a\x00b"), "at most 4000", id="what no database keeps"),
    ],
)
def test_what_is_no_step_is_refused_and_nothing_is_done(found, step, said):
    steps = RecommendationStep.objects.count()

    with pytest.raises(BadStep, match=said):
        deciding.take([one()], step, by=ANYBODY, now=NOW)

    assert (RecommendationStep.objects.count(), one().state) == (steps, "assigned")


def test_what_the_state_does_not_allow_is_refused_by_name(found):
    with pytest.raises(NotPossible, match=rf"Recommendation {one().pk} is assigned: nobody can start it now"):
        take("start")


def test_of_many_all_or_none(found):
    take("accept", "disk-2")
    both = [one(), one("disk-2")]

    with pytest.raises(NotPossible):
        deciding.take(both[::-1], Step("start"), by=ANYBODY, now=NOW)

    assert (one().state, one("disk-2").state) == ("assigned", "accepted"), "the second had begun, and did not"
    assert history("disk-2")[-1] == "han: accept → accepted"


def test_a_member_decides_for_the_own_team_and_for_no_other(found):
    with pytest.raises(NotYours, match="members of data, or finance"):
        deciding.take([one(), one("disk-2")], Step("accept"), by=LEILI, now=NOW)

    assert one().state == "assigned", "all or none"


def test_what_nobody_owns_is_finance_s(found):
    with pytest.raises(NotYours):
        take("accept", "bucket", by=LEILI)
    take("assign", "bucket", by=actor_of(found["finance"]), assignee="finance")
    assert (one("bucket").state, one("bucket").assignee) == ("assigned", found["finance"])


@pytest.mark.parametrize(
    ("subject", "by", "owner"),
    [
        pytest.param("bucket", "finance", "finance", id="nobody had it: whoever accepts it takes it"),
        pytest.param("bucket", "root", None, id="at the terminal: no user"),
        pytest.param("disk-1", "finance", "lilei", id="it stays with who had it"),
    ],
)
def test_what_is_accepted_has_an_owner(found, subject, by, owner):
    take("accept", subject, by=Actor(by, None))

    assert one(subject).assignee == found.get(owner)


def test_whoever_looked_at_an_earlier_state_is_told(found):
    stale = one()
    take("accept")

    with pytest.raises(NotPossible, match="changed by somebody else just now"):
        deciding.take([stale], Step("decline", why="no"), by=LEILI, now=NOW)

    assert one().state == "accepted"


def test_nothing_chosen_is_said(found):
    with pytest.raises(BadStep, match="choose at least one"):
        deciding.take([], Step("accept"), by=ANYBODY, now=NOW)


@pytest.mark.parametrize(
    ("reader", "wanted", "subjects"),
    [
        pytest.param("lilei", Wanted(), ["disk-1"], id="a member sees the own team"),
        pytest.param("finance", Wanted(), ["disk-1", "disk-2", "bucket"], id="finance sees all, the most money first"),
        pytest.param("finance", Wanted(whose="mine"), [], id="finance has none of its own"),
        pytest.param("meimei", Wanted(whose="mine"), ["disk-2"], id="mine: what is assigned to me"),
        pytest.param("finance", Wanted(team="data"), ["disk-2"], id="of one team"),
        pytest.param("lilei", Wanted(team="data"), [], id="of a team one does not see"),
        pytest.param("finance", Wanted(kind="landing"), [], id="of another kind"),
        pytest.param("finance", Wanted(state="found"), ["bucket"], id="in one state"),
        pytest.param("lilei", Wanted(whose="teams"), ["disk-1"], id="of my teams"),
        pytest.param("finance", Wanted(whose="teams"), [], id="finance belongs to no team"),
    ],
)
def test_what_is_in_somebody_s_inbox(found, reader, wanted, subjects):
    listed = selectors.recommendations(found[reader], wanted)
    assert [one.subject for one in listed] == subjects


def test_what_is_decided_leaves_the_inbox_and_is_found_by_its_state(found):
    take("decline", why="kept")

    assert selectors.recommendations(found["lilei"], Wanted()) == []
    assert [one.subject for one in selectors.recommendations(found["lilei"], Wanted(state="declined"))] == ["disk-1"]
    assert len(selectors.recommendations(found["lilei"], Wanted(state="any"))) == 1


def test_not_yours_and_not_there_are_the_same(found):
    for number in (one("disk-2").pk, 10**9):
        with pytest.raises(NoSuchRecommendation, match=f"no recommendation {number}"):
            selectors.find(number, found["lilei"])


def test_others_about_the_same_resource_are_told_but_not_those_of_other_teams(found):
    recommend(
        a_finding("a", at_stake="vm-1"), a_finding("b", at_stake="vm-1"), a_finding("c", at_stake="vm-1", team="data"),
        a_finding("d"),
    )  # fmt: skip

    def about(subject: str) -> list[str]:
        return [other.subject for other in selectors.beside(one(subject), None)[0]]

    assert about("a") == ["b"]
    assert about("d") == []
    assert Recommendation.objects.filter(at_stake="vm-1").count() == 3
