"""What is disputed is the number that was shown, and its page stays whatever is published after."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.test import Client

from apps.rates.services import import_rates
from apps.teams.models import Grant
from apps.teams.roles import Reach, Role
from tests.insights.why_world import FIRST, charge, part, publish
from tests.worlds import publish_costs

NOW = datetime(2026, 11, 1, tzinfo=UTC)
CELL = {"start": f"{FIRST}", "end": f"{FIRST + timedelta(1)}"}
SEPTEMBER = [date(2026, 9, 1) + timedelta(number) for number in range(10)]
ClientOf = Callable[[str], Client]


@pytest.fixture
def world(people: "dict[str, User]") -> "dict[str, User]":
    """A day of 40 of live-class, whose member lilei is, and of 60 of search, which lilei may only look at."""
    charges = [
        charge(FIRST, "i-1", "40", "24", x_FileId="f1"),
        charge(FIRST, "i-2", "60", "24", x_FileId="f1", x_Row=2),
        charge(FIRST, "i-3", "7", "24", x_FileId="f1", x_Row=3, BillingCurrency="USD", ServiceName="Log"),
    ]
    parts = [
        part(FIRST, "i-1", "40", "live-class"),
        part(FIRST, "i-2", "60", "search"),
        part(FIRST, "i-3", "7", "live-class", service="Log", currency="USD"),
    ]
    publish(charges, parts)
    Grant.objects.create(
        user=people["lilei"], role=Role.VIEWER, reach=Reach.TEAM, value="search", given_at=NOW, given_by="han"
    )
    return people


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("who", "asked", "amount"),
    [
        pytest.param("lilei", {}, None, id="of two teams"),
        pytest.param("lilei", {"team": "live-class"}, "40.000000000000", id="of the own team"),
        pytest.param("lilei", {"team": "search"}, None, id="of a team that one may only look at"),
        pytest.param("lilei", {"team": "live-class,search"}, None, id="of both, by name"),
        pytest.param("finance", {}, None, id="of the company"),
        pytest.param("finance", {"team": "search"}, "60.000000000000", id="of a team, by finance"),
    ],
)
def test_the_number_disputed_is_the_one_shown(
    client_of: ClientOf, who: str, asked: dict[str, str], amount: str | None
) -> None:
    client, cell = client_of(who), CELL | {"billing_currency": "CNY"} | asked
    body = client.get(f"/explain/?{urlencode(cell)}").content.decode()
    form = re.search(r'name="cell" value="([^"]+)"', body)
    answered = client.post(f"/api/v1/disputes/?{urlencode(cell | {'reason': 'not ours'})}")
    if amount is None:
        assert form is None
        assert answered.status_code in (403, 409)
        return
    assert f'<data value="{amount}"' in body
    assert form
    assert answered.json()["amount"] == amount
    sent, number = {"cell": form[1].replace("&amp;", "&"), "reason": "not ours"}, answered.json()["number"]
    refused = client.post("/disputes/", sent)
    assert refused.status_code == 409
    assert f"Dispute {number} is about this number, and open: say there what is new." in refused.content.decode()
    client.post(f"/api/v1/disputes/{number}/?action=withdraw&text=asked+twice")
    assert client.post("/disputes/", sent).status_code == 302


@pytest.mark.usefixtures("world")
def test_of_several_teams_one_is_to_be_named(client_of: ClientOf) -> None:
    answered = client_of("lilei").post(f"/api/v1/disputes/?{urlencode(CELL | {'reason': 'x'})}")
    assert (answered.status_code, answered.json()["code"]) == (409, "cannot_dispute")
    assert "name one team" in answered.json()["detail"]


@pytest.mark.usefixtures("world")
def test_two_amounts_are_not_one_number(client_of: ClientOf) -> None:
    body = client_of("lilei").get(f"/explain/?{urlencode(CELL | {'team': 'live-class'})}").content.decode()
    assert body.count('<p class="figure-number">') == 2
    assert 'name="cell"' not in body


def test_a_dispute_stays_whole_where_a_rate_is_missing_later(people: Any, client_of: ClientOf) -> None:
    dollars = [{"day": day, "team": "live-class", "effective_cost": "10", "currency": "USD"} for day in SEPTEMBER]
    publish_costs(dollars)
    rates = "".join(f"{day},USD,CNY,7\n" for day in SEPTEMBER)
    import_rates(f"date,from,to,rate\n{rates}".encode(), name="r.csv", by="han", now=NOW)
    cell = {"start": "2026-09-01", "end": "2026-09-11", "team": "live-class", "currency": "CNY", "reason": "x"}
    made = client_of("lilei").post(f"/api/v1/disputes/?{urlencode(cell)}").json()
    address = f"/disputes/{made['number']}/"
    assert "The newest publication says the same." in client_of("finance").get(address).content.decode()
    euros = {"day": SEPTEMBER[0], "team": "live-class", "effective_cost": "1", "currency": "EUR"}
    publish_costs([*dollars, euros])
    answered = client_of("finance").get(address)
    assert answered.status_code == 200
    body = answered.content.decode()
    assert "What the newest publication says of it is not known." in body
    assert "There is no rate from EUR to CNY on 2026-09-01." in body
    assert "says nothing of it any more" not in body
    assert 'title="700.000000000000"' in body
    chinese = client_of("finance").get(address, headers={"accept-language": "zh-hans"}).content.decode()
    assert "尚不得而知" in chinese
    assert client_of("finance").post(address, {"action": "reject", "text": "it is yours"}).status_code == 302
