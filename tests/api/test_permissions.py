"""Who sees what: nobody's amounts reach anybody else, and whatever is wrong with a token has one answer."""

import base64
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from apps.api import services
from apps.api.models import ApiToken
from apps.api.services import issue_token
from tests.api.company import CANARIES, NOW, client_of

EVERYBODY = {"finance", "finance by session", "lilei", "hanmeimei", "nobody"}
COMPANY = {"finance", "finance by session"}
ADDRESSES = {
    "/api/v1/costs/": EVERYBODY,
    "/api/v1/costs/?group_by=team,namespace,day,kind": EVERYBODY,
    "/api/v1/costs/?group_by=team&team=live-class,data-platform,unallocated": EVERYBODY,
    "/api/v1/costs/?format=csv&group_by=team": EVERYBODY,
    "/api/v1/bases/?group_by=team": EVERYBODY,
    "/api/v1/estimates/": EVERYBODY,
    "/api/v1/estimates/accuracy/": EVERYBODY,
    "/api/v1/teams/": EVERYBODY,
    "/api/v1/teams/live-class/": {*COMPANY, "lilei"},
    "/api/v1/teams/data-platform/": {*COMPANY, "hanmeimei"},
    "/api/v1/teams/no-such-team/": set(),
    "/api/v1/sources/": COMPANY,
    "/api/v1/sources/bill/files/": COMPANY,
    "/api/v1/search/?q=live": EVERYBODY,
    "/api/v1/restatements/?format=csv": COMPANY,
    "/api/v1/publications/": EVERYBODY,
    "/api/v1/reconciliation/": COMPANY,
    "/api/v1/reconciliation/?by_day=false&format=csv": COMPANY,
    "/api/v1/rates/": EVERYBODY,
    "/api/v1/units/?driver=requests": EVERYBODY,
    "/api/v1/units/change/?driver=requests&start=2026-10-06": EVERYBODY,
    "/api/v1/forecasts/": EVERYBODY,
    "/api/v1/forecasts/?level=team&format=csv": EVERYBODY,
    "/api/v1/alerts/": EVERYBODY,
    "/api/v1/channels/": EVERYBODY,
    "/api/v1/deliveries/?format=csv": EVERYBODY,
    "/api/v1/recommendations/": EVERYBODY,
    "/api/v1/budgets/": EVERYBODY,
    "/api/v1/budgets/file/?format=csv": EVERYBODY,
    "/api/v1/calendar/?year=2026": EVERYBODY,
    "/api/v1/recommendations/?whose=mine&format=csv": EVERYBODY,
    "/api/v1/why/?start=2026-10-06": EVERYBODY,
    "/api/v1/why/?start=2026-10-06&format=csv": EVERYBODY,
    "/api/v1/idle/": EVERYBODY,
    "/api/v1/idle/?verdict=all&format=csv": EVERYBODY,
    "/api/v1/idle/exclusions/": EVERYBODY,
    "/api/v1/savings/": EVERYBODY,
    "/api/v1/savings/ways/": EVERYBODY,
    "/api/v1/plans/": EVERYBODY,
    "/api/v1/plans/upgrades/outcomes/": COMPANY,
    "/api/v1/plans/?planner=pools&format=csv": EVERYBODY,
    "/api/v1/efficiency/?by=workload": EVERYBODY,
    "/api/v1/efficiency/?format=csv": EVERYBODY,
    "/api/v1/efficiency/hours/?resource=memory": EVERYBODY,
    "/api/v1/drivers/": COMPANY,
    "/api/v1/drivers/quantities/?driver=requests": EVERYBODY,
    "/api/compat/opencost/allocation?window=2026-10-05,2026-10-08&aggregate=team": EVERYBODY,
    "/api/compat/opencost/allocation/compute?window=2026-10-05,2026-10-08&includeIdle=true": EVERYBODY,
    "/api/compat/opencost/assets?window=2026-10-05,2026-10-08": COMPANY,
    "/api/compat/opencost/cloudCost?window=2026-10-05,2026-10-08": EVERYBODY,
    "/api/v1/changes/": EVERYBODY,
    "/api/v1/changes/?group_by=team,class,month&format=csv": EVERYBODY,
    "/api/v1/closings/": COMPANY,
    "/api/v1/disputes/": EVERYBODY,
    "/api/v1/disputes/?state=open&format=csv": EVERYBODY,
    "/api/v1/adjustments/": COMPANY,
    "/api/v1/reports/": EVERYBODY,
    "/api/v1/reports/?role=lead&format=csv": EVERYBODY,
    "/api/v1/rules/": EVERYBODY,
    "/api/v1/rule-drafts/": EVERYBODY,
    "/api/schema/": EVERYBODY,
    "/api/v1/me/": EVERYBODY,
    "/api/v1/runs/": COMPANY,
    "/api/v1/runs/progress/?format=csv": COMPANY,
    "/api/v1/quality/": COMPANY,
    "/api/v1/prices/?format=csv": COMPANY,
    "/api/v1/commitments/": COMPANY,
    "/api/v1/offers/?format=csv": COMPANY,
    "/api/v1/alert-rules/": EVERYBODY,
    "/api/v1/subscriptions/": EVERYBODY,
}
OWN = {"lilei": "live-class", "hanmeimei": "data-platform"}
UNAUTHENTICATED = {"anonymous", "expired token"}


def refusal(address: str, caller: str) -> int:
    """What somebody is told who may not ask: 401 who are you, 404 no such team, 403 not yours to see."""
    if caller in UNAUTHENTICATED:
        return 401
    return 404 if address.startswith("/api/v1/teams/") else 403


@pytest.mark.parametrize("method", ["get", "head"])
def test_every_address_answers_exactly_those_who_may_ask(callers: dict[str, Client], method: str) -> None:
    for address, allowed in ADDRESSES.items():
        for name, client in callers.items():
            response = getattr(client, method)(address)
            expected = 200 if name in allowed else refusal(address, name)
            assert (address, name, response.status_code) == (address, name, expected)


def test_no_foreign_amount_is_in_any_body_or_header(callers: dict[str, Client]) -> None:
    whole = "6863.373456789029"
    assert whole in callers["finance"].get("/api/v1/costs/").content.decode()
    for address in ADDRESSES:
        for name in EVERYBODY - COMPANY:
            response = callers[name].get(address)
            seen = response.content.decode() + repr(response.headers)
            foreign = {team: amount for team, amount in CANARIES.items() if team != OWN.get(name)}
            leaked = [amount for amount in (*foreign.values(), whole) if amount in seen]
            assert (address, name, leaked) == (address, name, [])


def test_finance_sees_every_amount(callers: dict[str, Client]) -> None:
    seen = callers["finance"].get("/api/v1/costs/?group_by=team,namespace").content.decode()
    assert all(amount in seen for amount in CANARIES.values())


def test_other_teams_change_nothing_for_a_lead(callers: dict[str, Client]) -> None:
    mine = callers["lilei"].get("/api/v1/costs/?group_by=team")
    asked_for_all = callers["lilei"].get("/api/v1/costs/?group_by=team&team=data-platform,live-class,unallocated")
    assert mine.json()["rows"] == asked_for_all.json()["rows"]
    assert callers["lilei"].get("/api/v1/costs/?team=data-platform").json()["totals"] == {}


def test_not_yours_and_not_there_are_the_same_answer(callers: dict[str, Client]) -> None:
    foreign, absent = (callers["lilei"].get(f"/api/v1/teams/{name}/") for name in ("data-platform", "no-such-team"))
    told = [{**answer.json(), "instance": "?"} for answer in (foreign, absent)]
    assert (foreign.status_code, told[0]) == (absent.status_code, told[1])


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "header_of",
    [
        pytest.param(lambda key: f"token  {key}", id="Token"),
        pytest.param(lambda key: f"Bearer {key}", id="Bearer"),
        pytest.param(lambda key: basic("", key), id="Basic without a user name"),
        pytest.param(lambda key: basic("whoever", key), id="Basic, whatever the user name"),
    ],
)
def test_a_token_may_come_by_the_schemes_programs_know(
    people: dict[str, User], header_of: Callable[[str], str]
) -> None:
    key = issue_token(people["lilei"], now=NOW)
    answered = Client(headers={"authorization": header_of(key)}).get("/api/v1/costs/?group_by=team")
    assert [row["team"] for row in answered.json()["rows"]] == ["live-class"]


@pytest.mark.parametrize("header", [basic("gate", "keeper"), "Bearer eyJhbGciOi.J9.x", "Digest x", "Basic !"])
def test_a_header_of_a_proxy_in_front_leaves_the_session_alone(callers: dict[str, Client], header: str) -> None:
    answered = callers["finance by session"].get("/api/v1/teams/", headers={"authorization": header})
    assert answered.status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda token: services.revoke_token(token.public_id, now=NOW), id="revoked"),
        pytest.param(lambda token: User.objects.update(is_active=False), id="its user may not sign in any more"),
        pytest.param(lambda token: ApiToken.objects.update(secret_hash="0" * 64), id="another secret"),
        pytest.param(
            lambda token: ApiToken.objects.update(created_at=NOW - timedelta(2), expires_at=NOW - timedelta(1)),
            id="expired",
        ),
        pytest.param(lambda token: ApiToken.objects.all().delete(), id="deleted"),
    ],
)
def test_a_token_dies_at_once(people: dict[str, User], change: object) -> None:
    client = client_of(issue_token(people["finance"], now=NOW))
    assert client.get("/api/v1/teams/").status_code == 200
    change(ApiToken.objects.get())  # type: ignore[operator]
    refused = client.get("/api/v1/teams/")
    assert (refused.status_code, refused["WWW-Authenticate"]) == (401, "Token")
    assert refused.json()["code"] == "authentication_failed"


@pytest.mark.parametrize(
    "header",
    [
        "Token \xff",
        "Token ",
        "token",
        "Token costops_",
        "Token costops__",
        "Token costops_x_y_z",
        "Token " + "a" * 100_000,
        "Token costops_a\x00b_c",
        "Bearer x",
        "Basic \xff\xfe",
        "Bearer costops_x_y",
        basic("lilei", "costops_x_y"),
    ],
    ids=lambda header: ascii(header[:20]),
)
def test_a_hostile_header_is_nobody(published: object, header: str) -> None:
    assert Client(headers={"authorization": header}).get("/api/v1/teams/").status_code == 401


def test_only_a_hash_is_kept_and_the_key_is_printed_once(
    people: dict[str, User], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("token", "add", "lilei", "--name", "month end", "--days", "30")
    key = capsys.readouterr().out.strip()
    prefix, public_id, secret = key.split("_", 2)
    token = ApiToken.objects.get()
    assert (prefix, public_id, token.expires_at - token.created_at) == ("costops", token.public_id, timedelta(30))
    assert secret not in repr(list(ApiToken.objects.values()))
    assert client_of(key).get("/api/v1/teams/").status_code == 200
    call_command("token", "list", "--format", "csv")
    listed = capsys.readouterr().out
    assert public_id in listed
    assert secret not in listed
    call_command("token", "revoke", public_id)
    assert client_of(key).get("/api/v1/teams/").status_code == 401


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_lives_at_most_a_year(people: dict[str, User], days: int) -> None:
    with pytest.raises(services.TokenRefusedError, match="between 1 and 365 days"):
        issue_token(people["lilei"], now=NOW, days=days)


def test_who_asks_too_often_is_told_when_to_come_again(callers: dict[str, Client], settings: object) -> None:
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 3  # type: ignore[attr-defined]
    codes = [callers["lilei"].get("/api/v1/teams/").status_code for _ in range(10)]
    assert 429 in codes
    refused = callers["lilei"].get("/api/v1/teams/")
    assert callers["hanmeimei"].get("/api/v1/teams/").status_code == 200
    assert refused.status_code in (200, 429)  # a minute may just have begun
