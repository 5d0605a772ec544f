"""Every address × method × person × side of the thing: let in or not as declared, and nothing of anybody else's."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http.response import HttpResponseBase
from django.test import override_settings

from tests.access import people, table, world
from tests.access.people import Actor
from tests.access.table import Address, addresses
from tests.access.world import World
from tests.once import made_once

SIGN_IN = ("/login/", "/admin/login/", "/accounts/")


@pytest.fixture(scope="module")
def made(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, dict[str, Actor]]]:
    """The world and who asks, made once."""
    found: list[Any] = []
    lake = tmp_path_factory.mktemp("access") / "lake"
    cache.clear()
    with (
        override_settings(COSTOPS_LAKE=lake, COSTOPS_HOME=lake.parent, COSTOPS_API_REQUESTS_PER_MINUTE=0),
        made_once(django_db_blocker, lake, lambda: found.extend((world.make(), people.hire()))),
    ):
        yield found[0], found[1]
    cache.clear()


def answer(actor: Actor, address: Address, method: str) -> HttpResponseBase:
    """One answer; whatever it did is undone."""
    with transaction.atomic():
        response: Any = actor.client.generic(method, address.path)
        if response.streaming:
            response.content_read = b"".join(response.streaming_content)
        transaction.set_rollback(True)
    return response


def text_of(response: Any) -> str:
    """The body and the headers, as whoever listens gets them."""
    body = getattr(response, "content_read", None) or (b"" if response.streaming else response.content)
    return body.decode(errors="replace") + repr(sorted(response.headers.items()))


def is_let_in(response: HttpResponseBase) -> bool:
    """Whether somebody was answered: neither led to the sign-in nor refused."""
    if response.status_code in (301, 302):
        return not response.headers["Location"].startswith(SIGN_IN)
    return response.status_code not in (401, 403, 404, 405, 415)


def wrong(actor: Actor, address: Address, method: str) -> list[str]:
    """What is wrong with how somebody is answered: nothing, as a rule."""
    response = answer(actor, address, method)
    told = f"{actor.name}: {method} {address.path} → {response.status_code}"
    known = address.path + (A_NAME if address.name == "api-access" and address.lets_in(actor) else "")
    found = [f"{told} leaks {word}" for word in world.leaks(text_of(response), actor.sees, known)[:1]]
    if response.status_code >= 500:
        found.append(f"{told} failed")
    if method in ("GET", "HEAD") and address.rule != "admin" and is_let_in(response) != address.lets_in(actor):
        found.append(f"{told}, declared {address.rule!r}")
    return found


def test_every_address_is_declared() -> None:
    undeclared = [route for name, route in table.patterns() if table.rule_of(name, route) is None]
    assert undeclared == [], "declare who may ask there, in tests/access/table.py"


ASKING = [name for name in people.NAMES if name not in ("unit_viewer", "root")]
"""These two see what `viewer` and `finance` see."""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ASKING)
def test_whoever_asks_is_let_in_as_declared_and_reads_nothing_of_others(made: Any, name: str) -> None:
    there, actors = made
    asked = [one for one in addresses(there) if one.rule != "admin"]
    mistakes = [each for one in asked for each in wrong(actors[name], one, "GET")]
    assert not mistakes, "\n".join(mistakes)
    assert len(asked) > 300


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["anonymous", "expired token", "account_viewer", "admin", "costs token of the lead"])
def test_no_other_way_of_asking_opens_more(made: Any, name: str) -> None:
    there, actors = made
    asked = [one for one in addresses(there) if one.rule != "admin"]
    mistakes = [each for one in asked for how in ("HEAD", "OPTIONS") for each in wrong(actors[name], one, how)]
    assert not mistakes, "\n".join(mistakes)


ADMIN_OWN = ("admin/teams/grant/", "admin/teams/serviceaccount/", "admin/auth/user/")
ADMIN_PLUMBING = ("admin/login/", "admin/logout/", "admin/jsi18n/", "admin/password_change/", "admin/autocomplete/")
"""Of Django's admin: what is no table."""


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["anonymous", "disabled", "lead", "finance", "token of the robot", "admin"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_admin_is_for_its_own(made: Any, name: str, method: str) -> None:
    there, actors = made
    mistakes, asked = [], [one for one in addresses(there) if one.rule == "admin"]
    for one in asked:
        response = answer(actors[name], one, method)
        is_own = name == "admin" and one.route.startswith(ADMIN_OWN)
        is_plumbing = one.route.startswith(ADMIN_PLUMBING) or one.route in ("admin/", "admin/(?P<url>.*)$")
        known = f"{one.path} {A_NAME} {' '.join(world.CELLS) if is_own else ''}"  # people are called so
        if response.status_code >= 500 or world.leaks(text_of(response), actors[name].sees, known):
            mistakes.append(f"{name}: {method} {one.path} → {response.status_code}")
        if response.status_code == 200 and not (is_own or is_plumbing):
            mistakes.append(f"{name}: {method} {one.path} → {response.status_code}, is let in")
    assert not mistakes, "\n".join(mistakes)
    assert len(asked) > 400


A_NAME = f"{world.A} {world.B}"
"""An administrator reads over which teams roles were given."""
