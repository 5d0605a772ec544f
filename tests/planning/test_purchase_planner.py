"""The purchase planner on a bill that adds up on paper."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from apps.insights.idle.ledger import per_month
from apps.planning.arrays import unpack
from apps.planning.drafts import checked
from apps.planning.exporting import exported
from apps.planning.offers import table
from apps.planning.planners import purchase_reading
from apps.planning.planners.purchase import PLANNER
from apps.planning.planners.purchase_bill import _usage
from apps.prices.models import Price
from apps.teams.approval import Actor
from apps.warehouse.engine import Workspace, connect
from tests.once import made_once, put_in_home
from tests.planning import purchase_world

MONTH = Decimal(365) / 12
"""Costs of a day, a month."""
FINANCE = Actor("finance", None)
WORLD = {}


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker, tmp_path_factory):
    def make():
        WORLD["pinned"] = purchase_world.publish()

    with made_once(django_db_blocker, tmp_path_factory.mktemp("lake") / "lake", make) as lake:
        yield lake


@pytest.fixture
def pinned(world, home, db):
    put_in_home(world)
    return WORLD["pinned"]


def cases(pinned):
    return {case.subject: case for case in PLANNER.read(pinned, purchase_world.NOW)}


def plan(pinned, **settings):
    return checked(PLANNER.make(cases(pinned)["CNY"].data, PLANNER.settled(settings)))


def offer(text, name="offers.csv"):
    head = ("name,kind,region,family,term_months,ratio,price,unit,currency,work_ratio,interruption_rate,lost_hours,"
            "availability,mib_per_second,latency_microseconds,capacity_gib,valid_from,on_sale\n")  # fmt: skip
    return table.add((head + text).encode(), name=name, by=FINANCE, now=purchase_world.NOW)


def texts(sentences):
    return [str(one) for one in sentences]


def test_the_bill_is_read_by_pool_and_currency(pinned):
    found = cases(pinned)
    meta, arrays = unpack(found["CNY"].data)
    assert [pool["family"] for pool in meta["pools"]] == ["ecs.g7"]
    assert meta["unsold"] == ["Redis"]
    assert arrays["demand"].shape == (1, 35 * 24)
    assert np.all(arrays["demand"] == 3)  # 48 and 24 a day, an hour
    assert meta["pools"][0]["held"] == [["ri-1", "1.1000", 4]]  # 24 and 2.40 a day; 100 days are four months
    assert meta["pools"][0]["team"] == "shop"
    assert Decimal(meta["pools"][0]["on_demand"]).quantize(Decimal("0.01")) == round(48 * MONTH, 2)


def test_a_month_that_is_not_over_is_demand_of_the_days_that_are(home, db):
    month = purchase_world.charge(date(2026, 10, 1), "i-month", "shop", "31", "31", {"PricingCategory": "Standard"})
    pinned = purchase_world.publish(more=[month | {"ChargePeriodEnd": datetime(2026, 11, 1, tzinfo=UTC)}])
    meta, arrays = unpack(cases(pinned)["CNY"].data)
    assert meta["days"] == 35
    assert arrays["demand"][0].tolist() == [3.0] * 15 * 24 + [round(3 + 1 / 24, 6)] * 20 * 24
    assert plan(pinned).saving_per_month >= Decimal("280.40")  # as much as without it


def test_a_currency_without_offers_is_withheld(pinned):
    withheld = cases(pinned)["USD"].withheld
    assert withheld is not None
    assert "USD" in str(withheld)


def test_smaller_pools_are_named_and_not_planned(pinned, monkeypatch):
    monkeypatch.setattr(purchase_reading, "MOST_POOLS", 1)
    offer("cache,reserved,*,Redis,12,0.7,,,,,,,,,,,2026-01-01,yes\n")
    draft = plan(pinned)
    assert [row[1] for row in draft.tables["pools"]] == ["ecs.g7"]  # 61.20 a day, the cache 24
    assert "Only the costliest pools are planned one by one; Redis are not." in texts(draft.binds)


def test_less_than_four_weeks_are_withheld(home, db):
    found = {case.subject: str(case.withheld) for case in PLANNER.read(purchase_world.publish(27), purchase_world.NOW)}
    assert found["CNY"] == "27 days of charges are known; a ladder needs 28, so that a week was seen four times."


def test_what_is_bought_is_told_exactly(pinned):
    draft = plan(pinned)
    (row,) = draft.tables["existing"]
    # name, kind, ends, (12 + 1.20) a day, 24 a day, 1.20 a day; 12 of 13.20 used; 10.80 of 24 saved; pays from 12 of 24
    cost, listed, unused = (f"{amount * MONTH:.2f}" for amount in (Decimal("13.2"), Decimal(24), Decimal("1.2")))
    assert row == ["one year", "Reserved Instance", "2027-01-29", cost, listed, unused, 0.9091, 0.45, 0.5]
    # 24 of 72 covered; 61.20 paid of 72
    assert any("covers 33.3 % of what can be committed and is used by 90.9 %" in one for one in texts(draft.says))
    assert any("Of list prices 15.0 % is saved in all." in one for one in texts(draft.says))
    assert draft.cost_per_month == round(Decimal("61.2") * MONTH, 2)


def test_the_flat_base_is_committed_and_no_more_than_it_costs(pinned):
    draft = plan(pinned)
    now = [row for row in draft.tables["purchases"] if row[0] == 0]
    bought = sum(Decimal(row[6]) for row in now)
    assert 0 < bought <= Decimal("0.4") * Decimal("1.9")  # the pace of what is above 1.1 of 3
    assert 0 < draft.saving_per_month <= 48 * MONTH
    known = sum(Decimal(row[6]) * (1 - Decimal(str(row[8]))) for row in now) * 720  # used in every hour
    assert any(f"it would have saved {known:,.2f} CNY, with 100.0 % of it used" in one for one in texts(draft.risks))
    assert draft.is_verified
    (action,) = draft.actions
    assert (action.team, action.saving_per_month) == ("shop", draft.saving_per_month)
    ((place, part, cost),) = action.stakes
    assert (place, part, cost) == (("",), draft.saving_per_month, per_month(Decimal(48 * 28), 28)), "48 a day on demand"


def test_what_is_bought_of_no_region_is_verified_by_its_service(home, db):
    """A scope without any cost would never be measured."""
    days = [purchase_world.END - timedelta(days=number) for number in range(1, 36)]
    nowhere = {"RegionId": "", "PricingCategory": "Standard"}
    more = [
        purchase_world.charge(day, name, "shop", cost, cost, nowhere | {"ServiceName": service})
        for day in days
        for name, cost, service in (("i-far", "48", "Servers"), ("i-disk", "5", "Storage of servers"))
    ]
    actions = plan(purchase_world.publish(more=more)).actions

    assert [action.scope for action in actions] == [{"service": "Servers"}, {"region": "cn-beijing"}]


def test_more_is_bought_when_what_is_held_ends(pinned):
    held, now, later = plan(pinned).content["months"]
    assert held == [1.1] * 4 + [0.0] * 8
    assert later[11] > 0 < now[0]


@pytest.mark.parametrize(
    ("given", "holds"),
    [
        pytest.param({"pace": 80}, lambda plain, other: other > plain, id="a faster pace saves more now"),
        pytest.param({"hazard": 0}, lambda plain, other: other > plain, id="no fear of a fall saves more"),
        pytest.param({"price": 90}, lambda plain, other: other > plain, id="a cheaper offer saves more"),
    ],
)
def test_settings(pinned, given, holds):
    plain = plan(pinned)
    assert holds(plain.saving_per_month, plan(pinned, **given).saving_per_month)


def test_nothing_is_bought_that_would_not_pay(pinned):
    offer(
        "Sample: reserved instance 3 years,reserved,*,ecs.*,36,1,,,,,,,,,,,2026-02-01,no\n"
        "Sample: savings plan 1 year,savings_plan,*,ecs.*,12,1,,,,,,,,,,,2026-02-01,no\n"
        "Sample: reserved instance 1 year,reserved,*,ecs.*,12,0.8,,,,,,,,,,,2026-02-01,yes\n"
    )
    draft = plan(pinned, price=150)  # 1.2 of the list price
    assert draft.saving_per_month == 0
    assert draft.tables["purchases"] == []
    assert draft.actions == ()
    assert str(draft.says[0]) == "Buy no commitment now: none on sale would pay over its term."
    assert draft.is_verified


def test_a_fall_at_once_is_told(pinned):
    stays, falls = (Decimal(plan(pinned, fall=fall).tables["pools"][0][-1]) for fall in (0, 60))
    bought = plan(pinned).tables["purchases"]
    now = [(Decimal(row[6]), 1 - Decimal(str(row[8]))) for row in bought if row[0] == 0]
    assert stays == round(sum(amount * kept for amount, kept in now) * 730, 2)  # every hour is used
    assert falls < stays


def test_a_price_becomes_a_ratio_by_the_list_price(pinned):
    offer("ours,reserved,cn-beijing,ecs.g7.large,12,,0.6,Hrs,CNY,,,,,,,,2026-01-01,yes\n")
    assert any("ours" in one for one in texts(plan(pinned).unknowns))  # no list price of the SKU is known
    Price.objects.create(
        provider="cloud", region="cn-beijing", sku_id="ecs.g7.large", unit="Hrs", currency="CNY",
        list_unit_price_text="2", valid_from=purchase_world.END.replace(day=1), origin=Price.Origin.LEARNED,
    )  # fmt: skip
    meta, _ = unpack(cases(pinned)["CNY"].data)
    assert ["ours", "reserved", 12, "0.3000"] in [row[:4] for row in meta["pools"][0]["offers"]]


def test_databases_get_the_cheapest_tier_within_their_limits(pinned):
    assert "memory" not in plan(pinned).tables
    table.add_needs(
        b"resource,name,gib,mib_per_second,latency_microseconds,tier\nr-1,session,10,300,500,Sample: DRAM\n",
        name="needs.csv", by=FINANCE, now=purchase_world.NOW,
    )  # fmt: skip
    draft = plan(pinned)
    # 10 GiB at 36 instead of 60; disk is too slow; 24 a day are billed
    billed = f"{24 * MONTH:.2f}"
    assert draft.tables["memory"] == [
        ["session", 10.0, "Sample: DRAM", "Sample: persistent memory", billed, "360.00", "240.00"]
    ]
    assert draft.is_verified


def test_the_mix_adds_up_to_the_demand(pinned):
    rows = [row for row in plan(pinned).tables["mix"] if row[3] in ("commitments to buy now", "on demand")]
    assert sum(Decimal(row[5]) for row in rows) == pytest.approx(Decimal("1.9") * 730, abs=Decimal("0.02"))


def test_purchases_are_exported(pinned):
    draft = plan(pinned)
    lines = exported(PLANNER, draft, "purchases.csv").text.splitlines()
    assert lines[0].startswith("month,team,family,region,offer")
    assert len(lines) == 1 + len(draft.tables["purchases"])


@pytest.mark.parametrize("what", ["duration", "ladder"])
def test_figures_are_drawn(pinned, what):
    assert PLANNER.draw(plan(pinned), what)["data"][0]["y"]


@pytest.mark.parametrize(
    ("category", "sku", "told", "family"),
    [
        pytest.param("Compute", "ecs.g7.4xlarge", "", "ecs.g7", id="Alibaba Cloud"),
        pytest.param("Compute", "ecs.gn7i-c8g1.2xlarge", "", "ecs.gn7i-c8g1", id="Alibaba Cloud, of a GPU"),
        pytest.param("Compute", "JRTCKXETXF", "BoxUsage:m5a.2xlarge", "m5a", id="AWS"),
        pytest.param("Compute", "1", "Standard_D4s_v5", "standard_ds_v5", id="Azure"),
        pytest.param("Compute", "2", "N2 Instance Core running in Iowa", "n2", id="Google Cloud"),
        pytest.param("Compute", "", "", "Cloud Run", id="nothing told: the service"),
        pytest.param("Databases", "ecs.g7.large", "", "Cloud Run", id="no compute: the service"),
    ],
)
def test_families(home, category, sku, told, family):
    with Workspace() as workspace:
        charge = workspace.keep_query(
            f"""SELECT '{sku}' AS SkuId, '{told}' AS SkuMeter, '' AS ChargeDescription, '{category}' AS ServiceCategory,
                'Cloud Run' AS ServiceName, 1 AS ListCost, 1 AS ContractedCost, 1 AS effective,
                TIMESTAMPTZ '2026-10-01 00:00:00+00' AS starts, TIMESTAMPTZ '2026-10-01 01:00:00+00' AS ends"""
        )
        ((found, hours),) = connect().con.execute(f"SELECT family, last - first FROM ({_usage(charge)})").fetchall()
    assert (found, hours) == (family, 1)
