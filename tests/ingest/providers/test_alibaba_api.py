"""The API of Alibaba Cloud: answers of the documented shape, served over HTTP to the real SDK."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

from apps.ingest import services
from apps.ingest.providers.alibaba.api import ApiFailed
from tests.ingest.bills import charges, total

pytest.importorskip("alibabacloud_bssopenapi20171214", reason="the extra requirements/alibaba.txt is not installed")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

OPEN = datetime(2026, 10, 3, 4, tzinfo=UTC)
FINAL = datetime(2026, 11, 4, 4, tzinfo=UTC)


def item(day: str | None, amount: float, **values: object) -> dict[str, object]:
    return {
        "BillAccountID": "1690000000000001",
        "OwnerID": "1690000000000002",
        "BillingDate": day,
        "Item": "PayAsYouGoBill",
        "SubscriptionType": "PayAsYouGo",
        "ProductCode": "ecs",
        "ProductName": "云服务器ECS",
        "CommodityCode": "ecs",
        "InstanceID": "i-2ze000001",
        "BillingItemCode": "InstanceType",
        "Usage": "24",
        "UsageUnit": "小时",
        "ListPrice": "2.333333",
        "PretaxGrossAmount": 56,
        "InvoiceDiscount": 8.4,
        "AfterDiscountAmount": amount,
        "PretaxAmount": amount,
        "DeductedByCashCoupons": 0,
        "Currency": "CNY",
        "Tag": "key:team value:live",
    } | values


class Cloud:
    """What the API knows: the items of each day, and what it was asked."""

    def __init__(self) -> None:
        self.days: dict[str, list[dict[str, object]]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.page = 2
        self.failure: dict[str, object] = {}
        self.off = 0.0

    def answer(self, action: str, asked: dict[str, str]) -> dict[str, object]:
        self.asked.append((action, asked.get("BillingDate", ""), asked.get("NextToken", "")))
        if self.failure:
            return self.failure
        data: dict[str, object] = {"AccountID": "1690000000000001", "BillingCycle": asked["BillingCycle"]}
        cycle = asked["BillingCycle"]
        every = [one for day, items in self.days.items() if day.startswith(cycle) for one in items]
        if action == "QueryBillOverview":
            due = sum(Decimal(str(one["PretaxAmount"])) for one in every)
            row = {"ProductCode": "ecs", "PretaxAmount": float(due) - self.off, "RoundDownDiscount": self.off}
            data["Items"] = {"Item": [row | {"Currency": "CNY", "Item": "PayAsYouGoBill"}] if every else []}
        else:
            daily = asked["Granularity"] == "DAILY"
            items = self.days.get(asked["BillingDate"], []) if daily else [one | {"BillingDate": None} for one in every]
            start = int(asked.get("NextToken") or 0)
            data["Items"] = items[start : start + self.page]
            data["TotalCount"] = len(items)
            if start + self.page < len(items):
                data["NextToken"] = str(start + self.page)
        return {"Code": "Success", "Message": "Successful!", "RequestId": "1", "Success": True, "Data": data}


@pytest.fixture
def cloud(monkeypatch) -> Iterator[tuple[Cloud, str]]:
    known = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            pairs = parse_qs(urlsplit(self.path).query) | parse_qs(sent)
            assert self.headers["Authorization"].startswith("ACS3-HMAC-SHA256 Credential=key")
            asked = {name: values[0] for name, values in pairs.items()}
            content = json.dumps(known.answer(self.headers["x-acs-action"], asked)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            return

    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secret")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield known, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def add(address: str, **options: str):
    return services.add_source(
        name="aliyun",
        kind="alibaba_api",
        location=address,
        cluster="",
        options={"since": "2026-10"} | options,
        now=OPEN,
    )


def pull(source, now: datetime) -> list[str]:
    landed, read = services.land(source, now), services.normalize(source, now)
    return [f"{one.severity} {one.message}" for one in (*landed.problems, *read.problems) if one.severity == "error"]


def test_days_are_pulled_page_by_page(cloud):
    known, address = cloud
    known.days = {"2026-10-01": [item("2026-10-01", 47.6), item("2026-10-01", 0.1), item("2026-10-01", 0.2)]}
    assert pull(add(address), OPEN) == []
    assert total() == Decimal("47.9")
    assert [(action[:8], day, token) for action, day, token in known.asked] == [
        ("Describe", "2026-10-01", ""), ("Describe", "2026-10-01", "2"), ("Describe", "2026-10-02", ""),
        ("QueryBil", "", ""),
    ]  # fmt: skip
    told = next(one for one in charges() if one["ChargeCategory"] == "Usage")
    assert (told["ResourceId"], told["ChargeCategory"], told["ListCost"], told["Tags"], told["SubAccountId"]) == (
        "i-2ze000001", "Usage", Decimal(56), '{"team":"live"}', "1690000000000002",
    )  # fmt: skip


def test_a_carriage_return_is_part_of_its_text(cloud):
    known, address = cloud
    known.days = {"2026-10-01": [item("2026-10-01", 1, NickName="a\rb")]}
    assert pull(add(address), OPEN) == []
    assert [one["ResourceName"] for one in charges()] == ["a\rb"]


def test_open_months_are_pulled_again_after_six_hours(cloud):
    known, address = cloud
    known.days = {"2026-10-01": [item("2026-10-01", 1)]}
    one = add(address)
    pull(one, OPEN)
    known.days = {"2026-10-01": [item("2026-10-01", 2)], "2026-10-02": [item("2026-10-02", 4)]}
    asked = len(known.asked)
    assert pull(one, OPEN + timedelta(hours=1)) == []
    assert (len(known.asked), total()) == (asked, Decimal(1))
    assert pull(one, OPEN + timedelta(hours=6)) == []
    assert total() == Decimal(6)


def test_a_final_month_is_pulled_once_more_and_ties_with_its_overview(cloud):
    known, address = cloud
    known.days = {"2026-10-01": [item("2026-10-01", 1.25)]}
    one = add(address)
    pull(one, OPEN)
    known.days["2026-10-31"] = [item("2026-10-31", 2.5)]
    known.off = 0.25
    assert pull(one, FINAL) == []
    assert total() == Decimal("3.5")
    known.asked.clear()
    assert pull(one, FINAL + timedelta(days=1)) == []
    assert [day for _, day, _ in known.asked if day.startswith("2026-10")] == []


def test_a_month_in_sums(cloud):
    known, address = cloud
    known.days = {"2026-10-01": [item("2026-10-01", 1)], "2026-10-02": [item("2026-10-02", 2)]}
    assert pull(add(address, granularity="monthly"), OPEN) == []
    assert total() == Decimal(3)
    assert [day for _, day, _ in known.asked] == ["", ""]


def test_a_refusal_is_told_and_changes_nothing(cloud):
    known, address = cloud
    known.failure = {"Code": "NotAuthorized", "Message": "This API is not authorized", "Success": False}
    (problem,) = pull(add(address), OPEN)
    assert "NotAuthorized" in problem
    assert charges() == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param({"since": "October"}, "since=2026-10", id="no month"),
        pytest.param({"granularity": "hourly"}, "daily or monthly", id="no granularity"),
    ],
)
def test_options_are_checked_before_anything_is_stored(options, message):
    with pytest.raises(ApiFailed, match=message):
        add("business.aliyuncs.com", **options)


def test_a_missing_key_is_named(cloud, monkeypatch):
    _, address = cloud
    monkeypatch.delenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    (problem,) = pull(add(address), OPEN)
    assert "ALIBABA_CLOUD_ACCESS_KEY_SECRET is not set" in problem
