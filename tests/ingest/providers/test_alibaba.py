"""Alibaba Cloud: every header, encoding and kind of charge, added up by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.ingest.checks import check
from apps.ingest.models import Restatement
from tests.ingest.bills import NOW, bill, charges, errors, ingest, put, source
from tests.ingest.providers.alibaba_bills import DAY, MONTH, deliver, order, read, totals, v1, v2, zipped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


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


@pytest.mark.parametrize(
    ("zone", "rows", "warns"),
    [
        pytest.param("UTC", v1(), True, id="a day of China begins on the day before"),
        pytest.param("Asia/Shanghai", v1(), False, id="in China it does not"),
        pytest.param("Asia/Tokyo", v1(), False, id="nor further east"),
        pytest.param(
            "UTC", v1(账单开始时间="2026-10-08 01:00:00", 账单结束时间="2026-10-08 02:00:00"), False, id="hours"
        ),
    ],
)
def test_days_of_another_zone_are_told(tmp_path, settings, zone, rows, warns):
    settings.COSTOPS_TIME_ZONE = zone
    put(tmp_path / "in", DAY, bill(rows))
    one = source(tmp_path / "in", kind="alibaba")
    facts = [fact.found for fact in check(one, NOW)]
    for told in (facts, ingest(one)):
        assert any("Set COSTOPS_TIME_ZONE to Asia/Shanghai" in each for each in told) == warns


@pytest.mark.parametrize(
    "times", [("", ""), ("2026-10-08 00:00:00",) * 2, ("2026-10-08 00:00:00", "2026-10-09 00:00:00")],
    ids=["empty columns of hours", "one moment", "the whole day"],
)  # fmt: skip
def test_days_with_columns_of_hours_are_told_as_well(tmp_path, settings, times):
    settings.COSTOPS_TIME_ZONE = "UTC"
    put(tmp_path / "in", DAY, bill(v1(**dict(zip(("账单开始时间", "账单结束时间"), times, strict=True)))))
    told = ingest(source(tmp_path / "in", kind="alibaba"))
    assert any("Set COSTOPS_TIME_ZONE to Asia/Shanghai" in each for each in told)


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


def eci(meter: str, used: str, price: str, list_cost: str, payable: str) -> dict[str, str]:
    told = {
        "产品Code": "eci",
        "商品Code": "eci",
        "商品名称": "弹性容器实例",
        "资产/资源实例ID": "eci-2ze01",
        "用量单位": "秒",
    }
    money = {"目录价": price, "目录总价": list_cost, "优惠金额": "0", "优惠后金额": payable}
    return v1(payable, 计费项=meter, 用量=used, **told, **money)


def test_eci_is_billed_by_the_second(tmp_path):
    """An hour of 2 vCPU and 4 GiB: 7200 × 0.000049 = 0.3528, 14400 × 0.00000613 = 0.088272, rounded to cents each."""
    rows = [
        eci("CPU", "7200", "0.000049", "0.3528", "0.35"),
        eci("内存", "14400", "0.00000613", "0.088272", "0.09"),
    ]
    assert errors(read(tmp_path, {MONTH: bill(*rows)})) == []
    assert totals() == {"Usage": ("0.44", "0.44", "0.441072")}
    told = [(one["ResourceId"], one["ResourceType"], one["ConsumedQuantity"], one["ConsumedUnit"]) for one in charges()]
    assert told == [("eci-2ze01", "Container Group", quantity, "Seconds") for quantity in (7200, 14400)]


PACKAGE = {"产品Code": "oss", "商品Code": "ossbag", "商品名称": "对象存储OSS资源包", "资产/资源实例ID": "OSSBAG-cn-1"}


def test_a_resource_package_is_paid_once_and_its_use_is_free(tmp_path):
    bought = order("100", 目录总价="120", 优惠金额="20", 优惠后金额="100", **PACKAGE)
    used = v1(
        "0", 产品Code="oss", 用量="50", 用量单位="GB", 目录总价="6", 优惠金额="0", 优惠后金额="0", 资源包抵扣="50"
    )
    beyond = v1("1.20", 产品Code="oss", 用量="10", 用量单位="GB", 目录总价="1.20", 优惠金额="0", 优惠后金额="1.20")
    assert errors(read(tmp_path, {MONTH: bill(bought | {"资源包抵扣": ""}, used, beyond | {"资源包抵扣": ""})})) == []
    # bought 100 of 120 listed; used 6 listed and nothing due, beyond it 1.20
    assert totals() == {"Purchase": ("100", "100", "120"), "Usage": ("1.2", "1.2", "7.2")}


@pytest.mark.parametrize(
    ("cells", "start", "month"),
    [
        pytest.param({"账单日期": "2026-10-01"}, "2026-09-30 16:00", "2026-10", id="its first day"),
        pytest.param({"账单日期": "2026-10-31"}, "2026-10-30 16:00", "2026-10", id="its last day"),
        pytest.param(
            {"账单日期": "2026-11-01", "账单月份": "2026-11"}, "2026-10-31 16:00", "2026-11", id="the day after"
        ),
    ],
)
def test_a_month_in_china_begins_at_four_in_the_afternoon(tmp_path, cells, start, month):
    assert errors(read(tmp_path, {"by-hand.csv": bill(v1(**cells))})) == []
    (told,) = charges()
    assert (f"{told['ChargePeriodStart']:%Y-%m-%d %H:%M}", told["x_BillingMonth"]) == (start, month)
    assert f"{told['BillingPeriodStart']:%d %H:%M}" in ("30 16:00", "31 16:00")
    assert told["BillingPeriodStart"] <= told["ChargePeriodStart"] < told["BillingPeriodEnd"]


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


def test_a_refused_day_takes_nothing_from_the_others(tmp_path):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", DAY, bill(v1("1")))
    ingest(one)
    second = "1690_BillingItemDetail_20261010.csv"
    put(tmp_path / "in", second, bill(v1("x")))
    assert len(errors(ingest(one))) == 1
    assert billed() == ["1"]
    put(tmp_path / "in", second, bill(v1("10")))
    assert errors(ingest(one)) == []
    put(tmp_path / "in", DAY, bill(v1("y")))
    assert len(errors(ingest(one))) == 1
    assert billed() == ["1", "10"], "its earlier revision keeps counting"


def test_a_refused_month_leaves_its_days(tmp_path):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", DAY, bill(v1("1")))
    ingest(one)
    put(tmp_path / "in", MONTH, bill(v1("2"), v1("x")))
    assert len(errors(ingest(one))) == 1
    assert billed() == ["1"]


def test_the_final_month_restates_its_days_exactly(tmp_path, settings):
    """Days of 4, 1 and 10 + 5 of OSS; the final month says 1.25 for 1, drops OSS, adds 2 and leaves the rest."""
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    oss = {"产品Code": "oss", "产品名称": "对象存储OSS", "账单日期": "2026-10-09"}
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", DAY, bill(v1("1"), v1("4", 账单日期="2026-10-07")))
    put(tmp_path / "in", "1690_BillingItemDetail_20261010.csv", bill(v1("10", 账单日期="2026-10-09"), v1("5", **oss)))
    ingest(one)
    assert Restatement.objects.count() == 0, "first days restate nothing"
    final = [
        v1("1.25"),
        v1("4", 账单日期="2026-10-07"),
        v1("10", 账单日期="2026-10-09"),
        v1("2", 账单日期="2026-10-09"),
    ]
    put(tmp_path / "in", MONTH, bill(*final))
    ingest(one)
    ledger = Restatement.objects.get()
    assert (ledger.billing_month, ledger.rows_before, ledger.rows_after) == ("2026-10", 4, 4)
    told = {
        (change["day"], change["service"]): tuple(
            f"{Decimal(change[name]).normalize():f}"
            for name in ("rows_before", "rows_after", "billed_before", "billed_after", "effective_after")
        )
        for change in ledger.changes
    }
    assert told == {
        ("2026-10-08", "Elastic Compute Service"): ("1", "1", "1", "1.25", "1.25"),
        ("2026-10-09", "Elastic Compute Service"): ("1", "2", "10", "12", "12"),
        ("2026-10-09", "Object Storage Service"): ("1", "0", "5", "0", "0"),
    }
    ingest(one)
    assert Restatement.objects.count() == 1
