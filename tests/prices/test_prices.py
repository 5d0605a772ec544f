"""Prices: a list is imported whole or not at all, what is learned is the exact median, commitments are counted."""

import csv
import io
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from apps.prices.selectors import commitments, price_on
from apps.prices.tasks import learn
from tests.ingest.bills import bill, ingest, put, row, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

HEADER = "provider,region,sku_id,service,unit,currency,list_unit_price,contracted_unit_price,valid_from\n"
LIST = (
    HEADER + "Alibaba Cloud,cn-beijing,eci.gib,ECI,GiB-Seconds,CNY,0.00000613,,2026-01-01\n"
    "Alibaba Cloud,cn-beijing,g7,ECS,Hours,CNY,2.3333,1.9,2026-01-01\n"
    "Alibaba Cloud,cn-beijing,g7,ECS,Hours,CNY,2.5,,2026-07-01\n"
)
G7 = {"provider": "Alibaba Cloud", "region": "cn-beijing", "sku_id": "g7", "unit": "Hours", "currency": "CNY"}


def said(*words):
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def imported(tmp_path, text):
    path = tmp_path / "prices.csv"
    path.write_text(text, encoding="utf-8")
    return said("prices", "import", str(path))


def listed(*words):
    rows = list(csv.DictReader(io.StringIO(said("prices", "list", "--format", "csv", *words))))
    return [(one["sku_id"], one["list_unit_price"], one["contracted_unit_price"], one["valid_from"]) for one in rows]


def test_a_price_list_keeps_every_decimal(tmp_path):
    assert imported(tmp_path, LIST) == "Imported 3 prices.\n"
    assert listed() == [
        ("eci.gib", "0.00000613", "", "2026-01-01"),
        ("g7", "2.3333", "1.9", "2026-01-01"),
        ("g7", "2.5", "", "2026-07-01"),
    ]
    assert listed("--sku", "eci.gib") == listed()[:1]


def test_importing_again_replaces_what_is_the_same_price(tmp_path):
    imported(tmp_path, LIST)
    imported(tmp_path, LIST.replace("2.5", "2.6"))
    assert [price for sku, price, *_ in listed() if sku == "g7"] == ["2.3333", "2.6"]


@pytest.mark.parametrize(
    ("day", "price"),
    [
        pytest.param(date(2025, 12, 31), None, id="before the first"),
        pytest.param(date(2026, 6, 30), "2.3333", id="the day before the next"),
        pytest.param(date(2026, 7, 1), "2.5", id="from its first day on"),
    ],
)
def test_a_price_holds_until_the_next(tmp_path, day, price):
    imported(tmp_path, LIST)
    found = price_on(day, **G7)
    assert (found and found.list_unit_price) == (price and Decimal(price))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(LIST.replace("2.3333", "2,3"), "line 3: 10 values for 9 columns", id="a comma too many"),
        pytest.param(LIST.replace("2.3333", "cheap"), "line 3, column list_unit_price: 'cheap'", id="no number"),
        pytest.param(LIST.replace("2.3333", "-1"), "line 3, column list_unit_price: a price is not", id="negative"),
        pytest.param(LIST.replace("2.3333,1.9", ","), "line 3, column list_unit_price: is empty", id="no price"),
        pytest.param(LIST.replace("2026-07-01", "7/1/26"), "line 4, column valid_from", id="another date"),
        pytest.param(LIST.replace("2026-07-01", "2026-01-01"), "line 4, the same price as in line 3", id="twice"),
        pytest.param(LIST.replace("Hours,CNY", "Hours,RMB!"), "line 3, column currency", id="no currency"),
        pytest.param(LIST.replace("sku_id", "sku"), "line 1: the columns must be", id="another header"),
        pytest.param("", "line 1: the columns must be", id="nothing"),
    ],
)
def test_a_bad_list_is_refused_whole(tmp_path, text, message):
    with pytest.raises(CommandError, match=message):
        imported(tmp_path, text)
    assert listed() == []


FACTS = {"ProviderName": "Alibaba Cloud", "RegionId": "cn-beijing", "SkuId": "g7", "PricingUnit": "Hours"}
EMPTY = dict.fromkeys(
    ("PricingQuantity", "ListCost", "ContractedCost", "ListUnitPrice", "PricingCategory", "ChargeClass",
     "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountType", "CommitmentDiscountCategory",
     "CommitmentDiscountStatus"), ""
)  # fmt: skip


def hours(quantity, listed, contracted="", **cells):
    told = {"PricingQuantity": quantity, "ListCost": listed, "ContractedCost": contracted or listed}
    return row("1", **(EMPTY | FACTS | told | cells))


def loaded(tmp_path, *rows):
    put(tmp_path / "in", "october.csv", bill(*rows))
    assert ingest(source(tmp_path / "in")) == []


def test_the_median_is_learned_exactly(tmp_path):
    """2/1, 7/3 and 30/3 an hour: the middle is 2.333333333333, whatever the outlier; spot, corrections and what a
    commitment covered tell no agreed price."""
    loaded(
        tmp_path,
        hours("1", "2", "1.5"),
        hours("3", "7", "6"),
        hours("3", "30", "24"),
        hours("2", "9", "0.2", PricingCategory="Dynamic", SkuId="spot"),
        hours("1", "99", ChargeClass="Correction"),
        hours("1", "99", CommitmentDiscountId="ri", CommitmentDiscountStatus="Used"),
        hours("0", "5"),
        hours("8", "1", ListUnitPrice="0.125", SkuId="told"),
    )
    assert said("prices", "learn") == "Learned 3 prices.\n"
    assert listed() == [
        ("g7", "2.333333333333", "2", "2026-10-01"),
        ("spot", "4.5", "", "2026-10-01"),
        ("told", "0.125", "0.125", "2026-10-01"),
    ]
    learned = price_on(date(2026, 10, 31), **G7)
    assert (learned.charges, learned.quantity) == (3, Decimal(7))
    assert said("prices", "learn", "--month", "2026-10") == "Learned 3 prices.\n"
    assert len(listed()) == 3


def test_a_price_list_comes_before_what_was_learned(tmp_path):
    loaded(tmp_path, hours("1", "2"))
    said("prices", "learn")
    assert price_on(date(2026, 10, 9), **G7).list_unit_price == 2
    imported(tmp_path, LIST)
    assert price_on(date(2026, 10, 9), **G7).list_unit_price == Decimal("2.5")


def test_the_daily_bell_learns_and_takes_nothing_amiss(tmp_path):
    assert "no usage" in learn()
    loaded(tmp_path, hours("1", "2"))
    assert learn() == "1 prices"
    assert learn() == "1 prices"
    assert [sku for sku, *_ in listed()] == ["g7"]


def test_nothing_to_learn_from_says_so():
    with pytest.raises(CommandError, match="no usage of 2026-09"):
        said("prices", "learn", "--month", "2026-09")


RI = {"CommitmentDiscountId": "ri-1", "CommitmentDiscountName": "base", "CommitmentDiscountCategory": "Usage"}
RI |= {"CommitmentDiscountType": "Reserved Instance"}


def test_a_commitment_is_counted_on_paper(tmp_path):
    """Paid 12 for a year; in October 0.75 of it was used and 0.25 was not."""
    used = {"BilledCost": "0", "EffectiveCost": "0.75", "CommitmentDiscountStatus": "Used"}
    unused = {"BilledCost": "0", "EffectiveCost": "0.25", "CommitmentDiscountStatus": "Unused"}
    paid = {
        "BilledCost": "12",
        "EffectiveCost": "0",
        "ChargeCategory": "Purchase",
        "ChargePeriodEnd": "2027-10-01T00:00:00Z",
    }
    loaded(tmp_path, *(hours("1", "1", **(RI | cells)) for cells in (used, unused, paid)), hours("1", "1"))
    (one,) = commitments()
    assert (one.id, one.name, one.type, one.category) == ("ri-1", "base", "Reserved Instance", "Usage")
    assert (one.used, one.unused, one.purchase_cost) == (Decimal("0.75"), Decimal("0.25"), Decimal(12))
    assert (one.utilisation, one.expiry.date()) == (Decimal("0.75"), date(2027, 10, 1))
    table = said("commitments", "list", "--format", "csv").splitlines()
    assert table[1].startswith("ri-1,base,Reserved Instance,Usage,Alibaba Cloud,2026-10,CNY,0.750000000000,0.25")
    assert commitments(month="2026-09") == commitments(provider="AWS") == []
