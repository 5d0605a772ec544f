"""Rates over the API: brought by those who see everything, checked as a file is, told with every converted answer."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.api.company import bring_rates

COSTS, RATES = "/api/v1/costs/", "/api/v1/rates/"
HEADER = "date,from,to,rate\n"
FILE = HEADER + "2026-10-05,USD,CNY,7.5\n2026-10-06,USD,CNY,7.6\n2026-10-07,USD,CNY,7.7\n"


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    return callers["finance"]


def post(client: Client, body: str, kind: str = "text/csv", query: str = "?name=oct.csv") -> tuple[int, dict]:
    response = client.post(f"{RATES}{query}", body, content_type=kind)
    return response.status_code, response.json()


def test_a_file_is_brought_and_read_again(finance: Client) -> None:
    status, done = post(finance, FILE)
    assert (status, done) == (201, {"version": done["version"], "rows": 3, "changed": 3})
    assert post(finance, FILE) == (200, {"version": None, "rows": 3, "changed": 0})
    rows = finance.get(f"{RATES}?start=2026-10-06&end=2026-10-07&to=CNY").json()["rows"]
    assert [(row["day"], row["from"], row["to"], row["rate"], row["file"], row["line"], row["by"]) for row in rows] == [
        ("2026-10-06", "USD", "CNY", "7.6", "oct.csv", 3, "finance")
    ]
    csv = finance.get(f"{RATES}?format=csv&from=USD").content.decode().splitlines()
    assert csv[0].startswith("day,from,to,rate,quoted_day,file,line,version,by,at")
    assert len(csv) == 4


def test_json_keeps_every_digit(finance: Client) -> None:
    body = '{"rows": [{"date": "2026-10-05", "from": "USD", "to": "CNY", "rate": 7.100000000001}]}'
    assert post(finance, body, "application/json")[0] == 201
    assert finance.get(RATES).json()["rows"][0]["rate"] == "7.100000000001"


@pytest.mark.parametrize(
    ("body", "kind", "status", "message"),
    [
        pytest.param(HEADER + "2026-10-05,USD,CNY,0\n", "text/csv", 400, "oct.csv: line 2, column rate", id="zero"),
        pytest.param("", "text/csv", 400, "oct.csv, line 1: the columns must be", id="nothing"),
        pytest.param("[]", "application/json", 400, "The body is not", id="a list"),
        pytest.param('{"rows": []}', "application/json", 400, "The body is not", id="no rows"),
        pytest.param(
            '{"rows": [{"date": true}]}', "application/json", 400, "A value is text, a number", id="a boolean"
        ),
        pytest.param(
            '{"rows": [{"date": "2026-10-05", "from": "USD", "to": "CNY", "rate": null}]}',
            "application/json",
            400,
            "oct.csv: line 2, column rate",
            id="null",
        ),
        pytest.param('{"rows": [{"a": 1}, {"b": 1}]}', "application/json", 400, "same columns", id="uneven rows"),
        pytest.param('{"rows": [{"a": 1}]}', "application/json", 400, "the columns must be", id="another column"),
        pytest.param("[" * 100_000, "application/json", 400, "The body is not", id="deep"),
        pytest.param("<a/>", "text/xml", 415, "Unsupported media type", id="xml"),
    ],
)
def test_what_is_not_taken(finance: Client, body: str, kind: str, status: int, message: str) -> None:
    code, said = post(finance, body, kind)
    assert (code, message in said["detail"]) == (status, True), said
    assert finance.get(RATES).json()["rows"] == []


def test_who_may_bring(callers: dict[str, Client]) -> None:
    told = {name: callers[name].post(RATES, FILE, content_type="text/csv").status_code for name in callers}
    assert {name for name, status in told.items() if status in (200, 201)} == {"finance", "finance by session"}
    assert {told[name] for name in ("lilei", "hanmeimei", "nobody")} == {403}
    assert {told[name] for name in ("anonymous", "expired token")} == {401}


def test_a_session_needs_its_token_to_bring(people: dict[str, User]) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people["finance"])
    assert browser.post(RATES, FILE, content_type="text/csv").status_code == 403


def test_costs_in_one_currency_tell_their_rates(finance: Client) -> None:
    version = bring_rates()
    said = finance.get(f"{COSTS}?group_by=team&currency=CNY").json()
    assert {row["currency"] for row in said["rows"]} == {"CNY"}
    assert said["totals"] == {"CNY": "6863.373456789029"}
    assert (said["query"]["currency"], said["query"]["rates_as_of"]) == ("CNY", version)
    (rate,) = said["rates"]
    assert {name: rate[name] for name in ("day", "from", "to", "rate", "quoted_day")} == {
        "day": "2026-10-07", "from": "USD", "to": "CNY", "rate": "7.7", "quoted_day": "2026-10-07",
    }  # fmt: skip
    assert "rates.csv line 4" in rate["origin"]


def test_a_missing_rate_is_told_with_day_and_pair(finance: Client) -> None:
    refused = finance.get(f"{COSTS}?currency=CNY")
    error = refused.json()
    assert (refused.status_code, error["code"]) == (400, "missing_rate")
    assert "no rate from USD to CNY on 2026-10-07" in error["detail"]


def test_what_was_billed_in_a_currency_is_a_filter_of_its_own(finance: Client) -> None:
    assert finance.get(f"{COSTS}?billing_currency=USD").json()["totals"] == {"USD": "0.000000000000"}


def test_a_new_version_is_a_new_etag_and_pages_stay_on_theirs(finance: Client) -> None:
    bring_rates()
    address = f"{COSTS}?group_by=team&currency=CNY&limit=1"
    first = finance.get(address)
    post(finance, FILE.replace("7.7", "8.7"))
    assert finance.get(address)["ETag"] != first["ETag"]
    second = finance.get(f"{address}&cursor={first.json()['page']['next_cursor']}").json()
    assert second["query"]["rates_as_of"] == first.json()["query"]["rates_as_of"]
    assert json.dumps(second["rates"]) == json.dumps(first.json()["rates"])
