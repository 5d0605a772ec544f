"""Costs through the API: the same numbers as the answer, in JSON and in CSV, exact."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from apps.api.renderers import cell
from apps.marts.models import Publication
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from tests.api.company import COSTS
from tests.worlds import publish_costs

ALL_DAYS = {"start": "2026-10-01", "end": "2026-11-01"}


@pytest.fixture
def finance(callers: dict[str, Client]) -> Client:
    return callers["finance"]


def ask(client: Client, **given: str) -> dict[str, Any]:
    response = client.get("/api/v1/costs/", ALL_DAYS | given)
    assert response.status_code == 200, response.content
    return dict(response.json())


def told(answered: dict[str, Any]) -> list[dict[str, str]]:
    """The rows without the addresses that explain them."""
    return [{name: row[name] for name in row if name != "explain"} for row in answered["rows"]]


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        pytest.param(
            {"group_by": "team", "namespace": ""},
            [{"team": "unallocated", "currency": "CNY", "effective_cost": "1337.500000000000"}],
            id="an empty value: where the dimension does not apply",
        ),
        pytest.param(
            {},
            [
                {"currency": "CNY", "effective_cost": "6863.373456789029"},
                {"currency": "USD", "effective_cost": "0.000000000000"},
            ],
            id="one total by currency: currencies are never added, a zero is written out",
        ),
        pytest.param(
            {"group_by": "team,day", "team": "live-class"},
            [
                {
                    "team": "live-class",
                    "day": "2026-10-05",
                    "status": "final",
                    "currency": "CNY",
                    "effective_cost": "4711.000000000017",
                },
                {
                    "team": "live-class",
                    "day": "2026-10-06",
                    "status": "final",
                    "currency": "CNY",
                    "effective_cost": "-0.250000000000",
                },
            ],
            id="grouped in the order asked, all decimals, a refund is negative",
        ),
        pytest.param(
            {"group_by": "namespace", "namespace": '"数据, 仓库",etl', "metric": "billed_cost"},
            [
                {"namespace": "etl", "currency": "CNY", "billed_cost": "815.123456789012"},
                {"namespace": "数据, 仓库", "currency": "USD", "billed_cost": "0.000000000000"},
            ],
            id="a value that holds a comma stands in quotes",
        ),
        pytest.param(
            {"group_by": "week", "currency": "CNY", "end": "2026-10-07"},
            [{"week": "2026-10-05", "currency": "CNY", "effective_cost": "5525.873456789029"}],
            id="the end day itself is not included",
        ),
        pytest.param({"team": "no-such-team"}, [], id="nothing there: no rows, no error"),
    ],
)
def test_costs_are_answered_exactly(finance: Client, given: dict[str, str], rows: list[dict[str, str]]) -> None:
    assert told(ask(finance, **given)) == rows


def test_an_answer_says_where_its_numbers_come_from(finance: Client, published: Publication) -> None:
    said = ask(finance, group_by="team")
    assert said["publication"] == {
        "number": published.number,
        "status": "final",
        "created_at": "2026-11-02T03:00:00Z",
        "coverage": "0.9900",
        "first_day": "2026-10-05",
        "end_day": "2026-10-08",
    }
    assert said["totals"] == {"CNY": "6863.373456789029", "USD": "0.000000000000"}
    assert said["query"]["filters"] == {}
    assert said["page"] == {"rows": 4, "rows_total": 4, "next_cursor": None, "next": None}


def test_totals_are_by_currency_wherever_currency_stands(finance: Client) -> None:
    said = ask(finance, group_by="currency,team")
    assert said["totals"] == {"CNY": "6863.373456789029", "USD": "0.000000000000"}


def test_without_a_window_all_published_days_are_meant(finance: Client) -> None:
    said = finance.get("/api/v1/costs/").json()
    assert (said["query"]["start"], said["query"]["end"]) == ("2026-10-05", "2026-10-08")


@pytest.mark.parametrize("how", ["by Accept", "by format"])
@pytest.mark.parametrize("group_by", ["team,day", "namespace,kind", ""])
def test_csv_equals_json_equals_the_answer(finance: Client, how: str, group_by: str) -> None:
    given = ALL_DAYS | {"group_by": group_by}
    headers = {"accept": "text/csv"} if how == "by Accept" else {}
    response = finance.get("/api/v1/costs/", given | ({} if headers else {"format": "csv"}), headers=headers)
    found = list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    plainly = [{name: value.removeprefix("'") for name, value in row.items()} for row in found]
    assert plainly == told(ask(finance, group_by=group_by))
    groups = tuple(filter(None, group_by.split(",")))
    plain = answer(CostQuery(date(2026, 10, 1), date(2026, 11, 1), group_by=groups))
    assert [Decimal(row["effective_cost"]) for row in found] == [row[-1] for row in plain.rows]
    assert tuple(name for name in found[0] if name != "status") == plain.columns


def test_csv_text_is_harmless_in_a_spreadsheet_and_amounts_stay_numbers(finance: Client) -> None:
    text = finance.get("/api/v1/costs/", ALL_DAYS | {"group_by": "namespace", "kind": "shared", "format": "csv"})
    assert text.content.decode() == "namespace,currency,effective_cost\r\n'=1+1,CNY,-0.250000000000\r\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("=1+1", "'=1+1", id="a formula"),
        pytest.param("  =1+1", "'  =1+1", id="a formula after blanks"),
        pytest.param("\t@SUM(1)", "'\t@SUM(1)", id="a formula after a tab"),
        pytest.param("＝1", "'＝1", id="a full-width formula"),
        pytest.param("a=1", "a=1", id="no formula"),
        pytest.param(" live", " live", id="blanks alone"),
    ],
)
def test_a_formula_is_text_wherever_it_begins(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_csv_without_rows_still_has_its_header(finance: Client) -> None:
    text = finance.get("/api/v1/costs/", ALL_DAYS | {"team": "x", "format": "csv", "group_by": "day"})
    assert text.content.decode() == "day,status,currency,effective_cost\r\n"


def test_pages_follow_each_other_and_stay_on_their_publication(finance: Client) -> None:
    whole = ask(finance, group_by="team,day")["rows"]
    page = ask(finance, group_by="team,day", limit="2")
    read = page["rows"]
    publish_costs([])  # what is published meanwhile does not tear the answer
    while page["page"]["next_cursor"]:
        page = ask(finance, group_by="team,day", limit="2", cursor=page["page"]["next_cursor"])
        read += page["rows"]
    assert read == whole
    assert len(whole) == len(COSTS)


def test_a_cursor_belongs_to_its_question_and_its_viewer(callers: dict[str, Client]) -> None:
    cursor = ask(callers["finance"], group_by="team,day", limit="2")["page"]["next_cursor"]
    for client, given in (("finance", {"group_by": "day"}), ("lilei", {"group_by": "team,day"})):
        refused = callers[client].get("/api/v1/costs/", ALL_DAYS | given | {"limit": "2", "cursor": cursor})
        assert (refused.status_code, refused.json()["parameter"]) == (400, "cursor")


def test_an_unchanged_answer_is_not_sent_again(finance: Client) -> None:
    first = finance.get("/api/v1/costs/", ALL_DAYS)
    again = finance.get("/api/v1/costs/", ALL_DAYS, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert first["Cache-Control"] == again["Cache-Control"] == "private, no-cache"
    assert {"Accept", "Authorization", "Cookie"} <= set(first["Vary"].split(", "))
    publish_costs(COSTS)
    assert finance.get("/api/v1/costs/", ALL_DAYS, headers={"if-none-match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("given", [{}, {"by_day": "false"}, {"format": "csv"}])
def test_an_unchanged_reconciliation_is_not_sent_again(
    finance: Client, published: Publication, given: dict[str, str]
) -> None:
    first = finance.get("/api/v1/reconciliation/", given)
    assert first["ETag"].startswith(f'"{published.number}-')
    headers = {"if-none-match": first["ETag"]}
    assert finance.get("/api/v1/reconciliation/", given, headers=headers).status_code == 304
    assert finance.get("/api/v1/reconciliation/", {"source": "bill"}, headers=headers).status_code == 200
    publish_costs(COSTS)
    assert finance.get("/api/v1/reconciliation/", given, headers=headers).status_code == 200


def test_every_question_viewer_and_format_has_an_etag_of_its_own(callers: dict[str, Client]) -> None:
    asked = [{}, {"group_by": "team"}, {"format": "csv"}, {"limit": "1"}, {"team": "live-class"}]
    tags = [
        callers[name].get("/api/v1/costs/", ALL_DAYS | given)["ETag"]
        for name in ("finance", "lilei", "hanmeimei")
        for given in asked
    ]
    assert len(set(tags)) == len(tags)


def test_an_older_publication_is_answered_as_it_was(finance: Client, published: Publication) -> None:
    before = ask(finance)["rows"]
    newer = publish_costs([{"day": date(2026, 10, 5), "effective_cost": "1"}])
    assert ask(finance, as_of=str(published.number))["rows"] == before
    assert ask(finance)["publication"]["number"] == newer.number


def test_huge_amounts_keep_every_digit(finance: Client) -> None:
    publish_costs(
        [
            {"day": date(2026, 10, 5), "team": team, "effective_cost": "12345678901234567890123.000000000001"}
            for team in "ab"
        ]
    )
    said = ask(finance, group_by="team")
    assert said["rows"][0]["effective_cost"] == "12345678901234567890123.000000000001"
    assert said["totals"] == {"CNY": "24691357802469135780246.000000000002"}


def test_every_row_leads_to_what_explains_it(finance: Client, published: Publication) -> None:
    (row,) = ask(finance, group_by="month,namespace", namespace='"数据, 仓库"')["rows"]
    path, _, params = row["explain"].partition("?")
    assert path == "/api/v1/explain/"
    assert dict(parse_qsl(params)) == {
        "start": "2026-10-01",
        "end": "2026-11-01",
        "namespace": '"数据, 仓库"',
        "billing_currency": "USD",
        "as_of": str(published.number),
    }
    refused = finance.get(row["explain"])
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_question")
    assert "pins no table allocated" in refused.json()["detail"]
