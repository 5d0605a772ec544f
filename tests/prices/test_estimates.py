"""Estimates: quantities at the prices of a day, scenarios side by side, exact; what has no price has no cost."""

import csv
import io

import pytest
from django.core.management.base import CommandError

from tests.prices.test_prices import LIST, hours, imported, loaded, said

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

HEADER = "scenario,provider,region,sku_id,unit,currency,quantity\n"
G7 = "now,Alibaba Cloud,cn-beijing,g7,Hours,CNY,720.5\n"
ECI = "serverless,Alibaba Cloud,cn-beijing,eci.gib,GiB-Seconds,CNY,100000000\n"
UNKNOWN = "other,Alibaba Cloud,cn-beijing,g9,Hours,CNY,1\n"


def told(tmp_path, text, *words):
    path = tmp_path / "plan.csv"
    path.write_text(text, encoding="utf-8")
    return rows(said("prices", "estimate", str(path), "--format", "csv", *words))


def rows(text):
    return [tuple(row.values()) for row in csv.DictReader(io.StringIO(text))]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param(
            "2026-06-30",
            [("now", "CNY", "1368.950000000000", "0", "0.000000000000"),
             ("serverless", "CNY", "613.000000000000", "0", "-755.950000000000")],
            id="720.5 hours at the contracted 1.9 and 100 million GiB-seconds at 0.00000613",
        ),
        pytest.param(
            "2026-07-01",
            [("now", "CNY", "1801.250000000000", "0", "0.000000000000"),
             ("serverless", "CNY", "613.000000000000", "0", "-1188.250000000000")],
            id="from July on at the list price of 2.5, for no other is told",
        ),
    ],
)  # fmt: skip
def test_scenarios_stand_beside_the_first(tmp_path, day, expected):
    imported(tmp_path, LIST)
    assert told(tmp_path, HEADER + G7 + ECI, "--on", day) == expected


def test_every_line_tells_its_price_and_where_it_is_from(tmp_path):
    imported(tmp_path, LIST)
    (line,) = told(tmp_path, HEADER + ECI, "--lines", "--on", "2026-10-01")
    assert line[-4:] == ("100000000.000000000000", "0.00000613", "list", "613.000000000000")


def test_what_has_no_price_is_no_zero(tmp_path):
    imported(tmp_path, LIST)
    with pytest.raises(CommandError, match="1 of 2 lines have no price"):
        told(tmp_path, HEADER + G7 + UNKNOWN)
    with pytest.raises(CommandError, match="2 of 2 lines have no price"):
        told(tmp_path, HEADER + G7 + UNKNOWN, "--on", "2025-01-01")


def test_what_was_billed_is_priced_on_another_sku(tmp_path):
    """Ten hours of g7 at 2 an hour, and five more: thirty; on g8 at 1.5 an hour 22.5: prices of the bill."""
    loaded(tmp_path, hours("10", "20"), hours("5", "10"), hours("1", "1.5", SkuId="g8"))
    said("prices", "learn")
    found = rows(
        said("prices", "estimate", "--month", "2026-10", "--instead", "g7=g8", "--on", "2026-10-31", "--format", "csv")
    )
    assert found == [
        ("as billed", "CNY", "30.000000000000", "0", "0.000000000000"),
        ("g8 instead of g7", "CNY", "22.500000000000", "0", "-7.500000000000"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "line 1: the columns must be scenario", id="nothing"),
        pytest.param(HEADER, "nothing to estimate", id="a header only"),
        pytest.param(HEADER + G7.replace("720.5", "many"), "line 2, column quantity", id="no number"),
        pytest.param(HEADER + G7.replace("720.5", "-1"), "line 2, column quantity", id="a negative one"),
        pytest.param(HEADER + G7.replace("720.5", "1,5"), "line 2: write 7 values", id="a comma too many"),
        pytest.param(HEADER + "now\n", "line 2: write 7 values", id="a short row"),
    ],
)
def test_a_plan_that_cannot_be_read_says_where(tmp_path, text, message):
    with pytest.raises(CommandError, match=message):
        told(tmp_path, text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((), "Name a file, or --month", id="nothing asked"),
        pytest.param(("--month", "2026-10"), "Name a file, or --month", id="a month alone"),
        pytest.param(("--month", "2026-10", "--instead", "g7"), "SKU=OTHER", id="instead of nothing"),
        pytest.param(
            ("--month", "2026-10", "--instead", "g7=g8"), "No usage of g7 was billed in 2026-10", id="not billed"
        ),
        pytest.param(("there-is-none.csv",), "No such file", id="no file"),
    ],
)
def test_what_cannot_be_estimated_says_why(words, message):
    with pytest.raises(CommandError, match=message):
        said("prices", "estimate", *words)
