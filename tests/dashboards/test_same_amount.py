"""An amount leads to the explanation of the same amount, or nowhere."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.marts.cell import question
from apps.marts.selectors import answer
from apps.teams.models import Grant
from apps.teams.organising import keep_tree
from apps.teams.roles import Reach, Role
from apps.teams.tree import Place, Tree, Unit
from tests.dashboards.test_organisation import SEARCH, TREE
from tests.insights.why_world import FIRST, charge, part, publish
from tests.worlds import publish_costs

DAY = date(2026, 10, 1)
NOW = datetime(2026, 11, 1, tzinfo=UTC)
MOVED = DAY + timedelta(1)
NESTED = Tree(
    units=(
        Unit("Outer", "department"),
        Unit("Inner", "department", places=(Place("Outer"),)),
        Unit("Late", "department", places=(Place("", valid_to=MOVED), Place("Outer", valid_from=MOVED))),
    ),
    teams={"live-class": (Place("Inner"),), "search": (Place("Outer"),), "data-bi": (Place("Late"),)},
)
"""`Late` stands by itself on the first day, and within `Outer` after it."""
ClientOf = Callable[[str], Client]


def asked_of(address: str) -> Decimal:
    given = dict(parse_qsl(urlsplit(html.unescape(address)).query, keep_blank_values=True))
    (total,) = answer(question(given)).totals.values()
    return total


def amounts(body: str) -> dict[str, Decimal]:
    """Addresses of explanations in a page, with the amounts that lead there."""
    found = re.findall(r'<a class="cell" href="([^"]+)">.*?title="([^"]*)"', body, re.DOTALL)
    return {href: Decimal(shown) for href, shown in found}


@pytest.mark.parametrize("address", [SEARCH, "/organisation/company/acme/", "/teams/live-class/", "/"])
def test_the_headline_of_a_page_leads_to_its_own_amounts(
    published: "dict[str, User]", client_of: ClientOf, address: str
) -> None:
    keep_tree(TREE, NOW)
    body = client_of("finance").get(f"{address}?period=month").content.decode()
    headline = re.search(r'<section class="card headline".*?</section>', body, re.DOTALL)
    assert headline
    found = amounts(headline[0])
    assert found
    assert {href: asked_of(href) for href in found} == found


@pytest.fixture
def nested(people: "dict[str, User]") -> None:
    keep_tree(NESTED, NOW)
    costs = {"live-class": "10", "search": "5", "data-bi": "2"}
    publish_costs(
        [
            {"day": DAY + timedelta(number), "team": team, "effective_cost": cost}
            for team, cost in costs.items()
            for number in range(2)
        ]
    )


@pytest.mark.usefixtures("nested")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param("", {"Outer": ("32", "32"), "Late": ("2", None)}, id="a row is of the outermost department"),
        pytest.param("&department=Inner", {"Outer": ("20", None)}, id="a filter by one within it would be replaced"),
        pytest.param("&department=Outer,Inner", {"Outer": ("32", "32")}, id="a filter that names it would not"),
        pytest.param("&start=2026-10-02", {"Outer": ("17", "17")}, id="days when one is within another"),
        pytest.param("&end=2026-10-02", {"Outer": ("15", "15"), "Late": ("2", "2")}, id="days before"),
        pytest.param("&exclude[department]=Inner", {"Outer": ("12", "12"), "Late": ("2", None)}, id="one left out"),
    ],
)
def test_a_row_of_departments_within_each_other_leads_to_its_own_amount_or_nowhere(
    client_of: ClientOf, asked: str, expected: dict[str, tuple[str, str | None]]
) -> None:
    staff = client_of("staff")
    rows = staff.get(f"/api/v1/costs/?group_by=department{asked}").json()["rows"]
    found = {
        row["department"]: (Decimal(row["effective_cost"]), asked_of(row["explain"]) if row["explain"] else None)
        for row in rows
    }
    assert found == {
        name: (Decimal(cost), None if explained is None else Decimal(explained))
        for name, (cost, explained) in expected.items()
    }


@pytest.mark.usefixtures("nested")
def test_the_explorer_leads_from_departments_within_each_other_to_the_same_amount_or_nowhere(
    client_of: ClientOf,
) -> None:
    staff = client_of("staff")
    table = "period=custom&start=2026-10-01&last=2026-10-02&by=department&chart=table"
    body = staff.get(f"/explorer/?{table}&department=Inner").content.decode()
    whole, *more = amounts(body).items()
    assert whole[1] == asked_of(whole[0]) == 20
    assert not more
    assert 'class="further"' not in body
    body = staff.get(f"/explorer/?{table}").content.decode()
    assert {href: asked_of(href) for href in amounts(body)} == amounts(body)
    (further,) = re.findall(r'class="further" href="([^"]+)"', body)
    assert "department=Outer" in further
    figure = staff.get(f"/figures/explorer/?{table.replace('table', 'bars')}&department=Inner")
    assert figure.status_code == 200
    assert "department=Outer" not in figure.content.decode()


@pytest.mark.parametrize("asked", ["group_by=service", "group_by=service&filter[limit]=1", "group_by=day"])
def test_who_sees_an_account_is_led_to_no_explanation_of_less(
    people: "dict[str, User]", client_of: ClientOf, asked: str
) -> None:
    """Their team cost 40, the account 60 more: explanations are of teams."""
    charges = [
        charge(FIRST, "i-1", "40", "24", x_FileId="f1"),
        charge(FIRST, "i-2", "60", "24", x_FileId="f1", x_Row=2, SubAccountId="acc"),
        charge(FIRST, "i-3", "1", "24", x_FileId="f1", x_Row=3, ServiceName="Log"),
    ]
    publish(
        charges,
        [
            part(FIRST, "i-1", "40", "live-class"),
            part(FIRST, "i-2", "60", "search", sub_account="acc"),
            part(FIRST, "i-3", "1", "live-class", service="Log"),
        ],
    )
    staff, lilei = client_of("staff"), client_of("lilei")
    assert all(row["explain"] for row in lilei.get(f"/api/v1/costs/?{asked}").json()["rows"])
    Grant.objects.create(
        user=people["lilei"], role=Role.VIEWER, reach=Reach.ACCOUNT, value="acc", given_at=NOW, given_by="han"
    )
    answered = lilei.get(f"/api/v1/costs/?{asked}").json()
    assert answered["totals"] == {"CNY": "101.000000000000"}
    assert not any(row["explain"] for row in answered["rows"])
    assert all(row["explain"] for row in staff.get(f"/api/v1/costs/?{asked}").json()["rows"])
    for page in ("/explorer/?by=service&chart=table&period=7", "/changes/"):
        body = lilei.get(page).content.decode()
        assert "/explain/" not in body, page
        assert 'href=""' not in body, page
    assert "/explain/" in staff.get("/explorer/?by=service&chart=table&period=7").content.decode()
