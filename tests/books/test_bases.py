"""Four costs side by side: what leads from list prices to what is billed, on the page and over the API."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.books.bases import bases, without_list
from apps.marts.query import CostQuery
from apps.teams.models import Membership, Team
from tests.worlds import publish_costs

pytestmark = pytest.mark.usefixtures("home", "db")
DAY, END = date(2026, 10, 1), date(2026, 10, 3)
COSTS = [
    # bought at a tenth off the list, and covered by a commitment that was paid before
    {"day": DAY, "team": "web", "service": "Compute", "list_cost": "10", "contracted_cost": "9", "effective_cost": "6",
     "billed_cost": "0"},
    {"day": DAY, "team": "web", "service": "Storage", "list_cost": "2", "contracted_cost": "2", "effective_cost": "2",
     "billed_cost": "2"},
    # the commitment itself: paid now, used by others
    {"day": DAY, "team": "ops", "service": "Compute", "list_cost": "0", "contracted_cost": "0", "effective_cost": "0",
     "billed_cost": "100"},
    {"day": DAY, "team": "ops", "service": "Compute", "currency": "USD", "list_cost": "3", "contracted_cost": "3",
     "effective_cost": "3", "billed_cost": "3"},
]  # fmt: skip


def test_what_stands_between_two_costs_leads_from_the_one_to_the_other() -> None:
    publish_costs(COSTS)
    found = bases(CostQuery(DAY, END, group_by=("team",)))
    told = {
        (one.key[0], one.currency): (one.list_cost, one.negotiated, one.contracted_cost, one.committed,
                                     one.effective_cost, one.amortised, one.billed_cost)
        for one in found.rows
    }  # fmt: skip
    assert told == {
        ("ops", "CNY"): (0, 0, 0, 0, 0, -100, 100),
        ("ops", "USD"): (3, 0, 3, 0, 3, 0, 3),
        ("web", "CNY"): (12, 1, 11, 3, 8, 6, 2),
    }
    assert [(one.currency, one.list_cost, one.billed_cost) for one in found.totals] == [("CNY", 12, 102), ("USD", 3, 3)]


def test_page_and_api_show_the_four_costs_of_those_one_may_see() -> None:
    publish_costs(COSTS)
    staff, lead = Client(), Client()
    staff.force_login(User.objects.create_superuser("staff"))
    lilei = User.objects.create_user("lilei")
    Membership.objects.create(user=lilei, team=Team.objects.create(name="web", title="Web"))
    lead.force_login(lilei)
    body = staff.get("/api/v1/bases/", {"group_by": "service"}).json()
    assert body["rows"][0] == {
        "service": "Compute", "currency": "CNY", "list_cost": "10.000000000000", "negotiated": "1.000000000000",
        "contracted_cost": "9.000000000000", "committed": "3.000000000000", "effective_cost": "6.000000000000",
        "amortised": "-94.000000000000", "billed_cost": "100.000000000000",
    }  # fmt: skip
    assert body["status"] == "final"
    mine = lead.get("/api/v1/bases/").json()
    assert [Decimal(row["billed_cost"]) for row in mine["rows"]] == [2]
    text = staff.get("/api/v1/bases/", {"group_by": "team", "format": "csv"}).content.decode().splitlines()
    assert (
        text[0] == "team,currency,list_cost,negotiated,contracted_cost,committed,effective_cost,amortised,billed_cost"
    )
    page = staff.get("/bases/?currency=CNY").content.decode()
    assert all(words in page for words in ("Negotiated discount", "Commitment discount", "Amortisation", "102.00"))
    assert "102.00" not in lead.get("/bases/").content.decode()


UNKNOWN = [
    {"day": DAY, "team": "web", "service": "Storage", "list_cost": "0", "effective_cost": "2.5"},
    {"day": DAY, "team": "web", "service": "Storage", "list_cost": "0", "effective_cost": "4", "currency": "USD"},
    {"day": DAY, "team": "ops", "service": "Mail", "list_cost": "0", "effective_cost": "1"},
    {"day": DAY, "team": "ops", "service": "Compute", "list_cost": "5", "effective_cost": "3"},
]


@pytest.mark.parametrize(
    ("costs", "team", "unknown"),
    [
        pytest.param(UNKNOWN, "", {"CNY": "3.5", "USD": "4"}, id="each currency by itself"),
        pytest.param(UNKNOWN, "web", {"CNY": "2.5", "USD": "4"}, id="of a team"),
        pytest.param(COSTS, "", {}, id="a purchase for later use costs nothing yet, and lacks nothing"),
        pytest.param([COSTS[0] | {"list_cost": "0", "charge_category": "Tax"}], "", {}, id="tax has no list price"),
    ],
)
def test_what_has_no_list_cost_is_told_and_no_zero(costs: list[Any], team: str, unknown: dict[str, str]) -> None:
    publish_costs(costs)
    query = CostQuery(DAY, END, filters=(("team", (team,)),) if team else ())
    assert without_list(query) == {currency: Decimal(cost) for currency, cost in unknown.items()}
    staff = Client()
    staff.force_login(User.objects.create_superuser("staff"))
    page = staff.get("/bases/?currency=CNY").content.decode()
    assert ("no list prices for usage of 3.50" in page) == bool(unknown)
    assert ("no list prices" in page) == bool(unknown)
