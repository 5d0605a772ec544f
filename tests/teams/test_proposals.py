"""Drafts of rules on their way: who may do what, in which state, and the trail of it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group, User

from apps.teams import proposals
from apps.teams.approval import WHO_HAS_RULES, Actor, NotYours, actor_of
from apps.teams.dating import BadChange
from apps.teams.documents import parse_teams
from apps.teams.models import Membership, RuleDraft, RuleSet, Team
from apps.teams.proposals import NotNow, Outdated
from apps.teams.roles import ROLES, Can
from apps.teams.selectors import rule_book
from apps.teams.services import identity, keep
from apps.teams.simulations import Simulation, TeamMove
from tests.allocation.worlds import NOW, TEAMS

pytestmark = pytest.mark.django_db

IN_FORCE = """
rules:
  - {name: web, when: {namespace: web*}, team: web}
  - {name: logs, when: {service: Log}, team: data}
"""
MAIL = "valid_from: 2026-10-02\nadd: [{name: mail, when: {service: Mail}, team: ops}]"
FINANCE, OTHER = Actor("carla", None), Actor("olaf", None)
WEI, DAN, OLA = (Actor(name, frozenset({team})) for name, team in (("wei", "web"), ("dan", "data"), ("ola", "ops")))
NOTHING: dict[str, str] = {}


def import_rules(text: str) -> int:
    return keep(parse_teams(TEAMS + text, file="teams.yaml")[1], NOW)


@pytest.fixture
def world():
    """Three teams and two rules in force."""
    Team.objects.bulk_create(Team(name=name) for name in ("web", "data", "ops"))
    import_rules(IN_FORCE)


def simulated(draft: RuleDraft, grows: dict[str, str] = NOTHING, by: str = "wei") -> RuleDraft:
    """Keep a simulation by which these teams pay so much more; each paid 10 before."""
    base, _, after = proposals.books(draft)
    ten = Decimal(10)
    moves = tuple(TeamMove(team, "CNY", ten, ten, ten + Decimal(more)) for team, more in grows.items())
    found = Simulation(date(2026, 10, 1), date(2026, 10, 3), identity(after), moves)
    return proposals.keep_simulation(draft, base, found, by=by, now=NOW)


def drafted(text: str = MAIL, *, by: Actor = WEI, grows: dict[str, str] = NOTHING) -> RuleDraft:
    return simulated(proposals.propose(text, by=by, now=NOW), grows)


# --- Who may ---------------------------------------------------------------------------------------------------------
BOTH = "valid_from: 2026-10-02\nadd: [{name: mail, when: {service: Mail}, split: {ops: 50, data: 50}}]"
END = "valid_from: 2026-10-02\nend: [logs]"
GRAB = "valid_from: 2026-10-02\nadd: [{name: grab, when: {service: Log}, team: ops, before: web}]"
TAKEN = {"data": "-10", "ops": "10"}
OTHER_OLA = Actor("oleg", frozenset({"ops"}))


@pytest.mark.parametrize(
    ("text", "grows", "drafter", "actors", "state"),
    [
        pytest.param(MAIL, {}, WEI, [OLA], "approved", id="the team that pays"),
        pytest.param(MAIL, {}, WEI, [FINANCE], "approved", id="finance"),
        pytest.param(MAIL, {}, FINANCE, [OTHER], "approved", id="another one of finance"),
        pytest.param(BOTH, {}, WEI, [OLA], "simulated", id="one of two teams"),
        pytest.param(BOTH, {}, WEI, [OLA, DAN], "approved", id="both teams"),
        pytest.param(
            GRAB, TAKEN, OLA, [OTHER_OLA], "simulated", id="cost taken from another team: not who gets it alone"
        ),
        pytest.param(GRAB, TAKEN, OLA, [DAN], "simulated", id="cost taken from another team: not who gave it alone"),
        pytest.param(GRAB, TAKEN, OLA, [OTHER_OLA, DAN], "approved", id="cost taken from another team: both"),
        pytest.param(GRAB, TAKEN, OLA, [FINANCE], "approved", id="cost taken from another team: finance"),
        pytest.param(GRAB, TAKEN, DAN, [OLA, DAN], "approved", id="cost given away: who gets it, and who drafted it"),
        pytest.param(GRAB, {"data": "-0.009"}, OLA, [OTHER_OLA], "approved", id="less than a cent less is rounding"),
        pytest.param(END, {"web": "10"}, OLA, [DAN], "simulated", id="cost that falls to another: not its owner alone"),
        pytest.param(END, {"web": "10"}, OLA, [DAN, WEI], "approved", id="cost that falls to another: both"),
        pytest.param(END, {"web": "0.009"}, OLA, [DAN], "approved", id="less than a cent is rounding"),
        pytest.param(
            END,
            {"unallocated": "10"},
            WEI,
            [DAN],
            "simulated",
            id="cost that nobody takes: the team alone is not enough",
        ),
        pytest.param(END, {"unallocated": "10"}, WEI, [DAN, FINANCE], "approved", id="cost that nobody takes: finance"),
    ],
)
def test_who_approves(world, text, grows, drafter, actors, state):
    draft = drafted(text, by=drafter, grows=grows)
    for actor in actors:
        proposals.approve(draft.pk, by=actor, now=NOW)
    assert proposals.find(draft.pk).state == state


@pytest.mark.parametrize(
    ("drafter", "actor", "message"),
    [
        pytest.param(OLA, OLA, "a draft of their own", id="one's own"),
        pytest.param(FINANCE, FINANCE, "a draft of their own", id="one's own, of finance"),
        pytest.param(FINANCE, FINANCE, f"another who may .*{WHO_HAS_RULES}", id="who else may is told"),
        pytest.param(WEI, DAN, rf"members of the teams that pay by it \(ops\) .*{WHO_HAS_RULES}", id="another team"),
        pytest.param(WEI, Actor("eve"), "members of the teams that pay", id="nobody's member"),
    ],
)
def test_who_may_not_approve(world, drafter, actor, message):
    draft = drafted(by=drafter)
    with pytest.raises(NotYours, match=message):
        proposals.approve(draft.pk, by=actor, now=NOW)
    assert (proposals.find(draft.pk).state, proposals.find(draft.pk).approvals) == ("simulated", {})


def test_who_drafted_it_agrees_for_nobody_who_gets_cost(world):
    both = Actor("bo", frozenset({"data", "ops"}))
    draft = proposals.approve(drafted(GRAB, by=both, grows=TAKEN).pk, by=both, now=NOW)
    assert (draft.state, draft.approvals) == ("simulated", {"data": "bo"})
    half = proposals.propose(BOTH, by=DAN, now=NOW)
    with pytest.raises(NotYours, match="a draft of their own"):
        proposals.approve(simulated(half, TAKEN).pk, by=DAN, now=NOW)


def test_what_was_approved_by_fewer_than_are_needed_is_not_published(world):
    draft = drafted(GRAB, by=OLA, grows=TAKEN)
    RuleDraft.objects.filter(pk=draft.pk).update(state="approved", approvals={"ops": "oleg"})
    with pytest.raises(Outdated, match="not agreed to for data"):
        proposals.publish(draft.pk, by=OLA, now=NOW)
    assert simulated(draft, TAKEN).state == "simulated"


def test_amounts_are_withheld_until_those_agreed_from_whom_is_taken(world):
    draft = drafted(GRAB, by=OLA, grows=TAKEN)
    ops, data = OLA.teams, DAN.teams

    def seen(teams):
        found = proposals.find(draft.pk)
        return [move.team for move in proposals.seen_moves(found, teams)], proposals.is_withheld(found, teams)

    assert (seen(ops), seen(data), seen(None)) == (([], True), (["data"], False), (["data", "ops"], False))
    proposals.approve(draft.pk, by=OTHER_OLA, now=NOW)
    assert seen(ops) == ([], True)
    proposals.approve(draft.pk, by=DAN, now=NOW)
    assert seen(ops) == (["ops"], False)


def test_one_person_may_where_the_setting_says_so(world, settings):
    settings.COSTOPS_RULES_ONE_PERSON = True
    assert proposals.approve(drafted(by=OLA).pk, by=OLA, now=NOW).state == "approved"


def test_whoever_only_loses_sees_its_own_loss_at_once(world):
    rule = "valid_from: 2026-10-02\nadd: [{name: grab, when: {account: '*'}, team: ops, before: web}]"
    draft = drafted(rule, by=OLA, grows={"data": "-10", "web": "-7", "ops": "17"})

    def seen(team):
        return [(move.team, move.after) for move in proposals.seen_moves(draft, frozenset({team}))]

    (web, data), ops = (seen(team)[0] for team in ("web", "data")), seen("ops")
    assert (web[0], data[0], ops) == ("web", "data", [])
    assert proposals.is_withheld(draft, frozenset({"web"}))


def test_a_user_called_like_the_evidence_is_not_it(world):
    draft = drafted(by=Actor("worklist", None))
    namesake = Actor("worklist", frozenset({"web"}))
    assert proposals.visible(frozenset({"web"}), namesake) == []
    with pytest.raises(NotYours):
        proposals.withdraw(draft.pk, by=namesake, now=NOW)


def test_who_may_draft_no_more_publishes_no_more(world):
    draft = proposals.approve(drafted().pk, by=OLA, now=NOW)
    with pytest.raises(NotYours):
        proposals.publish(draft.pk, by=replace(WEI, teams=frozenset()), now=NOW)


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        pytest.param(WEI, True, id="who drafted it"), pytest.param(OLA, True, id="who pays"),
        pytest.param(FINANCE, True, id="finance"), pytest.param(DAN, False, id="another team"),
    ],
)  # fmt: skip
def test_who_publishes(world, actor, may):
    draft = proposals.approve(drafted().pk, by=OLA, now=NOW)
    if may:
        assert proposals.publish(draft.pk, by=actor, now=NOW).state == "published"
    else:
        with pytest.raises(NotYours):
            proposals.publish(draft.pk, by=actor, now=NOW)


def test_who_a_user_speaks_for(world):
    users = {name: User.objects.create_user(name) for name in ("root", "carla", "wei", "lead", "eve", "gone")}
    User.objects.filter(username="root").update(is_superuser=True)
    User.objects.filter(username="lead").update(email="Ops-Lead@example.com")
    User.objects.filter(username="gone").update(is_active=False)
    Team.objects.filter(name="ops").update(lead_email="ops-lead@example.com")
    users["carla"].groups.add(Group.objects.create(name="finance"))
    for name in ("wei", "gone"):
        Membership.objects.create(user=users[name], team=Team.objects.get(name="web"))
    found = {name: actor_of(User.objects.get(username=name)).teams for name in users}
    assert found == {
        "root": None, "carla": None, "wei": {"web"}, "lead": {"ops"}, "eve": frozenset(), "gone": frozenset(),
    }  # fmt: skip
    with pytest.raises(NotYours, match=f"drafted by members of a team, and by {WHO_HAS_RULES}"):
        proposals.propose(MAIL, by=actor_of(users["eve"]), now=NOW)


def test_all_are_named_who_may_change_the_rules_of_every_team(world):
    holders = [role.label for role, may in ROLES.items() if Can.CHANGE_RULES in may]
    assert f"{', '.join(holders)} or superusers" == WHO_HAS_RULES


@pytest.mark.parametrize("status", ["is_staff", "is_superuser"])
def test_what_nobody_would_own_is_agreed_to_by_who_may_change_the_rules_of_every_team(world, status):
    keeper = actor_of(User.objects.create_user("kim", **{status: True}))
    draft = proposals.approve(drafted(END, grows={"unallocated": "10"}).pk, by=keeper, now=NOW)
    assert (draft.state, draft.approvals) == ("approved", {"data": "kim", "unallocated": "kim"})


# --- States ----------------------------------------------------------------------------------------------------------
def test_every_step_leaves_a_trail(world):
    draft = proposals.propose(MAIL, by=WEI, now=NOW, reason=" mail is theirs ")
    simulated(draft, {"unallocated": "-4"})
    proposals.approve(draft.pk, by=OLA, now=NOW, why="ours")
    proposals.publish(draft.pk, by=WEI, now=NOW)
    assert list(draft.trail.order_by("pk").values_list("action", "by", "why", "outcome")) == [
        ("drafted", "wei", "mail is theirs", "over rules 1"),
        ("simulated", "wei", "", "2026-10-01 to 2026-10-03, over rules 1; 4.00 CNY leave unallocated"),
        ("approved", "ola", "ours", "for ops"),
        ("published", "wei", "", "rules 2 in place of 1"),
    ]
    assert [rule.name for rule in rule_book()[1].rules] == ["web", "logs", "mail"]


def test_who_approved_is_asked_again_only_when_the_numbers_differ(world):
    draft = drafted()
    proposals.approve(draft.pk, by=OLA, now=NOW)
    assert (simulated(draft).state, simulated(draft).approvals) == ("approved", {"ops": "ola"})
    other = simulated(draft, {"ops": "3"})
    assert (other.state, other.approvals) == ("simulated", {})


def test_a_draft_over_older_rules_is_simulated_again(world):
    draft = drafted()
    proposals.approve(draft.pk, by=OLA, now=NOW)
    import_rules(IN_FORCE + "  - {name: new, when: {service: Mail, region: x}, team: data}\n")
    with pytest.raises(Outdated, match="simulated over rules 1, but rules 2 are in force"):
        proposals.publish(draft.pk, by=WEI, now=NOW)
    again = simulated(draft)
    assert (again.state, again.base, again.approvals) == ("simulated", 2, {})
    import_rules(IN_FORCE)
    with pytest.raises(Outdated):
        proposals.approve(draft.pk, by=OLA, now=NOW)
    assert RuleSet.objects.count() == 3


def test_a_draft_that_fits_no_more_says_why_and_can_be_rejected(world):
    draft = drafted("valid_from: 2026-10-02\nend: [logs]")
    import_rules("rules: []")
    with pytest.raises(BadChange, match="no rule 'logs'"):
        simulated(draft)
    assert proposals.reject(draft.pk, by=FINANCE, now=NOW, why="gone").state == "rejected"


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        pytest.param(lambda n: proposals.publish(n, by=FINANCE, now=NOW), NotNow, "one that is approved", id="publish"),
        pytest.param(lambda n: proposals.reject(n, by=FINANCE, now=NOW, why=" "), NotNow, "Say why", id="no reason"),
        pytest.param(lambda n: proposals.reject(n, by=DAN, now=NOW, why="no"), NotYours, "teams that pay", id="reject"),
        pytest.param(lambda n: proposals.withdraw(n, by=OLA, now=NOW), NotYours, "Only wei", id="withdraw"),
        pytest.param(lambda n: proposals.approve(n + 1, by=OLA, now=NOW), proposals.NoSuchDraft, "no draft", id="none"),
    ],
)  # fmt: skip
def test_what_cannot_be_done(world, act, error, message):
    draft = drafted()
    with pytest.raises(error, match=message):
        act(draft.pk)
    assert (proposals.find(draft.pk).state, rule_book()[0]) == ("simulated", 1)


def test_a_draft_that_is_over_stays_over(world):
    dropped = [
        proposals.withdraw(drafted().pk, by=WEI, now=NOW, why="no need"),
        proposals.reject(drafted().pk, by=OLA, now=NOW, why="not ours"),
    ]
    assert [draft.state for draft in dropped] == ["withdrawn", "rejected"]
    assert [draft.trail.last().why for draft in dropped] == ["no need", "not ours"]
    for draft in dropped:
        with pytest.raises(NotNow, match="this needs one that is"):
            simulated(draft)


def test_a_draft_that_changes_nothing_is_refused(world):
    far = "valid_from: 2026-10-02\nchange: [{name: web, when: {namespace: web*}, team: web}]"
    draft = drafted(far)  # dated anew, so it is another book
    for step in (
        lambda: proposals.approve(draft.pk, by=FINANCE, now=NOW),
        lambda: proposals.publish(draft.pk, by=FINANCE, now=NOW),
    ):
        step()
    same = 'valid_from: 2026-10-02\nchange: [{name: "web (from 2026-10-02)", when: {namespace: web*}, team: web}]'
    with pytest.raises(BadChange, match="changes nothing"):
        proposals.propose(same, by=WEI, now=NOW)
    assert RuleDraft.objects.count() == 1
