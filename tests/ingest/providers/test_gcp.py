"""Google Cloud's detailed export: credits, late rows, Pacific months; the same from CSV, JSON lines and Parquet."""

import gzip
import io
import json
from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.ingest import kinds, lines, services
from apps.ingest.models import LandedFile
from apps.ingest.providers.gcp.costs import DETAILED
from tests.ingest.bills import bill, charges, costs, errors, ingest, put, row, source, total

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

NODE = "//compute.googleapis.com/projects/123456/zones/europe-west1-b/instances/5283282038129483213"


def usage(cost=1.5, **fields):
    """A row as BigQuery exports it, nested; `credits` and `labels` are lists."""
    return {
        "billing_account_id": "01AB-CD",
        "service": {"id": "6F81", "description": "Compute Engine"},
        "sku": {"id": "E5F0", "description": "N2 Instance Core running in Belgium"},
        "usage_start_time": "2026-10-04T10:00:00Z",
        "usage_end_time": "2026-10-04T11:00:00Z",
        "project": {"id": "shop", "name": "Shop", "labels": [{"key": "env", "value": "prod"}]},
        "labels": [{"key": "team", "value": "shop"}, {"key": "k8s-namespace", "value": "web"}],
        "resource": {"name": "gke-web-1", "global_name": NODE},
        "location": {"location": "europe-west1", "region": "europe-west1", "zone": "europe-west1-b"},
        "usage": {"amount": 3600, "unit": "seconds", "amount_in_pricing_units": 1, "pricing_unit": "hour"},
        "cost": cost,
        "cost_at_list": cost,
        "currency": "EUR",
        "credits": [],
        "invoice": {"month": "202610"},
        "cost_type": "regular",
        "export_time": "2026-10-05T01:00:00Z",
    } | fields


def credit(amount, kind):
    return {"name": kind.lower(), "amount": amount, "full_name": kind, "id": kind, "type": kind}


ROWS = (
    usage(10, cost_at_list=12.5, credits=[credit(-2.5, "SUSTAINED_USAGE_DISCOUNT"), credit(-0.25, "PROMOTION")]),
    usage(4, credits=[credit(-4, "COMMITTED_USAGE_DISCOUNT")]),
    usage(3, sku={"id": "C1", "description": "Commitment v1: N2 Cpu in Belgium for 1 Year"}, resource=None),
    usage(0.1, credits=[credit(-0.03, "FREE_TIER"), credit(-0.07, "FREE_TIER")]),
    usage(2.1, cost_type="tax", resource=None),
    usage(-1, cost_type="adjustment", usage_start_time="2026-09-15T00:00:00Z"),
    usage(-0.01, cost_type="rounding_error"),
)


def json_lines(*rows):
    return "".join(json.dumps(one) + "\n" for one in rows).encode()


def flat(*rows):
    """CSV, flattened with dots; lists stay JSON."""
    cells = []
    for one in rows:
        found = {}
        for key, value in one.items():
            inner = value.items() if isinstance(value, dict) else [(None, value)]
            for name, it in inner:
                text = json.dumps(it) if isinstance(it, list) else "" if it is None else str(it)
                found[f"{key}.{name}" if name else key] = text
        cells.append(found)
    names = list(dict.fromkeys(name for one in cells for name in one))
    return bill(*[dict.fromkeys(names, "") | one for one in cells], columns=names)


def parquet(*rows):
    out = io.BytesIO()
    table = pa.Table.from_pylist([one | {"cost": Decimal(str(one["cost"]))} for one in rows])
    pq.write_table(table, out)
    return out.getvalue()


EXPECTED = {
    # 10 − 2.50 − 0.25, 4 − 4, 0.10 − 0.10; listed 12.50 + 4 + 0.10, contracted 10 + 4 + 0.10
    "Usage": "7.25 7.25 16.60 14.10",
    "Purchase": "3.00 3.00 3.00 3.00",
    "Tax": "2.10 2.10 2.10 2.10",
    "Adjustment": "-1.01 -1.01 -1.01 -1.01",
}
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("a.csv", flat(*ROWS), id="CSV"),
        pytest.param("a.jsonl", json_lines(*ROWS), id="JSON lines"),
        pytest.param("a.jsonl.gz", gzip.compress(json_lines(*ROWS)), id="JSON lines, packed"),
        pytest.param("a.json", json_lines(*ROWS), id="JSON lines as BigQuery names them"),
        pytest.param("a.parquet", parquet(*ROWS), id="Parquet"),
    ],
)
def test_every_format_gives_the_same_charges(tmp_path, name, content):
    put(tmp_path / "in", name, content)
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    found = defaultdict(lambda: [Decimal(0)] * 4)
    for charge in charges():
        sums = found[charge["ChargeCategory"]]
        found[charge["ChargeCategory"]] = [known + charge[it] for known, it in zip(sums, COSTS, strict=True)]
    assert {key: " ".join(f"{it:.2f}" for it in sums) for key, sums in found.items()} == EXPECTED
    first, *_, adjustment, _ = charges()
    assert json.loads(first["Tags"]) == {"env": "prod", "team": "shop", "k8s-namespace": "web"}
    assert first["ResourceId"] == "//compute.googleapis.com/projects/shop/zones/europe-west1-b/instances/gke-web-1"
    assert (first["ServiceName"], first["ServiceCategory"]) == ("Compute Engine", "Compute")
    assert (first["ConsumedQuantity"], first["ConsumedUnit"]) == (3600, "seconds")
    assert (adjustment["ChargeClass"], adjustment["x_SourceCost"]) == ("Correction", -1)
    assert [charge["PricingCategory"] for charge in charges()][:3] == ["Standard", "Committed", "Committed"]


def test_a_month_begins_at_midnight_in_california(tmp_path):
    put(tmp_path / "in", "a.jsonl", json_lines(usage(), usage(invoice={"month": "202611"})))
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    october, november = charges()
    assert f"{october['BillingPeriodStart']:%m-%d %H} {october['BillingPeriodEnd']:%m-%d %H}" == "10-01 07 11-01 07"
    assert f"{november['BillingPeriodStart']:%m-%d %H} {november['BillingPeriodEnd']:%m-%d %H}" == "11-01 07 12-01 08"
    assert [october["x_BillingMonth"], november["x_BillingMonth"]] == ["2026-10", "2026-11"]


CELLS = {
    "billing_account_id": "01AB", "service.description": "Cloud Storage", "usage_start_time": "2026-10-04T10:00:00",
    "usage_end_time": "2026-10-04T11:00:00", "currency": "EUR", "invoice.month": "202610", "cost_type": "regular",
    "cost_at_list": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("cost", "discounts", "billed", "rounded"),
    [
        pytest.param("0.00016519354574400002", "[]", "0.000165193546", "cost", id="twenty decimals"),
        pytest.param("0.1234567890125", "[]", "0.123456789012", "cost", id="a half: to the even digit below"),
        pytest.param(
            "-0.1234567890135", "[]", "-0.123456789014", "cost", id="a half: to the even digit away from zero"
        ),
        pytest.param("1.25e-05", "[]", "0.0000125", None, id="an exponent"),
        pytest.param(
            "1",
            '[{"amount": -0.3333333333333}, {"amount": -0.3333333333333}]',
            "0.333333333333",
            "credits",
            id="credits are added first and rounded once",
        ),
        pytest.param(
            "1000000",
            '[{"amount": -123456.123456789012}, {"amount":"-1e-1"}]',
            "876543.776543210988",
            None,
            id="eighteen digits, an amount in quotes",
        ),
        pytest.param("1", "[{'amount': -0.5, 'type': None}]", "0.5", None, id="a list as Python writes it"),
        pytest.param("1", "", "1", None, id="no credits"),
    ],
)
def test_amounts_are_rounded_once(tmp_path, cost, discounts, billed, rounded):
    put(tmp_path / "in", "a.csv", bill(CELLS | {"cost": cost, "credits": discounts}))
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    (charge,) = charges()
    assert (charge["BilledCost"], charge["x_Rounded"]) == (Decimal(billed), rounded)


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        pytest.param([{"1.jsonl": [1]}, {"2.jsonl": [2]}], ["1", "2"], id="late rows are added"),
        pytest.param([{"1.jsonl": [1]}, {"copy.jsonl": [1]}], ["1"], id="the same bytes once"),
        pytest.param([{"1.jsonl": [1]}, {"1.jsonl": [1, 2]}], ["1", "2"], id="rewritten in place"),
        pytest.param(
            [
                {"202610_aa_2026-10-04:2026-10-05.jsonl": [1]},
                {"202610_bb_2026-10-04:2026-10-05.jsonl": [1, 2]},
                {"202610_cc_2026-10-05:2026-10-06.jsonl": [4]},
            ],
            ["1", "2", "4"],
            id="the same days of export again, under another name",
        ),
        pytest.param(
            [
                {"partition_date=2026-10-04/run-1/0.jsonl": [1], "partition_date=2026-10-04/run-1/1.jsonl": [2]},
                {"partition_date=2026-10-04/run-2/0.jsonl": [1, 2, 3], "partition_date=2026-10-05/run-2/0.jsonl": [5]},
            ],
            ["1", "2", "3", "5"],
            id="a partition copied again",
        ),
    ],
)
def test_rows_are_added_and_never_twice(tmp_path, deliveries, expected):
    one = source(tmp_path / "in", "gcp")
    for delivery in deliveries:
        for name, amounts in delivery.items():
            put(tmp_path / "in", name, json_lines(*(usage(amount, cost_at_list=amount) for amount in amounts)))
        assert errors(ingest(one)) == []
    assert costs() == expected


AGAIN = {"export_time": "2026-10-06T01:00:00Z"}


@pytest.mark.parametrize(
    ("deliveries", "held", "expected"),
    [
        pytest.param(
            [{"1.jsonl": json_lines(usage(1))}, {"2.jsonl": json_lines(usage(1)) + b"\n"}], {"2.jsonl"}, ["1"],
            id="delivered again as other bytes",
        ),
        pytest.param(
            [{"1.jsonl": json_lines(usage(1), usage(2))}, {"2.jsonl": json_lines(usage(2), usage(4))}],
            {"2.jsonl"}, ["1", "2"], id="two exports that overlap",
        ),
        pytest.param(
            [{"1.jsonl": json_lines(usage(1), usage(2)), "2.jsonl": json_lines(usage(2), usage(4))}],
            {"2.jsonl"}, ["1", "2"], id="found together",
        ),
        pytest.param(
            [{"1.csv": flat(usage(1), usage(2))}, {"2.parquet": parquet(usage(2))}], {"2.parquet"}, ["1", "2"],
            id="in another format",
        ),
        pytest.param(
            [{"202610_aa_2026-10-04:2026-10-05.jsonl": json_lines(usage(1))},
             {"all.jsonl": json_lines(usage(1), usage(2))}],
            {"all.jsonl"}, ["1"], id="once with its days in the name, once without",
        ),
        pytest.param(
            [{"1.jsonl": json_lines(usage(1))}, {"2.jsonl": json_lines(usage(1, **AGAIN))}], set(), ["1", "1"],
            id="exported at another time: another row",
        ),
        pytest.param(
            [{"1.jsonl": json_lines(usage(1))}, {"1.jsonl": json_lines(usage(1), usage(2))}], set(), ["1", "2"],
            id="rewritten in place",
        ),
    ],
)  # fmt: skip
def test_rows_that_another_file_told_are_held_back(tmp_path, deliveries, held, expected):
    one = source(tmp_path / "in", "gcp")
    for delivery in deliveries:
        for name, content in delivery.items():
            put(tmp_path / "in", name, content)
        assert errors(ingest(one)) == []
    states = LandedFile.State
    assert {file.path for file in one.files.filter(state=states.HELD)} == held
    assert costs() == expected
    ingest(one)
    assert costs() == expected, "told again, nothing changes"
    for file in one.files.filter(state=states.HELD):
        assert [told["code"] for told in file.problems if told["code"] in ("told_before", "held")] == [
            "told_before", "held",
        ]  # fmt: skip
        assert services.decide(one, "accept") == 1
        ingest(one)
        assert len(costs()) == len(expected) + file.rows


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"], ids=["CR", "LF", "CRLF"])
def test_a_line_break_in_a_text_is_part_of_it(tmp_path, end):
    project = {"id": "shop", "name": f"Sh{end}op", "labels": [{"key": "env", "value": f"a{end}b"}]}
    put(tmp_path / "in", "a.jsonl", json_lines(usage(1), usage(2, project=project), usage(4)))
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    _, charge, _ = charges()
    assert (charge["SubAccountName"], json.loads(charge["Tags"])["env"], total()) == (f"Sh{end}op", f"a{end}b", 7)


def test_a_focus_export_is_read_as_it_is(tmp_path):
    put(tmp_path / "in", "a.jsonl", json_lines(row("2.5", Tags={"team": "shop"})))
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    (charge,) = charges()
    assert (charge["BilledCost"], json.loads(charge["Tags"])) == (Decimal("2.5"), {"team": "shop"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(json_lines(usage())[:-9], "a.jsonl, line 1: not a line of JSON", id="cut off"),
        pytest.param(json_lines(usage()) + b"[1]\n", "a.jsonl, line 2: not a JSON object", id="a list"),
        pytest.param(b'{"cost": 1, "cost": 2}\n', "a key stands twice", id="a key twice"),
        pytest.param(
            json_lines(usage() | {"service.id": "x"}), "service.id is given twice", id="a key twice, once from inside"
        ),
        pytest.param(b'{"cost": ' + b"[" * 900 + b"1" + b"]" * 900 + b"}\n", "line 1: not a line", id="lists in lists"),
        pytest.param(b'{"cost": "\\ud800"}\n', "line 1: not a line of JSON", id="half a character"),
        pytest.param(
            json_lines(usage(), usage("1,5", cost_at_list=1)), "a.jsonl, row 2, column cost", id="not an amount"
        ),
        pytest.param(
            json_lines(usage(credits=[credit("x", "PROMOTION")])), "a.jsonl, row 1, column credits", id="a bad credit"
        ),
        pytest.param(json_lines(usage(currency=None)), "a.jsonl, row 1, column currency", id="no currency"),
        pytest.param(
            json_lines(usage(invoice={})), "Required columns are missing: invoice.month", id="no invoice month"
        ),
    ],
)
def test_bad_lines_are_named(tmp_path, content, said):
    put(tmp_path / "in", "a.jsonl", content)
    (problem,) = errors(ingest(source(tmp_path / "in", "gcp")))
    assert said in problem
    assert costs() == []


@pytest.mark.parametrize(
    "discounts",
    [
        pytest.param({"name": "promotion", "amount": -2.5}, id="one object"),
        pytest.param([[{"amount": -2.5}]], id="a list in a list"),
        pytest.param([-2.5], id="a list of numbers"),
        pytest.param("much", id="a word"),
        pytest.param([{"Amount": -2.5}], id="another name"),
        pytest.param([{"amount": -2.5}, {"name": "promotion"}], id="one of two without an amount"),
        pytest.param([{"amount": None}], id="an amount of nothing"),
        pytest.param([None], id="nothing in the list"),
        pytest.param({"f": [{"v": -2.5}]}, id="as the REST API answers"),
        pytest.param({"list": [{"element": {"amount": -2.5}}]}, id="a list as a struct"),
    ],
)
def test_credits_of_another_shape_are_never_nothing(tmp_path, discounts):
    put(tmp_path / "in", "a.csv", bill(CELLS | {"cost": "10", "credits": json.dumps(discounts)}))
    (problem,) = errors(ingest(source(tmp_path / "in", "gcp")))
    assert "a.csv, line 2, column credits" in problem
    assert costs() == []


def decimals(*rows):
    """Parquet whose credits are decimals, or missing."""
    cells = pa.array([one["credits"] for one in rows], pa.list_(pa.struct({"amount": pa.decimal128(38, 18)})))
    plain = pa.Table.from_pylist([one | {"cost": Decimal(str(one["cost"])), "credits": None} for one in rows])
    out = io.BytesIO()
    pq.write_table(plain.set_column(plain.column_names.index("credits"), "credits", cells), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "billed"),
    [
        pytest.param(
            "a.parquet",
            decimals(usage(1, credits=[{"amount": Decimal("-0.123456789012345678")}]), usage(2, credits=None)),
            "2.876543210988", id="decimals in Parquet",
        ),
        pytest.param("a.parquet", parquet(usage(1), usage(2)), "3", id="no credit in the whole file"),
        pytest.param(
            "a.parquet", parquet(usage(1, credits=-0.25), usage(2, credits=None)), "2.75", id="added up in Parquet"
        ),
        pytest.param("a.csv", bill(CELLS | {"cost": "3", "credits": "-2.5e-1"}), "2.75", id="added up in CSV"),
        pytest.param("a.jsonl", json_lines(usage(3, credits=-0.25)), "2.75", id="added up in JSON"),
        pytest.param(
            "a.jsonl", json_lines(usage(1, credits=[credit(-0.25, "A")]), usage(2, credits=[credit(-1, "A")],
            currency="USD")), "1.75", id="two currencies",
        ),
    ],
)  # fmt: skip
def test_credits_are_counted_a_second_time(tmp_path, name, content, billed):
    put(tmp_path / "in", name, content)
    assert errors(ingest(source(tmp_path / "in", "gcp"))) == []
    assert total() == Decimal(billed)


@pytest.mark.parametrize("amount", ["1e999999999", "1e99999999999999999999", "1e-999999999", "1e30"])
def test_an_absurd_credit_stops_no_other_file(tmp_path, amount):
    absurd = json_lines(usage(10, credits=[credit(-2.5, "PROMOTION")])).replace(b"-2.5", amount.encode())
    put(tmp_path / "in", "a.jsonl", absurd)
    put(tmp_path / "in", "b.jsonl", json_lines(usage(10)))
    (problem,) = errors(ingest(source(tmp_path / "in", "gcp")))
    assert "a.jsonl, row 1, column credits" in problem
    assert total() == 10


def test_credits_that_are_read_in_another_way_than_counted_publish_nothing(tmp_path, monkeypatch):
    twice = replace(DETAILED.inputs["credit"], repair="'-1'")
    wrong = replace(DETAILED, inputs={**DETAILED.inputs, "credit": twice})
    monkeypatch.setitem(kinds.BILLS, "gcp", replace(kinds.BILLS["gcp"], mappings=(wrong,)))
    put(tmp_path / "in", "a.jsonl", json_lines(usage(10, credits=[credit(-2.5, "PROMOTION")])))
    (problem,) = errors(ingest(source(tmp_path / "in", "gcp")))
    assert "Written and counted differ" in problem
    assert costs() == []


def test_a_charge_leads_back_to_its_line(tmp_path):
    put(tmp_path / "in", "a.jsonl", json_lines(usage(1)) + b"\n" + json_lines(usage(2)))
    ingest(source(tmp_path / "in", "gcp"))
    assert total() == 3
    assert str(lines.places(str(charges()[1]["x_FileId"]), [2])[2]) == "a.jsonl, line 3"
