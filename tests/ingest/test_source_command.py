"""`manage.py source`: what people type, what they read, and the exit status."""

import csv
import io
import json
from decimal import Decimal

import pytest
from django.core.management import CommandError, call_command

from apps.ingest.models import Source
from apps.warehouse import lake
from apps.warehouse.terminal import print_rows
from tests.ingest.bills import bill, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def run(*words: str) -> str:
    out = io.StringIO()
    call_command("source", *words, stdout=out)
    return out.getvalue()


def test_add_and_list(tmp_path):
    assert "Added aliyun" in run(
        "add", "aliyun", "--kind", "focus", "--location", str(tmp_path), "--option", "files=parts"
    )
    (listed,) = json.loads(run("list", "--format", "json"))
    assert (listed["name"], listed["state"], listed["location"]) == ("aliyun", "empty", str(tmp_path))
    assert Source.objects.get().options == {"files": "parts"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["a b", "--kind", "focus", "--location", "/x"], "name:", id="a name with a space"),
        pytest.param(
            ["a", "--kind", "focus", "--location", "/x", "--option", "files"], "KEY=VALUE", id="an option without value"
        ),
        pytest.param(
            ["a", "--kind", "focus", "--location", "/x", "--option", "files=all"],
            "auto, parts, snapshots",
            id="an unknown value",
        ),
        pytest.param(
            ["a", "--kind", "focus", "--location", "/x", "--option", "fils=auto"],
            "Unknown option 'fils'",
            id="an unknown option",
        ),
        pytest.param(
            ["a", "--kind", "usage_files", "--location", "/x", "--option", "quiet_minutes=-1"],
            "whole number",
            id="a negative number",
        ),
        pytest.param(
            ["a", "--kind", "prometheus", "--location", "ftp://x"], "http", id="a location that is no address"
        ),
        pytest.param(
            ["a", "--kind", "prometheus", "--location", "http://127.0.0.1:9", "--option", "since=May"],
            "since=May",
            id="no day",
        ),
    ],
)
def test_mistakes_are_named_and_nothing_is_stored(words, said):
    with pytest.raises(CommandError, match=said):
        run("add", *words)
    assert not Source.objects.exists()


def test_a_name_is_used_once(tmp_path):
    source(tmp_path)
    with pytest.raises(CommandError, match="name"):
        run("add", "aliyun", "--kind", "focus", "--location", str(tmp_path))


def test_check_says_what_would_be_read_and_publishes_nothing(tmp_path):
    source(tmp_path)
    put(tmp_path, "good.csv", bill(row()))
    assert "12 columns read" in run("check", "aliyun")
    assert not lake.location(charges()).exists()


def test_check_fails_for_a_bad_file_and_names_the_line(tmp_path):
    source(tmp_path)
    put(tmp_path, "bad.csv", bill(row(), row() | {"BilledCost": "x"}))
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("source", "check", "aliyun", "--format", "csv", stdout=out)
    found = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [fact["subject"] for fact in found if fact["result"] == "wrong"] == ["bad.csv, line 3, column BilledCost"]


def test_check_of_an_unknown_source_names_the_known(tmp_path):
    source(tmp_path)
    with pytest.raises(CommandError, match="Sources: aliyun"):
        run("check", "aws")


def test_a_source_with_a_refused_file_is_listed_as_failed(tmp_path):
    one = source(tmp_path)
    put(tmp_path, "bad.csv", bill(row("x")))
    ingest(one)
    (listed,) = json.loads(run("list", "--format", "json"))
    assert (listed["state"], listed["refused"]) == ("failed", 1)


def test_help_has_examples():
    from apps.ingest.management.commands.source import Command

    assert "manage.py source add aliyun-bill" in Command().create_parser("manage.py", "source").format_help()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param("csv", "team,cost\nlive,0.100000000000\n", id="CSV keeps every decimal"),
        pytest.param(
            "json", '[\n {\n  "team": "live",\n  "cost": "0.100000000000"\n }\n]\n', id="JSON has amounts as text"
        ),
        pytest.param("table", "team  cost\nlive  0.10\n", id="a table is for people"),
    ],
)
def test_rows_at_the_terminal(form, expected):
    out = io.StringIO()
    print_rows(("team", "cost"), [("live", Decimal("0.100000000000"))], form, out)
    assert "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n" == expected


def test_a_name_gives_no_orders_to_the_terminal():
    out = io.StringIO()
    print_rows(("team",), [("\x1b[2Jliv\u202ee\nroom",)], "table", out)
    assert "\ufffd[2Jliv\ufffde room" in out.getvalue()
    out = io.StringIO()
    print_rows(("team",), [("\x1b[2J",)], "csv", out)
    assert out.getvalue() == "team\n\x1b[2J\n"  # a program gets what is there


def test_a_name_is_no_formula_in_csv():
    out = io.StringIO()
    print_rows(("team", "cost"), [("=1+1", Decimal("-1.5")), ("-1+1", "-0.25")], "csv", out)
    assert out.getvalue() == "team,cost\n'=1+1,-1.5\n'-1+1,-0.25\n"


def charges():
    from apps.finops.tables import CHARGES

    return CHARGES
