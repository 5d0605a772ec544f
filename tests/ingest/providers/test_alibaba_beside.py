"""Alibaba Cloud: what lies beside a bill, added up by hand."""

import csv
import json
import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from apps.ingest import lines
from apps.ingest.checks import check
from apps.ingest.models import LandedFile
from apps.ingest.text.answers import listed
from tests.ingest.bills import NOW, bill, charges, errors, ingest, put, source
from tests.ingest.providers.alibaba_bills import DAY, MONTH, deliver, money, order, plan, read, totals, v1

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


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
        "SubscriptionType": "Subscription",
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
BY_USE_AMORTISED = {
    "1690_InstanceAmortizedCost_202610.csv": bill(
        amortised("40.10"), amortised("47.60", SubscriptionType="PayAsYouGo", ProductDetail="云服务器ECS-按量付费")
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
            [{MONTH: bill(order(), v1())} | BY_USE_AMORTISED],
            {"Purchase": ("14400", "0", "24000"), "Usage": ("47.6", "87.7", "56")},
            id="amortised cost of what is paid by use is that of the bill: 40.10 + 47.60",
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


@pytest.mark.parametrize(
    ("told", "said"),
    [
        pytest.param(
            {name: cell for name, cell in amortised("40").items() if name != "SubscriptionType"},
            "Required columns are missing: 消费类型 or 订阅类型 or SubscriptionType", id="no column says it",
        ),
        pytest.param(amortised("40", SubscriptionType=""), "line 2, column SubscriptionType", id="a row does not"),
        pytest.param(amortised("40", SubscriptionType="x"), "line 2, column SubscriptionType", id="in unknown words"),
    ],
)  # fmt: skip
def test_amortised_cost_says_what_is_paid_in_advance(tmp_path, told, said):
    files = {MONTH: bill(order()), "1690_InstanceAmortizedCost_202610.csv": bill(told)}
    (problem,) = errors(read(tmp_path, files))
    assert said in problem
    assert charges() == []


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


def test_a_carriage_return_in_an_answer_is_part_of_its_text(tmp_path):
    answer = json.dumps({"Data": {"Items": {"Item": [v1(), v1(**{"资产/资源实例名称": "a\rb"})]}}}).encode()
    assert errors(deliver(tmp_path, {MONTH.replace(".csv", ".json"): answer})) == []
    assert [one["ResourceName"] for one in charges()] == ["在线-网关-01", "a\rb"]


def test_an_overview_without_rounding_adds_no_row(tmp_path, settings):
    settings.COSTOPS_TIME_ZONE = "Asia/Shanghai"
    files = {MONTH: bill(v1()), "1690_BillOverview_202610.csv": bill(overview("47.60", "0"), overview("0", "0"))}
    assert [one for one in deliver(tmp_path, files) if not one.startswith("note")] == []
    assert totals() == {"Usage": ("47.6", "47.6", "56")}


@pytest.mark.parametrize("rounded_off", ["0.01", "0"])
def test_a_bill_of_orders_is_no_overview(tmp_path, rounded_off):
    (problem,) = errors(read(tmp_path, {MONTH: bill(v1() | {"币种": "CNY", "抹零优惠": rounded_off})}))
    assert "抹零" in problem
    assert charges() == []


@pytest.mark.parametrize(
    ("bill_name", "rows", "expected"),
    [
        pytest.param(MONTH, [overview("47.61", "0")], [], id="a month that ties"),
        pytest.param(
            MONTH, [overview("47.99", "0")],
            ["error Elastic Compute Service: the overview says 47.99 CNY, the charges add up to "
             "47.61, 0.38 less"], id="an error once the month is final",
        ),
        pytest.param(
            MONTH, [overview("99999999999999999999.99", "0"), overview("0.010000000001", "0")],
            ["error Elastic Compute Service: the overview says 100000000000000000000.000000000001 CNY, the charges add "
             "up to 47.61, 99999999999999999952.390000000001 less"], id="to the last of thirty-three digits",
        ),
        pytest.param(
            DAY, [overview("47.99", "0")],
            ["warning Elastic Compute Service: the overview says 47.99 CNY, the charges add up "
             "to 47.61, 0.38 less"], id="a warning while it is open",
        ),
        pytest.param(
            MONTH, [overview("47.61", "0"), overview("5", "0", ProductCode="oss")],
            ["error Object Storage Service: the overview says 5 CNY, the charges add up to 0, 5 "
             "less"], id="a product without charges",
        ),
        pytest.param(
            MONTH, [overview("5", "0", ProductCode="oss")],
            ["error Elastic Compute Service: the overview says 0 CNY, the charges add up to "
             "47.61, 47.61 more",
             "error Object Storage Service: the overview says 5 CNY, the charges add up to 0, 5 "
             "less"], id="charges without a product",
        ),
    ],
)  # fmt: skip
def test_the_month_is_compared_with_its_overview(tmp_path, bill_name, rows, expected):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", bill_name, CENTS)
    put(tmp_path / "in", "1690_BillOverview_202610.csv", bill(*rows))
    about = "1690_BillOverview_202610.csv: 1690000000000001 2026-10 "
    told = [text.replace(about, "").split(";")[0] for text in ingest(one)]
    assert [text for text in told if "overview says" in text] == expected
    facts = [fact.found.split(";")[0] for fact in check(one, NOW) if "overview says" in fact.found]
    assert [fact.replace(": 1690000000000001 2026-10 ", " ", 1) for fact in facts] == expected


@pytest.fixture
def worker() -> None:
    """A worker in which Python's limit of a cell is its own: bills are read apart from it."""
    csv.field_size_limit(131_072)


@pytest.mark.usefixtures("worker")
def test_an_overview_is_read_as_bills_are(tmp_path):
    one = source(tmp_path / "in", kind="alibaba")
    put(tmp_path / "in", MONTH, CENTS)
    put(tmp_path / "in", "1690_BillOverview_202610.csv", bill(overview("47.99", "0", Remark="x" * 131_073)))
    assert ["0.38 less" in problem for problem in ingest(one) if "overview" in problem] == [True]


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("remark", "said"),
    [
        pytest.param("x" * 1_000_001, "a value is longer than a megabyte", id="a value of megabytes"),
        pytest.param("a\rb", "Not CSV: new-line character seen in unquoted field", id="no CSV"),
    ],
)
def test_an_overview_that_cannot_be_read_is_told(tmp_path, remark, said):
    put(tmp_path / "in", MONTH, CENTS)
    put(tmp_path / "in", "1690_BillOverview_202610.csv", bill(overview("47.61", "0", Remark=remark)))
    facts = [fact.found for fact in check(source(tmp_path / "in", kind="alibaba"), NOW)]
    assert [said in fact for fact in facts if "The overview cannot be read" in fact] == [True]


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        pytest.param(
            MONTH, bill(v1(), v1()).decode().encode("gb18030"), f"{MONTH}, line 3", id="text that is not UTF-8"
        ),
        pytest.param(
            "1690_BillOverview_202610.json",
            as_answer(overview("1", "0"), overview("1", "0.01")),
            "1690_BillOverview_202610.json, row 2",
            id="an answer has no lines",
        ),
    ],
)
def test_a_charge_leads_back_to_its_row(tmp_path, name, content, place):
    deliver(tmp_path, {name: content})
    told = next(one for one in charges() if one["x_Row"] == 2)
    assert str(lines.places(told["x_FileId"], [2])[2]) == place


@pytest.mark.parametrize(
    "odd", [b'"Cost": 1, "Cost": 2', b'"Cost": "\\ud800"'], ids=["a key twice", "half a character"]
)
def test_an_answer_that_could_be_read_in_two_ways_is_refused(tmp_path, odd):
    put(tmp_path / "in", "1690_BillingItemDetail_202610.json", b'{"Items": [{' + odd + b"}]}")
    (told,) = errors(ingest(source(tmp_path / "in", "alibaba")))
    assert "not an answer that can be read" in told


def test_an_answer_with_two_lists_of_rows_is_refused(tmp_path):
    """Of two pages joined by hand the second was passed over."""
    two = b'{"Items": {"Item": [{"Cost": 1}]}, "More": [{"Cost": 2}]}'
    put(tmp_path / "in", "1690_BillingItemDetail_202610.json", two)
    (told,) = errors(ingest(source(tmp_path / "in", "alibaba")))
    assert "it holds several lists of rows: Items, More" in told


def test_a_total_beside_the_list_is_said_of_no_row():
    document = {"Data": {"BillingCycle": "2026-10", "PretaxAmount": "9", "Items": {"Item": [{"A": "1"}, {"A": "2"}]}}}
    assert listed(document) == [{"BillingCycle": "2026-10", "A": "1"}, {"BillingCycle": "2026-10", "A": "2"}]


def test_a_month_without_amortised_cost_among_others_is_told(tmp_path):
    september = {"1690_BillingItemDetail_202609.csv": bill(order(账单月份="2026-09", 账单日期="2026-09-08"))}
    told = deliver(tmp_path, september | {MONTH: bill(v1())} | AMORTISED)
    assert [one for one in told if one.startswith("warning 1690_BillingItemDetail_202609.csv: 1690 2026-09: no amort")]
