"""`focus_check`: good files pass, and a bad one is told rule by rule, with an example."""

import csv
import gzip
import io
import json

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.finops import focus
from apps.warehouse.conformance.rules import rules

FOCUS_1_2 = list(focus.COLUMNS)[: focus.VERSION_1_2]
GOOD = dict.fromkeys(FOCUS_1_2, "") | {
    "ProviderName": "Alibaba Cloud", "PublisherName": "Alibaba Cloud", "InvoiceIssuerName": "Alibaba Cloud",
    "InvoiceId": "INV-1", "BillingAccountId": "1427359680012345", "BillingAccountName": "Lantern",
    "BillingAccountType": "Account", "SubAccountId": "prod", "SubAccountName": "prod", "SubAccountType": "Account",
    "BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargePeriodStart": "2026-10-01T09:00:00Z", "ChargePeriodEnd": "2026-10-01T10:00:00Z",
    "ChargeCategory": "Usage", "ChargeDescription": "g7", "ChargeFrequency": "Usage-Based", "BilledCost": "1.5",
    "EffectiveCost": "1.5", "ListCost": "2", "ContractedCost": "1.5", "ListUnitPrice": "2",
    "ContractedUnitPrice": "1.5", "PricingCategory": "Standard", "PricingQuantity": "1", "PricingUnit": "Hours",
    "PricingCurrency": "CNY", "PricingCurrencyContractedUnitPrice": "1.5", "PricingCurrencyEffectiveCost": "1.5",
    "PricingCurrencyListUnitPrice": "2", "BillingCurrency": "CNY", "ConsumedQuantity": "1", "ConsumedUnit": "Hours",
    "ServiceName": "Elastic Compute Service", "ServiceCategory": "Compute", "ServiceSubcategory": "Virtual Machines",
    "SkuId": "ecs.g7", "SkuMeter": "Hours", "SkuPriceId": "ecs.g7-1", "SkuPriceDetails": "{}", "ResourceId": "i-1",
    "ResourceName": "web", "ResourceType": "Instance", "RegionId": "cn-beijing", "RegionName": "China (Beijing)",
    "Tags": '{"team":"直播"}',
}  # fmt: skip
DOUBLED = [GOOD, GOOD | {"BilledCost": "0", "EffectiveCost": "-1e-3", "ResourceId": "i-2"}]


def written(path, rows, columns=FOCUS_1_2):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def checked(path, *words):
    """The failed rules of a file: id → (rows, example)."""
    out = io.StringIO()
    status = 0
    try:
        call_command("focus_check", str(path), *words, "--format", "json", stdout=out)
    except CommandError:
        status = 1
    told = {row["rule"]: (row["rows"], row["example"]) for row in json.loads(out.getvalue())}
    assert status == bool(told)
    return told


def test_a_good_file_passes(tmp_path):
    assert checked(written(tmp_path / "good.csv", DOUBLED)) == {}


def test_exact_decimals_in_parquet_are_decimals(tmp_path):
    arrow = {focus.MONEY: pa.decimal128(38, 12), focus.TIME: pa.timestamp("us", "UTC"), "string": pa.string()}
    types = {name: arrow[kind] for name, kind in focus.COLUMNS.items()}
    options = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    table = pa.csv.read_csv(written(tmp_path / "good.csv", [GOOD]), convert_options=options)
    pq.write_table(table, tmp_path / "good.parquet")
    assert checked(tmp_path / "good.parquet") == {}


@pytest.mark.parametrize(
    ("cells", "rule", "example"),
    [
        pytest.param({"BilledCost": "1,5"}, "BilledCost-C-002-M", "BilledCost=1,5", id="a comma is no decimal point"),
        pytest.param({"BilledCost": ""}, "BilledCost-C-003-M", "BilledCost=NULL", id="no cost"),
        pytest.param(
            {"ChargePeriodStart": "2026-10-01 09:00:00"}, "ChargePeriodStart-C-002-M", "2026-10-01 09:00", id="no Z"
        ),
        pytest.param({"ChargeCategory": "usage"}, "ChargeCategory-C-003-M", "usage", id="a category in lower case"),
        pytest.param({"BillingCurrency": "RMB"}, "BillingCurrency-C-006-M", "RMB", id="no such currency"),
        pytest.param({"ResourceName": "直播"}, "ResourceName-C-002-M", "ResourceName=直播", id="text beyond ASCII"),
        pytest.param({"Tags": "team=web"}, "Tags-C-001-M", "Tags=team=web", id="tags that are no JSON"),
        pytest.param({"ListUnitPrice": "-2"}, "ListUnitPrice-C-008-M", "ListUnitPrice=-2", id="a negative price"),
        pytest.param({"ServiceCategory": "Compute "}, "ServiceCategory-C-003-M", "Compute ", id="a space too many"),
        pytest.param(
            {"ChargeCategory": "Purchase", "ConsumedQuantity": "", "ConsumedUnit": ""},
            "EffectiveCost-C-005-C",
            "EffectiveCost=1.5",
            id="a purchase is not amortised at once",
        ),
        pytest.param(
            {"CommitmentDiscountStatus": "Used"},
            "CommitmentDiscountStatus-C-003-C",
            "CommitmentDiscountId=NULL",
            id="the use of no commitment",
        ),
    ],
)
def test_a_bad_cell_fails_its_rule_with_an_example(tmp_path, cells, rule, example):
    failed = checked(written(tmp_path / "bad.csv", [GOOD, GOOD | cells]))
    assert failed[rule][0] == 1
    assert example in failed[rule][1]


def test_a_service_in_two_categories(tmp_path):
    failed = checked(written(tmp_path / "bad.csv", [GOOD, GOOD | {"ServiceCategory": "Web", "ServiceSubcategory": ""}]))
    assert failed["ServiceName-C-005-C"] == (
        1, "ServiceName=Elastic Compute Service has ServiceCategory Compute, Web",
    )  # fmt: skip


def test_an_absent_column_fails_once_unless_it_need_not_be_there(tmp_path):
    columns = [name for name in FOCUS_1_2 if not name.startswith("CapacityReservation")]
    path = written(tmp_path / "less.csv", [GOOD], columns)
    assert set(checked(path)) == {"CostAndUsage-D-020-C", "CostAndUsage-D-065-C"}
    assert checked(path, "--without", "CAPACITY_RESERVATION_SUPPORTED") == {}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(("missing.csv",), "No such file", id="no file"),
        pytest.param(("text.parquet",), "cannot be read", id="a damaged file"),
        pytest.param(("text.parquet", "--without", "MAGIC"), "Unknown criterion 'MAGIC'", id="an unknown criterion"),
    ],
)
def test_what_cannot_be_checked_says_why(tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(CommandError, match=said):
        call_command("focus_check", *words)


HEADER = ",".join(FOCUS_1_2)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(gzip.compress(b""), "is empty", id="nothing, packed"),
        pytest.param(HEADER.encode() + b"\n", "there are no rows", id="a header only"),
        pytest.param(b"a,b\n1,2\n", "none of FOCUS's columns", id="another table"),
        pytest.param(HEADER.replace(",", ";").encode(), "separated by commas", id="semicolons"),
        pytest.param(b'{"BilledCost": 1}', "none of FOCUS's columns", id="JSON"),
        pytest.param(b"BilledCost,billedCOST\n1,2\n", "'billedCOST' is there twice", id="two columns of a name"),
        pytest.param(b"BilledCost,Tags\n1\n", "line 2: Expected Number of Columns: 2 Found: 1", id="a short row"),
        pytest.param(b'BilledCost,Tags\n1,"a\n', "line 2: Value with unterminated quote", id="an open quote"),
        pytest.param(b"BilledCost,Tags\n1,\xff\n", "byte 18 is not UTF-8", id="another encoding"),
        pytest.param("BilledCost\n1\n".encode("utf-16"), "is UTF-16", id="UTF-16"),
        pytest.param(gzip.compress(b"BilledCost\n1\n")[:-9], "damaged or cut off", id="a packed file cut off"),
        pytest.param(b"PK\x03\x04more", "zip archive; unpack it", id="a zip archive"),
    ],
)
def test_a_file_that_is_none_ends_in_one_plain_line(tmp_path, content, said):
    path = tmp_path / "anybodys.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError) as wrong:
        call_command("focus_check", str(path), stdout=io.StringIO())
    assert said in str(wrong.value)
    assert str(path) in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("name", ["good.csv.gz", "good"])
def test_a_packed_file_is_known_by_its_content(tmp_path, name):
    plain = written(tmp_path / "good.csv", DOUBLED)
    (tmp_path / name).write_bytes(gzip.compress(plain.read_bytes()))
    assert checked(tmp_path / name) == {}


def test_the_patched_rules_are_known_and_documented():
    from tests.architecture import tree

    patched = {rule.id for rule in rules() if rule.patched}
    assert len(patched) == 6
    page = (tree.ROOT / "docs/focus.md").read_text()
    assert [rule for rule in sorted(patched) if f"`{rule}`" not in page] == []
