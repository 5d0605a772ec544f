"""Costs asked in Koku's grammar: brackets, periods counted back, orders, Others, another period beside."""

import io
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import openpyxl
import pyarrow.parquet as pq
import pytest
from django.test import Client

from tests.worlds import publish_costs

COSTS: list[tuple[str, str, str, str, str]] = [
    ("2026-09-01", "live-class", "live-web", "1000", "direct"),
    ("2026-09-20", "unallocated", "", "0.5", "unallocated"),
    ("2026-10-05", "live-class", "live-web", "4711.000000000017", "direct"),
    ("2026-10-06", "live-class", "live-api", "-0.25", "shared"),
    ("2026-10-06", "data-platform", "etl", "815.123456789012", "direct"),
    ("2026-10-20", "data-platform", "lake", "7", "direct"),
    ("2026-10-20", "unallocated", "", "1337.5", "unallocated"),
]
OCTOBER = {"start": "2026-10-01", "end": "2026-11-01"}

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def asking(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Client]]:
    from django.db import transaction
    from django.test import override_settings

    from apps.teams.models import Team
    from tests.api.company import clients_of, hire_people

    with (
        django_db_blocker.unblock(),
        override_settings(COSTOPS_LAKE=tmp_path_factory.mktemp("lake"), COSTOPS_API_REQUESTS_PER_MINUTE=0),
        transaction.atomic(),
    ):
        for team in ("live-class", "data-platform"):
            Team.objects.create(name=team, title=team)
        names = ("day", "team", "namespace", "effective_cost", "kind")
        publish_costs(dict(zip(names, (date.fromisoformat(day), *rest), strict=True)) for day, *rest in COSTS)
        yield clients_of(hire_people())
        transaction.set_rollback(True)


def ask(asking: dict[str, Client], who: str = "finance", **given: str) -> dict[str, Any]:
    response = asking[who].get("/api/v1/costs/", OCTOBER | given)
    assert response.status_code == 200, response.content
    return dict(response.json())


def rows(said: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in said["rows"]]


@pytest.mark.parametrize(
    ("koku", "plain"),
    [
        pytest.param({"filter[team]": "live-class"}, {"team": "live-class"}, id="a filter"),
        pytest.param({"filter[team]": "*"}, {}, id="any value is no filter"),
        pytest.param({"filter[billing_currency]": "CNY"}, {"billing_currency": "CNY"}, id="a currency of the bill"),
        pytest.param({"group_by[team]": "*"}, {"group_by": "team"}, id="a group"),
        pytest.param(
            {"group_by[team]": "live-class"}, {"group_by": "team", "team": "live-class"}, id="a group and a filter"
        ),
        pytest.param({"group_by": "team", "group_by[kind]": "*"}, {"group_by": "team,kind"}, id="both ways to group"),
        pytest.param(
            {"filter[resolution]": "daily", "group_by[team]": "*"}, {"group_by": "day,team"}, id="a resolution"
        ),
        pytest.param({"filter[resolution]": "monthly"}, {"group_by": "month"}, id="by month"),
        pytest.param({"basis": "billed_cost"}, {"metric": "billed_cost"}, id="a basis is a metric"),
        pytest.param({"delta": "cost"}, {"compare": "previous"}, id="a delta is a comparison"),
        pytest.param({"exclude[team]": "live-class,unallocated"}, {"team": "data-platform"}, id="all but two teams"),
        pytest.param({"exclude[namespace]": ""}, {"team": "live-class,data-platform"}, id="all that has a namespace"),
        pytest.param(
            {"team": "live-class,unallocated", "filter[team]": "live-class,data-platform"},
            {"team": "live-class"},
            id="two filters let through what passes both",
        ),
    ],
)  # fmt: skip
def test_koku_s_words_are_ours(asking: dict[str, Client], koku: dict[str, str], plain: dict[str, str]) -> None:
    said, expected = ask(asking, **koku), ask(asking, **plain)
    names = [name for name in expected["rows"][0] if name != "explain"]
    assert rows(said, *names) == rows(expected, *names)
    assert (said["totals"], said["comparison"]) == (expected["totals"], expected["comparison"])


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        pytest.param({"filter[time_scope_value]": "-10"}, "2026-10-11", "2026-10-21", id="the last ten published days"),
        pytest.param({"filter[time_scope_units]": "day"}, "2026-10-11", "2026-10-21", id="ten, if none is said"),
        pytest.param({"filter[time_scope_value]": "-1"}, "2026-10-01", "2026-10-21", id="the month of the last one"),
        pytest.param(
            {"filter[time_scope_units]": "month", "filter[time_scope_value]": "-2"}, "2026-09-01", "2026-10-01",
            id="the month before",
        ),
        pytest.param(
            {"filter[time_scope_units]": "day", "filter[time_scope_value]": "-1"}, "2026-10-20", "2026-10-21",
            id="one day",
        ),
        pytest.param(
            {"start_date": "2026-10-01", "end_date": "2026-10-06"}, "2026-10-01", "2026-10-07", id="an end included"
        ),
    ],
)  # fmt: skip
def test_a_period_is_counted_back_from_what_is_published(
    asking: dict[str, Client], given: dict[str, str], start: str, end: str
) -> None:
    said = asking["finance"].get("/api/v1/costs/", given).json()["query"]
    assert (said["start"], said["end"]) == (start, end)


def test_the_largest_are_told_in_order_and_the_rest_as_others(asking: dict[str, Client]) -> None:
    said = ask(asking, **{"group_by[namespace]": "*", "filter[limit]": "2", "order_by[cost]": "desc"})
    assert rows(said, "namespace", "effective_cost", "others") == [
        ("live-web", "4711.000000000017", None),
        ("", "1337.500000000000", None),
        ("Others", "821.873456789012", 3),
    ]
    assert said["groups"] == {"total": 5, "shown": 2}
    assert said["query"]["order_by"] == {"cost": "desc"}
    assert sum(Decimal(row["effective_cost"]) for row in said["rows"]) == Decimal(said["totals"]["CNY"])
    skipped = ask(asking, **{"group_by[namespace]": "*", "filter[limit]": "2", "filter[offset]": "2"})
    assert rows(skipped, "namespace") == [("etl",), ("lake",)]


def test_others_lead_to_the_question_they_answer(asking: dict[str, Client]) -> None:
    said = ask(asking, **{"group_by[namespace]": "*", "filter[limit]": "2", "filter[resolution]": "daily"})
    *_, others = [row for row in said["rows"] if row["others"]]
    asked = dict(parse_qsl(urlsplit(others["explain"]).query, keep_blank_values=True))
    assert (others["day"], others["effective_cost"]) == ("2026-10-20", "7.000000000000")
    assert asked["exclude[namespace]"] == ",live-web"
    same = {name: value for name, value in asked.items() if name != "as_of"}
    (row,) = asking["finance"].get("/api/v1/costs/", same).json()["rows"]
    assert row["effective_cost"] == others["effective_cost"]
    many = ask(asking, **{"group_by": "namespace,kind", "filter[limit]": "2"})
    assert many["rows"][-1]["explain"] == ""


def test_another_period_stands_beside(asking: dict[str, Client]) -> None:
    said = ask(asking, **{"group_by[team]": "*", "compare": "2026-09-01/2026-10-01", "order_by[delta]": "desc"})
    assert rows(said, "team", "before", "delta", "ratio") == [
        ("live-class", "1000.000000000000", "3710.750000000017", "3.710750000000"),
        ("unallocated", "0.500000000000", "1337.000000000000", "2674.000000000000"),
        ("data-platform", "0.000000000000", "822.123456789012", None),
    ]
    whole = said["comparison"]
    assert (whole["start"], whole["end"], whole["unknown_because"], whole["unmatched"]) == (
        "2026-09-01", "2026-09-21", "", {},
    ), "as many days as came of October"  # fmt: skip
    assert whole["totals"] == {
        "CNY": {"before": "1000.500000000000", "delta": "5869.873456789029", "ratio": "5.866939986796"}
    }


def test_where_there_is_nothing_to_compare_with_it_is_not_known(asking: dict[str, Client]) -> None:
    said = ask(asking, **{"group_by[team]": "*", "compare": "year"})
    assert "2025-10-01..2025-10-21" in said["comparison"]["unknown_because"]
    assert said["comparison"]["totals"] == {}
    assert {(row["before"], row["delta"], row["ratio"]) for row in said["rows"]} == {(None, None, None)}


def test_a_lead_compares_and_ranks_only_what_is_theirs(asking: dict[str, Client]) -> None:
    given = {"group_by[namespace]": "*", "filter[limit]": "1", "compare": "2026-09-01/2026-10-01"}
    said = ask(asking, "hanmeimei", **given)
    assert rows(said, "namespace", "effective_cost", "others") == [
        ("etl", "815.123456789012", None), ("Others", "7.000000000000", 1),
    ]  # fmt: skip
    assert said["comparison"]["totals"]["CNY"]["before"] == "0.000000000000"
    left = ask(asking, "hanmeimei", **{"exclude[team]": "data-platform"})
    assert (left["rows"], left["totals"]) == ([], {})


def test_pages_of_a_shape_follow_each_other(asking: dict[str, Client]) -> None:
    given = {"group_by[namespace]": "*", "filter[limit]": "3", "order_by[cost]": "asc"}
    whole, page = ask(asking, **given)["rows"], ask(asking, limit="2", **given)
    cursor = page["page"]["next_cursor"]
    assert page["rows"] + ask(asking, limit="2", cursor=cursor, **given)["rows"] == whole
    refused = asking["finance"].get("/api/v1/costs/", OCTOBER | given | {"cursor": cursor, "order_by[cost]": "desc"})
    assert refused.status_code == 400


def test_a_whole_may_be_explained_and_addresses_left_out(asking: dict[str, Client]) -> None:
    assert "explain" not in ask(asking, group_by="team", explain="none")["rows"][0]
    refused = asking["finance"].get("/api/v1/costs/", OCTOBER | {"explain": "total"})
    assert refused.status_code == 400
    assert "pins no table allocated" in refused.content.decode()  # this world has answers, but nothing behind them


def test_a_workbook_holds_numbers_and_parquet_holds_decimals(asking: dict[str, Client]) -> None:
    given = {"group_by[team]": "*", "filter[resolution]": "daily", "filter[limit]": "1", "compare": "year"}
    said = ask(asking, **given)["rows"]
    book = asking["finance"].get("/api/v1/costs/", OCTOBER | given | {"format": "xlsx"})
    head, *lines = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets[0].iter_rows(values_only=True)
    assert head == ("day", "team", "status", "currency", "effective_cost", "before", "delta", "ratio", "others")
    assert [(line[0].date().isoformat(), line[4]) for line in lines] == [
        (row["day"], float(row["effective_cost"])) for row in said
    ]
    plain = asking["finance"].get(
        "/api/v1/costs/", OCTOBER | given, headers={"accept": "application/vnd.apache.parquet"}
    )
    table = pq.read_table(io.BytesIO(plain.content))
    assert plain["Content-Disposition"].endswith('.parquet"')
    assert {name: str(table.schema.field(name).type) for name in ("day", "effective_cost", "others", "team")} == {
        "day": "date32[day]", "effective_cost": "decimal128(38, 12)", "others": "int64", "team": "string",
    }  # fmt: skip
    assert [f"{amount:f}" for amount in table.column("effective_cost").to_pylist()] == [
        row["effective_cost"] for row in said
    ]
    told = ask(asking, **given)
    assert {name: json.loads(table.schema.metadata[name.encode()]) for name in ("publication", "query")} == {
        name: told[name] for name in ("publication", "query")
    }
    assert table.schema.metadata[b"status"].decode() == told["status"]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"team": "nobody"}, id="nothing is there"),
        pytest.param({"compare": "year", "filter[limit]": "9"}, id="nothing was there before, and there are no Others"),
        pytest.param({"compare": "2026-09-01/2026-10-01", "filter[limit]": "1"}, id="everything is there"),
    ],
)
def test_a_column_of_parquet_holds_what_it_is_called_also_where_nothing_stands_in_it(
    asking: dict[str, Client], given: dict[str, str]
) -> None:
    asked = OCTOBER | {"group_by": "day,team", "format": "parquet"} | given
    schema = pq.read_schema(io.BytesIO(asking["finance"].get("/api/v1/costs/", asked).content))
    amount = "decimal128(38, 12)"
    wanted = {"day": "date32[day]", "effective_cost": amount, "before": amount, "delta": amount, "ratio": amount}
    wanted |= {"others": "int64", "team": "string", "status": "string", "currency": "string"}
    told = {field.name: str(field.type) for field in schema}
    assert told == {name: wanted[name] for name in told}
    assert set(told) >= {"day", "team", "effective_cost", *(("delta", "others") if "compare" in given else ())}


@pytest.mark.parametrize(
    ("given", "parameter", "message"),
    [
        ({"filter[colour]": "red"}, "filter[colour]", "In the brackets of filter stands one of source,"),
        ({"filter[limit]": "0"}, "filter[limit]", "is not a whole number between 1 and 10000"),
        ({"filter[limit]": "5"}, "filter[limit]", "group by something besides time and currency"),
        ({"filter[offset]": "5", "group_by": "team"}, "filter[offset]", "how many follow"),
        ({"filter[time_scope_value]": "soon"}, "filter[time_scope_value]", "is not a whole number between -1 and"),
        ({"filter[time_scope_value]": "-1"}, "end", "both say the period; say it once"),
        ({"filter[resolution]": "hourly"}, "filter[resolution]", "is not one of daily, weekly, monthly"),
        ({"exclude[team]": "*"}, "exclude[team]", "nothing would be left"),
        ({"order_by[cost]": "down"}, "order_by[cost]", "is not one of asc, desc"),
        ({"order_by[team]": "asc"}, "order_by", "'team' is not one of cost, delta"),
        ({"order_by[delta]": "asc"}, "order_by", "say compare=previous"),
        ({"group_by[day]": "2026-10-01"}, "group_by[day]", "it can only be *"),
        ({"group_by[team]": "*", "group_by": "team"}, "group_by", "a dimension is named twice"),
        ({"compare": "lately"}, "compare", "is not previous, year, or a window"),
        ({"delta": "usage"}, "delta", "is not one of cost"),
        ({"delta": "cost", "compare": "year"}, "delta", "say different periods"),
        ({"basis": "list_cost", "metric": "billed_cost"}, "basis", "basis says list_cost and metric billed_cost"),
        ({"start_date": "2026-10-02"}, "start_date", "start_date and start say the same"),
        ({"team": "a", "filter[team]": "b"}, "filter[team]", "no value passes all that was said of it"),
        ({"filter[team": "a"}, "filter[team", "There is no parameter 'filter[team'"),
        ({"explain": "all"}, "explain", "is not one of rows, total, none"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_name(
    asking: dict[str, Client], given: dict[str, str], parameter: str, message: str
) -> None:
    refused = asking["finance"].get("/api/v1/costs/", OCTOBER | given)
    error = refused.json()
    assert (refused.status_code, error["parameter"]) == (400, parameter)
    assert message in error["detail"]
