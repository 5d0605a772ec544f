"""Single sign-on by OpenID Connect: who is let in as whom, and what is refused."""

import json
import time
from dataclasses import replace

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers import registry
from django.contrib.auth.models import User
from django.test import Client

from apps.audit.models import AuditEntry
from apps.signin import outbound
from apps.signin.models import Given
from apps.signin.oidc import Provider
from apps.teams.access import access_of
from apps.teams.models import Membership, Team
from apps.teams.roles import Can
from costops.sso import read_sso
from tests.servers.drops import dripping
from tests.signin.conftest import PASSWORD
from tests.signin.provider import CLIENT, SECRET, OidcProvider, asked_of, running_provider
from tests.signin.test_factors import set_up_app

WANG = {"sub": "42", "preferred_username": "wang", "name": "Wang Fang", "email": "wang@corp.example"}
GROUPS = {"platform": {"teams": ["live"], "groups": ["finance"]}, "keepers": {"staff": True}}
REFUSED = "Signing in there did not work"


@pytest.fixture(scope="module")
def server():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(server, people, settings, tmp_path):
    """The provider, behaving, and named by the installation."""
    fresh = OidcProvider(server.url, person=dict(WANG))
    for name in ("person", "claims", "userinfo", "document", "signs", "packs", "asked", "tokens_given"):
        setattr(server, name, getattr(fresh, name))
    registry.register(Provider)
    settle(settings, tmp_path, server)
    return server


def settle(settings, folder, server, **more):
    """Let the installation name the provider."""
    one = {"kind": "oidc", "id": "corp", "label": "Sign in with Corp", "issuer": server.url, "client_id": CLIENT}
    path = folder / "sso.json"
    path.write_text(json.dumps({"providers": [one | {"client_secret": SECRET} | more], "groups": GROUPS}))
    sso = read_sso(str(path))
    settings.SOCIALACCOUNT_PROVIDERS = sso.providers
    settings.COSTOPS_SSO_GROUPS, settings.COSTOPS_SSO_HOSTS = sso.groups, sso.hosts
    settings.COSTOPS_SSO_SECOND_FACTOR = sso.second_factor


def come_back(browser: Client, provider: OidcProvider, **changed: str):
    """Go to the provider and back, by way of `changed` parameters."""
    gone = browser.get("/signin/oidc/corp/?next=/settings/")
    assert gone.status_code == 302, gone.content.decode()
    return browser.get(provider.authorize(asked_of(gone["Location"]) | changed))


def is_in(browser: Client) -> bool:
    return browser.get("/settings/").status_code == 200


def test_who_comes_for_the_first_time_gets_an_account(provider):
    browser = Client()
    assert "Sign in with Corp" in browser.get("/login/").content.decode()
    assert come_back(browser, provider)["Location"] == "/settings/"
    assert is_in(browser)
    wang = User.objects.get(username="wang")
    assert not wang.has_usable_password()
    assert not wang.is_staff
    entry = AuditEntry.objects.order_by("-number").first()
    assert (entry.action, entry.actor, entry.outcome) == ("GET openid_connect_callback", "wang", 302)
    assert "code0" not in json.dumps(entry.details)


def test_a_provider_that_packs_all_the_same_is_understood(provider):
    provider.packs = "gzip"
    browser = Client()
    come_back(browser, provider)
    assert is_in(browser)


def test_who_comes_again_is_the_same_whatever_they_are_called_now(provider):
    come_back(Client(), provider)
    provider.person |= {"preferred_username": "fang", "email": "fang@corp.example", "email_verified": True}
    browser = Client()
    come_back(browser, provider)
    assert browser.session["_auth_user_id"] == str(User.objects.get(username="wang").pk)


def test_it_is_asked_with_state_nonce_and_pkce(provider):
    asked = asked_of(Client().get("/signin/oidc/corp/?scope=admin&auth_params=nonce%3Dx")["Location"])
    assert asked["code_challenge_method"] == "S256"
    assert set(asked["scope"].split()) == {"openid", "profile", "email"}
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 16


PAST = int(time.time()) - 3600
HOSTILE = [
    pytest.param({"claims": {"aud": "another-program"}}, id="a token for another program"),
    pytest.param({"claims": {"aud": [CLIENT, "another"], "azp": "another"}}, id="a token given to another program"),
    pytest.param({"claims": {"aud": None}}, id="a token for nobody"),
    pytest.param({"claims": {"iss": "https://evil.example"}}, id="a token of another issuer"),
    pytest.param({"claims": {"iss": None}}, id="a token of nobody"),
    pytest.param({"claims": {"exp": PAST}}, id="a token that is over"),
    pytest.param({"claims": {"exp": None}}, id="a token for ever"),
    pytest.param({"claims": {"nbf": int(time.time()) + 3600}}, id="a token of tomorrow"),
    pytest.param({"claims": {"iat": int(time.time()) + 3600}}, id="a token signed tomorrow"),
    pytest.param({"claims": {"nonce": "a" * 64}}, id="a token of another sign-in"),
    pytest.param({"claims": {"nonce": None}}, id="a token of no sign-in"),
    pytest.param({"claims": {"sub": None}}, id="a token about nobody"),
    pytest.param({"claims": {"sub": "43"}}, id="a token about somebody else than is told of"),
    pytest.param({"userinfo": {"sub": "root"}}, id="telling of somebody else than was signed"),
    pytest.param({"signs": "not at all"}, id="no signature"),
    pytest.param({"signs": "with the secret"}, id="a signature that we could make ourselves"),
    pytest.param({"signs": "with another key"}, id="a signature of somebody else"),
    pytest.param({"signs": "by name"}, id="a signature of a key that is not there"),
    pytest.param({"signs": "something else"}, id="a signature under something else"),
    pytest.param({"document": {"issuer": "https://evil.example"}}, id="another issuer at this address"),
    pytest.param({"document": {"jwks_uri": "http://169.254.169.254/keys"}}, id="keys at a metadata service"),
    pytest.param({"document": {"jwks_uri": "https://localhost/keys"}}, id="keys inside the network"),
    pytest.param({"document": {"token_endpoint": "ftp://127.0.0.1/"}}, id="an endpoint that is none"),
    pytest.param({"document": {"jwks_uri": None}}, id="no keys"),
    pytest.param({"userinfo": {"sub": None, "padding": "x" * (1 << 20)}}, id="an answer without end"),
    pytest.param({"packs": "gzip", "userinfo": {"padding": "x" * (1 << 24)}}, id="a packed answer without end"),
    pytest.param({"packs": "br"}, id="an answer packed by what we did not ask for"),
]


@pytest.mark.parametrize("behaviour", HOSTILE)
def test_what_is_not_good_lets_nobody_in(provider, behaviour, caplog):
    for name, value in behaviour.items():
        setattr(provider, name, value)
    browser = Client()
    gone = browser.get("/signin/oidc/corp/")
    response = gone
    if gone.status_code == 302:
        response = browser.get(provider.authorize(asked_of(gone["Location"])))
    assert (response.status_code, REFUSED in response.content.decode()) == (401, True)
    assert not is_in(browser)
    assert not User.objects.filter(username="wang").exists()
    assert not SocialAccount.objects.exists()
    assert "a sign-in by corp was refused: " in caplog.text
    assert AuditEntry.objects.filter(outcome=401, action__startswith="GET openid_connect_").exists()


@pytest.mark.parametrize(
    "asked", ["?code=code0&state=made-up", "?code=code0", "?state=x", "", "?error=server_error", "?error=access_denied"]
)
def test_who_did_not_begin_here_does_not_come_back(provider, asked):
    browser = Client()
    assert browser.get(f"/signin/oidc/corp/back/{asked}").status_code == 401
    assert not is_in(browser)
    assert provider.tokens_given == 0


def test_a_sign_in_ends_in_the_browser_that_began_it(provider):
    """What somebody else began is no way to be signed in as them; and what was used is used."""
    mine, theirs = Client(), Client()
    back = provider.authorize(asked_of(theirs.get("/signin/oidc/corp/")["Location"]))
    assert mine.get(back).status_code == 401
    assert theirs.get(back).status_code == 302
    assert Client().get(back).status_code == 401
    assert not is_in(mine)


@pytest.mark.parametrize("address", ["/signin/oidc/nowhere/", "/signin/oidc/nowhere/back/"])
def test_a_provider_that_is_not_named_is_none(provider, address):
    assert Client().get(address).status_code == 404


def test_a_provider_that_does_not_answer_is_said_to(provider, settings, tmp_path):
    settle(settings, tmp_path, replace(provider, url="http://127.0.0.1:9"))
    assert Client().get("/signin/oidc/corp/").status_code == 401


@pytest.mark.parametrize("part", ["headers", "body"])
def test_a_provider_that_answers_by_drops_is_not_waited_for(provider, settings, tmp_path, monkeypatch, part):
    monkeypatch.setattr(outbound, "SECONDS", 0.5)
    with dripping(part) as port:
        settle(settings, tmp_path, replace(provider, url=f"http://127.0.0.1:{port}"))
        began = time.monotonic()
        assert Client().get("/signin/oidc/corp/").status_code == 401
    assert time.monotonic() - began < 10


# --- Whose account ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("verified", "links", "status"),
    [
        pytest.param(True, True, 302, id="a verified address, where it may"),
        pytest.param(False, True, 403, id="an address that nobody verified"),
        pytest.param(None, True, 403, id="an address of which nothing is said"),
        pytest.param("no", True, 403, id="an address said to be verified by a word"),
        pytest.param(True, False, 403, id="a verified address, where it may not"),
    ],
)
def test_an_account_is_taken_over_by_a_verified_address_only(provider, settings, tmp_path, verified, links, status):
    settle(settings, tmp_path, provider, links_accounts=links)
    provider.person |= {"email": "LiLei@corp.example", "email_verified": verified}
    browser = Client()
    assert come_back(browser, provider).status_code == status
    assert is_in(browser) == (status == 302)
    assert SocialAccount.objects.filter(user__username="lilei").exists() == (status == 302)
    assert User.objects.get(username="lilei").has_usable_password()


@pytest.mark.parametrize(
    ("who", "led"),
    [
        pytest.param("plain", "/settings/", id="who is signed in at once"),
        pytest.param("with a factor", "/signin/second-factor/authenticate/", id="who is asked for a second factor"),
        pytest.param("switched off", "/signin/inactive/", id="who is switched off"),
    ],
)
def test_an_account_that_is_linked_is_in_the_audit_log(provider, sign_in, settings, tmp_path, who, led):
    settle(settings, tmp_path, provider, links_accounts=True)
    if who == "with a factor":
        set_up_app(sign_in("lilei"))
    User.objects.filter(username="lilei").update(is_active=who != "switched off")
    provider.person |= {"email": "lilei@corp.example", "email_verified": True}
    assert come_back(Client(), provider)["Location"].partition("?")[0] == led
    linked = AuditEntry.objects.get(action="link of the sign-in")
    assert (linked.actor, linked.details) == ("lilei", {"provider": "corp", "uid": "42"})
    actor = "lilei" if who == "plain" else ""
    assert AuditEntry.objects.filter(action="GET openid_connect_callback", actor=actor, outcome=302).exists()


def test_who_is_refused_for_an_address_of_somebody_is_in_the_audit_log(provider):
    provider.person |= {"email": "lilei@corp.example", "email_verified": True}
    assert come_back(Client(), provider).status_code == 403
    assert AuditEntry.objects.filter(action="GET openid_connect_callback", outcome=403).exists()


def test_an_unverified_address_is_not_kept_for_its_owner_to_walk_into(provider, settings, tmp_path):
    settle(settings, tmp_path, provider, links_accounts=True)
    provider.person["email"] = "victim@corp.example"
    come_back(Client(), provider)
    assert User.objects.get(username="wang").email == ""
    provider.person |= {"sub": "7", "preferred_username": "victim", "email_verified": True}
    come_back(Client(), provider)
    assert User.objects.get(username="victim").email == "victim@corp.example"


def test_who_has_a_verified_address_sets_up_a_second_factor(provider):
    """Who one is, is shown by a password or a factor; no code is sent to the address."""
    provider.person["email_verified"] = True
    browser = Client()
    come_back(browser, provider)
    assert EmailAddress.objects.filter(user__username="wang", verified=True).exists()
    assert browser.get("/signin/second-factor/totp/activate/").status_code == 200


def test_a_name_that_is_taken_is_not_shared(provider):
    provider.person["preferred_username"] = "root"
    browser = Client()
    come_back(browser, provider)
    assert is_in(browser)
    assert not User.objects.get(pk=browser.session["_auth_user_id"]).is_superuser


def test_where_providers_make_no_accounts_strangers_stay_out(provider, settings, tmp_path):
    settle(settings, tmp_path, provider, makes_accounts=False)
    browser = Client()
    assert "There is no account for you here" in come_back(browser, provider).content.decode()
    assert not is_in(browser)


def test_who_is_switched_off_here_stays_out(provider):
    come_back(Client(), provider)
    User.objects.filter(username="wang").update(is_active=False)
    browser = Client()
    assert come_back(browser, provider)["Location"] == "/signin/inactive/"
    assert not is_in(browser)


# --- Groups -------------------------------------------------------------------------------------------------------
def held() -> tuple[list[str], list[str], bool]:
    wang = User.objects.get(username="wang")
    teams = sorted(Membership.objects.filter(user=wang).values_list("team__name", flat=True))
    return teams, sorted(wang.groups.values_list("name", flat=True)), wang.is_staff


def test_groups_give_and_take_at_every_sign_in(provider):
    for name in ("live", "own"):
        Team.objects.create(name=name)
    stages = [
        (["platform", "unknown"], (["live"], ["finance"], False)),
        (["platform", "keepers"], (["live"], ["finance"], True)),
        (["keepers"], ([], [], True)),
        ("platform", (["live"], ["finance"], False)),
        ([], ([], [], False)),
    ]
    for groups, expected in stages:
        provider.person["groups"] = groups
        come_back(Client(), provider)
        assert held() == expected
    told = [entry.details for entry in AuditEntry.objects.filter(action="groups of the sign-in").order_by("number")]
    assert told[0] == {"given": ["group finance", "team live"], "taken": []}
    assert told[-1] == {"given": [], "taken": ["group finance", "team live"]}


def test_what_a_person_gave_stays(provider):
    """Given by hand before or after: the group gives it no more, and takes it not."""
    own = [Team.objects.create(name=name) for name in ("live", "own")]
    come_back(Client(), provider)
    wang = User.objects.get(username="wang")
    Membership.objects.bulk_create(Membership(user=wang, team=team) for team in own)
    for groups in (["platform"], []):
        provider.person["groups"] = groups
        come_back(Client(), provider)
    assert held()[0] == ["live", "own"]
    assert not Given.objects.exists()


def test_who_lost_all_groups_while_away_loses_what_they_gave(provider):
    Team.objects.create(name="live")
    provider.person["groups"] = ["platform"]
    come_back(Client(), provider)
    del provider.person["groups"]
    come_back(Client(), provider)
    assert held() == ([], [], False)


def test_a_provider_that_asks_for_a_second_factor_spares_ours(provider, settings, tmp_path):
    settings.COSTOPS_REQUIRE_SECOND_FACTOR = "all"
    for asks, expected in ((False, False), (True, True)):
        settle(settings, tmp_path, provider, asks_second_factor=asks)
        browser = Client()
        come_back(browser, provider)
        assert is_in(browser) == expected


def test_what_groups_gave_is_not_kept_by_signing_in_another_way(provider, settings, tmp_path):
    """By a password, which cannot tell whether one is still in them; a superuser gets in where the provider is down."""
    settle(settings, tmp_path, provider, links_accounts=True)
    provider.person |= {"email": "lilei@corp.example", "email_verified": True, "groups": ["keepers"]}
    come_back(Client(), provider)
    lilei = User.objects.get(username="lilei")
    assert lilei.is_staff
    provider.person["groups"] = []
    browser = Client()
    told = browser.post("/login/", {"username": "lilei", "password": PASSWORD})
    assert (told.status_code, is_in(browser)) == (403, False)
    assert "Sign in by your company" in told.content.decode()
    User.objects.filter(pk=lilei.pk).update(is_superuser=True)
    assert browser.post("/login/", {"username": "lilei", "password": PASSWORD}).status_code == 302
    User.objects.filter(pk=lilei.pk).update(is_superuser=False)
    come_back(Client(), provider)
    assert not User.objects.get(username="lilei").is_staff
    assert Client().post("/login/", {"username": "lilei", "password": PASSWORD}).status_code == 302


def test_without_the_provider_a_password_is_enough(provider, settings, tmp_path):
    settle(settings, tmp_path, provider, links_accounts=True)
    provider.person |= {"email": "lilei@corp.example", "email_verified": True, "groups": ["keepers"]}
    come_back(Client(), provider)
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert Client().post("/login/", {"username": "lilei", "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("links", [True, False])
def test_letters_that_only_capitals_share_make_no_owner(provider, settings, tmp_path, links):
    """ı and i have one capital letter, which PostgreSQL compares by: neither an account nor a team is theirs."""
    settle(settings, tmp_path, provider, links_accounts=links)
    User.objects.filter(username="root").update(email="root@insight.example")
    Team.objects.create(name="live", lead_email="boss@insight.example")
    for name in ("root", "boss"):
        provider.person = WANG | {"sub": name, "preferred_username": f"not {name}", "email_verified": True}
        provider.person["email"] = f"{name}@ins\u0131ght.example"
        come_back(Client(), provider)
        user = User.objects.get(email=provider.person["email"])
        assert access_of(user).teams(Can.DECIDE) == frozenset()
    assert EmailAddress.objects.filter(user__username="root").count() == 0
    assert User.objects.filter(email__same_address="ROOT@Insight.example").get().username == "root"


def test_a_provider_is_gone_to_so_often_by_an_address(provider, settings):
    """What it is asked is kept in a session each time."""
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"provider": "3/m/ip"}

    def gone(address: str) -> int:
        return Client(REMOTE_ADDR=address).get("/signin/oidc/corp/").status_code

    assert [gone("10.0.0.7") for _ in range(4)] == [302, 302, 302, 429]
    assert gone("10.0.0.8") == 302
