"""Huawei Cloud: the bill of price factors, added up by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.ingest.bills import bill, charges, errors
from tests.ingest.providers.alibaba_bills import read, totals

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

NAME = "school_PriceFactorBillDetail_20261002.csv"


def factor(payable: str = "7.50", **cells: str) -> dict[str, str]:
    return {
        "账期": "2026-10",
        "账号": "school",
        "企业项目": "live",
        "产品类型": "弹性云服务器 ECS",
        "产品": "通用计算型",
        "计费模式": "按需",
        "账单类型": "消费-使用",
        "资源ID": "0a1b2c3d",
        "区域": "华北-北京四",
        "使用量类型": "时长",
        "使用量": "1",
        "使用量单位": "小时",
        "消费开始时间": "2026-10-01 00:00:00 GMT+08:00",
        "消费结束时间": "2026-10-01 01:00:00 GMT+08:00",
        "官网价": "10.00",
        "优惠金额": "2.50",
        "应付金额": payable,
        "现金支付": "7.50",
    } | cells


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([factor()], {"Usage": ("7.5", "7.5", "10")}, id="use on demand"),
        pytest.param(
            [factor("-7.50", 账单类型="退款-退订", 官网价="-10.00", 优惠金额="-2.50")],
            {"Usage": ("-7.5", "-7.5", "-10")},
            id="a refund of use",
        ),
        pytest.param(
            [factor("90", 计费模式="包年/包月", 账单类型="消费-新购", 官网价="100", 优惠金额="10")],
            {"Purchase": ("90", "90", "100")},
            id="a subscription",
        ),
        pytest.param(
            [factor("-90", 计费模式="包年/包月", 账单类型="退款-退订", 官网价="-100", 优惠金额="-10")],
            {"Purchase": ("-90", "-90", "-100")},
            id="a cancelled subscription",
        ),
        pytest.param(
            [factor("0.45", 账单类型="消费-税金", 官网价="0", 优惠金额="0")], {"Tax": ("0.45", "0.45", "0")}, id="tax"
        ),
        pytest.param(
            [factor("-1", 账单类型="调账-补偿", 官网价="0", 优惠金额="0")],
            {"Adjustment": ("-1", "-1", "0")},
            id="compensation",
        ),
    ],
)
def test_what_a_bill_costs(tmp_path, rows, expected):
    assert errors(read(tmp_path, {NAME: bill(*rows)}, kind="huawei")) == []
    assert totals() == expected


def due(name: str, **cells: str) -> dict[str, str]:
    """A row whose amount due is called so."""
    told = factor(**cells)
    return {name if column == "应付金额" else column: cell for column, cell in told.items()}


@pytest.mark.parametrize(
    ("told", "currency"),
    [
        pytest.param(due("应付金额"), "CNY", id="the China site says none"),
        pytest.param(due("应付金额(元)"), "CNY", id="yuan in the header"),
        pytest.param(due("应付金额（美元）"), "USD", id="dollars in the header"),
        pytest.param(due("Amount Due (USD)"), "USD", id="dollars in an English header"),
        pytest.param(due("Amount Due (USD)", Currency="USD"), "USD", id="in the header and in a column"),
        pytest.param(due("应付金额", 币种="美元"), "USD", id="a column says it in words"),
        pytest.param(due("应付金额", 币种="RMB"), "CNY", id="a column says it as traders do"),
        pytest.param(due("应付金额", 币种="cny"), "CNY", id="in small letters"),
        pytest.param(due("Amount Due", Currency="SGD"), "SGD", id="a column of an English bill"),
    ],
)
def test_the_currency_is_what_the_bill_says(tmp_path, told, currency):
    assert errors(read(tmp_path, {NAME: bill(told)}, kind="huawei")) == []
    (charge,) = charges()
    assert (charge["BilledCost"], charge["ListCost"], charge["BillingCurrency"]) == (Decimal("7.5"), 10, currency)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(
            due("Amount Due"), "Required columns are missing: 币种 or Currency", id="English, and no currency"
        ),
        pytest.param(due("Amount Due (USD)", Currency="CNY"), "line 2, column Currency", id="header and column differ"),
    ],
)
def test_a_currency_is_not_guessed(tmp_path, told, said):
    (problem,) = errors(read(tmp_path, {NAME: bill(told)}, kind="huawei"))
    assert said in problem
    assert charges() == []


def test_times_are_those_of_china(tmp_path):
    read(tmp_path, {NAME: bill(factor())}, kind="huawei")
    (told,) = charges()
    assert (told["ChargePeriodStart"], told["ChargePeriodEnd"], told["x_BillingMonth"]) == (
        datetime(2026, 9, 30, 16, tzinfo=UTC),
        datetime(2026, 9, 30, 17, tzinfo=UTC),
        "2026-10",
    )


def test_other_bills_of_the_bucket_are_not_added(tmp_path):
    told = read(tmp_path, {NAME: bill(factor()), "school_Spending_20261002.csv": bill(factor())}, kind="huawei")
    assert [one for one in told if "same cost" in one]
    assert totals() == {"Usage": ("7.5", "7.5", "10")}


def test_a_mistake_is_named_by_line_and_column(tmp_path):
    (problem,) = errors(read(tmp_path, {NAME: bill(factor(), factor("7,50"))}, kind="huawei"))
    assert "line 3, column 应付金额" in problem
    assert charges() == []
