"""Second factors: set up, asked for, kept sealed, required, and lost."""

import json
import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import Permission, User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from apps.api.services import issue_token
from apps.signin import factors
from apps.teams.granting import Wish, give
from apps.warehouse.sealed import SecretUnreadable
from tests.signin.conftest import PASSWORD


def code_of(secret: str, *, ago: int = 0) -> str:
    """What an app shows, now or some periods ago."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 - ago))


def set_up_app(browser: Client) -> tuple[str, list[str]]:
    """Set an app up as a person does: the key of the app, and the recovery codes that are shown once."""
    asked = browser.get("/signin/second-factor/totp/activate/")
    if asked.status_code == 302:
        browser.post(asked["Location"], {"password": PASSWORD})
        asked = browser.get("/signin/second-factor/totp/activate/")
    secret = re.search(r"<code data-secret>(\w+)<", asked.content.decode())[1]
    done = browser.post("/signin/second-factor/totp/activate/", {"code": code_of(secret, ago=1)}, follow=True)
    return secret, re.findall(r"\b\d{8}\b", done.content.decode())


def test_the_password_alone_no_longer_lets_in(people, sign_in):
    secret, codes = set_up_app(sign_in("lilei"))
    assert len(codes) == 10
    browser = Client()
    asked = browser.post("/login/", {"username": "lilei", "password": PASSWORD})["Location"]
    assert asked.startswith("/signin/second-factor/authenticate/")
    assert browser.get("/settings/").status_code == 302
    assert browser.post(asked, {"code": "000000"}).status_code == 200
    assert browser.post(asked, {"code": code_of(secret)}).status_code == 302
    assert browser.get("/settings/").status_code == 200


def test_a_code_is_taken_once(people, sign_in):
    secret, codes = set_up_app(sign_in("lilei"))
    for code in (code_of(secret), codes[3]):
        assert sign_in("lilei", code).get("/settings/").status_code == 200
        again = Client()
        asked = again.post("/login/", {"username": "lilei", "password": PASSWORD})["Location"]
        assert "That is not right, or was used already." in again.post(asked, {"code": code}).content.decode()


def test_codes_are_not_guessed(people, sign_in):
    """Five wrong ones in five minutes, whichever browser they come from; then the right one is not taken either."""
    secret, _ = set_up_app(sign_in("lilei"))
    for number in range(5):
        browser = Client()
        asked = browser.post("/login/", {"username": "lilei", "password": PASSWORD}, REMOTE_ADDR=f"10.0.0.{number}")
        browser.post(asked["Location"], {"code": f"00000{number}"}, REMOTE_ADDR=f"10.0.0.{number}")
    page = browser.post(asked["Location"], {"code": code_of(secret)}, REMOTE_ADDR="10.0.0.9").content.decode()
    assert "Too many tries." in page


def test_a_name_that_is_typed_takes_no_tries_of_codes_away(people, sign_in):
    """`mfa-auth-user-1` is how the library counts the codes of somebody; anybody may type it for a name."""
    secret, _ = set_up_app(sign_in("lilei"))
    typed = {"username": f"mfa-auth-user-{people['lilei'].pk}", "password": "wrong"}
    assert [Client().post("/login/", typed, REMOTE_ADDR=f"10.0.0.{n}").status_code for n in range(5)] == [200] * 5
    assert sign_in("lilei", code_of(secret)).get("/settings/").status_code == 200


def test_a_factor_of_ones_own_gives_an_address_no_tries_back(people, sign_in):
    secret, codes = set_up_app(sign_in("lilei"))
    browser = sign_in("lilei", code_of(secret))

    def wrong(count: int) -> list[int]:
        return [Client().post("/login/", {"username": f"name{n}", "password": "x"}).status_code for n in range(count)]

    assert wrong(9) == [200] * 9
    assert browser.post("/signin/second-factor/reauthenticate/", {"code": codes[0]}).status_code == 302
    assert wrong(2) == [200, 429]


def test_wrong_codes_are_tries_of_their_address(people, sign_in):
    secret, _ = set_up_app(sign_in("lilei"))
    browser = sign_in("lilei", code_of(secret))
    again = Client()
    asked = again.post("/login/", {"username": "lilei", "password": PASSWORD})["Location"]
    for n in range(2):
        browser.post("/signin/second-factor/reauthenticate/", {"code": f"00000{n}"})
        again.post(asked, {"code": f"00000{n}"})
    told = [Client().post("/login/", {"username": f"name{n}", "password": "x"}).status_code for n in range(7)]
    assert told == [200] * 6 + [429]
    assert "Too many tries." in again.post(asked, {"code": code_of(secret)}).content.decode()


def test_recovery_codes_are_shown_once(people, sign_in):
    browser = sign_in("lilei")
    set_up_app(browser)
    assert re.findall(r"\b\d{8}\b", browser.get("/signin/second-factor/recovery-codes/").content.decode()) == []


def test_a_factor_changes_for_who_shows_who_they_are_only(people, sign_in):
    browser = sign_in("lilei")
    asked = browser.get("/signin/second-factor/totp/activate/")
    assert asked["Location"].startswith("/signin/confirm/")
    assert "That is not your password." in browser.post(asked["Location"], {"password": "wrong"}).content.decode()
    assert browser.get("/signin/second-factor/totp/activate/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_setting_one_up_ends_the_other_sessions(people, sign_in):
    here, there = sign_in("lilei"), sign_in("lilei")
    set_up_app(here)
    assert [one.get("/settings/").status_code for one in (here, there)] == [200, 302]


# --- Kept sealed --------------------------------------------------------------------------------------------------
def test_secrets_are_sealed_and_the_key_changes(people, sign_in, settings):
    secret, codes = set_up_app(sign_in("lilei"))
    kept = json.dumps([one.data for one in Authenticator.objects.all()])
    assert secret not in kept
    settings.COSTOPS_SECRETS_KEYS = ["a new key"]
    call_command("signin", "reseal")
    settings.SECRET_KEY = "another secret key that never sealed anything"
    assert sign_in("lilei", codes[0]).get("/settings/").status_code == 200
    settings.COSTOPS_SECRETS_KEYS = []
    with pytest.raises(SecretUnreadable, match=r"manage\.py signin reset NAME"):
        sign_in("lilei", codes[1])


# --- Required -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("required", "led"),
    [
        pytest.param("none", [], id="of nobody"),
        pytest.param("privileged", ["han", "root"], id="of finance and whoever looks after CostOps"),
        pytest.param("all", ["han", "lilei", "root"], id="of everybody"),
    ],
)
def test_who_must_have_one(people, sign_in, settings, required, led):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = required
    answers = {name: sign_in(name).get("/settings/") for name in people}
    assert sorted(name for name, answer in answers.items() if answer.status_code == 302) == led
    assert {answers[name]["Location"] for name in led} <= {"/signin/second-factor/"}


def test_who_may_do_a_thing_by_permission_alone_must_have_one_too(people, settings):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = "privileged"
    give(Wish("lilei", "viewer"), by="root", now=timezone.now())
    assert not factors.must_have(User.objects.get(username="lilei"))
    people["lilei"].user_permissions.add(Permission.objects.get(codename="close_month"))
    assert factors.must_have(User.objects.get(username="lilei"))


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        pytest.param("/", {}, 302, id="a page"),
        pytest.param("/figures/overview/team/", {}, 302, id="a figure"),
        pytest.param("/runs/progress/", {"hx-request": "true"}, 200, id="a part of a page, which leads there"),
        pytest.param("/admin/", {}, 302, id="the admin"),
        pytest.param("/api/v1/me/", {}, 403, id="the API by a session"),
        pytest.param("/api/docs/", {}, 302, id="the documentation of the API"),
        pytest.param("/signin/devices/", {}, 302, id="where one is signed in"),
        pytest.param("/signin/second-factor/", {}, 200, id="where one sets it up"),
    ],
)
def test_who_lacks_one_sees_nothing_else(people, sign_in, settings, address, headers, status):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = "all"
    response = sign_in("root").get(address, headers=headers)
    assert response.status_code == status
    if headers:
        assert (response["HX-Redirect"], response.content) == ("/signin/second-factor/", b"")


def test_who_sets_it_up_sees_all_again(people, sign_in, settings):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = "all"
    browser = sign_in("root")
    assert "Your account needs one." in browser.get("/signin/second-factor/").content.decode()
    set_up_app(browser)
    assert browser.get("/settings/").status_code == 200


def test_programs_with_tokens_have_no_second_factor(people, settings):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = "all"
    key = issue_token(people["lilei"], name="t", days=1, now=timezone.now())
    assert Client().get("/api/v1/me/", headers={"authorization": f"Token {key}"}).status_code == 200


def test_who_lost_theirs_is_helped_at_the_terminal(people, sign_in, capsys):
    browser = sign_in("lilei")
    set_up_app(browser)
    call_command("signin", "reset", "lilei")
    assert "lilei had 1 second factors, and has none now." in capsys.readouterr().out
    assert browser.get("/settings/").status_code == 302
    assert not factors.has_one(people["lilei"])
    assert sign_in("lilei").get("/settings/").status_code == 200


def test_passkeys_are_asked_for_so_often_by_an_address(people):
    """Each question is kept in a session, for half a day."""

    def asked(address: str) -> int:
        headers = {"x-requested-with": "XMLHttpRequest"}
        return Client(REMOTE_ADDR=address).get("/signin/second-factor/webauthn/login/", headers=headers).status_code

    assert [asked("10.0.0.7") for _ in range(32)] == [200] * 30 + [429] * 2
    assert Session.objects.count() == 30
    assert asked("10.0.0.8") == 200


# --- Passkeys, in a real browser ----------------------------------------------------------------------------------
@pytest.fixture
def key_in_browser(people, transactional_db, live_server, chromium):
    """A page of a browser that holds a security key which its owner touches at once."""
    from tests.servers.browser import record_complaints

    context = chromium.new_context(locale="en")
    page = context.new_page()
    complaints = record_complaints(page)
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield page, live_server.url
    context.close()
    assert complaints == []


def by_password(page, url):
    page.goto(f"{url}/login/")
    page.fill("input[name=username]", "root")
    page.fill("input[name=password]", PASSWORD)
    page.click("form:has(input[name=password]) button[type=submit]")


def test_a_passkey_signs_in_alone_and_is_a_second_factor(key_in_browser):
    page, url = key_in_browser
    by_password(page, url)
    page.wait_for_url("**/first-steps/")
    page.goto(f"{url}/signin/second-factor/webauthn/add/")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.check("input[name=passwordless]")
    page.click("#add_key")
    page.wait_for_url("**/recovery-codes/")
    page.context.clear_cookies()

    page.goto(f"{url}/login/?next=/settings/")
    page.click("#passkey_login")
    page.wait_for_url(re.compile(r"\d/settings/$"))
    page.context.clear_cookies()

    by_password(page, url)
    page.wait_for_url("**/authenticate/**")
    page.click("#use_key")
    page.wait_for_url("**/first-steps/")
    page.goto(f"{url}/signin/second-factor/")
    assert page.locator("h1").inner_text() == "Second factor"
