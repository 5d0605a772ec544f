"""Recommendations over the API: of one's own teams only, exact amounts as text, steps with one and many."""

import csv
import io
from decimal import Decimal

import pytest
from django.test import Client
from openpyxl import load_workbook

from apps.finops.stakes import Stake, in_cluster
from apps.operations.models import Recommendation
from tests.api.test_schema import Draft202012Validator, closed
from tests.operations.worlds import a_finding, history, one, recommend

ADDRESS = "/api/v1/recommendations/"


@pytest.fixture
def found(callers: dict[str, Client]) -> dict[str, Client]:
    recommend(
        a_finding("vm", team="live-class", at_stake="vm-1"),
        a_finding("vm at night", team="live-class", at_stake="vm-1", saving_per_month=Decimal("40.5")),
        a_finding("disk", team="data-platform", saving_per_month=Decimal(7)),
    )
    return callers


def test_each_sees_the_own_teams_and_totals_promise_a_resource_once(found: dict[str, Client]) -> None:
    finance, lead, nobody = (found[name].get(ADDRESS).json() for name in ("finance", "lilei", "nobody"))

    assert (finance["totals"], lead["totals"]) == ({"CNY": "107.000000000001"}, {"CNY": "100.000000000001"})
    assert [row["title"] for row in lead["rows"]] == ["Delete vm", "Delete vm at night"]
    assert (nobody["totals"], nobody["rows"]) == ({}, [])
    night = lead["rows"][1]
    assert (night["saving_per_month"], night["counted_per_month"], night["within"]) == ("40.5", "0.0", one("vm").pk)
    assert (night["assignee"], night["state"], night["evidence"]) == (
        "lilei", "assigned", ["Nobody read it since 2026-10-01"],
    )  # fmt: skip


def test_what_a_plan_and_a_finding_would_save_of_one_workload_counts_once(callers: dict[str, Client]) -> None:
    """Of 65 by smaller requests 45 are those of a workload that costs 50 and could be stopped."""
    web, batch = (in_cluster("online", "live-class", "shop", name) for name in ("web", "batch"))
    recommend(
        a_finding("idle", team="live-class", saving_per_month=Decimal(50), stakes=(Stake(web, Decimal(50)),)),
        a_finding(
            "smaller", team="live-class", saving_per_month=Decimal(65),
            stakes=(Stake(web, Decimal(45)), Stake(batch, Decimal(20))),
        ),
    )  # fmt: skip
    stop, shrink = one("idle").pk, one("smaller").pk

    listed = callers["finance"].get(ADDRESS).json()
    told = {row["number"]: (row["counted_per_month"], row["within"]) for row in listed["rows"]}
    alone = callers["finance"].get(f"{ADDRESS}{shrink}/").json()

    assert listed["totals"] == {"CNY": "70"}
    assert told == {stop: ("50", None), shrink: ("20", stop)}
    assert (alone["counted_per_month"], alone["within"]) == ("20", stop)


def test_the_list_is_narrowed_and_leaves_as_csv(found: dict[str, Client]) -> None:
    text = found["finance"].get(f"{ADDRESS}?team=data-platform&format=csv").content.decode()

    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["title"], row["saving_per_month"], "evidence" in row) == ("Delete disk", "7", False)
    assert found["finance"].get(f"{ADDRESS}?whose=mine").json()["rows"] == []
    assert found["finance"].get(f"{ADDRESS}?state=done").json()["rows"] == []


def test_the_list_leaves_as_a_workbook_of_numbers_without_formulas(callers: dict[str, Client]) -> None:
    recommend(
        a_finding('=HYPERLINK("http://x")', team="=live", saving_per_month=Decimal("40.5")),
        a_finding("\x07bell", team="b"),
    )
    answer = callers["finance"].get(f"{ADDRESS}?format=xlsx")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="recommendations.xlsx"'
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    header, *lines = sheet.iter_rows()
    rows = [dict(zip([cell.value for cell in header], line, strict=True)) for line in lines]
    (formula,) = (row for row in rows if row["team"].value == "=live")
    assert (formula["team"].data_type, formula["team"].quotePrefix) == ("s", True)
    assert (formula["saving_per_month"].value, formula["saving_per_month"].data_type) == (40.5, "n")
    assert (formula["number"].data_type, formula["found_at"].is_date, formula["within"].value) == ("n", True, None)
    assert {cell.data_type for row in rows for cell in row.values()}.isdisjoint({"f", "e"})
    assert any("bell" in str(cell.value) for row in rows for cell in row.values())


def test_a_workbook_of_what_has_none_is_refused(callers: dict[str, Client]) -> None:
    answer = callers["finance"].get("/api/v1/teams/?format=xlsx")
    assert (answer.status_code, "json, csv" in answer.content.decode()) == (400, True)


def test_of_any_state_only_what_is_open_promises_something(found: dict[str, Client]) -> None:
    found["lilei"].post(f"{ADDRESS}?numbers={one('vm').pk}&action=decline&why=exam%20week")

    body = found["lilei"].get(f"{ADDRESS}?state=any").json()

    assert (len(body["rows"]), body["totals"]) == (2, {"CNY": "40.5"})


def test_a_step_with_one_is_written_down(found: dict[str, Client]) -> None:
    body = found["lilei"].post(f"{ADDRESS}{one('vm').pk}/?action=accept&why=Friday").json()

    assert (body["state"], body["steps"][-1]["by"], body["steps"][-1]["why"]) == ("accepted", "lilei", "Friday")
    assert body["steps"][1]["why"] == "By default the lead of live-class"
    assert found["lilei"].get(f"{ADDRESS}{one('vm').pk}/").json() == body


def test_a_step_with_many_is_taken_with_all_or_none(found: dict[str, Client]) -> None:
    numbers = f"{one('vm').pk},{one('vm at night').pk}"
    lead = found["lilei"]

    assert lead.post(f"{ADDRESS}?numbers={numbers}&action=snooze&until=2126-01-01").status_code == 200
    assert set(Recommendation.objects.filter(team="live-class").values_list("state", flat=True)) == {"snoozed"}
    refused = lead.post(f"{ADDRESS}?numbers={numbers},{one('disk').pk}&action=accept")
    assert (refused.status_code, one("vm").state) == (404, "snoozed")


@pytest.mark.parametrize(
    ("who", "query", "status", "code"),
    [
        pytest.param("lilei", "action=close", 400, "bad_parameter", id="what only the machine does"),
        pytest.param("lilei", "", 400, "refused", id="no action"),
        pytest.param("lilei", "action=decline", 400, "refused", id="no reason"),
        pytest.param("lilei", "action=snooze&until=2020-01-01", 400, "refused", id="a day that is over"),
        pytest.param("lilei", "action=assign&assignee=hanmeimei", 400, "refused", id="who cannot see it"),
        pytest.param("lilei", "action=start", 409, "not_possible", id="not in this state"),
        pytest.param("hanmeimei", "action=accept", 404, "no_such_recommendation", id="of another team"),
        pytest.param("nobody", "action=accept", 404, "no_such_recommendation", id="of no team"),
        pytest.param("finance", "action=assign&assignee=lilei", 200, "", id="finance decides about all"),
    ],
)
def test_what_is_refused_has_its_code_and_does_nothing(
    found: dict[str, Client], who: str, query: str, status: int, code: str
) -> None:
    before = history("vm")

    response = found[who].post(f"{ADDRESS}{one('vm').pk}/?{query}")

    assert (response.status_code, response.json().get("code", "")) == (status, code)
    assert (history("vm") == before) == (status != 200)


def test_numbers_that_are_none_are_refused(found: dict[str, Client]) -> None:
    for numbers in ("", "one", "-1", "²"):
        response = found["lilei"].post(f"{ADDRESS}?numbers={numbers}&action=accept")
        assert (numbers, response.status_code) == (numbers, 400)


def test_answers_speak_the_caller_s_language(found: dict[str, Client]) -> None:
    body = found["lilei"].get(f"{ADDRESS}{one('vm').pk}/", headers={"accept-language": "zh-hans"}).json()

    assert body["steps"][1]["why"] == "默认为 live-class 的负责人"


def test_the_schema_is_what_is_answered(found: dict[str, Client]) -> None:
    schema = found["finance"].get("/api/schema/?format=json").json()
    for path, address in ((ADDRESS, ADDRESS), (f"{ADDRESS}{{number}}/", f"{ADDRESS}{one('vm').pk}/")):
        said = schema["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        whole = closed({**said, "components": schema["components"]})
        assert list(Draft202012Validator(whole).iter_errors(found["finance"].get(address).json())) == []
