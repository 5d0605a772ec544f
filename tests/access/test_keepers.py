"""Somebody always looks after people: the last who can stays, whichever way they are to be removed."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from apps.api.services import issue_token
from apps.audit.models import AuditEntry
from apps.signin.groups import follow
from apps.signin.models import Given
from apps.teams.granting import Wish, give, take
from apps.teams.keepers import LastKeeper, keepers
from apps.teams.models import Grant
from tests.racing import race

NOW = datetime.now(UTC)
SAID = "Nobody could give and take roles any more"


@pytest.fixture
def han(db: None) -> User:
    """The only one who looks after people, by a group that is administrator."""
    han = User.objects.create_user("han", password="a password of hers", is_staff=True)
    han.groups.add(Group.objects.create(name="keepers"))
    give(Wish("group:keepers", "admin"), by="root", now=NOW)
    return han


def _switched_off(han: User) -> None:
    han.is_active = False
    han.save()


WAYS: dict[str, Callable[[User], object]] = {
    "switched off": _switched_off,
    "deleted": lambda han: han.delete(),
    "deleted among others": lambda _: User.objects.all().delete(),
    "out of the group": lambda han: han.groups.clear(),
    "out of the group, from its side": lambda han: Group.objects.get(name="keepers").user_set.remove(han),
    "the group deleted": lambda _: Group.objects.get(name="keepers").delete(),
    "the grant taken back": lambda _: take(Grant.objects.get(group__name="keepers").pk),
}


@pytest.mark.parametrize("way", WAYS)
def test_the_last_stays(han, way):
    with pytest.raises(LastKeeper, match=SAID), transaction.atomic():
        WAYS[way](han)
    assert [one.username for one in keepers()] == ["han"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "deleted among others"])
def test_one_of_two_may_go(han, way):
    User.objects.create_user("wei")
    give(Wish("wei", "admin"), by="root", now=NOW)
    WAYS[way](han)
    assert [one.username for one in keepers()] == ["wei"]


@pytest.mark.parametrize("change", ["is_superuser", "is_active"])
def test_the_last_superuser_is_not_demoted_by_the_admin(db, change):
    root = User.objects.create_superuser("root", password="a password of roots")
    User.objects.create_superuser("gone", is_active=False)
    client = Client()
    client.force_login(root)
    form = {"username": "root", "date_joined_0": "2026-10-01", "date_joined_1": "00:00:00", "is_staff": "on"}
    form |= {name: "on" for name in ("is_active", "is_superuser") if name != change}
    page = client.post(f"/admin/auth/user/{root.pk}/change/", form, follow=True)
    assert SAID in page.content.decode()
    assert User.objects.filter(pk=root.pk, is_active=True, is_superuser=True).exists()


def test_nor_deleted_there_alone_or_with_others(han):
    root = User.objects.create_superuser("root")
    client = Client()
    client.force_login(root)
    Grant.objects.all().delete()
    for address, form in (
        (f"/admin/auth/user/{root.pk}/delete/", {"post": "yes"}),
        ("/admin/auth/user/", {"action": "delete_selected", "_selected_action": [root.pk, han.pk], "post": "yes"}),
    ):
        assert SAID in client.post(address, form, follow=True).content.decode()
    assert User.objects.count() == 2


def test_the_api_and_the_terminal_say_so(han):
    key = issue_token(han, now=NOW, name="access", scopes=["access:write"])
    number = Grant.objects.get().pk
    answer = Client().delete(f"/api/v1/access/{number}/", headers={"authorization": f"Token {key}"})
    assert (answer.status_code, json.loads(answer.content)["code"]) == (409, "last_keeper")
    with pytest.raises((CommandError, LastKeeper), match=SAID):
        call_command("access", "revoke", str(number))
    assert Grant.objects.count() == 1


def test_a_group_of_the_sign_in_that_is_gone_leaves_the_last_what_it_gave(han, settings):
    settings.COSTOPS_SSO_GROUPS = {"corp-keepers": [("group", "keepers")]}
    Given.objects.create(user=han, kind="group", name="keepers")
    follow(han, frozenset(), at=NOW, address="203.0.113.9")
    assert (keepers().count(), Given.objects.count()) == (1, 1)
    assert "group keepers" in str(AuditEntry.objects.get().details), "what was kept is told"
    User.objects.create_superuser("root")
    follow(han, frozenset(), at=NOW, address="203.0.113.9")
    assert (keepers().get().username, Given.objects.count()) == ("root", 0)


def test_a_grant_of_the_past_and_a_program_keep_nothing(db):
    User.objects.create_user("wei")
    give(Wish("wei", "admin", valid_to=NOW.date().replace(year=2025)), by="root", now=NOW)
    assert not keepers().exists()
    _switched_off(User.objects.get())  # nobody looks after people, and nobody is the last


def test_a_superuser_who_is_administrator_too_may_be_superuser_no_more(db):
    root = User.objects.create_superuser("root")
    give(Wish("root", "admin"), by="root", now=NOW)
    root.is_superuser = False
    root.save()
    assert [one.username for one in keepers()] == ["root"]


@pytest.mark.parametrize("way", [way for way in WAYS if way != "deleted among others"])
def test_whose_role_ends_does_not_replace_the_last_whose_role_does_not(han, way):
    User.objects.create_user("wei")
    give(Wish("wei", "admin", valid_to=NOW.date() + timedelta(days=3)), by="root", now=NOW)
    with pytest.raises(LastKeeper, match="whose role does not end"), transaction.atomic():
        WAYS[way](han)
    User.objects.get(username="wei").delete()
    assert [one.username for one in keepers()] == ["han"]


@pytest.mark.parametrize(
    "remove",
    [
        pytest.param(lambda: User.objects.all().delete(), id="all people deleted"),
        pytest.param(lambda: Grant.objects.all().delete(), id="all grants deleted"),
        pytest.param(lambda: Group.objects.all().delete(), id="all groups deleted"),
        pytest.param(lambda: [one.groups.clear() for one in User.objects.all()], id="all out of their groups"),
    ],
)
def test_nor_do_all_go_at_once(han, remove):
    wei = User.objects.create_user("wei")
    wei.groups.add(Group.objects.create(name="others"))
    give(Wish("group:others", "admin"), by="root", now=NOW)
    with pytest.raises(LastKeeper, match=SAID), transaction.atomic():
        remove()
    assert keepers().count() == 2


def _leave(user: User) -> None:
    user.groups.clear()


def _no_superuser(user: User) -> None:
    user.is_superuser = False
    user.save()


def _taken_back(user: User) -> None:
    take(Grant.objects.get(user=user).pk)


def _superusers() -> list[User]:
    return [User.objects.create_superuser(name) for name in ("han", "wei")]


def _of_a_group() -> list[User]:
    pair = [User.objects.create_user(name) for name in ("han", "wei")]
    Group.objects.create(name="keepers").user_set.add(*pair)
    give(Wish("group:keepers", "admin"), by="root", now=NOW)
    return pair


def _by_grants() -> list[User]:
    pair = [User.objects.create_user(name) for name in ("han", "wei")]
    for one in pair:
        give(Wish(one.username, "admin"), by="root", now=NOW)
    return pair


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("make", "remove"),
    [
        pytest.param(_superusers, _switched_off, id="switched off"),
        pytest.param(_superusers, _no_superuser, id="no superusers any more"),
        pytest.param(_superusers, lambda user: user.delete(), id="deleted"),
        pytest.param(_of_a_group, _leave, id="out of the group"),
        pytest.param(_by_grants, _taken_back, id="the grants taken back"),
    ],
)
def test_of_two_who_remove_each_other_at_once_one_stays(make, remove):
    pair = make()
    told = []

    def go(user: User) -> None:
        try:
            with transaction.atomic():
                remove(user)
                time.sleep(0.2)  # the other one is at it meanwhile
        except LastKeeper as last:
            told.append(str(last))

    race(*(partial(go, user) for user in pair))
    assert (len(told), keepers().count()) == (1, 1)
