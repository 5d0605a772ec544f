"""Alerts on pages, over the API and at the terminal: seen and acknowledged by whom they concern."""

import io
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from apps.alerts.facts import Fact
from apps.alerts.models import Alert, Threshold
from apps.alerts.rules import RULES, anomalies, budgets, data
from apps.alerts.telling import TEXTS as TELLING
from apps.channels.kinds import KINDS
from apps.channels.letters import SEVERITY_WORDS
from apps.channels.managing import TEST_LINE, TEST_TITLE
from apps.finops.findings import Sentence
from apps.pipeline.failing import TEXTS as FAILING
from tests.alerts.worlds import a_fact, one, so
from tests.channels.worlds import a_channel, hire
from tests.dashboards.test_translations import written

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> dict[str, Any]:
    found = hire()
    a_channel()
    so(a_fact(), a_fact("8", team="data", severity="critical"), a_fact("9", team="", severity="info"))
    return found


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def numbers(body: str) -> list[str]:
    found = re.findall(r'<a href="/alerts/(\d+)/"><bdi>', body)
    return [Alert.objects.get(pk=number).subject for number in found]


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        pytest.param("han", "", ["8", "7", "9"], id="finance: all, the gravest first"),
        pytest.param("lilei", "", ["7"], id="a lead: of the own team"),
        pytest.param("mei", "?severity=critical", ["8"], id="by severity"),
        pytest.param("han", "?team=live", ["7"], id="of a team"),
        pytest.param("han", "?state=resolved", [], id="nothing is over"),
        pytest.param("han", "?rule=anomaly", [], id="of another rule"),
    ],
)
def test_everybody_sees_what_concerns_them(staff, who, query, expected):
    client = client_of(staff[who])
    assert numbers(client.get(f"/alerts/{query}").content.decode()) == expected
    assert [row["subject"] for row in client.get(f"/api/v1/alerts/{query}").json()["rows"]] == expected


@pytest.mark.parametrize("query", ["?state=gone", "?rule=none", "?severity=awful"])
def test_what_cannot_be_filtered_by_is_refused(staff, query):
    assert client_of(staff["han"]).get(f"/alerts/{query}").status_code == 400
    assert client_of(staff["han"]).get(f"/api/v1/alerts/{query}").status_code == 400


def test_one_is_acknowledged_with_a_note(staff):
    lilei, place = client_of(staff["lilei"]), f"/alerts/{one().pk}/"
    assert lilei.post(place, {"note": "ask <b>Ops</b>"}).status_code == 302
    body = lilei.get(place).content.decode()
    for said in ("acknowledged", "ask &lt;b&gt;Ops&lt;/b&gt;", "E-mail", "waiting"):
        assert said in body
    again = lilei.post(place)
    assert (again.status_code, "is not open" in again.content.decode()) == (409, True)


def test_what_is_so_about_the_same_thing_stands_together(staff):
    so(a_fact("forecast of 7"), a_fact("of others", team="data"), rule="budget_forecast")
    body = client_of(staff["lilei"]).get(f"/alerts/{one().pk}/").content.decode()
    assert numbers(body) == ["forecast of 7"]


def test_over_the_api_too(staff):
    lilei, place = client_of(staff["lilei"]), f"/api/v1/alerts/{one().pk}/"
    done = lilei.post(f"{place}acknowledge/?note=seen").json()
    assert (done["state"], done["acknowledged_by"], done["steps"][-1]["note"]) == ("acknowledged", "lilei", "seen")
    again = lilei.post(f"{place}acknowledge/")
    assert (again.status_code, again.json()["code"]) == (409, "not_open")


@pytest.mark.parametrize("subject", ["8", "9"])
def test_of_others_nothing_is_told_nor_done(staff, subject):
    lilei, number = client_of(staff["lilei"]), one(subject).pk
    answers = [
        lilei.get(f"/alerts/{number}/"), lilei.post(f"/alerts/{number}/"), lilei.get(f"/api/v1/alerts/{number}/"),
        lilei.post(f"/api/v1/alerts/{number}/acknowledge/"),
    ]  # fmt: skip
    assert {answer.status_code for answer in answers} == {404}
    assert one(subject).state == "open"


def test_who_sees_everything_and_speaks_for_nobody_acknowledges_nothing(staff):
    staff["mei"].is_staff = True
    staff["mei"].save()
    mei = client_of(staff["mei"])
    body = mei.get(f"/alerts/{one().pk}/").content.decode()
    assert 'name="note"' not in body
    assert mei.post(f"/alerts/{one().pk}/").status_code == 403


class TestThresholds:
    def test_finance_sets_and_resets_them(self, staff):
        han, place = client_of(staff["han"]), "/alerts/rules/"
        given = {"rule": "unallocated", "team": "", "warning": "7.5", "critical": "30", "is_on": "yes"}
        assert han.post(place, given).status_code == 302
        body = han.get(place).content.decode()
        assert 'value="7.5"' in body
        assert "Take the default" in body
        han.post(place, {"rule": "unallocated", "team": "", "action": "reset"})
        assert 'value="7.5"' not in han.get(place).content.decode()
        assert Threshold.objects.count() == 2

    def test_a_team_sets_its_own_and_no_others(self, staff):
        lilei = client_of(staff["lilei"])
        own = {"rule": "budget_actual", "team": "live", "warning": "50"}
        assert lilei.post("/alerts/rules/?team=live", own).status_code == 302
        assert 'value="50"' in lilei.get("/alerts/rules/?team=live").content.decode()
        assert lilei.post("/alerts/rules/", own | {"team": ""}).status_code == 403
        assert lilei.post("/alerts/rules/", own | {"team": "data"}).status_code == 403
        assert "Save" not in lilei.get("/alerts/rules/").content.decode()

    def test_what_is_refused_is_said(self, staff):
        answer = client_of(staff["han"]).post("/alerts/rules/", {"rule": "anomaly", "warning": "much"})
        assert (answer.status_code, "is no number" in answer.content.decode()) == (400, True)


@pytest.mark.parametrize(
    ("who", "address", "status"),
    [
        pytest.param("lilei", "/alerts/rules/?team=data", 400, id="thresholds of another team"),
        pytest.param("han", "/alerts/rules/?team=data", 200, id="of any team, for finance"),
        pytest.param("lilei", "/channels/new/?kind=slack&team=live", 200, id="a channel of the own team"),
        pytest.param("lilei", "/channels/new/?kind=slack&team=data", 404, id="of another team"),
        pytest.param("lilei", "/channels/new/?kind=pigeon", 400, id="no such kind"),
    ],
)
def test_who_may_open_the_forms(staff, who, address, status):
    assert client_of(staff[who]).get(address).status_code == status


def test_a_hostile_name_is_only_a_name(staff):
    so(
        Fact("x", "warning", Sentence("The run %(run)s failed", {"run": "<script>alert(1)</script>"})),
        rule="failed_run",
    )
    body = client_of(staff["han"]).get("/alerts/").content.decode()
    assert "<script>alert" not in body
    assert "&lt;script&gt;alert" in body


def test_what_a_run_failed_with_is_told_in_the_readers_language(staff):
    message = Sentence("%(message)s", {"message": "A required value is missing."})
    so(
        Fact("x", "warning", Sentence("The run %(run)s failed", {"run": "normalize bill"}), (message,)),
        rule="failed_run",
    )
    address = f"/alerts/{Alert.objects.get(subject='x').pk}/"
    for language, told in (("zh-hans", "缺少必填值。"), ("en", "A required value is missing.")):
        assert told in client_of(staff["han"]).get(address, headers={"accept-language": language}).content.decode()


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("alerts", *words, stdout=out)
    return out.getvalue()


def test_the_terminal_lists_looks_and_takes_note(staff):
    assert "91.0 % of the budget live is spent" in said("list", "--format", "csv")
    number = str(one().pk)
    with pytest.raises(CommandError, match="members of its team"):
        said("acknowledge", number, "--as", "mei")
    assert said("acknowledge", number, "--note", "seen", "--as", "lilei") == f"Alert {number} is acknowledged.\n"
    assert said("check", "--rule", "failed_run") == "0 facts ask for attention.\n"
    assert "There is no publication" in said("check", "--rule", "coverage")
    with pytest.raises(CommandError, match="no alert 999"):
        said("acknowledge", "999")


def test_all_that_is_told_is_told_in_chinese():
    texts = {*anomalies.TEXTS, *budgets.TEXTS, *data.TEXTS, *FAILING, *TELLING, TEST_TITLE, TEST_LINE}
    texts |= {str(word) for word in SEVERITY_WORDS.values()}
    texts |= {str(text) for rule in RULES for text in (rule.title, rule.about)}
    texts |= {str(kind.title) for kind in KINDS} | {str(field.title) for kind in KINDS for field in kind.fields}
    assert texts - written().keys() == set()
