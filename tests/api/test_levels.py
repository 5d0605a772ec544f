"""Costs through the API by company, unit, department and cost centre, and where teams stand."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.api.services import issue_token
from apps.teams.models import Unit as UnitRow
from apps.teams.models import UnitMembership
from apps.teams.organising import keep_tree, today
from apps.teams.tree import Place, Tree, Unit
from tests.api.company import NOW, client_of

MOVED = date(2026, 10, 6)
ALL_DAYS = {"start": "2026-10-01", "end": "2026-11-01"}


@pytest.fixture
def organised(callers: dict[str, Client]) -> dict[str, Client]:
    """Team live-class moves from live to search on the second day of cost; data-platform has no place."""
    keep_tree(
        Tree(
            units=(
                Unit("acme", "company"),
                Unit("live", "department", places=(Place("acme", "CC-1"),)),
                Unit("search, etc", "department", places=(Place("acme", "CC-2"),)),
            ),
            teams={"live-class": (Place("live", valid_to=MOVED), Place("search, etc", valid_from=MOVED))},
        ),
        NOW,
    )
    return callers


def ask(client: Client, **given: str) -> dict[str, Any]:
    response = client.get("/api/v1/costs/", ALL_DAYS | given)
    assert response.status_code == 200, response.content
    return dict(response.json())


@pytest.mark.parametrize(
    ("given", "rows"),
    [
        pytest.param(
            {"group_by": "department", "billing_currency": "CNY"},
            [("", "2152.623456789012"), ("live", "4711.000000000017"), ("search, etc", "-0.250000000000")],
            id="each day in the department of the day, what has none under an empty name",
        ),
        pytest.param(
            {"group_by": "cost_center", "department": '"search, etc",live'},
            [("CC-1", "4711.000000000017"), ("CC-2", "-0.250000000000")],
            id="cost centres of two departments",
        ),
        pytest.param(
            {"group_by": "team", "company": "", "billing_currency": "CNY"},
            [("data-platform", "815.123456789012"), ("unallocated", "1337.500000000000")],
            id="what stands below no company",
        ),
    ],
)
def test_costs_by_level(organised: dict[str, Client], given: dict[str, str], rows: list[tuple[str, str]]) -> None:
    found = ask(organised["finance"], **given)
    assert [(row[given["group_by"]], row["effective_cost"]) for row in found["rows"]] == rows
    assert found["query"]["organisation_as_of"] == 1


def test_a_page_stays_on_its_organisation_and_a_new_one_is_a_new_answer(organised: dict[str, Client]) -> None:
    finance = organised["finance"]
    given = ALL_DAYS | {"group_by": "department", "billing_currency": "CNY", "limit": "2"}
    first = finance.get("/api/v1/costs/", given)
    assert finance.get("/api/v1/costs/", given, headers={"if-none-match": first["ETag"]}).status_code == 304
    keep_tree(Tree(), NOW)
    changed = finance.get("/api/v1/costs/", given, headers={"if-none-match": first["ETag"]})
    assert (changed.status_code, [row["department"] for row in changed.json()["rows"]]) == (200, [""])
    cursor = first.json()["page"]["next_cursor"]
    assert [row["department"] for row in ask(finance, **given, cursor=cursor)["rows"]] == ["search, etc"]
    refused = finance.get("/api/v1/costs/", given | {"organisation_as_of": "9"})
    assert (refused.status_code, refused.json()["parameter"]) == (400, "organisation_as_of")


def test_a_member_of_a_unit_asks_about_the_teams_below_it(organised: dict[str, Client]) -> None:
    """The move lies in the past, so the team stands below its new department, and all its days are seen from there."""
    assert today() > MOVED
    seen = {}
    for name in ("acme", "live", "search, etc"):
        user = User.objects.create(username=f"head of {name}")
        UnitMembership.objects.create(user=user, unit=UnitRow.objects.get(name=name))
        client = client_of(issue_token(user, now=NOW))
        seen[name] = {row["team"] for row in ask(client, group_by="team")["rows"]}
    assert seen == {"acme": {"live-class"}, "live": set(), "search, etc": {"live-class"}}


def test_teams_say_where_they_stand_today(organised: dict[str, Client]) -> None:
    rows = organised["finance"].get("/api/v1/teams/").json()["rows"]
    levels = ("company", "unit", "department", "cost_center")
    assert {row["name"]: tuple(row[level] for level in levels) for row in rows} == {
        "live-class": ("acme", "", "search, etc", "CC-2"),
        "data-platform": ("", "", "", ""),
    }
