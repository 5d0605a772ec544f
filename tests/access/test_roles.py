"""What each role may do, over what, from when till when; tokens and users of programs; and who keeps whom out."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from apps.api.models import ApiToken
from apps.api.services import TokenRefusedError, issue_token
from apps.assistants.asking import CannotAnswerError, ask
from apps.assistants.tools import BY_NAME
from apps.audit.models import AuditEntry, ReadEntry
from apps.books.people import actor_of as books_actor_of
from apps.teams.access import access_of, holders, may, people_of
from apps.teams.approval import actor_of
from apps.teams.granting import CannotGrant, Wish, give, grants, make_service_account, take
from apps.teams.models import Membership, Team, Unit, UnitMembership
from apps.teams.organising import today
from apps.teams.roles import FINANCE, MEANS, PERMISSIONS, ROLES, Can, Reach, Role
from apps.teams.selectors import visible_teams

NOW = datetime.now(UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def teams(db: None) -> None:
    """Two teams of the department `north`, which cost centre CC-1 pays for, and one of `south`."""
    for name, unit, center in (("amber", "north", "CC-1"), ("beryl", "north", "CC-1"), ("coral", "south", "CC-2")):
        Team.objects.create(name=name, department=unit, cost_center=center)


@pytest.fixture
def lilei(teams: None) -> User:
    return User.objects.create_user("lilei", password="a password of hers")


def given(*wish: Any, **days: date) -> int:
    return give(Wish("lilei", *wish, **days), by="han", now=NOW).pk


@pytest.mark.parametrize(
    ("wish", "sees", "decides"),
    [
        pytest.param(("viewer", "everything"), None, set(), id="a viewer of everything changes nothing"),
        pytest.param(("viewer", "team", "amber"), {"amber"}, set(), id="a viewer of a team"),
        pytest.param(("viewer", "unit", "north"), {"amber", "beryl"}, set(), id="a viewer of what stands below a unit"),
        pytest.param(("viewer", "cost_center", "CC-2"), {"coral"}, set(), id="a viewer of what a cost centre pays"),
        pytest.param(("viewer", "account", "9"), set(), set(), id="a viewer of an account sees no team by it"),
        pytest.param(("lead", "team", "amber"), {"amber"}, {"amber"}, id="a lead decides for the team"),
        pytest.param(("lead", "unit", "north"), {"amber", "beryl"}, {"amber", "beryl"}, id="a lead of a unit"),
        pytest.param(("finance", "everything"), None, None, id="finance decides for the company"),
        pytest.param(("finance", "unit", "south"), {"coral"}, {"coral"}, id="finance of a unit decides for no company"),
        pytest.param(("operations", "everything"), None, set(), id="cost operations sees all, decides for no team"),
        pytest.param(("admin", "everything"), set(), set(), id="an administrator of people sees no cost"),
    ],
)
def test_a_role_holds_over_what_it_was_given(lilei: User, wish: tuple[str, ...], sees: Any, decides: Any) -> None:
    number = given(*wish)
    assert (visible_teams(lilei), actor_of(lilei).teams) == (sees, decides)
    User.objects.create_superuser("root")  # the last administrator stays
    take(number)
    assert (visible_teams(lilei), actor_of(lilei).teams) == (set(), set())


def test_an_account_is_seen_beside_teams(lilei: User) -> None:
    given("viewer", "account", "9")
    given("viewer", "team", "amber")
    assert (access_of(lilei).accounts(), visible_teams(lilei)) == ({"9"}, {"amber"})


@pytest.mark.parametrize(
    ("since", "until", "holds"),
    [
        pytest.param(0, None, True, id="from today"),
        pytest.param(1, None, False, id="from tomorrow"),
        pytest.param(None, 1, True, id="until tomorrow"),
        pytest.param(-2, 0, False, id="until today, which is not included"),
    ],
)
def test_a_grant_holds_on_its_days(lilei: User, since: int | None, until: int | None, holds: bool) -> None:
    days = [None if days is None else today() + timedelta(days) for days in (since, until)]
    given("viewer", "team", "amber", valid_from=days[0], valid_to=days[1])
    assert ("amber" in (visible_teams(lilei) or ())) is holds


def test_what_people_held_before_grants_they_hold(lilei: User) -> None:
    Membership.objects.create(user=lilei, team=Team.objects.get(name="coral"))
    UnitMembership.objects.create(user=lilei, unit=Unit.objects.create(name="north", kind="department"))
    assert (visible_teams(lilei), actor_of(lilei).teams) == ({"amber", "beryl", "coral"}, {"coral"})
    lilei.groups.add(Group.objects.create(name=FINANCE))
    assert (visible_teams(lilei), actor_of(lilei).teams) == (None, None)
    assert books_actor_of(lilei).may_answer
    assert not may(lilei, Can.CLOSE_MONTHS), "the group closes with the permission of books only"
    for permission in PERMISSIONS.values():
        lilei.user_permissions.add(Permission.objects.get(codename=permission.partition(".")[2]))
    again = User.objects.get(pk=lilei.pk)
    assert all(may(again, can) for can in PERMISSIONS)


def test_a_permission_is_worth_nothing_without_sight_of_all(lilei: User) -> None:
    lilei.user_permissions.set(Permission.objects.filter(codename="close_month"))
    given("lead", "team", "amber")
    assert not may(User.objects.get(pk=lilei.pk), Can.CLOSE_MONTHS)


def test_everybody_of_a_group_holds_what_it_was_given(lilei: User) -> None:
    lilei.groups.add(Group.objects.create(name="controllers"))
    give(Wish("group:controllers", "finance"), by="han", now=NOW)
    assert may(lilei, Can.CLOSE_MONTHS)
    assert list(holders(Role.FINANCE)) == [lilei]


def test_a_lead_by_grant_is_one_of_the_people_of_the_team(lilei: User) -> None:
    given("lead", "team", "amber")
    assert list(people_of(Team.objects.get(name="amber"))) == [lilei]
    assert not people_of(Team.objects.get(name="beryl"))


def test_whoever_may_not_sign_in_holds_nothing(lilei: User) -> None:
    given("finance")
    lilei.is_active = False
    assert (visible_teams(lilei), may(lilei, Can.CLOSE_MONTHS)) == (set(), False)


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        pytest.param(("lilei", "king"), "role: 'king' is not one of viewer", id="an unknown role"),
        pytest.param(("lilei", "viewer", "moon"), "reach: 'moon' is not one of", id="an unknown reach"),
        pytest.param(("lilei", "lead", "everything"), "reach: the role lead is given over", id="a lead of all"),
        pytest.param(("lilei", "admin", "team", "amber"), "reach: the role admin", id="an administrator of a team"),
        pytest.param(("lilei", "viewer", "team", "nobody"), "value: there is no team 'nobody'", id="no such team"),
        pytest.param(("lilei", "viewer", "unit", "west"), "value: there is no part", id="no such unit"),
        pytest.param(("lilei", "viewer", "cost_center", "X"), "value: there is no cost centre", id="no such centre"),
        pytest.param(("lilei", "viewer", "account", ""), "value: there is no account", id="no account"),
        pytest.param(("lilei", "viewer", "everything", "x"), "value: of everything", id="everything has no name"),
        pytest.param(("meimei", "viewer"), "who: there is no user 'meimei'", id="no such user"),
        pytest.param(("group:none", "viewer"), "who: there is no group 'none'", id="no such group"),
    ],
)
def test_a_grant_that_means_nothing_is_refused(lilei: User, wish: tuple[str, ...], why: str) -> None:
    with pytest.raises(CannotGrant, match=why):
        give(Wish(*wish), by="han", now=NOW)
    assert not grants()


def test_the_page_says_what_each_role_may_do() -> None:
    """The table of docs/roles.md is that of the code."""
    told = (ROOT / "docs/roles.md").read_text()
    assert set(MEANS) == set(Can)
    head = "| | " + " | ".join(role.value for role in ROLES) + " |"
    rows = [
        f"| `{can}` {MEANS[can]} | " + " | ".join("yes" if can in held else "–" for held in ROLES.values()) + " |"
        for can in MEANS
    ]
    assert head in told
    assert [row for row in rows if row not in told] == []


# --- The terminal, the API and the admin ----------------------------------------------------------------------------
def test_roles_are_given_and_taken_at_the_terminal(lilei: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("access", "grant", "lilei", "viewer", "--cost-center", "CC-1", "--until", "2099-01-01")
    assert "Grant" in capsys.readouterr().out
    assert visible_teams(lilei) == {"amber", "beryl"}
    call_command("access", "list", "--format", "json")
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["who"], row["reach"], row["value"], row["valid_to"]) == ("lilei", "cost_center", "CC-1", "2099-01-01")
    call_command("access", "revoke", str(row["number"]))
    assert visible_teams(lilei) == set()
    with pytest.raises(CommandError, match="There is no grant"):
        call_command("access", "revoke", str(row["number"]))


def test_an_administrator_gives_roles_by_the_api_with_a_token_that_names_it(lilei: User) -> None:
    han = User.objects.create_user("han")
    give(Wish("han", "admin"), by="root", now=NOW)
    wide, named = (
        Client(headers={"authorization": f"Token {issue_token(han, now=NOW, scopes=scopes)}"})
        for scopes in (("read", "write"), ("access:read", "access:write"))
    )
    body = {"who": "lilei", "role": "lead", "reach": "team", "value": "amber"}
    refused = wide.post("/api/v1/access/", body, content_type="application/json")
    assert (refused.status_code, refused.json()["scope"]) == (403, "access:write")
    made = named.post("/api/v1/access/", body, content_type="application/json")
    assert (made.status_code, made.json()["given_by"]) == (201, "han")
    assert visible_teams(lilei) == {"amber"}
    bad = named.post("/api/v1/access/", body | {"value": "nothing"}, content_type="application/json")
    assert (bad.status_code, bad.json()["parameter"]) == (400, "value")
    assert [row["number"] for row in named.get("/api/v1/access/").json()["rows"]][-1] == made.json()["number"]
    assert named.delete(f"/api/v1/access/{made.json()['number']}/").status_code == 200
    assert named.delete(f"/api/v1/access/{made.json()['number']}/").json()["code"] == "no_such_grant"
    assert visible_teams(lilei) == set()
    written = AuditEntry.objects.filter(actor="han", outcome__in=(200, 201)).values_list("action", flat=True)
    assert {"POST api-access", "DELETE api-grant"} <= set(written)
    (given,) = AuditEntry.objects.filter(actor="han", action="POST api-access", outcome=201)
    assert given.details == body | {"via": given.details["via"]}


def test_an_administrator_finds_in_the_admin_what_is_theirs(lilei: User) -> None:
    han = User.objects.create_user("han")
    give(Wish("han", "admin"), by="root", now=NOW)
    client = Client()
    client.force_login(han)
    assert client.get("/admin/").status_code == 200
    form = {"user": lilei.pk, "role": "viewer", "reach": "team", "value": "amber"}
    assert client.post("/admin/teams/grant/add/", form).status_code == 302
    assert visible_teams(lilei) == {"amber"}
    wrong = client.post("/admin/teams/grant/add/", form | {"value": "nothing"})
    assert "there is no team" in wrong.content.decode()
    assert client.post("/admin/teams/serviceaccount/add/", {"name": "erp", "purpose": "budgets"}).status_code == 302
    assert not User.objects.get(username="erp").has_usable_password()
    assert client.get("/admin/books/close/").status_code == 403


@pytest.mark.parametrize("field", ["is_superuser", "is_staff"])
def test_an_administrator_of_people_makes_nobody_more_than_they_are(lilei: User, field: str) -> None:
    han, root = User.objects.create_user("han"), User.objects.create_superuser("root")
    give(Wish("han", "admin"), by="root", now=NOW)
    client = Client()
    client.force_login(han)
    form = {"username": "lilei", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", "is_active": "on"}
    assert client.post(f"/admin/auth/user/{lilei.pk}/change/", form | {field: "on"}).status_code == 302
    assert not getattr(User.objects.get(pk=lilei.pk), field)
    assert client.post(f"/admin/auth/user/{root.pk}/change/", form).status_code == 403
    assert client.post(f"/admin/auth/user/{root.pk}/password/", {}).status_code == 403


# --- Programs -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("is_among_others", [False, True], ids=["by its form", "among others"])
@pytest.mark.parametrize("who", ["of the staff", "an administrator of people"])
def test_staff_and_superusers_are_deleted_by_superusers_only(lilei: User, who: str, is_among_others: bool) -> None:
    han = User.objects.create_user("han", is_staff=who == "of the staff")
    han.user_permissions.set(Permission.objects.filter(codename__in=("view_user", "delete_user")))
    if not han.is_staff:
        give(Wish("han", "admin"), by="root", now=NOW)
    for name, others in (("root", {"is_superuser": True}), ("keeper", {"is_staff": True}), ("second", {})):
        User.objects.create_user(name, **others)  # type: ignore[arg-type]
    client = Client()
    client.force_login(han)
    for name in ("root", "keeper", "second"):
        pk = User.objects.get(username=name).pk
        chosen = {"action": "delete_selected", "_selected_action": [pk]} if is_among_others else {}
        client.post("/admin/auth/user/" + ("" if is_among_others else f"{pk}/delete/"), {"post": "yes"} | chosen)
    left = set(User.objects.values_list("username", flat=True))
    assert left == {"lilei", "han", "root", "keeper"} | ({"second"} if han.is_staff else set())


@pytest.mark.parametrize(
    ("permissions", "is_admin", "is_revoked"),
    [
        pytest.param(("view_apitoken",), False, False, id="who may look"),
        pytest.param(("view_apitoken", "change_apitoken"), False, True, id="who may change"),
        pytest.param(("view_apitoken",), True, True, id="an administrator of people"),
    ],
)
def test_a_token_is_revoked_in_the_admin_by_who_may(
    lilei: User, permissions: tuple[str, ...], is_admin: bool, is_revoked: bool
) -> None:
    han = User.objects.create_user("han", is_staff=True)
    han.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    if is_admin:
        give(Wish("han", "admin"), by="root", now=NOW)
    issue_token(lilei, now=NOW)
    client = Client()
    client.force_login(han)
    token = ApiToken.objects.get()
    client.post("/admin/api/apitoken/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert (token.revoked_at is not None) is is_revoked


def test_a_service_account_has_tokens_and_no_way_to_sign_in(teams: None) -> None:
    robot = make_service_account("robot", purpose="reads", by="han", now=NOW).user
    give(Wish("robot", "viewer", "team", "amber"), by="han", now=NOW)
    key = issue_token(robot, now=NOW, name="nightly")
    answered = Client(headers={"authorization": f"Token {key}"}).get("/api/v1/teams/")
    assert [row["name"] for row in answered.json()["rows"]] == ["amber"]
    robot.set_password("somebody gave it one")
    robot.save()
    entered = Client()
    assert entered.login(username="robot", password="somebody gave it one")
    assert entered.get("/settings/").status_code == 302
    assert entered.get("/api/v1/me/").status_code in (401, 403)
    with pytest.raises(TokenRefusedError, match="has a name"):
        issue_token(robot, now=NOW)


@pytest.mark.parametrize("name", ["", "a", "Grafana", "two words", "x" * 65, "lilei"])
def test_a_service_account_is_called_so_that_it_can_be_typed(lilei: User, name: str) -> None:
    with pytest.raises(CannotGrant, match="name: "):
        make_service_account(name, purpose="reads", by="han", now=NOW)


def test_a_token_for_a_team_speaks_for_nothing_else(lilei: User) -> None:
    given("finance")
    key = issue_token(lilei, now=NOW, scopes=("read", "write"), teams=["amber"])
    client = Client(headers={"authorization": f"Token {key}"})
    told = client.get("/api/v1/me/").json()
    assert (told["teams"], told["may"], told["token"]["teams"]) == (["amber"], [], ["amber"])
    assert client.get("/api/v1/reconciliation/").status_code == 403
    assert client.get("/api/v1/teams/beryl/").status_code == 404
    with pytest.raises(TokenRefusedError, match="There is no team 'nothing'"):
        issue_token(lilei, now=NOW, teams=["nothing"])


def test_a_client_has_one_token_in_use_and_one_to_follow_it(lilei: User) -> None:
    first = issue_token(lilei, now=NOW, name="erp")
    issue_token(lilei, now=NOW, name="erp")
    with pytest.raises(TokenRefusedError, match="2 live tokens called 'erp'"):
        issue_token(lilei, now=NOW, name="erp")
    ApiToken.objects.filter(public_id=first.split("_")[1]).update(revoked_at=NOW)
    assert issue_token(lilei, now=NOW, name="erp")


def test_no_token_outlives_the_setting(lilei: User, settings: Any) -> None:
    settings.COSTOPS_TOKEN_MAX_DAYS = 30
    issue_token(lilei, now=NOW)
    with pytest.raises(TokenRefusedError, match="between 1 and 30 days"):
        issue_token(lilei, now=NOW, days=31)
    assert ApiToken.objects.get().expires_at == NOW + timedelta(30)


# --- Who read what --------------------------------------------------------------------------------------------------
def test_reads_are_kept_where_the_setting_says_so(lilei: User, settings: Any) -> None:
    given("viewer", "team", "amber")
    client = Client()
    client.force_login(lilei)
    client.get("/api/v1/teams/")
    assert not ReadEntry.objects.exists(), "it is off unless it is asked for"
    settings.COSTOPS_READ_LOG = 30
    client.get("/api/v1/teams/?format=csv")
    client.get("/api/v1/costs/?team=beryl")
    (read,) = ReadEntry.objects.filter(action="api-teams")
    assert (read.actor, read.teams, read.is_export) == ("lilei", ["amber"], True)
    assert not ReadEntry.objects.filter(teams__icontains="beryl").exists(), "what was asked for is not what was seen"


@pytest.mark.parametrize("is_kept", [True, False])
def test_what_an_assistant_asks_is_a_read_with_its_question(lilei: User, settings: Any, is_kept: bool) -> None:
    settings.COSTOPS_READ_LOG = 30 if is_kept else 0
    given("viewer", "team", "amber")
    assert ask(BY_NAME["teams"], {}, key=issue_token(lilei, now=NOW), address="10.1.2.3")["rows"]
    read = ReadEntry.objects.values_list("actor", "way", "action", "teams", "is_export", "question", "address")
    assert list(read) == ([("lilei", "token", "api-teams", ["amber"], False, "teams: ", "10.1.2.3")] if is_kept else [])


def test_a_question_of_an_assistant_says_what_was_asked_and_a_refused_one_is_no_read(
    lilei: User, settings: Any
) -> None:
    settings.COSTOPS_READ_LOG = 30
    given("viewer", "team", "amber")
    key = issue_token(lilei, now=NOW)
    ask(BY_NAME["recommendations"], {"team": "amber"}, key=key)
    assert ReadEntry.objects.get().question == "recommendations: team=amber"
    with pytest.raises(CannotAnswerError):
        ask(BY_NAME["reconciliation"], {}, key=key)
    assert ReadEntry.objects.count() == 1


def test_every_reach_can_be_asked_for_at_the_terminal() -> None:
    from apps.teams.management.commands.access import REACHES

    assert {*REACHES.values(), Reach.EVERYTHING} == set(Reach)
