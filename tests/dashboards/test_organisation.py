"""The pages of the organisation: a department shows its teams, each on the days it stood there."""

import html
import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.teams.models import Unit as UnitRow
from apps.teams.models import UnitMembership
from apps.teams.organising import keep_tree, newest_tree_number
from apps.teams.tree import Place, Tree, Unit
from tests.dashboards import company
from tests.dashboards.company import ALL_DAYS, Cost
from tests.dashboards.test_pages import amounts

MOVED = date(2026, 10, 11)
TREE = Tree(
    units=(
        Unit("acme", "company", "学而思"),
        Unit("live", "department", "直播", "王芳", places=(Place("acme", "CC-1"),)),
        Unit("ai & search", "department", places=(Place("acme", "CC-2"),)),
    ),
    teams={
        "live-class": (Place("live", valid_to=MOVED), Place("ai & search", valid_from=MOVED)),
        "search": (Place("ai & search"),),
    },
)
OCTOBER = "period=month"
SEARCH = f"/organisation/department/{quote('ai & search', safe='&')}/"

ClientOf = Callable[[str], Client]


@pytest.fixture
def organised(published: "dict[str, User]") -> "dict[str, User]":
    keep_tree(TREE, datetime(2026, 11, 1, tzinfo=UTC))
    return published


def body(client: Client, address: str) -> str:
    response = client.get(f"{address}?{OCTOBER}")
    assert response.status_code == 200, address
    return html.unescape(response.content.decode())


@pytest.mark.parametrize("more", [(), (Cost("unallocated", "1.50", kind="idle", days=ALL_DAYS),)])
def test_two_numbers_that_are_called_unallocated_are_told_apart(
    people: "dict[str, User]", client_of: ClientOf, more: tuple[Cost, ...]
) -> None:
    company.publish((*company.COMPANY, *more))
    told = "as a team, Unallocated holds idle and shared cost of no team too, not the kind of that name alone"
    assert (told in body(client_of("staff"), "/")) == bool(more)


@pytest.mark.usefixtures("organised")
@pytest.mark.parametrize(
    ("address", "total"),
    [
        pytest.param("/", "1070.500000000020", id="everything"),
        pytest.param("/organisation/company/acme/", "1003.000000000020", id="the company: all but what nobody owns"),
        pytest.param("/organisation/department/live/", None, id="the department a team left"),
        pytest.param(SEARCH, None, id="the department it went to"),
    ],
)
def test_a_page_shows_the_cost_of_its_days(client_of: ClientOf, address: str, total: str | None) -> None:
    from apps.marts.query import CostQuery
    from apps.marts.selectors import answer

    shown = amounts(body(client_of("finance"), address))[0]
    if total is None:
        days = (date(2026, 10, 1), MOVED, date(2026, 10, 31))
        parts = [
            answer(CostQuery(start, end).narrowed(team="live-class")).totals["CNY"]
            for start, end in itertools.pairwise(days)
        ]
        search = answer(CostQuery(days[0], days[2]).narrowed(team="search")).totals["CNY"]
        assert shown == (parts[0] if "live" in address else parts[1] + search)
    else:
        assert shown == Decimal(total)


def test_the_overview_leads_to_departments_and_they_to_teams(organised: Any, client_of: ClientOf) -> None:
    overview = body(client_of("finance"), "/")
    link = SEARCH
    assert link in overview
    assert "Without a department" in overview
    page = body(client_of("finance"), link)
    assert "/teams/live-class/" in page
    assert "/organisation/company/acme/" in page
    assert "CC-2" in page
    assert "Only the teams you may see" not in page


def test_a_team_that_came_from_another_department_is_not_called_new(organised: Any, client_of: ClientOf) -> None:
    panel = html.unescape(client_of("finance").get(f"/why/panel/?department={quote('ai & search')}").content.decode())
    assert "直播课堂 since 11 Oct, it moved here." in panel
    assert "it is new" not in panel


def test_a_team_that_left_for_another_department_moved_away(organised: Any, client_of: ClientOf) -> None:
    beside = replace(TREE, teams=dict(TREE.teams) | {"search": (Place("live"),)})
    keep_tree(beside, datetime(2026, 11, 2, tzinfo=UTC))
    panel = client_of("finance").get("/why/panel/?department=live").content.decode()
    assert "直播课堂 since 11 Oct, it moved away." in panel


def test_whether_it_moved_is_told_by_the_organisation_that_is_asked_of(organised: Any, client_of: ClientOf) -> None:
    """The newest organisation says that the team always was where it is; the cost is told by the one before."""
    before = newest_tree_number()
    keep_tree(
        replace(TREE, teams=dict(TREE.teams) | {"live-class": (Place("ai & search"),)}),
        datetime(2026, 11, 2, tzinfo=UTC),
    )
    address = f"/api/v1/why/?department={quote('ai & search')}&start=2026-10-11&end=2026-10-21"
    finance = client_of("finance")
    assert "it moved here" in str(finance.get(f"{address}&organisation_as_of={before}").json()["sentences"])
    assert "it moved here" not in str(finance.get(address).json()["sentences"])


def test_why_calls_a_department_by_its_title_where_one_may_see_it(organised: Any, client_of: ClientOf) -> None:
    address = "/why/panel/?department=live"
    assert "直播 cost " in client_of("finance").get(address).content.decode()
    assert "直播" not in client_of("hanmeimei").get(address).content.decode()


def test_a_team_says_where_it_stands_today(organised: Any, client_of: ClientOf) -> None:
    page = body(client_of("lilei"), "/teams/live-class/")
    assert SEARCH in page
    assert "学而思" in page
    assert "CC-2" in page


def test_a_lead_sees_own_cost_of_a_department_only(organised: Any, client_of: ClientOf) -> None:
    page = body(client_of("lilei"), SEARCH)
    assert "Only the teams you may see" in page
    assert "Homework search" not in page
    assert client_of("hanmeimei").get("/organisation/department/live/").status_code == 404


def test_a_member_of_a_department_sees_its_teams(organised: "dict[str, User]", client_of: ClientOf) -> None:
    UnitMembership.objects.create(user=organised["newcomer"], unit=UnitRow.objects.get(name="ai & search"))
    page = body(client_of("newcomer"), SEARCH)
    assert "Homework search" in page
    assert body(client_of("newcomer"), "/teams/search/")


def test_the_figure_of_a_unit_shows_its_days(organised: Any, client_of: ClientOf) -> None:
    answer = client_of("finance").get("/figures/organisation/department/live/team/?period=month").json()
    days = {day for band in answer["data"] for day in band["x"]}
    assert days
    assert max(days) < "2026-10-11"
