"""`ask` and `reconcile`: exact in csv and json, honest in their exit status, helpful when asked wrongly."""

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import ibis
import pyarrow as pa
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops.tables import RECONCILIATION_MART
from apps.marts.models import Publication
from apps.warehouse import lake
from tests.worlds import publish_costs

OCTOBER = ("--start", "2026-10-01", "--end", "2026-11-01")

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture
def world(db: None, home: Path) -> None:
    publish_costs(
        [
            {"day": date(2026, 10, 1), "team": "web", "effective_cost": "1234567.000000000001"},
            {"day": date(2026, 10, 2), "team": '数据, "仓库"', "effective_cost": "-0.5", "currency": "USD"},
        ]
    )


def said(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def test_csv_has_every_decimal() -> None:
    rows = list(csv.reader(io.StringIO(said("ask", "--group-by", "team", *OCTOBER, "--format", "csv"))))
    assert rows == [
        ["team", "currency", "effective_cost"],
        ["web", "CNY", "1234567.000000000001"],
        ['数据, "仓库"', "USD", "-0.500000000000"],
    ]


def test_json_has_every_decimal_as_text() -> None:
    found = json.loads(said("ask", "--group-by", "day", *OCTOBER, "--format", "json"))
    assert found[0] == {
        "day": "2026-10-01", "status": "final", "currency": "CNY", "effective_cost": "1234567.000000000001",
    }  # fmt: skip


def test_a_table_is_for_people_and_ends_with_totals_by_currency() -> None:
    text = said("ask", "--group-by", "team", *OCTOBER, "--filter", "team=web")
    assert "1,234,567.00" in text
    assert "Total 1,234,567.00 CNY — publication" in text
    assert "final, coverage 99.0%" in text


def test_no_rows_are_no_rows() -> None:
    assert said("ask", *OCTOBER, "--filter", "team=nobody", "--format", "csv") == "currency,effective_cost\n"
    assert json.loads(said("ask", *OCTOBER, "--filter", "team=nobody", "--format", "json")) == []
    assert "Total nothing" in said("ask", *OCTOBER, "--filter", "team=nobody")


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param('service="Compute, EU"', "24", id="in quotes, the name with the comma"),
        pytest.param('service="Compute, EU",Compute', "34", id="a list of it and another"),
        pytest.param("service=Compute,EU", "10", id="without quotes, a list of two"),
        pytest.param(' service = "5 "" disk" ', "3", id="a quote doubled, blanks around"),
        pytest.param("service=", "7", id="nothing: what has no service"),
    ],
)
def test_a_value_with_a_comma_stands_in_quotes_as_in_the_api(told: str, expected: str) -> None:
    costs = {"Compute, EU": "24", "Compute": "10", '5 " disk': "3", "": "7"}
    publish_costs(
        [{"day": date(2026, 10, 1), "team": "web", "service": s, "effective_cost": c} for s, c in costs.items()]
    )
    ((_, cost),) = list(csv.reader(io.StringIO(said("ask", *OCTOBER, "--filter", told, "--format", "csv"))))[1:]
    assert Decimal(cost) == Decimal(expected)
    left = csv.reader(io.StringIO(said("ask", *OCTOBER, "--exclude", told, "--format", "csv")))
    assert Decimal(list(left)[1][1]) == 44 - Decimal(expected)


@pytest.mark.parametrize("told", ["service=Compute, EU", "service=Compute ,EU", 'service="a, b", c'])
@pytest.mark.parametrize("command", ["ask", "explain", "why"])
def test_a_name_with_a_comma_is_not_taken_for_another_one(command: str, told: str) -> None:
    with pytest.raises(CommandError, match="has a blank beside a comma"):
        said(command, *OCTOBER, "--filter", told)


def test_the_largest_are_told_in_order_beside_another_period() -> None:
    days = ("--start", "2026-10-01", "--end", "2026-10-03")
    shaped = ("--group-by", "kind,team", "--exclude", "currency=USD", "--order-by", "cost:desc", "--top", "1")
    rows = list(csv.reader(io.StringIO(said("ask", *shaped, *days, "--compare", "previous", "--format", "csv"))))
    assert rows == [
        ["kind", "team", "currency", "effective_cost", "before", "delta", "ratio", "others"],
        ["direct", "web", "CNY", "1234567.000000000001", "", "", "", ""],
    ]
    told = said("ask", *shaped, *days, "--compare", "previous")
    assert "Before: not known. Not all days of 2026-09-01..2026-09-03 are published" in told
    second = said("ask", "--start", "2026-10-02", "--end", "2026-10-03", "--compare", "2026-10-01/2026-10-02")
    assert "Before 1,234,567.00 CNY — 2026-10-01..2026-10-02" in second


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((*OCTOBER, "--exclude", "team"), "--exclude: 'team' has no '='", id="without a value"),
        pytest.param((*OCTOBER, "--order-by", "cost:up"), "--order-by: 'cost:up' ends with neither", id="no order"),
        pytest.param((*OCTOBER, "--top", "3"), "top: says how many groups are told", id="nothing to rank"),
        pytest.param((*OCTOBER, "--compare", "then"), "compare: 'then' is not previous", id="no period"),
        pytest.param(("--start", "yesterday", "--end", "2026-11-01"), "--start: 'yesterday' is not a day", id="no day"),
        pytest.param(
            ("--start", "2026-02-30", "--end", "2026-11-01"), "--start: '2026-02-30'", id="a day there is not"
        ),
        pytest.param(("--start", "2026-10-02", "--end", "2026-10-01"), "must come after start", id="the wrong order"),
        pytest.param((*OCTOBER, "--filter", "team"), "--filter: 'team' has no '='", id="a filter without a value"),
        pytest.param((*OCTOBER, "--filter", 'team="web'), "--filter: not a comma-separated", id="a quote left open"),
        pytest.param((*OCTOBER, "--filter", "color=red"), "filter: 'color' is not one of", id="an unknown filter"),
        pytest.param((*OCTOBER, "--group-by", "colour"), "group_by: 'colour' is not one of", id="an unknown group"),
        pytest.param((*OCTOBER, "--metric", "costs"), "metric: 'costs' is not one of", id="an unknown metric"),
        pytest.param(
            (*OCTOBER, "--as-of", "999999"), "no publication number 999999; the newest is", id="an unknown publication"
        ),
    ],
)
def test_asked_wrongly_it_says_what_to_do(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said("ask", *words)


@pytest.mark.parametrize("command", ["ask", "reconcile", "explain"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        call_command(command, "--help")
    assert f"examples:\n  manage.py {command}" in capsys.readouterr().out


def test_the_reconciliation_says_that_everything_adds_up() -> None:
    assert "2 rows, every difference is 0." in said("reconcile")
    rows = list(csv.DictReader(io.StringIO(said("reconcile", "--format", "csv"))))
    assert [(row["day"], row["charged"], row["allocated"]) for row in rows] == [
        ("2026-10-01", "1234567.000000000001", "1234567.000000000001"),
        ("2026-10-02", "-0.500000000000", "-0.500000000000"),
    ]
    assert {Decimal(row["difference"]) for row in rows} == {0}
    assert len(json.loads(said("reconcile", "--by-month", "--source", "bill", "--format", "json"))) == 2
    assert said("reconcile", "--month", "2026-09", "--format", "csv").count("\n") == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("--source", "bil"), "from a source 'bil'. There are: bill", id="a source that is not there"),
        pytest.param(("--month", "2026-13"), "'2026-13' is no month", id="a month there is not"),
        pytest.param(("--month", "October"), "'October' is no month", id="no month at all"),
    ],
)
def test_books_that_are_not_there_do_not_pass_for_even(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        said("reconcile", *words)


def test_a_month_without_charges_has_nothing_to_compare() -> None:
    assert "no charges here" in said("reconcile", "--source", "bill", "--month", "2026-09")


def test_a_difference_is_shown_and_fails_the_command() -> None:
    table = lake.scan(RECONCILIATION_MART)
    changed = table.mutate(
        list_cost_charged=table.list_cost_charged + ibis.literal("0.000000000001").cast("decimal(38,12)")
    )
    rows = ibis.memtable(pa.Table.from_batches(_batches(changed)), schema=RECONCILIATION_MART.schema)
    version = lake.replace(RECONCILIATION_MART, rows, lake.files(RECONCILIATION_MART))
    newest = Publication.objects.get()
    Publication.objects.filter(pk=newest.pk).update(versions=newest.versions | {RECONCILIATION_MART.name: version})
    with pytest.raises(CommandError, match=r"2 rows of publication .* do not add up, the first on 2026-10-01"):
        said("reconcile")


def _batches(rows: ibis.Table) -> list[pa.RecordBatch]:
    from apps.warehouse.engine import rows_of

    schema = RECONCILIATION_MART.schema.to_pyarrow()
    columns = zip(*rows_of(rows.select(list(RECONCILIATION_MART.columns))), strict=True)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema
    ).to_batches()


def test_before_anything_was_published_it_says_what_to_do() -> None:
    Publication.objects.all().delete()
    for words in (("ask", *OCTOBER), ("reconcile",)):
        with pytest.raises(CommandError, match=r"Add sources and run `manage\.py fill`"):
            said(*words)
