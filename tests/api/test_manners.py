"""How the API behaves whatever is asked: problems, pages, scopes, headers, and what is about to go away."""

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from apps.api import deprecations, paging
from apps.api.deprecations import Deprecation
from apps.api.errors import BadParameterError
from apps.api.models import ApiToken
from apps.api.problems import PROBLEMS
from apps.api.scopes import every_scope
from apps.api.services import issue_token
from apps.channels.models import Channel
from apps.dashboards.templatetags import costs
from apps.pipeline.models import StepRun
from tests.api.company import NOW, client_of

V1 = "/api/v1/"
RATES = "date,from,to,rate\n2026-10-05,USD,CNY,7.1\n"
PROBLEM = "application/problem+json"


# --- Problems -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path", "headers", "code"),
    [
        pytest.param("GET", "nope/", {}, "not_found", id="no such address"),
        pytest.param("PUT", "costs/", {}, "method_not_allowed", id="no such method"),
        pytest.param("GET", "teams/", {"accept": "image/png"}, "not_acceptable", id="no such form"),
        pytest.param("POST", "rates/", {"content-type": "image/png"}, "unsupported_media_type", id="an unknown body"),
        pytest.param("POST", "rates/", {"content-type": "application/json"}, "parse_error", id="a broken body"),
        pytest.param("GET", "teams/?limit=x", {"accept": "text/csv"}, "bad_parameter", id="a failed table"),
        pytest.param("GET", "teams/", {"authorization": "Token x"}, "authentication_failed", id="a wrong token"),
        pytest.param("GET", "alerts/7/", {}, "no_such_alert", id="not there"),
    ],
)
def test_whatever_fails_is_a_problem(
    callers: dict[str, Client], method: str, path: str, headers: dict[str, str], code: str
) -> None:
    media = headers.pop("content-type", "application/octet-stream") if "content-type" in headers else "text/csv"
    answer = callers["finance"].generic(method, V1 + path, b"{" if method == "POST" else b"", media, headers=headers)
    told = answer.json()
    one = PROBLEMS[code]
    assert (answer.status_code, answer["Content-Type"]) == (one.status, PROBLEM)
    expected = {"type": one.type, "title": one.title, "status": one.status, "code": code, "instance": V1 + path}
    assert {name: told[name] for name in expected} == expected
    explained = Client().get(told["type"]).json()
    assert (explained["cause"], explained["remedy"]) == (one.cause, one.remedy)


def test_all_mistakes_are_told_at_once(callers: dict[str, Client]) -> None:
    told = callers["finance"].get(f"{V1}costs/?metric=spend&limit=0&frobnicate=1").json()
    assert [one["parameter"] for one in told["errors"]] == ["frobnicate", "metric", "limit"]
    assert (told["parameter"], told["detail"]) == ("frobnicate", told["errors"][0]["detail"])


def test_a_defect_of_ours_is_a_problem_and_a_page_elsewhere(
    callers: dict[str, Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_user: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("apps.api.views.scope_of", fail)
    callers["finance"].raise_request_exception = False
    answer = callers["finance"].get(f"{V1}teams/")
    assert (answer.status_code, answer["Content-Type"], answer.json()["code"]) == (500, PROBLEM, "internal")
    page = callers["finance by session"].get("/no-such-page/")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")


# --- Pages ----------------------------------------------------------------------------------------------------------
def rows_of_pages(rows: list[dict[str, Any]], limit: int, change: Any = None) -> list[dict[str, Any]]:
    """All rows, page by page; `change` is what becomes of them in between."""
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": limit, "team": "a"}
    while True:
        request = Request(APIRequestFactory().get("/api/v1/things/", query))
        told = paging.cut(request, {"rows": rows}, ("number",), 100)
        found += told["rows"]
        cursor = told["page"]["next_cursor"]
        if cursor is None:
            return found
        query["cursor"] = cursor
        rows = change(rows) if change else rows


@given(numbers=st.lists(st.integers(), unique=True, max_size=30), limit=st.integers(1, 7))
def test_pages_add_up_to_the_whole(numbers: list[int], limit: int) -> None:
    rows = [{"number": number} for number in numbers]
    assert rows_of_pages(rows, limit) == rows


@given(size=st.integers(1, 20), limit=st.integers(1, 5))
def test_what_comes_first_meanwhile_is_not_told_and_nothing_is_told_twice(size: int, limit: int) -> None:
    rows = [{"number": number} for number in range(size)]
    fresh = iter(range(-1, -1000, -1))
    assert rows_of_pages(rows, limit, lambda found: [{"number": next(fresh)}, *found]) == rows


def test_what_was_changed_meanwhile_is_still_known_by_its_number() -> None:
    rows = [{"number": number, "state": "open"} for number in range(6)]
    found = rows_of_pages(rows, 2, lambda now: [one | {"state": "done"} for one in now][1:])
    assert [one["number"] for one in found] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        pytest.param({"cursor": "forged"}, "not one that an answer gave", id="a forged cursor"),
        pytest.param({"team": "b"}, "another question", id="the cursor of another question"),
    ],
)
def test_a_cursor_is_of_one_question(query: dict[str, str], said: str) -> None:
    def ask(**more: str) -> Any:
        request = Request(APIRequestFactory().get("/api/v1/things/", {"limit": "1", **more}))
        return paging.cut(request, {"rows": [{"number": 1}, {"number": 2}]}, ("number",), 100)

    with pytest.raises(BadParameterError, match=said):
        ask(**({"cursor": ask()["page"]["next_cursor"]} | query))


def test_a_page_of_another_publication_is_gone() -> None:
    def ask(publication: int, **more: str) -> Any:
        request = Request(APIRequestFactory().get("/api/v1/things/", {"limit": "1", **more}))
        body = {"publication": {"number": publication, "created_at": NOW}, "rows": [{"number": 1}, {"number": 2}]}
        return paging.cut(request, body, ("number",), 100)

    with pytest.raises(paging.PageIsGone, match=r"of publication 1 of 20.*, the newest is 2 of 20"):
        ask(2, cursor=ask(1)["page"]["next_cursor"])


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_next_page_is_linked(callers: dict[str, Client], form: str) -> None:
    for number in range(5):
        StepRun.objects.create(step="land", key=f"land {number}", state="done", asked_at=NOW)
    seen, address = [], f"{V1}runs/?limit=2&format={form}"
    while address:
        answer = callers["finance"].get(address)
        lines = answer.content.decode().splitlines()[1:] if form == "csv" else answer.json()["rows"]
        seen += lines
        address = answer.headers.get("Link", "").partition("<")[2].partition(">")[0]
        if form == "json":
            assert (answer.json()["page"]["next"] or "") == address
    assert len(seen) == len({str(one) for one in seen}) == 5


# --- Scopes ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scopes", "reads_teams", "reads_rates", "writes_rates"),
    [
        pytest.param(("read",), 200, 200, 403, id="read: every area, nothing is written"),
        pytest.param(("write",), 403, 403, 201, id="write: without reading"),
        pytest.param(("teams:read",), 200, 403, 403, id="one area"),
        pytest.param(("teams:read", "rates:write"), 200, 403, 201, id="one to read, one to write"),
        pytest.param(("read", "rates:write"), 200, 200, 201, id="everything read, one area written"),
    ],
)
def test_a_token_does_what_its_scopes_say(
    people: dict[str, User], scopes: tuple[str, ...], reads_teams: int, reads_rates: int, writes_rates: int
) -> None:
    client = client_of(issue_token(people["finance"], now=NOW, scopes=scopes))
    read = [client.get(f"{V1}{area}/").status_code for area in ("teams", "rates")]
    written = client.post(f"{V1}rates/", RATES, "text/csv")
    assert [*read, written.status_code] == [reads_teams, reads_rates, writes_rates]
    if writes_rates == 403:
        assert (written.json()["code"], written.json()["scope"]) == ("insufficient_scope", "rates:write")
    assert client.get("/api/schema/").status_code == 200


def test_a_new_token_reads_and_says_what_it_is(people: dict[str, User], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("token", "add", "lilei", "--name", "board")
    told = client_of(capsys.readouterr().out.strip()).get(f"{V1}me/").json()
    assert (told["user"], told["teams"], told["token"]["scopes"]) == ("lilei", ["live-class"], ["read"])
    call_command("token", "add", "lilei", "--scope", "costs:read", "--scope", "budgets:write")
    assert ApiToken.objects.order_by("-pk")[0].scopes == "costs:read budgets:write"
    with pytest.raises(CommandError, match="There is no scope 'everything'; there is read, write, "):
        call_command("token", "add", "lilei", "--scope", "everything")


def test_the_day_a_token_was_last_used_is_kept_and_told(people: dict[str, User], capsys: Any) -> None:
    client, day = client_of(issue_token(people["lilei"], now=NOW)), f"{datetime.now(UTC):%Y-%m-%d}"
    used = ApiToken.objects.get()
    assert used.last_used_day is None
    assert client.get(f"{V1}teams/").status_code == 200
    used.refresh_from_db()
    assert f"{used.last_used_day}" == day
    assert client.get(f"{V1}me/").json()["token"]["last_used_day"] == day
    call_command("token", "list", "--format", "csv")
    assert day in capsys.readouterr().out.splitlines()[1].split(",")[7]
    page = Client()
    page.force_login(people["lilei"])
    shown = f'<td class="tabular">\\s*{costs.day(used.last_used_day)}\\s*</td>'
    assert re.search(shown, page.get("/api/tokens/").content.decode())
    ApiToken.objects.update(last_used_day=None)
    assert not re.search(shown, page.get("/api/tokens/").content.decode())


@pytest.mark.parametrize("why", ["revoked", "over", "another secret", "its user is gone"])
def test_a_refused_token_was_not_used(people: dict[str, User], why: str) -> None:
    key = issue_token(people["lilei"], now=NOW)
    if why == "revoked":
        ApiToken.objects.update(revoked_at=NOW)
    elif why == "over":
        ApiToken.objects.update(created_at=NOW - timedelta(2), expires_at=NOW - timedelta(1))
    elif why == "its user is gone":
        User.objects.filter(username="lilei").update(is_active=False)
    shown = f"{key[:-1]}{'b' if key[-1] == 'a' else 'a'}" if why == "another secret" else key
    assert client_of(shown).get(f"{V1}teams/").status_code == 401
    assert ApiToken.objects.get().last_used_day is None


def test_every_area_has_its_scopes() -> None:
    assert {"read", "write", "costs:read", "rates:write", "reports:read", "opencost:read"} <= set(every_scope())
    assert not [scope for scope in every_scope() if scope.startswith(("<", "me:", ":"))]


# --- Headers --------------------------------------------------------------------------------------------------------
def test_how_much_is_left_is_told_with_every_answer(callers: dict[str, Client], settings: Any) -> None:
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 50
    told = [callers["lilei"].get(f"{V1}me/").headers for _ in range(2)]
    assert {headers["RateLimit-Limit"] for headers in told} == {"50"}
    assert all(0 < int(headers["RateLimit-Reset"]) <= 60 for headers in told)
    left = [int(headers["RateLimit-Remaining"]) for headers in told]
    assert left[0] - left[1] == 1 or left[1] == 49  # a minute may just have begun


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        pytest.param("get", "reconciliation/", 403, id="for those who see all teams"),
        pytest.param("get", "access/", 403, id="a scope that its token lacks"),
        pytest.param("get", "teams/nobody/", 404, id="not there"),
        pytest.param("put", "teams/", 405, id="no such method"),
        pytest.param("get", "teams/?nope=1", 400, id="no such parameter"),
        pytest.param("post", "views/", 400, id="what cannot be meant"),
    ],
)
def test_what_is_refused_counts_too(
    callers: dict[str, Client], settings: Any, method: str, path: str, status: int
) -> None:
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 3
    told = [getattr(callers["lilei"], method)(V1 + path) for _ in range(7)]  # in two minutes at most
    assert all(one["RateLimit-Limit"] == "3" and one["RateLimit-Remaining"] in "012" for one in told)
    assert {one.status_code for one in told} == {status, 429}


@pytest.mark.parametrize(
    "path",
    [
        "teams/", "alerts/", "reports/", "costs/", "me/", "plans/", "alert-rules/?format=csv", "alert-rules/?limit=1",
        "alert-rules/?limit=1&format=csv",
    ],
)  # fmt: skip
def test_an_answer_that_would_be_the_same_is_not_sent_again(callers: dict[str, Client], path: str) -> None:
    callers["lilei"].get(V1 + path)  # the first use of a day is remembered
    first = callers["lilei"].get(V1 + path)
    again = callers["lilei"].get(V1 + path, headers={"if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert first["Cache-Control"] == "private, no-cache"
    head = callers["lilei"].head(V1 + path)
    assert (head.status_code, head.content, head["Content-Type"]) == (200, b"", first["Content-Type"])


def test_pages_and_forms_of_a_list_are_told_apart_by_their_etags(callers: dict[str, Client]) -> None:
    first = callers["lilei"].get(f"{V1}alert-rules/?limit=1")
    asked = [first.json()["page"]["next"], f"{V1}alert-rules/?limit=1&format=csv", f"{V1}alert-rules/?limit=2"]
    assert len({first["ETag"], *(callers["lilei"].get(one)["ETag"] for one in asked)}) == 4


def test_options_tells_the_methods(callers: dict[str, Client]) -> None:
    answer = callers["lilei"].options(f"{V1}budgets/")
    assert (answer.status_code, answer["Allow"]) == (200, "GET, POST, HEAD, OPTIONS")


def test_what_will_go_away_says_when_and_what_comes_instead() -> None:
    table = {"/api/v1/teams/{name}/": Deprecation(date(2027, 1, 1), date(2027, 9, 1), "/api/v2/teams/")}
    answer = HttpResponse(headers={"Link": '</x>; rel="next"'})
    deprecations.announce(answer, "api/v1/teams/<slug:name>/", table)
    assert answer["Deprecation"] == "@1798761600"
    assert parsedate_to_datetime(answer["Sunset"]).date() == date(2027, 9, 1)
    assert answer["Link"] == '</x>; rel="next", </api/v2/teams/>; rel="successor-version"'
    other = HttpResponse()
    deprecations.announce(other, "api/v1/teams/", table)
    assert not {"Deprecation", "Sunset", "Link"} & set(other.headers)


def test_nothing_goes_away_without_half_a_year_of_notice() -> None:
    with pytest.raises(ValueError, match="fewer than 180 days"):
        Deprecation(date(2027, 1, 1), date(2027, 1, 1) + timedelta(days=179), "/api/v2/")


# --- Writes ---------------------------------------------------------------------------------------------------------
def test_parameters_of_a_write_come_as_json_too(callers: dict[str, Client]) -> None:
    wanted = {"name": "live", "dimension": "team", "value": "live-class", "amount": 7, "currency": "CNY",
              "valid_from": "2026-10-01"}  # fmt: skip
    made = callers["finance"].post(f"{V1}budgets/", wanted, "application/json")
    assert (made.status_code, made.json()["name"]) == (201, "live")
    twice = callers["finance"].post(f"{V1}budgets/?name=x", wanted, "application/json")
    assert (twice.status_code, twice.json()["parameter"]) == (400, "name")


HOOK = {"kind": "webhook", "url": "https://hooks.example.com/x", "secret": "a secret of ours", "least": "warning"}


@pytest.mark.parametrize("body", [r'{"\ud800": "x"}', r'{"name": "v", "query": "\ud800=1"}', r'{"name": ["\udfff"]}'])
def test_half_a_character_in_a_body_is_refused(callers: dict[str, Client], body: str) -> None:
    refused = callers["lilei"].post("/api/v1/views/", body, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "parse_error")


def test_a_channel_is_made_changed_and_removed_and_its_secrets_stay_out_of_addresses(
    callers: dict[str, Client], settings: Any
) -> None:
    settings.COSTOPS_CHANNEL_HOSTS = ["hooks.example.com"]
    lilei = callers["lilei"]
    shown = lilei.post(f"{V1}channels/?kind=webhook&url=https://hooks.example.com/x&secret=s")
    assert (shown.status_code, shown.json()["parameter"]) == (400, "secret")
    made = lilei.post(f"{V1}channels/", HOOK, "application/json")
    assert made.status_code == 201, made.content
    assert b"a secret of ours" not in made.content
    address = f"{V1}channels/{made.json()['number']}/"
    changed = lilei.post(address, {"name": "robot", "group_minutes": 0}, "application/json").json()
    assert (changed["name"], changed["group_minutes"], changed["is_on"]) == ("robot", 0, True)
    assert callers["hanmeimei"].get(address).status_code == 404
    assert lilei.delete(address).json()["is_on"] is False
    assert Channel.objects.get(pk=made.json()["number"]).is_removed
    assert lilei.get(address).status_code == 404


def test_a_rule_of_alerts_is_set_and_taken_back(callers: dict[str, Client]) -> None:
    def of_team() -> list[tuple[str, str | None]]:
        rows = callers["lilei"].get(f"{V1}alert-rules/?rule=anomaly&team=live-class").json()["rows"]
        return [(row["warning"], row["critical"]) for row in rows]

    wanted = {"rule": "anomaly", "team": "live-class", "warning": "50"}
    assert callers["lilei"].post(f"{V1}alert-rules/", wanted, "application/json").status_code == 200
    assert of_team() == [("50", None)]
    foreign = callers["hanmeimei"].post(f"{V1}alert-rules/", wanted, "application/json")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "not_yours")
    callers["lilei"].post(f"{V1}alert-rules/?rule=anomaly&team=live-class&reset=true")
    assert of_team() == []


def test_a_report_is_wished_for(callers: dict[str, Client], people: dict[str, User]) -> None:
    User.objects.filter(pk=people["lilei"].pk).update(email="lilei@example.org")
    wish = f"{V1}subscriptions/?role=lead&team=live-class&is_wanted=true&language=zh-hans"
    assert callers["lilei"].post(wish).status_code == 200
    told = callers["lilei"].get(f"{V1}subscriptions/").json()
    assert (told["language"], told["rows"]) == (
        "zh-hans", [{"role": "lead", "team": "live-class", "is_wanted": True}],
    )  # fmt: skip
    assert callers["lilei"].post(wish.replace("live-class", "data-platform")).status_code == 403
    key = issue_token(people["lilei"], now=NOW, scopes=("read", "write"), teams=["live-class"])
    assert client_of(key).post(f"{V1}subscriptions/?language=en").status_code == 403
    assert callers["lilei"].get(f"{V1}subscriptions/").json()["language"] == "zh-hans"


def test_prices_and_offers_are_brought_by_those_who_may(callers: dict[str, Client], people: dict[str, User]) -> None:
    header = "provider,region,sku_id,service,unit,currency,list_unit_price,contracted_unit_price,valid_from"
    body = f"{header}\nAlibaba,cn-beijing,ecs.g7,ECS,Hours,CNY,2.52,,2026-10-01\n"
    assert callers["finance"].post(f"{V1}prices/", body, "text/csv").status_code == 403
    User.objects.filter(pk=people["finance"].pk).update(is_staff=True)
    assert callers["finance"].post(f"{V1}prices/", body, "text/csv").json() == {"rows": 1}
    (price,) = callers["finance"].get(f"{V1}prices/?sku_id=ecs.g7").json()["rows"]
    assert (price["list_unit_price"], price["contracted_unit_price"]) == ("2.52", None)
    offers = callers["finance"].get(f"{V1}offers/?format=csv").content.decode()
    assert callers["finance"].post(f"{V1}offers/", offers, "text/csv").status_code == 201


def test_what_is_held_back_is_decided_by_staff(callers: dict[str, Client], people: dict[str, User]) -> None:
    address = f"{V1}quality/bill/?decision=accept"
    assert callers["finance"].post(address).status_code == 403
    User.objects.filter(pk=people["finance"].pk).update(is_staff=True)
    assert callers["finance"].post(address).json() == {"source": "bill", "decision": "accept", "files": 0}
    assert callers["finance"].post(f"{V1}quality/nobody/?decision=accept").status_code == 404
