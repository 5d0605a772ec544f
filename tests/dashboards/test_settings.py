"""Settings: what one chooses is kept and felt; tokens are shown once; secrets of the installation never."""

import re
from pathlib import Path

import pytest

from apps.api.models import ApiToken
from apps.dashboards.own_settings import INSTALLATION
from apps.teams.models import Preference
from apps.teams.selectors import active_teams

CHOICE = {
    "language": "zh-hans",
    "time_zone": "America/New_York",
    "period": "month",
    "currency": "",
    "team": "live-class",
}


def test_what_one_chooses_is_where_one_begins(published, client_of):
    lilei = client_of("lilei")
    assert lilei.get("/start/").headers["Location"] == "/"
    assert lilei.post("/settings/", CHOICE).status_code == 302
    entered = client_of("lilei").get("/start/")  # on another day, in another browser
    assert entered.headers["Location"] == "/teams/live-class/?period=month"
    assert entered.cookies["django_language"].value == "zh-hans"


def test_moments_are_shown_in_the_zone_one_chose(published, client_of):
    client = client_of("finance")
    assert "31 Oct 2026 04:30 UTC" in client.get("/").content.decode()
    client.post("/settings/", CHOICE | {"language": "", "team": ""})
    assert "31 Oct 2026 00:30 EDT" in client.get("/").content.decode()
    assert "31 Oct 2026 04:30 UTC" in client_of("staff").get("/").content.decode()


def test_light_or_dark_is_chosen_by_the_button_or_on_the_page_and_comes_with_every_page(published, client_of, client):
    def theme(one):
        return re.search(r'data-theme="([a-z]*)"', one.get("/").content.decode()).group(1)

    lilei = client_of("lilei")
    assert theme(lilei) == ""  # as the system of each device has it
    assert lilei.post("/settings/theme/", {"theme": "dark"}).status_code == 204
    assert theme(client_of("lilei")) == "dark"  # on another device
    assert '<option value="dark" selected>' in lilei.get("/settings/").content.decode()
    assert theme(client_of("finance")) == ""
    assert lilei.post("/settings/theme/", {"theme": "sepia"}).status_code == 400
    assert theme(lilei) == "dark"
    lilei.post("/settings/", CHOICE | {"theme": ""})
    assert theme(lilei) == ""
    assert "data-theme=" not in client.get("/login/").content.decode()


@pytest.mark.parametrize(
    ("who", "wrong"),
    [
        pytest.param("lilei", {"team": "search"}, id="the page of another team"),
        pytest.param("lilei", {"time_zone": "Mars/Olympus"}, id="no such zone"),
        pytest.param("staff", {"theme": "sepia"}, id="no such theme"),
        pytest.param("staff", {"language": "xx"}, id="no such language"),
        pytest.param("staff", {"period": "custom"}, id="no days to begin with"),
    ],
)
def test_what_cannot_be_chosen_changes_nothing(published, client_of, who, wrong):
    assert client_of(who).post("/settings/", CHOICE | {"team": ""} | wrong).status_code == 400
    assert not Preference.objects.exists()


def test_a_team_one_no_longer_sees_is_not_where_one_begins(published, people, client_of):
    client_of("lilei").post("/settings/", CHOICE)
    people["lilei"].memberships.all().delete()
    assert client_of("lilei").get("/start/").headers["Location"] == "/?period=month"


def test_letters_are_in_the_language_of_pages_unless_another_was_chosen(published, people, client_of):
    from apps.reports.recipients import read_in, reads_in

    client_of("finance").post("/settings/", CHOICE | {"team": ""})
    assert reads_in(people["finance"]) == "zh-hans"
    read_in(people["finance"], "en")
    assert reads_in(people["finance"]) == "en"


def test_every_variable_of_the_handbook_is_told_to_administrators_alone(published, client_of, settings):
    settings.SECRET_KEY = "a-secret-key-of-this-test"
    settings.COSTOPS_METRICS_TOKEN = settings.COSTOPS_SENTRY_DSN = "a-token-of-this-test"
    settings.COSTOPS_SECRETS_KEYS = ["a-secrets-key-of-this-test"]
    body = client_of("staff").get("/settings/").content.decode()
    handbook = Path(__file__).parents[2] / "docs" / "settings.md"
    documented = set(re.findall(r"^\| `(COSTOPS_\w+)`", handbook.read_text(), re.MULTILINE))
    shown = {name for names in INSTALLATION.values() for name in names}
    assert documented - shown == {"COSTOPS_BIND"}  # of the program that starts the site
    assert all(name in body for name in shown)
    assert "of-this-test" not in body
    assert "COSTOPS_HOME" not in client_of("finance").get("/settings/").content.decode()


def test_a_token_is_shown_once_speaks_and_is_revoked(published, client_of, client):
    lilei = client_of("lilei")
    made = lilei.post("/api/tokens/", {"name": "Quarterly", "days": "30"}).content.decode()
    key = re.search(r"<code data-key>(costops_[^<]+)</code>", made).group(1)
    again = lilei.get("/api/tokens/").content.decode()
    assert key not in again
    assert "Quarterly" in again
    head = {"authorization": f"Token {key}"}
    assert client.get("/api/v1/teams/", headers=head).status_code == 200
    number = ApiToken.objects.get().public_id
    assert client_of("hanmeimei").post("/api/tokens/", {"revoke": number}).status_code == 400
    assert "Quarterly" not in client_of("hanmeimei").get("/api/tokens/").content.decode()
    assert lilei.post("/api/tokens/", {"revoke": number}).status_code == 302
    assert client.get("/api/v1/teams/", headers=head).status_code == 401


def offered_to(somebody):
    """The teams that somebody can make a token for."""
    form = somebody.get("/api/tokens/").content.decode()
    return re.findall(r'value="([^"]+)"', form.partition('name="team"')[2].partition("</select>")[0])


def test_a_token_for_some_teams_speaks_for_them_alone(published, client_of, client):
    finance = client_of("finance")
    offered = offered_to(finance)
    assert len(offered) > 1
    given = {"name": "Wall", "days": "30", "team": [offered[0]]}
    made = finance.post("/api/tokens/", given).content.decode()
    key = re.search(r"<code data-key>(costops_[^<]+)</code>", made).group(1)
    told = client.get("/api/v1/me/", headers={"authorization": f"Token {key}"}).json()
    assert told["teams"] == [offered[0]]
    assert f"<bdi>{offered[0]}</bdi>" in finance.get("/api/tokens/").content.decode()


def test_a_token_is_made_for_no_team_that_is_not_seen(published, client_of):
    lilei = client_of("lilei")
    (other, *_) = sorted({one.name for one in active_teams()} - {*offered_to(lilei)})
    for team in (other, "nothing"):
        refused = lilei.post("/api/tokens/", {"name": "Wall", "days": "30", "team": [team]})
        assert (refused.status_code, "You see no such team." in refused.content.decode()) == (400, True)
    assert not ApiToken.objects.exists()


def test_a_third_token_of_a_name_is_refused_in_the_language_of_the_page(people, client_of):
    lilei, given = client_of("lilei"), {"name": "Wall", "days": "30"}
    for _ in range(2):
        assert lilei.post("/api/tokens/", given).status_code == 200
    for language, told in (
        ("en", "Two live tokens are called so already"),
        ("zh-hans", "已有两个有效的令牌使用这个名称"),
    ):
        refused = lilei.post("/api/tokens/", given, headers={"accept-language": language})
        assert (refused.status_code, told in refused.content.decode()) == (400, True)
    assert ApiToken.objects.count() == 2


@pytest.mark.parametrize("given", [{"name": "", "days": "30"}, {"name": "x", "days": "9999"}, {"revoke": "nothing"}])
def test_a_token_that_cannot_be_is_refused(people, client_of, given):
    assert client_of("lilei").post("/api/tokens/", given).status_code == 400
    assert not ApiToken.objects.exists()
