"""Who only looks is looked up once; who changes something, or signs in, anew each time."""

import threading
from collections import Counter

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.finops.once import looking, once
from apps.teams.access import access_of
from apps.teams.models import Membership, Team


def asked(client, address: str) -> Counter[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return Counter(query["sql"] for query in queries)


@pytest.mark.parametrize("page", ["/", "/teams/live-class/", "/efficiency/", "/idle/", "/budgets/", "/api/v1/me/"])
def test_a_page_asks_who_looks_and_what_is_published_once(published, client_of, page):
    often = asked(client_of("lilei"), page)
    for table in ("teams_membership", "teams_grant", "auth_user_groups", "marts_publication"):
        assert sum(count for query, count in often.items() if f'FROM "{table}"' in query) <= 2, table


def test_what_somebody_holds_is_asked_anew_by_the_next_request(published, people, client_of):
    client = client_of("lilei")
    assert client.get("/teams/live-class/").status_code == 200
    Membership.objects.all().delete()
    Team.objects.update(lead_email="")
    assert client.get("/teams/live-class/").status_code == 403


@pytest.mark.django_db
def test_while_something_is_changed_nothing_is_kept() -> None:
    user, team = User.objects.create(username="lead"), Team.objects.create(name="web")
    with looking():
        assert access_of(user).held == ()
        Membership.objects.create(user=user, team=team)
        assert access_of(user).held == ()
    assert [held.value for held in access_of(user).held] == ["web"]
    Membership.objects.all().delete()
    assert access_of(user).held == ()


def test_only_looking_keeps_and_only_for_its_own_thread(rf) -> None:
    from apps.teams.requests import LookedUpOnce

    def told(method: str, path: str) -> list[int]:
        numbers = iter(range(9))
        answer = LookedUpOnce(lambda _: [once(("n",), lambda: next(numbers)) for _ in range(3)])
        return answer(rf.generic(method, path))

    assert told("GET", "/") == told("HEAD", "/teams/") == [0, 0, 0]
    for method, path in (("POST", "/"), ("PUT", "/"), ("DELETE", "/api/"), ("GET", "/signin/oidc/company/back/")):
        assert told(method, path) == [0, 1, 2], (method, path)
    heard = []
    with looking():
        once(("n",), lambda: 1)
        other = threading.Thread(target=lambda: heard.append(once(("n",), lambda: 2)))
        other.start()
        other.join()
        assert once(("n",), lambda: 3) == 1
    assert heard == [2]


def test_a_failure_is_not_kept() -> None:
    def fail() -> int:
        raise KeyError("gone")

    with looking():
        with pytest.raises(KeyError):
            once(("n",), fail)
        assert once(("n",), lambda: 1) == 1
