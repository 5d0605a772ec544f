"""Hostile requests: refused with one clear answer, never with a 5xx."""

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.marts.models import Publication
from tests.api.company import NOW

COSTS = "/api/v1/costs/"


@pytest.fixture
def published(db: None) -> Publication:
    """A publication of no tables: what is refused is refused before anything is read."""
    days = {"first_day": date(2026, 10, 1), "end_day": date(2026, 11, 1)}
    return Publication.objects.create(created_at=NOW, versions={}, ruleset=1, status="final", **days)


@pytest.fixture
def people(published: Publication) -> dict[str, User]:
    """Only somebody who may see everything: for others less is asked, not other things."""
    user = User.objects.create_superuser("finance")
    return {"finance": user}


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    callers["finance"].raise_request_exception = False
    return callers["finance"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("frobnicate=1", "frobnicate"),
        ("team[]=a", "team[]"),
        ("order_by=password", "order_by"),
        ("fields=token_hash", "fields"),
        ("metric=spend", "metric"),
        ("metric=billed_cost&metric=list_cost", "metric"),
        ("group_by=team,team", "group_by"),
        ("group_by=a';--`)", "group_by"),
        ("group_by=team,day,kind,region,service", "group_by"),
        ("team=%00", "team"),
        ('team="a', "team"),
        ("team=" + "a," * 600, "team"),
        ("namespace=" + "%25a" * 5_000, "namespace"),
        ("start=2026-02-30", "start"),
        ("start=0000-01-01", "start"),
        ("start=２０２６-10-01", "start"),
        ("end=9999-12-31", "end"),
        ("start=2026-10-01T00:00:00-14:00", "start"),
        ("as_of=1e3", "as_of"),
        ("as_of=-1", "as_of"),
        ("as_of=" + "9" * 5_000, "as_of"),
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=1000000000000", "limit"),
        ("limit=NaN", "limit"),
        ("cursor=forged", "cursor"),
        ("format=xml", "format"),
        ("format=", "format"),
        ("cursor=%ff%fe", "cursor"),
        ("cursor=WzEsMF0:1abc:def", "cursor"),
    ],
    ids=lambda value: value[:40],
)
def test_a_bad_parameter_is_named(finance: Client, query: str, parameter: str) -> None:
    refused = finance.get(f"{COSTS}?{query}")
    error = refused.json()
    shape = {"type", "title", "status", "detail", "instance", "code", "parameter"}
    assert (refused.status_code, error["parameter"], shape <= set(error)) == (400, parameter, True)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        pytest.param("start=2026-10-02&end=2026-10-02", 400, id="an empty window"),
        pytest.param("as_of=999999", 404, id="a publication that does not exist"),
        pytest.param("&".join(f"p{i}=1" for i in range(5_000)), 400, id="five thousand parameters"),
        pytest.param("start=1970-01-01&end=2199-12-31", 400, id="a window of two hundred years"),
        pytest.param("start=2017-01-01&end=2027-01-01", 200, id="a window of ten years"),
        pytest.param("team=*", 200, id="a star is a plain character"),
        pytest.param("team=%ed%a0%80", 200, id="a lone surrogate is a character nobody has"),
        pytest.param("team=a&team=b", 200, id="a filter may be repeated"),
    ],
)
def test_a_strange_question_has_a_plain_answer(finance: Client, query: str, code: int) -> None:
    response = finance.get(f"{COSTS}?{query}")
    assert response.status_code == code
    assert response["Content-Type"] == ("application/json" if code == 200 else "application/problem+json")
    assert ("detail" in response.json()) == (code != 200)


@pytest.mark.parametrize(
    "address",
    [
        "costs/?start=1970-01-01&end=2199-12-31",
        "costs/?start_date=1970-01-01",
        "bases/?end=2199-12-31",
        "explain/?start=1970-01-01&end=2199-12-31",
        "why/?start=1970-01-01&end=2199-12-31",
        "why/?start=2026-10-05&end=2026-10-06&before_start=1970-01-01&before_end=2026-10-05",
        "units/?driver=requests&start=1970-01-01",
        "efficiency/?start=1970-01-01",
        "efficiency/hours/?start=1970-01-01",
        "exports/allocated/?start=1970-01-01",
        "exports/charges/?start=1970-01-01",
        "drivers/quantities/?driver=requests&start=1970-01-01&end=2199-12-31",
        "restatements/?start=1970-01-01&end=2199-12-31",
        "annotations/?start=1970-01-01&end=2199-12-31",
        "rates/?start=1970-01-01&end=2199-12-31",
        "worklist/?start=1970-01-01&end=2199-12-31",
        "audit/?start=1970-01-01&last=2199-12-31",
    ],
)
def test_a_question_about_centuries_is_told_how_long_it_may_be(finance: Client, address: str) -> None:
    refused = finance.get(f"/api/v1/{address}")
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_question")
    assert "3660 days, ten years, at most" in refused.json()["detail"]


@pytest.mark.parametrize(
    "address",
    [
        "costs/", "costs/?end_date=2026-09-30", "bases/", "estimates/", "explain/", "why/", "units/?driver=requests",
        "units/change/?driver=requests", "drivers/quantities/?driver=requests", "efficiency/", "efficiency/hours/",
        "exports/allocated/", "restatements/", "annotations/", "rates/", "worklist/", "audit/?last=2026-09-30",
    ],
)  # fmt: skip
def test_days_that_end_before_they_begin_are_told_everywhere(finance: Client, address: str) -> None:
    path, _, given = address.partition("?")
    asked = dict(part.split("=") for part in given.split("&") if part) | {"start": "2026-10-02"}
    asked |= {} if {"last", "end_date"} & set(asked) else {"end": "2026-10-01"}
    refused = finance.get(f"/api/v1/{path}", asked)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_question")
    assert "must come after start (2026-10-02)" in refused.json()["detail"]


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "2026-1", "0000-01", "October"])
def test_a_month_there_is_not_is_a_bad_parameter(finance: Client, month: str) -> None:
    refused = finance.get("/api/v1/reconciliation/", {"billing_month": month})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "billing_month")


@pytest.mark.parametrize("address", ["/api/", "/api/v1/", "/api/v1/nope/", "/api/v1/teams/a/b/", "/api/v1/costs/../x/"])
def test_an_address_there_is_not_is_json_too(callers: dict[str, Client], address: str) -> None:
    nowhere, refused = callers["finance"].get(address), callers["anonymous"].get(address)
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "not_found")
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


def test_a_forgotten_slash_is_added(finance: Client) -> None:
    assert finance.get("/api/v1/teams")["Location"] == "/api/v1/teams/"
    moved = finance.post("/api/v1/views?a=b", {"name": "v"}, content_type="application/json")
    assert (moved.status_code, moved["Location"]) == (308, "/api/v1/views/?a=b"), "method and body are kept"


def test_failures_are_json_even_when_csv_was_asked_for(finance: Client) -> None:
    refused = finance.get(f"{COSTS}?format=csv&metric=x")
    assert (refused["Content-Type"], refused.json()["parameter"]) == ("application/problem+json", "metric")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
@pytest.mark.parametrize("address", [COSTS, "/api/v1/teams/live-class/", "/api/v1/reconciliation/", "/api/schema/"])
def test_nothing_can_be_written(callers: dict[str, Client], method: str, address: str) -> None:
    assert getattr(callers["finance"], method)(address).status_code == 405
    assert getattr(callers["anonymous"], method)(address).status_code in (401, 405)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        pytest.param("application/json", b"[" * 100_000, id="deep JSON"),
        pytest.param("application/json", b'"\\u0000"', id="NUL in JSON"),
        pytest.param("application/json", b"\xff\xfe", id="not UTF-8"),
        pytest.param("application/json", b"1" * 2_000_000, id="two megabytes"),
        pytest.param("application/x-www-form-urlencoded", b"a=1&" * 5_000, id="five thousand fields"),
        pytest.param("application/x-www-form-urlencoded", b"a=" + b"1" * 2_000_000, id="a large form"),
        pytest.param("multipart/form-data; boundary=x", b"--x\r\n" * 10_000, id="ten thousand parts"),
        pytest.param("multipart/form-data", b"", id="no boundary"),
        pytest.param("text/plain; charset=nonsense", b"x", id="a charset nobody knows"),
    ],
)
@pytest.mark.parametrize("caller", ["finance", "finance by session", "anonymous"])
def test_a_hostile_body_is_refused(callers: dict[str, Client], caller: str, content_type: str, body: bytes) -> None:
    client = callers[caller]
    client.handler.enforce_csrf_checks = True
    client.raise_request_exception = False
    code = client.generic("POST", COSTS, body, content_type).status_code
    assert 400 <= code < 500


@pytest.mark.parametrize("accept", ["x", "text/html", "*/*;q=nonsense", "text/csv;charset=\xff", ",,,", "a/b/c"])
def test_a_strange_accept_is_never_our_fault(finance: Client, accept: str) -> None:
    assert finance.get(COSTS, headers={"accept": accept}).status_code in (200, 406)


@pytest.mark.parametrize(
    "tag", ["*", "W/", '"', "\xff", '"a", ' * 1_000], ids=["any", "half", "open", "foreign", "many"]
)
def test_a_strange_etag_is_never_our_fault(finance: Client, tag: str) -> None:
    assert finance.get(COSTS, headers={"if-none-match": tag}).status_code in (200, 304)


def test_the_method_cannot_be_overridden(finance: Client) -> None:
    assert finance.get(COSTS, headers={"x-http-method-override": "DELETE"}).status_code == 200


def test_options_describes_without_an_amount(finance: Client, callers: dict[str, Client]) -> None:
    assert finance.options(COSTS).status_code == 200
    assert callers["anonymous"].options(COSTS).status_code == 401


@pytest.mark.parametrize(
    "cookie", ['sessionid="abcdefgh\\000x"', "sessionid=\xff\xfe", "sessionid=" + "a" * 8_000, ";;=;"]
)
def test_a_strange_cookie_is_nobody(published: Publication, cookie: str) -> None:
    client = Client(headers={"cookie": cookie}, raise_request_exception=False)
    response = client.get(COSTS)
    assert 400 <= response.status_code < 500
