"""A month lands where it lands: forecasts say what budgets do, also where something is charged ahead of its day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from apps.budgets import selectors
from apps.finops.money import add_up
from apps.insights import services
from apps.insights.models import Forecast, ForecastRun
from apps.teams.organising import keep_tree
from apps.teams.tree import Place, Tree, Unit
from tests.budgets.worlds import budget, hire
from tests.worlds import publish_costs

FIRST, END = date(2026, 8, 31), date(2026, 11, 9)
NOW = datetime(2026, 11, 9, 3, tzinfo=UTC)
BOUNDS = ("mean", "low_80", "high_80")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def company(home):
    """The team web is of a department; ten and twenty a day of two teams, a little more on Mondays."""
    hire()
    keep_tree(Tree(units=(Unit("teaching", "department"),), teams={"web": (Place("teaching"),)}), NOW)


def costs() -> list[dict[str, Any]]:
    days = [FIRST + timedelta(days=number) for number in range((END - FIRST).days)]
    return [
        {"day": day, "team": team, "service": team, "effective_cost": f"{cost + (day.weekday() == 0)}"}
        for day in days
        for team, cost in (("web", 10), ("data", 20))
    ]


def fee(day: date, cost: str = "1000", team: str = "web") -> dict[str, Any]:
    return {"day": day, "team": team, "service": "RI", "effective_cost": cost, "charge_category": "Purchase"}


def tell(*fees: dict[str, Any]) -> ForecastRun:
    publish_costs([*costs(), *fees], created_at=NOW)
    services.forecast(now=NOW)
    return ForecastRun.objects.latest("publication")


def month(level: str, key: str = "") -> dict[str, Any]:
    one = Forecast.objects.filter(level=level, key=key).latest("run__publication")
    return next(told for told in one.landings if told["kind"] == "month")


@pytest.mark.parametrize(
    "fees",
    [
        pytest.param([], id="nothing is"),
        pytest.param([fee(date(2026, 11, 20))], id="a purchase"),
        pytest.param([fee(date(2026, 11, 9)), fee(date(2026, 12, 9))], id="one of today and one of another month"),
        pytest.param([fee(date(2026, 11, 20), "4")], id="less than the day will cost"),
    ],
)
@pytest.mark.parametrize(
    ("level", "key"), [("total", ""), ("team", "web"), ("service", "RI"), ("department", "teaching")]
)
def test_a_forecast_lands_where_a_budget_of_the_same_does(fees, level, key):
    tell(*fees)
    budget(dimension="" if level == "total" else level, value=key)
    (stands,) = selectors.standings(now=NOW)

    if key == "RI" and not fees:
        assert stands.landing is None
    else:
        told = tuple(Decimal(month(level, key)[name]) for name in BOUNDS)
        assert told == (stands.landing, stands.lower, stands.upper)


def test_what_is_charged_ahead_counts_where_it_is_more_than_forecast_and_is_told():
    """Of the service web nothing is forecast for a purchase of its own: it comes to what its days usually cost."""
    usual = {"day": FIRST, "team": "web", "service": "RI", "effective_cost": "0"}
    tell(usual)
    before = Decimal(month("team", "web")["mean"])
    forecast = Decimal(Forecast.objects.get(level="service", key="web").days[11][0])

    tell(usual, fee(date(2026, 11, 20)), fee(date(2026, 11, 21)) | {"service": "web"})

    lands = month("team", "web")
    assert (Decimal(lands["ahead"]), Decimal(lands["mean"])) == (2000 - forecast, before + 2000 - forecast)
    assert month("team", "data")["ahead"] == "0.000000"


@pytest.mark.parametrize(
    "fees",
    [
        pytest.param([], id="nothing is"),
        pytest.param([fee(date(2026, 11, 20), "15") | {"service": "web"}], id="less than all teams will cost"),
        pytest.param([fee(date(2026, 11, 20)), fee(date(2026, 11, 20), "7", "data")], id="of two teams in one service"),
        pytest.param([fee(date(2026, 11, 20), "0.000000000003", "new")], id="less than forecasts are rounded to"),
        pytest.param(
            [fee(date(2026, 11, 20), "90"), fee(date(2026, 11, 20), "-90", "data")], id="a credit of another team"
        ),
    ],
)
def test_landings_of_parts_add_up_to_that_of_all(fees):
    tell(*fees)

    for name in ("so_far", "ahead", "mean"):
        whole = Decimal(month("total")[name])
        for level in ("team", "service", "cluster", "department"):
            rows = Forecast.objects.filter(level=level, run=ForecastRun.objects.latest("publication"))
            assert add_up(Decimal(month(level, one.key)[name]) for one in rows) == whole, (level, name)
    for one in Forecast.objects.filter(level__in=("team", "service")):
        charged = add_up(Decimal(cost["effective_cost"]) for cost in fees if cost[one.level] == one.key)
        assert Decimal(month(one.level, one.key)["mean"]) >= charged


def test_nothing_is_learned_again_of_what_is_charged_ahead():
    first = tell(fee(date(2026, 11, 20)))
    cheap = month("total")

    dearer = tell(fee(date(2026, 11, 20), "1500"))
    dear = month("total")
    again = tell(fee(date(2026, 11, 20)))

    assert first.pk == dearer.pk == again.pk
    assert Decimal(dear["mean"]) == Decimal(cheap["mean"]) + 500
    assert month("total") == cheap


def test_a_charge_that_is_withdrawn_is_landed_no_more():
    days = [one["day"] for one in costs()]
    known = {"day": days[0], "team": "web", "service": "RI", "effective_cost": "0"}
    tell(known)
    plain = month("service", "RI"), month("team", "web")

    tell(known, fee(date(2026, 11, 20)))
    assert month("service", "RI")["mean"] == "1000.000000"
    tell(known)

    assert (month("service", "RI"), month("team", "web")) == plain


def test_who_never_cost_anything_lands_at_what_is_charged_ahead():
    tell(fee(date(2026, 11, 20), team="new"))
    assert (month("team", "new")["so_far"], month("team", "new")["mean"]) == ("0.000000", "1000.000000")
