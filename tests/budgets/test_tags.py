"""Budgets of a tag: what stands is what the same question says; where a tag is not known nothing is claimed."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.conf import LazySettings

from apps.alerts.facts import Ask, Limits
from apps.alerts.rules import budgets as rules
from apps.budgets import selectors, services, sheet
from apps.budgets.drafts import BadBudget
from apps.budgets.looking import look_ahead
from apps.budgets.people import is_seen
from apps.marts.query import CostQuery
from apps.marts.selectors import answer
from tests.budgets.worlds import FINANCE, NOVEMBER, NOW, budget, costs, forecast_ten_a_day, hire, publish

pytestmark = pytest.mark.django_db
ATLAS = "tag:project"


@pytest.fixture(autouse=True)
def company(home: Any, settings: LazySettings) -> None:
    settings.COSTOPS_TAG_KEYS = ("env", "project")
    hire()


def told(**tags: str) -> dict[str, str]:
    return {"kept_tags": json.dumps({"env": "", "project": ""} | tags)}


def atlas(name: str = "atlas", **more: Any) -> Any:
    return budget(name, **{"dimension": ATLAS, "value": "atlas", "amount": "390"} | more)


def test_what_is_spent_is_what_the_question_says() -> None:
    """Twenty days: ten a day of project atlas by each of two teams, and ten of no project."""
    of_atlas = costs(**told(project="atlas"))
    publish([*of_atlas, *(row | {"team": "data"} for row in of_atlas), *costs(**told())])
    atlas()
    (one,) = selectors.standings(now=NOW)
    asked = answer(CostQuery(NOVEMBER, date(2026, 12, 1), filters=((ATLAS, ("atlas",)),)))
    assert {"CNY": one.spent} == asked.totals == {"CNY": Decimal(400)}
    assert (one.state, one.exceeds_on, one.spent_until) == ("exceeded", date(2026, 11, 20), date(2026, 11, 20))


def test_it_is_looked_ahead_and_warned_of_like_any_other() -> None:
    first = date(2026, 9, 1)
    forecast_ten_a_day(publish(costs(first=first, **told(project="atlas"))), level="total", key="")
    atlas(amount="250", valid_from=first)

    look_ahead(now=NOW)

    (one,) = selectors.standings(now=NOW)
    assert (one.spent, one.landing, one.state) == (Decimal(200), Decimal(300), "at_risk")
    (fact,) = rules.actual(Ask(NOW, Limits({"warning": Decimal(79)})))
    assert fact.title.values["budget"] == "atlas"


@pytest.mark.parametrize(
    ("keys", "kept"),
    [
        pytest.param(("env",), '{"env":"","project":"atlas"}', id="a key that is no longer chosen"),
        pytest.param(("project",), '{"env":""}', id="a key that was chosen after the last fill"),
        pytest.param(("project",), None, id="cost of before there were tags"),
    ],
)
def test_where_a_tag_is_not_told_nothing_is_known(settings: LazySettings, keys: tuple[str, ...], kept: Any) -> None:
    atlas(amount="1")
    budget()
    settings.COSTOPS_TAG_KEYS = keys
    publish([*costs(**told(project="atlas") if kept is None else {"kept_tags": kept}), *costs(kept_tags=kept)])
    one, other = selectors.standings(now=NOW)
    assert (one.state, one.spent_until, one.landing) == ("unknown", None, None)
    assert "the tag project" in str(one.missing)
    assert other.spent == Decimal(400)


@pytest.mark.parametrize(
    ("kept", "state", "said"),
    [
        pytest.param("Alibaba Cloud", "exceeded", "", id="a provider that is told"),
        pytest.param(None, "unknown", "attributed before cost told its provider", id="cost of before it was told"),
    ],
)
def test_a_budget_of_a_provider_stands_as_its_cost_does(kept: Any, state: str, said: str) -> None:
    budget(dimension="provider", value="Alibaba Cloud", amount="1")
    publish([*costs(provider="Alibaba Cloud"), *costs(provider="AWS"), *costs(provider=kept)])
    (one,) = selectors.standings(now=NOW)
    assert one.state == state
    assert said in str(one.missing or "")


def test_cost_in_other_currencies_is_told_or_said_to_be_missing() -> None:
    publish([*costs(**told(project="atlas")), *costs(currency="USD", **told(project="atlas"))])
    atlas()
    (one,) = selectors.standings(now=NOW)
    assert "There is no rate from USD" in str(one.missing)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"dimension": "tag:team"}, "dimension: 'tag:team' is not empty, or one of team", id="no such key"),
        pytest.param({"value": ""}, "value: name what of the dimension", id="no value"),
    ],
)
def test_a_budget_of_a_tag_that_cannot_be_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(BadBudget, match=message):
        atlas(**given)


def test_only_those_who_see_everything_or_own_it_see_it() -> None:
    one, owned = atlas(), atlas("owned", owner_team="web")
    web = frozenset({"web"})
    assert (is_seen(one, one.versions.get(), web), is_seen(owned, owned.versions.get(), web)) == (False, True)
    assert is_seen(one, one.versions.get(), None)


def test_a_file_of_tags_is_taken_and_given_back() -> None:
    content = (
        b"name,dimension,value,grain,amount,currency,valid_from\n"
        b'atlas,tag:project,"atlas, =2",month,10,CNY,2026-11-01\n'
    )
    assert services.bring(content, "b.csv", by=FINANCE, now=NOW).new == 1
    (row,) = sheet.rows(selectors.budgets())
    assert (row["dimension"], row["value"]) == (ATLAS, "atlas, =2")
    assert services.bring(content, "b.csv", by=FINANCE, now=NOW).same == 1
