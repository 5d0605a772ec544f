"""Alibaba Cloud: every header, encoding and kind of charge, added up by hand."""

import io
import json
import re
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.finops.tables import CHARGES
from apps.ingest.checks import check
from apps.ingest.models import LandedFile
from apps.warehouse import lake
from tests.ingest.bills import NOW, bill, charges, errors, ingest, put, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

DAY = "1690_BillingItemDetail_20261009.csv"
MONTH = "1690_BillingItemDetail_202610.csv"


def v1(payable="47.60", **cells: str) -> dict[str, str]:
    """A day of one ECS instance, as the flat Chinese headers tell it."""
    return {
        "资源购买账号ID": "1690000000000001",
        "资源归属账号ID": "1690000000000002",
        "账单月份": "2026-10",
        "账单日期": "2026-10-08",
        "费用类型": "PayAsYouGoBill",
        "产品Code": "ecs",
        "产品名称": "云服务器ECS",
        "商品Code": "ecs",
        "商品名称": "云服务器ECS-按量付费",
        "资产/资源实例ID": "i-2ze000001",
        "资产/资源实例名称": "在线-网关-01",
        "实例标签": "key:team value:直播中台; key:env value:prod",
        "地域": "华北2（北京）",
        "计费项Code": "InstanceType",
        "计费项": "云服务器配置",
        "用量": "24",
        "用量单位": "小时",
        "目录价": "2.333333",
        "目录总价": "56.00",
        "优惠券抵扣金额": "0",
        "优惠金额": "8.40",
        "优惠后金额": "47.60",
        "节省计划抵扣目录总价": "0",
        "应付金额": payable,
        "代金券抵扣金额": "0",
        "定价币种": "CNY",
        "主键": "202610_x_0001",
    } | cells


_V2 = {
    "资源购买账号ID": "身份信息/资源购买账号ID",
    "资源归属账号ID": "身份信息/资源归属账号ID",
    "账单月份": "账单信息/账单月份",
    "账单日期": "账单信息/账单日期",
    "费用类型": "账单信息/费用类型",
    "交易类型": "账单信息/交易类型",
    "产品Code": "产品信息/产品Code",
    "产品名称": "产品信息/产品名称",
    "商品Code": "产品信息/商品Code",
    "商品名称": "产品信息/商品名称",
    "资产/资源实例ID": "资源信息/实例ID（出账粒度）",
    "资产/资源实例名称": "资源信息/资源名称",
    "实例标签": "资源信息/标签",
    "地域": "资源信息/地域",
    "计费项Code": "产品信息/计费项Code",
    "计费项": "产品信息/计费项名称",
    "用量": "用量信息/用量",
    "用量单位": "用量信息/用量单位",
    "目录价": "定价信息/官网目录价",
    "目录总价": "费用信息/目录总价",
    "优惠券抵扣金额": "优惠券抵扣信息/优惠券抵扣金额",
    "优惠金额": "优惠信息/优惠金额",
    "优惠后金额": "优惠信息/优惠后金额",
    "节省计划抵扣目录总价": "订阅抵扣信息/订阅抵扣目录总价",
    "应付金额": "应付信息/应付金额（含税）",
    "定价币种": "定价信息/定价币种",
    "主键": "标识信息/账单明细ID",
}


def v2(payable="47.60", **cells: str) -> dict[str, str]:
    """The same under grouped headers."""
    plain = v1(payable, 账单月份="202610", 账单日期="20261008", 费用类型="云资源按量费用", 交易类型="后付费") | cells
    return {_V2[name]: value for name, value in plain.items() if name in _V2}


def order(payable="14400", **cells: str) -> dict[str, str]:
    """A subscription paid in advance for a year."""
    told = {
        "费用类型": "SubscriptionOrder",
        "商品名称": "云服务器ECS-包年包月",
        "用量": "",
        "用量单位": "",
        "目录总价": "24000",
        "优惠金额": "9600",
        "优惠后金额": "14400",
    }
    return v1(payable, **(told | cells))


def plan(payable="365000", **cells: str) -> dict[str, str]:
    told = {"商品Code": "savingplan_common_public_cn", "商品名称": "节省计划-通用型", "资产/资源实例ID": "spn-abc123"}
    return order(payable, **(told | {"目录总价": payable, "优惠金额": "0", "优惠后金额": payable} | cells))


def read(tmp_path, files: dict[str, bytes], kind: str = "alibaba", **options: str) -> list[str]:
    for name, content in files.items():
        put(tmp_path / "in", name, content)
    return ingest(source(tmp_path / "in", kind=kind, **options))


def money(column: str, *categories: str) -> Decimal:
    return sum(
        (one[column] or Decimal(0) for one in charges() if not categories or one["ChargeCategory"] in categories),
        Decimal(0),
    )


def totals() -> dict[str, tuple[str, str, str]]:
    """Billed, effective and list cost by category, as texts."""
    categories = sorted({one["ChargeCategory"] for one in charges()})
    columns = ("BilledCost", "EffectiveCost", "ListCost")
    return {name: tuple(f"{money(column, name).normalize():f}" for column in columns) for name in categories}


def zipped(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.csv", content)
    return out.getvalue()


# --- One row --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param(DAY, bill(v1()), id="flat headers"),
        pytest.param(DAY, b"\xef\xbb\xbf" + bill(v1(), newline="\r\n"), id="byte order mark and CRLF"),
        pytest.param(DAY, bill(v1()).decode().encode("gb18030"), id="GB18030, as spreadsheets save it"),
        pytest.param("1690_BillingItemDetail_202610.zip", zipped(a=b"\xef\xbb\xbf" + bill(v1())), id="zipped"),
        pytest.param("1690_consumedetailbillv2_202610.csv", bill(v2()), id="grouped headers"),
        pytest.param("by-hand.csv", bill(v2()), id="a name of one's own, alone at its location"),
    ],
)
def test_every_generation_gives_the_same_charge(tmp_path, name, content):
    assert errors(read(tmp_path, {name: content})) == []
    (charge,) = charges()
    expected = {
        "BillingAccountId": "1690000000000001",
        "SubAccountId": "1690000000000002",
        "BillingPeriodStart": datetime(2026, 9, 30, 16, tzinfo=UTC),
        "BillingPeriodEnd": datetime(2026, 10, 31, 16, tzinfo=UTC),
        "ChargePeriodStart": datetime(2026, 10, 7, 16, tzinfo=UTC),
        "ChargePeriodEnd": datetime(2026, 10, 8, 16, tzinfo=UTC),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeFrequency": "Usage-Based",
        "BilledCost": Decimal("47.6"),
        "EffectiveCost": Decimal("47.6"),
        "ContractedCost": Decimal("47.6"),
        "ListCost": Decimal(56),
        "ListUnitPrice": Decimal("2.333333"),
        "PricingCategory": "Standard",
        "ConsumedQuantity": Decimal(24),
        "ConsumedUnit": "Hours",
        "BillingCurrency": "CNY",
        "ServiceName": "Elastic Compute Service",
        "ServiceCategory": "Compute",
        "ResourceId": "i-2ze000001",
        "ResourceType": "Instance",
        "RegionId": "cn-beijing",
        "Tags": '{"team":"直播中台","env":"prod"}',
        "x_BillingMonth": "2026-10",
        "x_SourceCost": Decimal("47.6"),
        "x_Mapping": "alibaba bill 1",
    }
    assert {name: charge[name] for name in expected} == expected


REFUND = {"费用类型": "Refund", "目录总价": "-56.00", "优惠金额": "-8.40", "优惠后金额": "-47.60"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(
            v1("40.60", 优惠券抵扣金额="7.00", 代金券抵扣金额="40.60"),
            {"Usage": ("40.6", "40.6", "56")},
            id="a coupon reduces what is due, a voucher only pays it",
        ),
        pytest.param(
            v1("-47.60", **REFUND), {"Usage": ("-47.6", "-47.6", "-56")}, id="a refund stays in its category, negative"
        ),
        pytest.param(order(), {"Purchase": ("14400", "14400", "24000")}, id="a subscription is a purchase"),
        pytest.param(
            order("-7200", 费用类型="Refund", 目录总价="-12000", 优惠金额="-4800", 优惠后金额="-7200"),
            {"Purchase": ("-7200", "-7200", "-12000")},
            id="a refunded subscription is a negative purchase",
        ),
        pytest.param(
            v1("-0.37", 费用类型="Adjustment", 目录总价="0", 优惠金额="0", 优惠后金额="0"),
            {"Adjustment": ("-0.37", "-0.37", "0")},
            id="an adjustment",
        ),
        pytest.param(
            v1("0", 节省计划抵扣目录总价="56.00", 优惠金额="0", 优惠后金额="0"),
            {"Usage": ("0", "0", "56")},
            id="covered by a savings plan",
        ),
        pytest.param(
            v2("14400", 费用类型="订阅预付费用", 交易类型="新购", 目录总价="24000"),
            {"Purchase": ("14400", "14400", "24000")},
            id="a grouped subscription",
        ),
        pytest.param(
            v2("-7200", 费用类型="订阅预付费用", 交易类型="退订", 目录总价="-12000"),
            {"Purchase": ("-7200", "-7200", "-12000")},
            id="a grouped cancellation",
        ),
    ],
)
def test_what_a_row_costs(tmp_path, row, expected):
    assert errors(read(tmp_path, {MONTH: bill(row)})) == []
    assert totals() == expected


@pytest.mark.parametrize(
    ("cells", "column", "value"),
    [
        pytest.param({"产品Code": "eci", "用量单位": "秒"}, "ConsumedUnit", "Seconds", id="ECI by the second"),
        pytest.param({"资产/资源实例ID": "eci-2ze01"}, "ResourceId", "eci-2ze01", id="an ECI pod"),
        pytest.param({"资产/资源实例ID": "i-2ze1;d-2ze9"}, "ResourceId", "i-2ze1", id="a system disk"),
        pytest.param(
            {"产品Code": "oss", "资产/资源实例ID": "cn-shanghai;standard"}, "ResourceId", "cn-shanghai;standard",
            id="a billing granularity is no resource of parts",
        ),
        pytest.param({"产品Code": "nova", "产品名称": "新产品"}, "ServiceName", "新产品", id="an unknown product"),
        pytest.param({"产品Code": "nova", "产品名称": "新产品"}, "ServiceCategory", "Other", id="of category Other"),
        pytest.param({"商品名称": "ECS-抢占式实例"}, "PricingCategory", "Dynamic", id="spot"),
        pytest.param({"目录价": "2元/小时起，阶梯"}, "ListUnitPrice", None, id="a price in tiers"),
        pytest.param({"用量": "1"}, "ListUnitPrice", None, id="a price that is not that of the unit"),
        pytest.param({"实例标签": ""}, "Tags", None, id="no tag"),
        pytest.param({"实例标签": "key:a value:; key:b value:x: y"}, "Tags", '{"a":"","b":"x: y"}', id="odd tags"),
        pytest.param({"实例标签": "team=a"}, "Tags", '{"实例标签":"team=a"}', id="tags of another form are kept"),
        pytest.param({"资源购买账号ID": "\t1690000000000001"}, "BillingAccountId", "1690000000000001", id="a tab"),
        pytest.param({"定价币种": "USD"}, "BillingCurrency", "USD", id="an international account"),
        pytest.param(
            REFUND | {"消费时间": "2026-09-20 10:00:00"}, "ChargeClass", "Correction", id="a refund of an earlier month"
        ),
    ],
)  # fmt: skip
def test_what_a_row_says(tmp_path, cells, column, value):
    assert errors(read(tmp_path, {MONTH: bill(v1(**cells))})) == []
    assert charges()[0][column] == value


@pytest.mark.parametrize(
    ("cells", "where"),
    [
        pytest.param({"费用类型": "神秘费用"}, "line 3, column 费用类型", id="an unknown kind of charge"),
        pytest.param({"应付金额": "47,60"}, "line 3, column 应付金额", id="no amount"),
        pytest.param({"账单月份": "Oct-26"}, "line 3, column 账单月份", id="no month"),
        pytest.param({"定价币种": ""}, "line 3, column 定价币种", id="no currency"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(tmp_path, cells, where):
    (problem,) = errors(read(tmp_path, {DAY: bill(v1(), v1(**cells))}))
    assert where in problem
    assert charges() == []


# --- A month --------------------------------------------------------------------------------------------------------
def deliver(tmp_path, *deliveries: dict[str, bytes]) -> list[str]:
    one = source(tmp_path / "in", kind="alibaba")
    told: list[str] = []
    for files in deliveries:
        for name, content in files.items():
            put(tmp_path / "in", name, content)
        told = ingest(one)
    assert errors(told) == []
    version = lake.version(CHARGES)
    ingest(one)
    assert lake.version(CHARGES) == version, "told again, nothing changes"
    return told


def billed() -> list[str]:
    return sorted(f"{one['BilledCost'].normalize():f}" for one in charges())


FIRST, SECOND = (
    {DAY: bill(v1("1"))},
    {"1690_BillingItemDetail_20261010.csv": bill(v1("10", 账单日期="2026-10-09"), v1("2"))},
)
NOVEMBER = {"1690_BillingItemDetail_20261101.csv": bill(v1("3"), v1("100", 账单月份="2026-11", 账单日期="2026-11-01"))}


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        pytest.param([FIRST, SECOND], ["1", "10", "2"], id="daily files add, also late rows of earlier days"),
        pytest.param([FIRST | SECOND, {MONTH: bill(v1("14"))}], ["14"], id="the month replaces its days"),
        pytest.param([{MONTH: bill(v1("14"))}, FIRST], ["14"], id="also when days come later"),
        pytest.param([{MONTH: bill(v1("14"))}, {MONTH: bill(v1("15"))}], ["15"], id="a month written anew"),
        pytest.param([FIRST, NOVEMBER], ["1", "100", "3"], id="late rows in the next month's first file"),
        pytest.param([FIRST | NOVEMBER, {MONTH: bill(v1("4"))}], ["100", "4"], id="which the final month has already"),
        pytest.param(
            [FIRST | {"1690_SplitItemDetailDaily_202610.csv": bill(v1("1"))}], ["1"], id="split bills are never added"
        ),
        pytest.param([FIRST | {"1690_InstanceDetail_20261009.csv": bill(v1("1"))}], ["1"], id="nor instances to items"),
        pytest.param(
            [{MONTH: bill(v1("1")), "1690_consumedetailbillv2_202610.csv": bill(v2("1"))}], ["1"], id="nor v1 to v2"
        ),
        pytest.param(
            [FIRST | {"1690_BillingItemDetailMonthly_202610.csv": bill(v1("1", 账单日期=""))}], ["1"],
            id="nor sums of the month to its days",
        ),
        pytest.param([{"1690_BillingItemDetailMonthly_202610.csv": bill(v1("1", 账单日期=""))}], ["1"], id="only sums"),
        pytest.param(
            [{MONTH: bill(v1("1")), "1691_BillingItemDetail_202610.csv": bill(v1("2"))}], ["1", "2"],
            id="two accounts",
        ),
        pytest.param(
            [{"1690_BillingItemDetail_202610_1.zip": zipped(a=bill(v1("1"))), "1690_BillingItemDetail_202610_2.csv":
              bill(v1("2"))}], ["1", "2"], id="a month in parts",
        ),
    ],
)  # fmt: skip
def test_what_a_month_is_made_of(tmp_path, deliveries, expected):
    deliver(tmp_path, *deliveries)
    assert billed() == sorted(expected)


# --- Beside the bill ------------------------------------------------------------------------------------------------
def amortised(amount: str, day: str = "20261008", **cells: str) -> dict[str, str]:
    return {
        "AmortizationPeriod": "2026-10",
        "AmortizationPeriodDay": day,
        "BillAccountID": "1690000000000001",
        "BillOwnerID": "1690000000000002",
        "ProductCode": "ecs",
        "ProductDetailCode": "ecs",
        "ProductDetail": "云服务器ECS-包年包月",
        "InstanceID": "i-2ze000001",
        "PretaxAmount": "14400",
        "CurrentAmortizationPretaxAmount": amount,
        "RemainingAmortizationPretaxAmount": "14000",
    } | cells


AMORTISED = {"1690_InstanceAmortizedCost_202610.csv": bill(amortised("40.10"), amortised("39.90", "20261009"))}
LOG = {
    "1690_SavingsPlansDeductLog_202610.csv": bill(
        {"UserId": "1690", "InstanceId": "spn-abc123", "StartTime": "2026-10-08 00:00:00", "EndTime":
         "2026-10-08 01:00:00", "DeductCommodity": "ecs", "BillModule": "配置", "DeductInstanceId": "i-2ze000001",
         "DeductFee": "30"}
    )
}  # fmt: skip
USE = {
    "1690_SavingsPlansUsageDetail_202610.csv": bill(
        {"UserId": "1690", "InstanceId": "spn-abc123", "StartPeriod": "2026-10-08 00:00:00", "EndPeriod":
         "2026-10-08 01:00:00", "PoolValue": "41.666666666667", "DeductValue": "30", "Currency": "CNY"}
    )
}  # fmt: skip
PLAN_AMORTISED = {
    "1690_InstanceAmortizedCost_202610.csv": bill(
        amortised("40.10"), amortised("1000", ProductDetailCode="savingplan_common_public_cn", InstanceID="spn-abc123")
    )
}
COVERED = v1("0", 节省计划抵扣目录总价="56.00", 优惠金额="0", 优惠后金额="0")


@pytest.mark.parametrize(
    ("deliveries", "expected"),
    [
        pytest.param(
            [{MONTH: bill(order())}], {"Purchase": ("14400", "14400", "24000")}, id="without: effective when it is paid"
        ),
        pytest.param(
            [{MONTH: bill(order())}, AMORTISED],
            {"Purchase": ("14400", "0", "24000"), "Usage": ("0", "80", "0")},
            id="amortised cost comes later: 40.10 + 39.90",
        ),
        pytest.param(
            [AMORTISED | {DAY: bill(order(), v1())}],
            {"Purchase": ("14400", "0", "24000"), "Usage": ("47.6", "127.6", "56")},
            id="beside daily files; use on demand stays: 80 + 47.60",
        ),
        pytest.param(
            [{MONTH: bill(plan(), COVERED)} | LOG],
            {"Purchase": ("365000", "365000", "365000"), "Usage": ("0", "0", "56")},
            id="a deduct log alone waits",
        ),
        pytest.param(
            [{MONTH: bill(plan(), COVERED)}, LOG | USE],
            {"Purchase": ("365000", "0", "365000"), "Usage": ("0", "41.666666666667", "56")},
            id="used 30 + unused 11.666666666667 = committed",
        ),
        pytest.param(
            [{MONTH: bill(plan(), order(), COVERED)} | LOG | USE | PLAN_AMORTISED],
            {"Purchase": ("379400", "0", "389000"), "Usage": ("0", "81.766666666667", "56")},
            id="a plan's amortised cost is not added to its deductions: 41.666666666667 + 40.10",
        ),
    ],
)
def test_what_was_paid_in_advance(tmp_path, deliveries, expected):
    deliver(tmp_path, *deliveries)
    assert totals() == expected


def test_the_unused_part_of_a_plan_is_a_row_of_its_own(tmp_path):
    deliver(tmp_path, {MONTH: bill(plan(), COVERED)} | LOG | USE)
    told = {one["CommitmentDiscountStatus"]: (one["ResourceId"], one["EffectiveCost"]) for one in charges()}
    assert told["Used"] == ("i-2ze000001", Decimal(30))
    assert told["Unused"] == ("spn-abc123", Decimal("11.666666666667"))


def test_a_refused_amortised_file_changes_nothing(tmp_path):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", MONTH, bill(order()))
    ingest(one)
    put(tmp_path / "in", "1690_InstanceAmortizedCost_202610.csv", bill(amortised("x")))
    (problem,) = errors(ingest(one))
    assert "line 2, column CurrentAmortizationPretaxAmount" in problem
    assert totals() == {"Purchase": ("14400", "14400", "24000")}
    put(tmp_path / "in", "1690_InstanceAmortizedCost_202610.csv", bill(amortised("40")))
    assert errors(ingest(one)) == []
    assert totals() == {"Purchase": ("14400", "0", "24000"), "Usage": ("0", "40", "0")}
    assert not LandedFile.objects.filter(state=LandedFile.State.LANDED).exists()


# --- The overview ---------------------------------------------------------------------------------------------------
def overview(payable: str, rounded_off: str, **cells: str) -> dict[str, str]:
    return {
        "AccountID": "1690000000000001",
        "BillingCycle": "2026-10",
        "ProductCode": "ecs",
        "ProductName": "云服务器ECS",
        "Item": "PayAsYouGoBill",
        "PretaxAmount": payable,
        "RoundDownDiscount": rounded_off,
        "Currency": "CNY",
    } | cells


def as_answer(*rows: dict[str, str]) -> bytes:
    """The same as the API answers; numbers without quotes."""
    items = [{name: cell for name, cell in row.items() if name not in ("AccountID", "BillingCycle")} for row in rows]
    text = json.dumps({"Data": {"AccountID": "1690000000000001", "BillingCycle": "2026-10", "Items": {"Item": items}}})
    return re.sub(r'"(PretaxAmount|RoundDownDiscount)": "([^"]*)"', r'"\1": \2', text).encode()


CENTS = bill(v1("47.607"), v1("0.003"))  # 47.61, paid as 47.60


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("1690_BillOverview_202610.csv", bill(overview("47.60", "0.01")), id="CSV"),
        pytest.param("1690_BillOverview_202610.json", as_answer(overview("47.60", "0.01")), id="as the API answers"),
    ],
)
def test_what_is_rounded_off_the_bill_is_an_adjustment(tmp_path, name, content):
    assert [one for one in deliver(tmp_path, {MONTH: CENTS, name: content}) if "overview" in one] == []
    assert totals() == {"Adjustment": ("-0.01", "-0.01", "0"), "Usage": ("47.61", "47.61", "112")}
    (adjustment,) = [one for one in charges() if one["ChargeCategory"] == "Adjustment"]
    assert adjustment["ChargePeriodStart"] == datetime(2026, 10, 30, 16, tzinfo=UTC)
    assert money("BilledCost") == Decimal("47.60")


@pytest.mark.parametrize(
    ("bill_name", "rows", "expected"),
    [
        pytest.param(MONTH, [overview("47.61", "0")], [], id="a month that ties"),
        pytest.param(
            MONTH, [overview("47.99", "0")],
            ["error 1690000000000001 2026-10 Elastic Compute Service: the overview says 47.99 CNY, the charges add up to "
             "47.61, 0.38 less"], id="an error once the month is final",
        ),
        pytest.param(
            DAY, [overview("47.99", "0")],
            ["warning 1690000000000001 2026-10 Elastic Compute Service: the overview says 47.99 CNY, the charges add up "
             "to 47.61, 0.38 less"], id="a warning while it is open",
        ),
        pytest.param(
            MONTH, [overview("47.61", "0"), overview("5", "0", ProductCode="oss")],
            ["error 1690000000000001 2026-10 Object Storage Service: the overview says 5 CNY, the charges add up to 0, 5 "
             "less"], id="a product without charges",
        ),
        pytest.param(
            MONTH, [overview("5", "0", ProductCode="oss")],
            ["error 1690000000000001 2026-10 Elastic Compute Service: the overview says 0 CNY, the charges add up to "
             "47.61, 47.61 more",
             "error 1690000000000001 2026-10 Object Storage Service: the overview says 5 CNY, the charges add up to 0, 5 "
             "less"], id="charges without a product",
        ),
    ],
)  # fmt: skip
def test_the_month_is_compared_with_its_overview(tmp_path, bill_name, rows, expected):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", bill_name, CENTS)
    put(tmp_path / "in", "1690_BillOverview_202610.csv", bill(*rows))
    told = [text.replace("1690_BillOverview_202610.csv: ", "").split(";")[0] for text in ingest(one)]
    assert [text for text in told if "overview says" in text] == expected
    facts = [fact.found.split(";")[0] for fact in check(one, NOW) if "overview says" in fact.found]
    assert [fact.replace(": ", " ", 1) for fact in facts] == expected
