"""Tencent Cloud: bills by resource and by component, added up by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.ingest.bills import bill, charges, errors, ingest, put, row, source
from tests.ingest.providers.alibaba_bills import money, read, totals

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def component(payable: str = "8.00", **cells: str) -> dict[str, str]:
    return {
        "支付者账号ID": "100000001",
        "使用者账号ID": "100000002",
        "产品名称": "云服务器CVM",
        "子产品名称": "云服务器CVM-标准型S5",
        "计费模式": "按量计费",
        "交易类型": "按量计费小时结算",
        "实例ID": "ins-abc123",
        "地域": "华北地区（北京）",
        "组件类型": "CPU",
        "组件名称": "CPU-标准型S5",
        "组件用量": "4",
        "组件用量单位": "核",
        "扣费时间": "2026-10-01 01:20:00",
        "开始使用时间": "2026-10-01 00:00:00",
        "结束使用时间": "2026-10-01 00:59:59",
        "原价": "10.00",
        "优惠后总价": payable,
        "代金券支付": "3.00",
        "现金账户支付": "5.00",
    } | cells


ENGLISH = {
    "支付者账号ID": "Payer Account ID",
    "使用者账号ID": "Owner Account ID",
    "产品名称": "Product Name",
    "计费模式": "Billing Mode",
    "交易类型": "Transaction Type",
    "实例ID": "Instance ID",
    "扣费时间": "Transaction Time",
    "开始使用时间": "Usage Start Time",
    "结束使用时间": "Usage End Time",
    "原价": "Original Cost",
    "优惠后总价": "Total Amount After Discount",
}


def english(**cells: str) -> dict[str, str]:
    told = {"计费模式": "Pay-As-You-Go", "交易类型": "Pay-As-You-Go Hourly Settlement"}
    return {ENGLISH[name]: value for name, value in component(**(told | cells)).items() if name in ENGLISH}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([component()], {"Usage": ("8", "8", "10")}, id="a voucher only pays"),
        pytest.param([english() | {"Currency": "CNY"}], {"Usage": ("8", "8", "10")}, id="English headers"),
        pytest.param(
            [component(), component("-8.00", 交易类型="按量计费退款", 原价="-10.00")],
            {"Usage": ("0", "0", "0")},
            id="a refund of use is negative use",
        ),
        pytest.param(
            [component("100", 计费模式="包年包月", 交易类型="包年包月新购", 原价="120")],
            {"Purchase": ("100", "100", "120")},
            id="a subscription",
        ),
        pytest.param(
            [component("-0.5", 交易类型="调账扣费", 原价="0")],
            {"Adjustment": ("-0.5", "-0.5", "0")},
            id="an adjustment",
        ),
    ],
)
def test_what_a_bill_costs(tmp_path, rows, expected):
    assert errors(read(tmp_path, {"L3-202610.csv": bill(*rows)}, kind="tencent")) == []
    assert totals() == expected


def test_what_a_row_says(tmp_path):
    read(tmp_path, {"a.csv": bill(component()).decode().encode("gb18030")}, kind="tencent")
    (told,) = charges()
    expected = {
        "x_BillingMonth": "2026-10",
        "BillingPeriodStart": datetime(2026, 9, 30, 16, tzinfo=UTC),
        "ChargePeriodStart": datetime(2026, 9, 30, 16, tzinfo=UTC),
        "ChargePeriodEnd": datetime(2026, 9, 30, 17, tzinfo=UTC),
        "BillingCurrency": "CNY",
        "ResourceId": "ins-abc123",
        "ContractedCost": Decimal(8),
    }
    assert {name: told[name] for name in expected} == expected


def test_resources_are_not_added_to_components(tmp_path):
    told = read(tmp_path, {"x-L2-202610.csv": bill(component()), "x-L3-202610.csv": bill(component())}, kind="tencent")
    assert [one for one in told if "same cost" in one]
    assert totals() == {"Usage": ("8", "8", "10")}


SEPTEMBER = {
    "扣费时间": "2026-09-10 01:20:00",
    "开始使用时间": "2026-09-10 00:00:00",
    "结束使用时间": "2026-09-10 00:59:59",
}


@pytest.mark.parametrize(
    ("files", "billed", "said"),
    [
        pytest.param(
            {"100000001_202609_L3.csv": bill(component("500", **SEPTEMBER)), "focus_202610.csv": bill(row("7"))},
            507, [], id="another month",
        ),
        pytest.param(
            {"20261020_L3.csv": bill(component("8")),
             "20261020_L2.csv": bill(component("8"))},
            8, ["note 20261020_L2.csv: Not read: 20261020_L3.csv tells the same cost"], id="the same day",
        ),
        pytest.param(
            {"100000001_20261001_L3.csv": bill(component("8")),
             "focus/2026-10/a.csv": bill(row("7"))},
            7, ["error 100000001_20261001_L3.csv: Not read: focus/2026-10/a.csv may tell"],
            id="a day, and a month that may hold it",
        ),
        pytest.param(
            {"100000001_20261020_L3.csv": bill(component("1")),
             "100000001_202610_L2.csv": bill(component("8"))},
            1, ["error 100000001_202610_L2.csv: Not read: 100000001_20261020_L3.csv may tell"],
            id="a month of which a better kind tells a day",
        ),
        pytest.param(
            {"100000001_L3_20261101.csv": bill(component("8")),
             "100000001_L2_202610.csv": bill(component("8"))},
            8, ["error 100000001_L2_202610.csv: Not read: 100000001_L3_20261101.csv may tell"],
            id="a day that may be the one of delivery",
        ),
        pytest.param(
            {"L3_202610_1793000001.csv": bill(component("8")),
             "L2_202610_1793000002.csv": bill(component("8"))},
            8, ["error L2_202610_1793000002.csv: Not read: L3_202610_1793000001.csv may tell"],
            id="numbers that may be moments",
        ),
        pytest.param(
            {"100000001/202610/L3.csv": bill(component("8")),
             "200000002/202610/L2.csv": bill(component("5", 支付者账号ID="200000002"))},
            8, ["error 200000002/202610/L2.csv: Not read: 100000001/202610/L3.csv may tell"],
            id="numbers that may be accounts",
        ),
        pytest.param(
            {"账单/2026年10月/L3.csv": bill(component("8")),
             "账单/2026年10月/L2.csv": bill(component("8"))},
            8, ["note 账单/2026年10月/L2.csv: Not read: 账单/2026年10月/L3.csv tells"], id="a month in Chinese",
        ),
        pytest.param(
            {"L3.csv": bill(component("8")),
             "L2-202610.csv": bill(component("8"))},
            8, ["error L2-202610.csv: Not read: L3.csv may tell"],
            id="a month is not named",
        ),
        pytest.param(
            {"L3-202610.csv": bill(component("8")),
             "L2-20260901-20261031.csv": bill(component("8"))},
            8, ["error L2-20260901-20261031.csv: Not read: L3-202610.csv may tell"],
            id="two months are named",
        ),
        pytest.param(
            {f"{one}/202610/{kind}.csv": bill(component("8", 支付者账号ID=one))
             for one in ("100000001", "200000002") for kind in ("L3", "L2")},
            16, [f"note {one}/202610/L2.csv: Not read: {one}/202610/L3.csv tells the same cost"
                 for one in ("100000001", "200000002")], id="two accounts with both kinds",
        ),
        pytest.param(
            {"L2-202610.csv": bill(component("8")), "L2-202611.csv": bill(component("8", 账单月份="2026-11"))},
            16, [], id="one kind",
        ),
    ],
)  # fmt: skip
def test_a_kind_is_left_out_of_a_month_that_another_tells(tmp_path, files, billed, said):
    told = [one for one in read(tmp_path, files, kind="tencent") if "Not read" in one]
    assert len(told) == len(said)
    assert all(one.startswith(beginning) for one, beginning in zip(told, said, strict=True))
    assert money("BilledCost") == billed


def test_focus_is_read_as_it_is(tmp_path):
    put(tmp_path / "in", "focus-202610.csv", bill(row("2.50")))
    assert errors(ingest(source(tmp_path / "in", kind="tencent"))) == []
    assert charges()[0]["BilledCost"] == Decimal("2.5")


def test_an_unknown_trade_is_refused(tmp_path):
    (problem,) = errors(read(tmp_path, {"a.csv": bill(component(交易类型="神秘"))}, kind="tencent"))
    assert "line 2, column 交易类型" in problem
