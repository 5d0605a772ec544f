"""Hostile bodies and addresses of every operation there is: refused with one clear answer, and nothing is written."""

import csv
import gzip
import io
import json
import re
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.exceptions import ParseError

from apps.api.bodies import CONTENT, FieldsBody, JsonBody
from apps.audit.models import AuditEntry
from apps.marts.models import Publication
from tests.api.company import NOW

BODIES = {
    "no body": b"",
    "a list": b"[]",
    "a text": b'"x"',
    "null": b"null",
    "a number": b"7",
    "UTF-16": json.dumps({"name": "x"}).encode("utf-16"),
    "gzip": gzip.compress(b"{}"),
    "the same key twice": b'{"amount": "1", "amount": "2"}',
    "more than a machine word": b'{"amount": %d, "name": %d}' % (2**70, 2**70),
    "five thousand digits": b'{"amount": ' + b"9" * 5_000 + b"}",
    "an exponent without end": b'{"amount": 1e400, "name": 1e400}',
    "not a number": b'{"amount": NaN}',
    "lists in lists": b'{"name": ' + b"[" * 900 + b"]" * 900 + b"}",
    "quotes in lists in lists": b'{"reason":' + b"[" * 12 + b'"\\""' + b"]" * 12 + b"}",
    "objects in objects": b'{"options":' * 900 + b"1" + b"}" * 900,
    "a NUL": b'{"name": "a\\u0000b", "title": "a\\u0000b", "text": "\\u0000"}',
    "a NUL in a name": b'{"na\\u0000me": 1}',
    "half a character": b'{"name": "\\ud800", "title": "\\ud800"}',
    "other types": b'{"name": true, "amount": false, "team": {}, "rows": 1, "options": []}',
    "more than may be set": b'{"id": 7, "is_staff": true, "team_id": 1, "owner": "han", "__proto__": {}}',
}
PLACES = ("..%2f..%2fetc", "%00", "9" * 30, "-1", "%ff", "a" * 3_000, "%ed%a0%80")


@pytest.fixture
def published(db: None) -> Publication:
    days = {"first_day": date(2026, 10, 1), "end_day": date(2026, 11, 1)}
    return Publication.objects.create(created_at=NOW, versions={}, ruleset=1, status="final", **days)


@pytest.fixture
def people(published: Publication) -> dict[str, User]:
    return {"finance": User.objects.create_superuser("finance")}


@pytest.fixture
def finance(callers: dict[str, Client], settings: Any) -> Client:
    settings.COSTOPS_API_REQUESTS_PER_MINUTE = 0
    callers["finance"].raise_request_exception = False
    return callers["finance"]


def operations(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/api/schema/?format=json").json()["paths"]
    assert len(found) > 60
    return found


def test_no_write_takes_a_hostile_body(finance: Client) -> None:
    known = operations(finance)
    before = AuditEntry.objects.filter(outcome__lt=300).count()
    wrong = []
    for address, methods in known.items():
        place = re.sub(r"\{[^}]+\}", "1", address)
        for method in {"post", "put", "patch"} & methods.keys():
            for name, body in BODIES.items():
                answer = finance.generic(method.upper(), place, body, "application/json")
                if not 400 <= answer.status_code < 500 or "detail" not in answer.json():
                    wrong.append((method, place, name, answer.status_code, answer.content[:200]))
    assert wrong == []
    assert AuditEntry.objects.filter(outcome__lt=300).count() == before


def test_no_address_with_a_hostile_place_is_there(finance: Client) -> None:
    wrong = []
    for address in (one for one in operations(finance) if "{" in one):
        for place in PLACES:
            answer = finance.get(re.sub(r"\{[^}]+\}", place, address))
            if not 400 <= answer.status_code < 500:
                wrong.append((address, place[:20], answer.status_code))
    assert wrong == []


def test_no_method_that_is_not_meant_breaks_an_address(finance: Client) -> None:
    wrong = []
    for address in operations(finance):
        place = re.sub(r"\{[^}]+\}", "1", address)
        codes = {method: getattr(finance, method)(place).status_code for method in ("head", "options", "trace")}
        if codes["trace"] not in (403, 405) or max(codes.values()) >= 500:
            wrong.append((address, codes))
    assert wrong == []


@pytest.mark.parametrize("depth", [2, 12])
def test_a_list_holds_no_other(depth: int) -> None:
    """Every level would double the quotes of what is in it: 26 of them make 200 MB of 67 bytes."""
    body = b'{"reason": ' + b"[" * depth + rb'"\""' + b"]" * depth + b"}"
    with pytest.raises(ParseError, match="no list holds another"):
        FieldsBody().parse(io.BytesIO(body))


def test_a_list_is_separated_by_commas() -> None:
    assert FieldsBody().parse(io.BytesIO(rb'{"team": ["a,b", "c\"d", 1, true]}')) == {"team": '"a,b","c""d",1,true'}


def test_an_empty_list_says_nothing() -> None:
    body = io.BytesIO(b'{"exclude[team]": [], "team": [""], "reason": null, "name": ""}')
    assert FieldsBody().parse(body) == {"team": '""', "name": ""}


@pytest.mark.parametrize("text", ["a\rb", "a\r\nb", "a\nb", 'a"b', "a,b"])
def test_a_value_of_a_row_is_the_text_it_is(text: str) -> None:
    body = io.BytesIO(json.dumps({"rows": [{"name": text, "note": ""}]}).encode())
    content = JsonBody().parse(body)[CONTENT].decode()
    assert list(csv.DictReader(io.StringIO(content, newline=""))) == [{"name": text, "note": ""}]


@pytest.mark.parametrize(
    ("why", "kept"),
    [("line one\r\nline two", "line one\nline two"), ("a\x00b", None), ("a\x1bb", None), ("a\tb", None)],
)
def test_a_reason_may_have_lines_and_no_other_control_characters(
    callers: dict[str, Client], why: str, kept: str | None
) -> None:
    wanted = {"name": "live", "amount": "7", "currency": "CNY", "valid_from": "2026-10-01", "why": why}
    made = callers["finance"].post("/api/v1/budgets/", wanted, "application/json")
    assert made.status_code == (400 if kept is None else 201), made.content
    assert kept in (None, made.json().get("decisions", [{}])[0].get("why"))


def test_what_is_one_value_is_no_list(callers: dict[str, Client]) -> None:
    refused = callers["finance"].post("/api/v1/views/", {"name": ["a", "b"], "query": "by=team"}, "application/json")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "name")
    assert refused.json()["detail"] == "name is one value, not a list"


def test_a_view_that_asks_with_too_many_parameters_is_refused(callers: dict[str, Client]) -> None:
    wanted = {"name": "v", "query": "&".join(["team=a"] * 201)}
    refused = callers["finance"].post("/api/v1/views/", wanted, "application/json")
    assert (refused.status_code, refused.json()["code"], refused.json()["parameter"]) == (400, "refused", "query")


FORM = '--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\nagreed\r\n--x--'


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        pytest.param("application/x-www-form-urlencoded", "reason=agreed", 415, id="what curl sends unless told"),
        pytest.param("multipart/form-data; boundary=x", FORM, 415, id="a form"),
        pytest.param("text/plain", "reason=agreed", 415, id="text"),
        pytest.param("application/x-www-form-urlencoded", "", 409, id="nothing"),
        pytest.param("multipart/form-data; boundary=x", "--x--", 409, id="a form without fields"),
        pytest.param("application/json", '{"reason": ""}', 409, id="JSON"),
    ],
)
def test_a_body_that_is_not_read_is_refused_and_not_ignored(finance: Client, kind: str, body: str, status: int) -> None:
    answer = finance.generic("POST", "/api/v1/closings/2026-10/", body, kind)
    assert (answer.status_code, answer.json()["status"]) == (status, status), answer.content


def test_a_body_in_pieces_is_refused_and_not_ignored(finance: Client) -> None:
    """Servers hand on no length of it, and nothing of it would be read."""
    asked = {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}
    answer = finance.generic("POST", "/api/v1/closings/2026-10/", "", "application/json", **asked)
    assert (answer.status_code, answer.json()["code"]) == (400, "parse_error"), answer.content
    assert "Content-Length" in answer.json()["detail"]


def test_the_kind_of_a_body_may_be_told_in_capitals(finance: Client) -> None:
    answer = finance.generic("POST", "/api/v1/closings/2026-10/", '{"reason": ""}', "Application/JSON; charset=UTF-8")
    assert answer.status_code == 409, answer.content


@pytest.mark.parametrize(
    ("area", "body"),
    [
        ("annotations", {"first": "2026-10-06", "text": "Release"}),
        ("views", {"name": "mine", "query": "by=team"}),
        ("idle/exclusions", {"pattern": "online/x-*", "decision": "keep", "reason": "kept"}),
    ],
)
def test_a_body_of_what_takes_back_is_refused_too(finance: Client, area: str, body: dict[str, str]) -> None:
    made = finance.post(f"/api/v1/{area}/", body, "application/json").json()
    path = f"/api/v1/{area}/{made['number']}/"
    told = [
        finance.generic("DELETE", path, *sent).status_code
        for sent in (("reason=x", "application/x-www-form-urlencoded"), ('{"reason": "x"}', "application/json"), ("",))
    ]
    assert told == [415, 400, 200]
