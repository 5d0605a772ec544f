"""Sessions: new at the sign-in, over in time, seen and ended by whom they belong to."""

from datetime import UTC, datetime, timedelta

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.api.services import issue_token
from apps.signin import sessions
from tests.signin.conftest import PASSWORD

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def aged(browser: Client, **ages: timedelta) -> None:
    """Let a session be older, as if time had passed."""
    session = browser.session
    for name, age in ages.items():
        session[{"began": sessions.BEGAN, "seen": sessions.SEEN}[name]] = (timezone.now() - age).timestamp()
    session.save()


def test_a_sign_in_has_a_new_session(people):
    browser = Client()
    browser.get("/login/")
    session = browser.session
    session["planted"] = "by somebody else"
    session.save()
    before = browser.cookies["sessionid"].value
    browser.post("/login/", {"username": "lilei", "password": PASSWORD})
    assert browser.cookies["sessionid"].value != before
    assert Client(headers={"cookie": f"sessionid={before}"}).get("/settings/").status_code == 302


@pytest.mark.parametrize(
    ("ages", "status"),
    [
        pytest.param({"seen": timedelta(minutes=59)}, 200, id="back within the hour"),
        pytest.param({"seen": timedelta(minutes=61)}, 302, id="unused for more than an hour"),
        pytest.param({"began": timedelta(hours=11)}, 200, id="there all day"),
        pytest.param({"began": timedelta(hours=13)}, 302, id="there for more than half a day"),
    ],
)
def test_a_session_ends_in_time(people, sign_in, ages, status):
    browser = sign_in("lilei")
    aged(browser, **ages)
    assert browser.get("/settings/").status_code == status
    assert browser.get("/settings/").status_code == status


@given(began=st.integers(0, 10**6), seen=st.integers(0, 10**6), idle=st.integers(0, 10**4), hours=st.integers(1, 200))
def test_what_is_over_stays_over(began, seen, idle, hours):
    """However the limits are set: a session that is over now is over at any later moment."""
    from django.test import override_settings

    session = SessionStore()
    session[sessions.BEGAN], session[sessions.SEEN] = NOW.timestamp() - began, NOW.timestamp() - seen
    with override_settings(COSTOPS_SESSION_IDLE_MINUTES=idle, COSTOPS_SESSION_HOURS=hours):
        is_over = [sessions.is_over(session, NOW + timedelta(hours=later)) for later in (0, 1, 1000)]
    assert is_over == sorted(is_over)
    assert is_over[-1]


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(people, sign_in):
    browser = sign_in("root")
    aged(browser, seen=timedelta(minutes=30))
    before = browser.session[sessions.SEEN]
    browser.get("/runs/progress/")
    assert browser.session[sessions.SEEN] == before
    browser.get("/settings/")
    assert browser.session[sessions.SEEN] > before


def test_who_is_switched_off_is_out_at_once(people, sign_in):
    browser = sign_in("lilei")
    key = issue_token(people["lilei"], name="t", days=1, now=timezone.now())
    program = Client(headers={"authorization": f"Token {key}"})
    assert program.get("/api/v1/me/").status_code == 200
    User.objects.filter(username="lilei").update(is_active=False)
    assert browser.get("/settings/").status_code == 302
    assert program.get("/api/v1/me/").status_code == 401


def test_one_sees_and_ends_ones_own_sessions(people, sign_in):
    here, there, other = sign_in("lilei"), sign_in("lilei"), sign_in("han")
    page = here.get("/signin/devices/").content.decode()
    assert page.count('name="end"') == 3  # here, there, and all others
    theirs = sessions.sessions_of(people["han"])[0].pk
    here.post("/signin/devices/", {"end": str(theirs)})
    assert other.get("/settings/").status_code == 200
    here.post("/signin/devices/", {"end": "others"})
    assert [one.get("/settings/").status_code for one in (here, there)] == [200, 302]
    here.post("/signin/devices/", {"end": str(sessions.sessions_of(people["lilei"])[0].pk)})
    assert here.get("/settings/").status_code == 302


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML) Chrome/156.0 Safari/537.36", "Chrome · Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/156.0 Safari/537.36 Edg/156.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1", "Safari · iPhone"),
        ("curl/8.0", "curl/8.0"),
        ("", ""),
    ],
)
def test_a_browser_is_told_by_its_name(said, told):
    assert sessions.browser_of(said) == told


@pytest.mark.parametrize("odd", ["", "x", "-1", "٣", "9" * 30])
def test_an_odd_session_is_nobodys(people, sign_in, odd):
    browser = sign_in("lilei")
    assert browser.post("/signin/devices/", {"end": odd}).status_code == 302
    assert browser.get("/settings/").status_code == 200


def test_sessions_are_ended_at_the_terminal(people, sign_in, capsys):
    browser = sign_in("lilei")
    call_command("signin", "end", "lilei")
    assert "1 sessions of lilei were ended." in capsys.readouterr().out
    assert browser.get("/settings/").status_code == 302


@pytest.mark.parametrize("address", ["/settings/", "/signin/devices/", "/signin/second-factor/", "/admin/"])
def test_what_somebody_sees_is_stored_nowhere(people, sign_in, address):
    assert "no-store" in sign_in("root").get(address).headers["Cache-Control"]


def test_by_https_cookies_belong_to_this_host_alone():
    import os
    import subprocess
    import sys

    code = "from django.conf import settings; print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME)"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"COSTOPS_HTTPS": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["__Host-session", "__Host-csrf"]


def test_sessions_that_are_over_are_forgotten(people, sign_in):
    there, gone = sign_in("lilei"), sign_in("lilei")
    Session.objects.filter(session_key=gone.session.session_key).update(expire_date=timezone.now())
    assert sessions.forget_over(timezone.now() + timedelta(hours=2)) == 1
    assert [one.session_key for one in Session.objects.all()] == [there.session.session_key]
    assert [one.session_key for one in UserSession.objects.all()] == [there.session.session_key]
