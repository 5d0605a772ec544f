"""Signing in by password: what is told, what is counted, and what is let in."""

import re
from functools import partial

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.test import Client

from apps.audit.models import AuditEntry
from apps.signin.models import Kept
from tests.racing import race
from tests.signin.conftest import PASSWORD

WRONG = "That name and password do not go together."
LOCKED = "Too many tries."


def tried(name: str, password: str, **more: str) -> tuple[int, str]:
    response = Client().post("/login/", {"username": name, "password": password}, **more)
    return response.status_code, re.sub(r"\s+", " ", response.content.decode())


def test_who_is_not_there_is_told_what_who_mistypes_is(people):
    masked = [re.sub(r'value="[^"]*"', "", tried(name, "wrong")[1]) for name in ("lilei", "nobody")]
    assert WRONG in masked[0]
    assert masked[0] == masked[1]


def test_an_account_takes_five_wrong_passwords_in_five_minutes(people):
    """The sixth is not looked at, right or wrong, and the log says so."""
    assert [tried("lilei", "wrong", REMOTE_ADDR=f"10.0.0.{n}")[0] for n in range(5)] == [200] * 5
    status, page = tried("lilei", PASSWORD, REMOTE_ADDR="10.0.0.9")
    assert (status, LOCKED in page) == (429, True)
    entry = AuditEntry.objects.order_by("-number").first()
    assert (entry.action, entry.outcome, entry.details["username"]) == ("POST login", 429, "lilei")
    assert tried("han", PASSWORD, REMOTE_ADDR="10.0.0.9")[0] == 302


@pytest.mark.parametrize(
    "tries",
    [
        pytest.param([("lilei", f"localhost:{port}") for port in range(9000, 9005)], id="under other ports"),
        pytest.param([("lilei", host) for host in ("localhost", "127.0.0.1", "[::1]:1", "LOCALHOST", "localhost.")],
                     id="under other hosts"),
        pytest.param([(name, "localhost") for name in ("LiLei", " lilei", "lilei ", "ＬＩＬＥＩ", "lilei")],
                     id="written otherwise"),
    ],
)  # fmt: skip
def test_a_name_is_counted_wherever_and_however_it_is_given(people, tries):
    told = [tried(name, "wrong", HTTP_HOST=host, REMOTE_ADDR=f"10.0.0.{n}")[0] for n, (name, host) in enumerate(tries)]
    assert told == [200] * 5
    assert tried("lilei", PASSWORD, HTTP_HOST="localhost:7777", REMOTE_ADDR="10.0.0.9")[0] == 429


@pytest.mark.parametrize("name", ["lılei", "LıLEı", "lİlei", "li̇lei"], ids=ascii)
def test_a_name_that_only_a_database_takes_for_another_signs_nobody_in(people, name):
    """PostgreSQL makes one capital of ı and i: were it let in, wrong passwords would be counted apart."""
    assert tried(name, PASSWORD)[0] == 200


def test_who_shows_once_more_who_they_are_is_counted_with_the_sign_in(people, sign_in):
    browser = sign_in("lilei")
    EmailAddress.objects.create(user=people["lilei"], email="lilei@corp.example", primary=True, verified=True)
    for n in range(3):
        confirm = {"HTTP_HOST": f"localhost:{9000 + n}", "REMOTE_ADDR": f"10.0.0.{n}"}
        assert browser.post("/signin/confirm/", {"password": "wrong"}, **confirm).status_code == 200
    assert [tried("lilei", "wrong", REMOTE_ADDR=f"10.0.1.{n}")[0] for n in range(3)] == [200, 200, 429]
    page = browser.post("/signin/confirm/", {"password": PASSWORD}, REMOTE_ADDR="10.0.0.9").content.decode()
    assert LOCKED in page


def test_nobody_is_locked_out_for_what_is_not_an_account(people):
    for _ in range(5):
        tried("nobody", "wrong", REMOTE_ADDR="10.0.0.1")
    assert tried("nobody", "wrong", REMOTE_ADDR="10.0.0.2")[0] == 429
    assert tried("lilei", PASSWORD, REMOTE_ADDR="10.0.0.2")[0] == 302


@pytest.mark.parametrize(
    ("behind_proxy", "evaluated"),
    [
        pytest.param(False, 10, id="whatever they say of where they are, without a proxy of ours"),
        pytest.param(True, 10, id="whatever they put before what our proxy says"),
    ],
)
def test_an_address_takes_ten_wrong_passwords_a_minute(people, settings, behind_proxy, evaluated):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if behind_proxy else None
    proxied = [f"203.0.113.{n}, 198.51.100.7" if behind_proxy else f"203.0.113.{n}" for n in range(14)]
    told = [tried(f"name{n}", "wrong", HTTP_X_FORWARDED_FOR=said)[0] for n, said in enumerate(proxied)]
    assert told == [200] * evaluated + [429] * (14 - evaluated)


def test_behind_our_proxy_people_are_counted_apart(people, settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    told = [tried(f"name{n}", "wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")[0] for n in range(14)]
    assert told == [200] * 14


@pytest.mark.django_db(transaction=True)
def test_all_processes_count_together(people):
    """Each thread has a cache of its own here, as each process has; what they share is the database."""
    from django.core.cache import caches

    told: list[int] = []

    def guess(number: int) -> None:
        caches["default"].clear()
        for n in range(4):
            told.append(tried("lilei", "wrong", REMOTE_ADDR=f"10.0.{number}.{n}")[0])

    race(*(partial(guess, number) for number in range(4)))
    assert sorted(told) == [200] * 5 + [429] * 11
    assert Kept.objects.exists()


def test_names_are_told_apart_as_they_were_made(people):
    """Whoever writes their name in capitals is let in; two who differ by that only are never taken for each other."""
    assert tried("LiLei", PASSWORD)[0] == 302
    User.objects.create_user("LILEI", password="another-password-of-tests")
    assert tried("lilei", "another-password-of-tests")[0] == 200


def test_a_form_from_elsewhere_signs_nobody_in(people):
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/login/", {"username": "lilei", "password": PASSWORD}).status_code == 403


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        pytest.param("/teams/web/", "/teams/web/", id="a page of ours"),
        pytest.param("//evil.example/", "/start/", id="another site"),
        pytest.param("https://evil.example/", "/start/", id="another site by its scheme"),
        pytest.param("javascript:alert(1)", "/start/", id="a script"),
    ],
)
def test_one_is_led_to_pages_of_ours_only(people, asked, led):
    response = Client().post("/login/", {"username": "lilei", "password": PASSWORD, "next": asked})
    assert response["Location"] == led


def test_who_is_switched_off_is_told_so_and_not_let_in(people):
    User.objects.filter(username="lilei").update(is_active=False)
    browser = Client()
    response = browser.post("/login/", {"username": "lilei", "password": PASSWORD})
    assert response["Location"] == "/signin/inactive/"
    assert browser.get("/settings/").status_code == 302


def test_the_admin_has_no_sign_in_of_its_own(people, sign_in):
    assert Client().get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    assert Client().get("/admin/login/?next=/admin/")["Location"] == "/login/?next=%2Fadmin%2F"
    assert Client().post("/admin/login/", {"username": "root", "password": PASSWORD}).status_code == 302
    assert sign_in("root").get("/admin/").status_code == 200
    assert sign_in("lilei").get("/admin/login/").status_code == 403


def test_passwords_can_be_switched_off(people, settings, sign_in):
    inside = sign_in("lilei")
    settings.COSTOPS_PASSWORD_LOGIN = False
    assert 'name="password"' not in Client().get("/login/").content.decode()
    assert tried("lilei", PASSWORD)[0] == 403
    assert inside.get("/signin/password/")["Location"] == "/settings/"


def test_changing_the_password_ends_the_other_sessions(people, sign_in):
    here, there = sign_in("lilei"), sign_in("lilei")
    new = "another-password-of-tests"
    given = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/signin/password/", given | {"oldpassword": "wrong"}).status_code == 200
    assert here.post("/signin/password/", given)["Location"] == "/settings/"
    assert here.get("/settings/").status_code == 200
    assert there.get("/settings/").status_code == 302
