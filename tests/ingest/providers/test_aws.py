"""AWS bills: every line type in its category, cash and amortised cost apart."""

import io
import json
from collections import defaultdict
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.ingest.providers.aws.services import CATEGORIES
from tests.ingest.bills import bill, charges, errors, ingest, put, source, total
from tests.ingest.providers.aws_bills import LEGACY, line, net, plan, public, reservation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def read_lines(tmp_path, *rows, name="cur.csv", **options):
    put(tmp_path / "in", name, bill(*rows))
    return ingest(source(tmp_path / "in", kind="aws", **options))


@pytest.mark.parametrize(
    ("given", "category", "billed", "effective", "list_cost", "contracted"),
    [
        pytest.param(line(cost="1.00"), "Usage", "1", "1", "1", "1", id="usage without a public price"),
        pytest.param(line(cost="0.90", **public("1.00")), "Usage", "0.9", "0.9", "1", "0.9", id="usage at a discount"),
        pytest.param(
            line(cost="1.00", **net("0.93"), **public("1.00")),
            "Usage", "0.93", "0.93", "1", "0.93", id="the net amount comes first",
        ),
        pytest.param(line(cost="0", **public("0")), "Usage", "0", "0", "0", "0", id="the free tier"),
        pytest.param(
            line("SavingsPlanCoveredUsage", "1.00", **plan(savings_plan_effective_cost="0.70"), **public("1.00")),
            "Usage", "0", "0.7", "1", "1", id="covered by a savings plan: paid for by its fee",
        ),
        pytest.param(
            line("SavingsPlanNegation", "-1.00", **plan()), "Usage", "0", "0", "0", "0",
            id="the negation of what the plan covers",
        ),
        pytest.param(
            line("SavingsPlanRecurringFee", "1.00", **plan(total_commitment_to_date="1.00", used_commitment="0.70")),
            "Purchase", "1", "0.3", "1", "1", id="the fee of a plan: what was not used is its effective cost",
        ),
        pytest.param(
            line("SavingsPlanUpfrontFee", "500.00", **plan()), "Purchase", "500", "0", "500", "500",
            id="a plan paid upfront is amortised",
        ),
        pytest.param(
            line("DiscountedUsage", "0", **reservation(effective_cost="0.60"), **public("1.00")),
            "Usage", "0", "0.6", "1", "1", id="covered by a reservation",
        ),
        pytest.param(
            line(
                "RIFee", "72.00",
                **reservation(unused_amortized_upfront_fee_for_billing_period="3.25", unused_recurring_fee="7.20"),
            ),
            "Purchase", "72", "10.45", "72", "72", id="the fee of a reservation: its unused part",
        ),
        pytest.param(
            line("Fee", "876.00", **reservation()), "Purchase", "876", "0", "876", "876",
            id="a reservation paid upfront is amortised",
        ),
        pytest.param(line("Fee", "100.00"), "Purchase", "100", "100", "100", "100", id="a support fee"),
        pytest.param(line("Tax", "19.00"), "Tax", "19", "19", "19", "19", id="tax"),
        pytest.param(line("Credit", "-5.00"), "Credit", "-5", "-5", "-5", "-5", id="a credit"),
        pytest.param(line("Refund", "-2.00"), "Usage", "-2", "-2", "-2", "-2", id="a refund of usage"),
        pytest.param(
            line("Refund", "-72.00", **reservation()), "Purchase", "-72", "-72", "-72", "-72",
            id="a refund of a recurring fee",
        ),
        pytest.param(
            line("Refund", "-500.00", **plan(payment_option="All Upfront")), "Purchase", "-500", "0", "-500", "-500",
            id="a plan that is returned: what was paid upfront was no effective cost",
        ),
        pytest.param(
            line("Refund", "-500.00", **plan(), line_item_usage_type="EU-ComputeSP:1yrAllUpfront"),
            "Purchase", "-500", "0", "-500", "-500", id="the usage type tells how a plan was paid",
        ),
        pytest.param(
            line(
                "Refund", "-43.80", **plan(payment_option="Partial Upfront"),
                line_item_line_item_description="USD $43.80 one-time fee for 1 year Partial Upfront Savings Plan",
            ),
            "Purchase", "-43.8", "0", "-43.8", "-43.8", id="the part of a plan that was paid upfront",
        ),
        pytest.param(
            line("Refund", "-1.00", **plan(payment_option="No Upfront")), "Purchase", "-1", "-1", "-1", "-1",
            id="the fee of a plan without an upfront payment",
        ),
        pytest.param(
            line("Refund", "-876.00", **reservation(), pricing_purchase_option="All Upfront"),
            "Purchase", "-876", "0", "-876", "-876", id="a reservation that was paid upfront",
        ),
        pytest.param(line("EdpDiscount", "-7.00"), "Adjustment", "-7", "-7", "0", "-7", id="an agreed discount"),
        pytest.param(
            line("EdpDiscount", "-7.00", **net("0")), "Adjustment", "0", "0", "0", "0",
            id="an agreed discount that the net amounts hold already",
        ),
        pytest.param(line("BundledDiscount", "-1.00"), "Adjustment", "-1", "-1", "0", "-1", id="a bundled discount"),
        pytest.param(line("SomethingNew", "3.00"), "Adjustment", "3", "3", "3", "3", id="a type nobody knows"),
        pytest.param(
            line(
                "SavingsPlanCoveredUsage", "0", split_line_item_parent_resource_id="i-0ab",
                split_line_item_split_cost="0.35", **plan(savings_plan_effective_cost="0.70"), **public("1.00"),
            ),
            "Usage", "0", "0", "0", "0", id="a split of its parent's cost costs nothing itself",
        ),
    ],
)  # fmt: skip
def test_cost_by_line_type(tmp_path, given, category, billed, effective, list_cost, contracted):
    assert errors(read_lines(tmp_path, given)) == []
    (charge,) = charges()
    names = ("ChargeCategory", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost")
    told = (charge[names[0]], *(f"{charge[name].normalize():f}" for name in names[1:]))
    assert told == (category, billed, effective, list_cost, contracted)
    assert charge["x_Mapping"] == "aws_cur 3"


# A savings plan of 1.00 an hour for four hours, and a reservation of 0.50 an hour with 2.00 paid upfront for them:
# used are 0.70, 1.00, 0.00 and 0.55 of the plan, and two hours of the reservation, whose hour is 0.50 + 2.00 / 4.
PLAN_HOURS = [("0.70", "0.90"), ("1.00", "1.25"), ("0.00", "0"), ("0.55", "0.80")]
TERM = [
    *(
        line("SavingsPlanCoveredUsage", on_demand, **plan(savings_plan_effective_cost=used), **public(on_demand))
        for used, on_demand in PLAN_HOURS
    ),
    *(line("SavingsPlanNegation", f"-{on_demand}", **plan()) for _, on_demand in PLAN_HOURS),
    *(
        line("SavingsPlanRecurringFee", "1.00", **plan(total_commitment_to_date="1.00", used_commitment=used))
        for used, _ in PLAN_HOURS
    ),
    line("Fee", "2.00", **reservation()),
    line("DiscountedUsage", "0", **reservation(effective_cost="1.00"), **public("1.60")),
    line("DiscountedUsage", "0", **reservation(effective_cost="1.00"), **public("1.60")),
    line(
        "RIFee", "2.00",
        **reservation(unused_amortized_upfront_fee_for_billing_period="1.00", unused_recurring_fee="1.00"),
    ),
    line("Usage", "3.00", **public("3.00")),
    line("Tax", "1.71", bill_invoice_id="1002"),
]  # fmt: skip


def test_over_a_term_used_and_unused_are_what_was_bought(tmp_path):
    assert errors(read_lines(tmp_path, *TERM)) == []
    bought, amortised = defaultdict(Decimal), defaultdict(Decimal)
    for charge in charges():
        if charge["ChargeCategory"] == "Purchase":
            bought[charge["CommitmentDiscountType"]] += charge["BilledCost"]
        if charge["CommitmentDiscountStatus"]:
            key = charge["CommitmentDiscountType"], charge["CommitmentDiscountStatus"]
            amortised[key] += charge["EffectiveCost"]
    assert bought == {"Savings Plan": Decimal("4.00"), "Reserved Instance": Decimal("4.00")}
    assert amortised == {
        ("Savings Plan", "Used"): Decimal("2.25"), ("Savings Plan", "Unused"): Decimal("1.75"),
        ("Reserved Instance", "Used"): Decimal("2.00"), ("Reserved Instance", "Unused"): Decimal("2.00"),
    }  # fmt: skip
    assert total("EffectiveCost") == total("BilledCost") == Decimal("12.71")


def test_an_invoice_is_the_sum_of_its_billed_cost(tmp_path):
    read_lines(tmp_path, *TERM)
    invoiced, filed = defaultdict(Decimal), defaultdict(Decimal)
    for charge in charges():
        invoiced[charge["InvoiceId"]] += charge["BilledCost"]
        filed[charge["InvoiceId"]] += charge["x_SourceCost"]
    assert invoiced == filed == {"1001": Decimal("11.00"), "1002": Decimal("1.71")}


def test_what_a_charge_says(tmp_path):
    assert errors(read_lines(tmp_path, line(product_region_code="eu-west-1", product_sku="SKU1"))) == []
    (charge,) = charges()
    said = {
        "BillingAccountId": "111122223333", "SubAccountId": "444455556666", "ResourceId": "i-0ab",
        "ServiceName": "Amazon Elastic Compute Cloud", "ServiceCategory": "Compute", "RegionId": "eu-west-1",
        "SkuId": "SKU1", "SkuMeter": "EU-BoxUsage:m5.large", "SkuPriceDetails": '{"InstanceType":"m5.large"}',
        "PricingUnit": "Hours", "ConsumedQuantity": Decimal(1), "PricingCategory": "Standard",
        "ChargeFrequency": "Usage-Based", "BillingCurrency": "USD", "CommitmentDiscountId": None, "ChargeClass": None,
    }  # fmt: skip
    assert {name: charge[name] for name in said} == said
    assert json.loads(charge["Tags"]) == {"team": "live-class", "aws:created_by": "hanmeimei"}


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        pytest.param('{"user_team":"user_a"}', {"team": "user_a"}, id="a value that looks like a key"),
        pytest.param('{"user_a":"\\"user_b\\":c","aws_x":"1"}', {"a": '"user_b":c', "aws:x": "1"}, id="quotes inside"),
        pytest.param('{ "user_a" : "b", "user:C": "d: e" }', {"a": "b", "C": "d: e"}, id="spaces, and colons"),
        pytest.param("{}", {}, id="no tags"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_tags_keep_only_the_providers_prefix(tmp_path, cell, tags):
    assert errors(read_lines(tmp_path, line(resource_tags=cell))) == []
    (charge,) = charges()
    assert (charge["Tags"] and json.loads(charge["Tags"])) == tags


POD = "arn:aws:eks:eu-west-1:444455556666:pod/school/web/api-1/9f"
SPLITS = [
    line(
        "SavingsPlanCoveredUsage", "0", line_item_resource_id=POD, line_item_usage_amount=amount,
        split_line_item_parent_resource_id="i-0ab", split_line_item_split_cost=cost,
        **plan(savings_plan_effective_cost="0.70"), **public("1.00"),
    )
    for amount, cost in (("0.5", "0.25"), ("2", "0.10"))
]  # fmt: skip
"""Processor and memory of a pod on the machine that a plan covers."""


def test_splits_are_told_beside_their_parent_and_never_added_to_it(tmp_path):
    parent = line("SavingsPlanCoveredUsage", "1.00", **plan(savings_plan_effective_cost="0.70"), **public("1.00"))
    assert errors(read_lines(tmp_path, parent, *SPLITS)) == []
    sums = {
        name: sum((charge[name] or Decimal(0) for charge in charges()), Decimal(0))
        for name in (
            "BilledCost", "EffectiveCost", "ListCost", "ContractedCost", "ConsumedQuantity", "PricingQuantity",
            "CommitmentDiscountQuantity",
        )
    }  # fmt: skip
    assert {name: f"{amount.normalize():f}" for name, amount in sums.items()} == {
        "BilledCost": "0", "EffectiveCost": "0.7", "ListCost": "1", "ContractedCost": "1", "ConsumedQuantity": "1",
        "PricingQuantity": "1", "CommitmentDiscountQuantity": "0.7",
    }  # fmt: skip
    told = [(charge["ResourceId"], charge["AllocatedResourceId"], charge["x_Other"]) for charge in charges()]
    assert told == [
        ("i-0ab", None, None),
        ("i-0ab", POD, '{"split_line_item_split_cost":"0.25"}'),
        ("i-0ab", POD, '{"split_line_item_split_cost":"0.10"}'),
    ]


@pytest.mark.parametrize(
    ("cells", "class_"),
    [
        pytest.param({"line_item_usage_start_date": "2026-09-28T00:00:00Z"}, "Correction", id="of an invoiced month"),
        pytest.param({"bill_bill_type": "Refund"}, "Correction", id="on a bill of refunds"),
        pytest.param({}, None, id="of the open month"),
    ],
)
def test_a_refund_corrects_only_what_was_invoiced(tmp_path, cells, class_):
    read_lines(tmp_path, line("Refund", "-2.00", **cells))
    assert charges()[0]["ChargeClass"] == class_


def test_legacy_columns_may_differ_by_case_only(tmp_path):
    assert errors(read_lines(tmp_path, LEGACY)) == []
    (charge,) = charges()
    assert json.loads(charge["Tags"]) == {"name": "a", "Name": "b", "aws:createdBy": "c"}
    assert json.loads(charge["x_Other"]) == {"costCategory/Team": "live-class"}
    assert (charge["BilledCost"], charge["ServiceCategory"]) == (Decimal("0.0000004"), "Storage")


def test_columns_come_and_go_by_month(tmp_path):
    old = {name: cell for name, cell in LEGACY.items() if not name.startswith(("product/", "resourceTags/user:n"))}
    put(tmp_path / "in", "september.csv", bill(old | {"bill/BillingPeriodStartDate": "2026-09-01T00:00:00Z"}))
    assert errors(read_lines(tmp_path, LEGACY)) == []
    assert {charge["ServiceName"] for charge in charges()} == {"AmazonS3", "Amazon Simple Storage Service"}


def test_a_cell_that_is_no_amount_names_line_and_column(tmp_path):
    (problem,) = errors(read_lines(tmp_path, line(), line(cost="1,00")))
    assert "cur.csv, line 3, column line_item_unblended_cost" in problem
    assert charges() == []


def test_a_product_that_is_no_object_names_line_and_column(tmp_path):
    (problem,) = errors(read_lines(tmp_path, line(), line(product="Amazon EC2")))
    assert "cur.csv, line 3, column product" in problem


def test_every_code_has_one_category():
    codes = [code for listed in CATEGORIES.values() for code in listed]
    assert len(codes) == len(set(codes))


# --- Parquet ----------------------------------------------------------------------------------------------------
def parquet(*rows):
    """Rows as CUR 2.0 writes them: doubles, timestamps and maps."""
    doubles = [
        name for name in rows[0] if name.endswith(("_cost", "_amount", "_fee", "_period", "_commitment", "_to_date"))
    ]
    maps = ("product", "resource_tags")
    cells = {}
    for name in rows[0]:
        given = [one[name] for one in rows]
        if name in maps:
            cells[name] = pa.array([list(json.loads(x).items()) for x in given], pa.map_(pa.string(), pa.string()))
        elif name.endswith(("_start_date", "_end_date")):
            cells[name] = pa.array([x.rstrip("Z") for x in given]).cast(pa.timestamp("ms"))
        elif name in doubles:
            cells[name] = pa.array([float(x) if x else None for x in given], pa.float64())
        else:
            cells[name] = pa.array([x or None for x in given], pa.string())
    out = io.BytesIO()
    pq.write_table(pa.table(cells), out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("text", "amount", "is_rounded"),
    [
        pytest.param("0.1", "0.1", False, id="a tenth"),
        pytest.param("4e-7", "0.0000004", False, id="an exponent"),
        pytest.param("-0.0", "0", False, id="minus zero"),
        pytest.param("999.999999999999", "999.999999999999", False, id="fifteen digits"),
        pytest.param("123456.789012345", "123456.789012345", False, id="fifteen digits, six before the point"),
        pytest.param("1234567.8901234567", "1234567.8901234567", False, id="seventeen digits"),
        pytest.param("0.30000000000000004", "0.3", True, id="the sum of 0.1 and 0.2"),
        pytest.param("0.00424162395851817", "0.004241623959", True, id="more than twelve decimals"),
        pytest.param("1e15", "1000000000000000", False, id="a large amount"),
    ],
)
def test_doubles_are_read_by_their_shortest_text(tmp_path, text, amount, is_rounded):
    put(tmp_path / "in", "cur.parquet", parquet(line(cost=text), line(cost="1.00", **net("0.25"))))
    assert errors(ingest(source(tmp_path / "in", kind="aws"))) == []
    first, second = charges()
    assert first["BilledCost"] == Decimal(amount)
    assert ("line_item_unblended_cost" in (first["x_Rounded"] or "")) == is_rounded
    assert second["BilledCost"] == second["x_SourceCost"] == Decimal("0.25")


@pytest.mark.parametrize("text", ["nan", "inf"])
def test_doubles_that_are_no_amounts_are_refused(tmp_path, text):
    put(tmp_path / "in", "cur.parquet", parquet(line(), line(cost=text)))
    (problem,) = errors(ingest(source(tmp_path / "in", kind="aws")))
    assert "cur.parquet, row 2, column line_item_unblended_cost" in problem


def test_parquet_says_the_same_as_csv(tmp_path):
    put(tmp_path / "csv", "cur.csv", bill(*TERM))
    put(tmp_path / "parquet", "cur.parquet", parquet(*TERM))
    for folder in ("csv", "parquet"):
        assert errors(ingest(source(tmp_path / folder, kind="aws", name=folder))) == []
    read = defaultdict(list)
    for charge in charges():
        told = {name: cell for name, cell in charge.items() if name not in ("x_SourceName", "x_FileId")}
        read[charge["x_SourceName"]].append(told)
    assert read["csv"] == read["parquet"]
