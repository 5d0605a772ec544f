"""Cost and budgets by tag over the API: the same sums, for those who may see them, and the schema says so."""

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from tests.api.test_openapi import resolved
from tests.api.test_schema import closed

if TYPE_CHECKING:
    from django.conf import LazySettings
    from django.test import Client

COSTS = "/api/v1/costs/"
EVIL = "=1+1<script>"


@pytest.fixture(autouse=True)
def keys(settings: "LazySettings") -> None:
    settings.COSTOPS_TAG_KEYS = ("env", "project")


@pytest.fixture
def tagged(callers: "dict[str, Client]") -> "dict[str, Client]":
    from tests.api.company import COSTS as ROWS
    from tests.worlds import publish_costs

    tags = ({"env": "prod"}, {"env": EVIL}, {"env": "prod", "project": "atlas"}, {}, {"project": "atlas"})
    kept = (json.dumps({"env": "", "project": ""} | one) for one in tags)
    publish_costs([row | {"kept_tags": told} for row, told in zip(ROWS, kept, strict=True)])
    return callers


def test_cost_is_grouped_by_tags_and_a_link_leads_to_each(tagged: "dict[str, Client]") -> None:
    told = tagged["finance"].get(f"{COSTS}?group_by=tag:env,team").json()
    assert [(row["tag:env"], row["team"], row["currency"]) for row in told["rows"]] == [
        ("", "data-platform", "USD"),
        ("", "unallocated", "CNY"),
        (EVIL, "live-class", "CNY"),
        ("prod", "data-platform", "CNY"),
        ("prod", "live-class", "CNY"),
    ]
    assert told["totals"] == tagged["finance"].get(COSTS).json()["totals"]
    for row in told["rows"]:  # the same cell by its address
        cell = row["explain"].replace("/api/v1/explain/", COSTS)
        assert tagged["finance"].get(cell).json()["rows"][0]["effective_cost"] == row["effective_cost"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        pytest.param("tag:env=prod", 1, id="a value"),
        pytest.param("tag:env=prod&tag:project=", 1, id="and no other tag"),
        pytest.param("tag:env=", 2, id="no such tag"),
        pytest.param("tag:env=PROD", 0, id="another case"),
        pytest.param("tag:env=no,prod", 1, id="one of several"),
    ],
)
def test_cost_is_narrowed_by_tags(tagged: "dict[str, Client]", query: str, rows: int) -> None:
    assert len(tagged["finance"].get(f"{COSTS}?{query}").json()["rows"]) == rows


@pytest.mark.parametrize(
    "query", ["tag:team=x", "group_by=tag:team", "tag:=x", "group_by=tag:", "tag:env=a\x00", "tag:ENV=prod"]
)
def test_a_tag_that_cannot_be_meant_is_refused_with_what_may_be(tagged: "dict[str, Client]", query: str) -> None:
    answer = tagged["finance"].get(f"{COSTS}?{query}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert "tag" in answer.json()["detail"] or "team" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["tag:team=x", "group_by=tag:team", "exclude%5Btag:team%5D=x"])
def test_a_tag_that_was_not_chosen_is_named_whole(tagged: "dict[str, Client]", query: str) -> None:
    refused = tagged["finance"].get(f"{COSTS}?{query}").json()
    assert refused["parameter"] in ("tag:team", "exclude[tag:team]")
    assert refused["parameter"] in refused["detail"]


def test_a_lead_sees_tags_of_own_cost_only(tagged: "dict[str, Client]") -> None:
    told = tagged["lilei"].get(f"{COSTS}?group_by=tag:env,team").json()["rows"]
    assert {(row["tag:env"], row["team"]) for row in told} == {(EVIL, "live-class"), ("prod", "live-class")}
    assert tagged["lilei"].get(f"{COSTS}?tag:project=atlas").json()["rows"] == []


def test_csv_has_tags_in_columns_and_no_formula(tagged: "dict[str, Client]") -> None:
    text = tagged["finance"].get(f"{COSTS}?group_by=tag:env&format=csv").content.decode("utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text))
    assert head == ["tag:env", "currency", "effective_cost"]
    assert [row[0] for row in rows] == ["", "", f"'{EVIL}", "prod"]


def test_the_schema_knows_the_keys(tagged: "dict[str, Client]") -> None:
    schema = tagged["finance"].get("/api/schema/?format=json").json()
    operation = schema["paths"][COSTS]["get"]
    assert "tag:KEY" in {resolved(schema, parameter)["name"] for parameter in operation["parameters"]}
    said = operation["responses"]["200"]["content"]["application/json"]["schema"]
    told = tagged["finance"].get(f"{COSTS}?group_by=tag:env,tag:project&tag:env=prod").json()
    wanted = closed({**said, "components": schema["components"]})
    assert list(Draft202012Validator(wanted).iter_errors(told)) == []


def test_a_budget_of_a_tag_stands_as_the_sum_says(tagged: "dict[str, Client]") -> None:
    finance = tagged["finance"]
    wanted = "name=atlas&dimension=tag:project&value=atlas&amount=5&currency=CNY&valid_from=2026-10-01"
    assert finance.post(f"/api/v1/budgets/?{wanted}").status_code == 201
    (row,) = finance.get("/api/v1/budgets/").json()["rows"]
    asked = finance.get(f"{COSTS}?tag:project=atlas&start=2026-10-01&end=2026-11-01").json()["totals"]
    assert (row["dimension"], row["value"], row["state"]) == ("tag:project", "atlas", "exceeded")
    assert {"CNY": row["spent"]} == asked
    assert tagged["lilei"].get("/api/v1/budgets/").json()["rows"] == []
    refused = finance.post(f"/api/v1/budgets/?{wanted.replace('tag:project', 'tag:team')}")
    assert (refused.status_code, refused.json()["parameter"]) == (400, "dimension")


def test_pages_show_a_budget_of_a_tag_and_escape_its_value(tagged: "dict[str, Client]") -> None:
    finance = tagged["finance by session"]
    page = finance.get("/budgets/").content.decode()
    assert '<option value="tag:project" >Tag project</option>' in page
    form = {"name": "evil", "dimension": "tag:env", "value": EVIL, "amount": "5", "currency": "CNY", "grain": "month"}
    made = finance.post("/budgets/", form | {"metric": "effective_cost", "valid_from": "2026-10-01"}, follow=True)
    shown = made.content.decode()
    assert "Tag env: =1+1&lt;script&gt;" in shown
    assert EVIL not in shown
