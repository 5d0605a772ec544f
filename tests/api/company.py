"""A small company behind the API: two teams, what nobody owns, and the people who ask."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from apps.api.services import issue_token
from apps.ingest.models import Source
from apps.marts.models import Publication
from apps.rates.services import import_rates
from apps.teams.models import Membership, Team
from apps.teams.roles import FINANCE
from apps.units.services import import_drivers
from tests.worlds import publish_costs

NOW = datetime.now(UTC)
CANARIES = {"live-class": "4711.000000000017", "data-platform": "815.123456789012", "unallocated": "1337.500000000000"}
"""An amount for each team that no other team's amounts, nor any sum, contains."""

COSTS: list[dict[str, Any]] = [
    {"day": date(2026, 10, day), "team": team, "namespace": namespace, "effective_cost": cost} | more
    for day, team, namespace, cost, more in (
        (5, "live-class", "live-web", CANARIES["live-class"], {}),
        (6, "live-class", "=1+1", "-0.25", {"kind": "shared"}),
        (6, "data-platform", "etl", CANARIES["data-platform"], {}),
        (7, "data-platform", "数据, 仓库", "0", {"currency": "USD"}),
        (7, "unallocated", "", CANARIES["unallocated"], {"kind": "unallocated"}),
    )
]


def publish_company() -> Publication:
    """The company's costs, published, with its teams and a source."""
    Team.objects.create(name="live-class", title="直播课堂", lead_name="李雷", lead_email="lilei@example.com")
    Team.objects.create(name="data-platform", title="数据平台", lead_name="韩梅梅", lead_email="han@example.com")
    Source.objects.create(name="bill", kind="focus", location="/exports", created_at=NOW)
    return publish_costs(COSTS)


def bring_rates() -> int | None:
    """Rates from USD to CNY for the days of the costs; the version they became."""
    rows = "".join(f"2026-10-0{day},USD,CNY,7.{day}\n" for day in (5, 6, 7))
    content = f"date,from,to,rate\n{rows}".encode()
    return import_rates(content, name="rates.csv", by="han", now=NOW).version


def bring_drivers() -> int:
    """Requests of both teams on two days; the version they became."""
    rows = "".join(f"2026-10-0{day},requests,{team},8\n" for day in (5, 6) for team in ("live-class", "data-platform"))
    return import_drivers(f"date,driver,team,quantity\n{rows}".encode(), name="drivers.csv", by="han", now=NOW).number


def hire_people() -> dict[str, User]:
    """A lead of each team, somebody from finance, and somebody who belongs nowhere."""
    names = ("lilei", "hanmeimei", "finance", "nobody")
    found = {name: User.objects.create_user(name) for name in names}
    for name, team in (("lilei", "live-class"), ("hanmeimei", "data-platform")):
        Membership.objects.create(user=found[name], team=Team.objects.get(name=team))
    found["finance"].groups.add(Group.objects.create(name=FINANCE))
    return found


def clients_of(people: dict[str, User]) -> dict[str, Client]:
    """A client for everybody who may or may not ask."""
    old = issue_token(people["finance"], now=NOW - timedelta(days=100), days=90)
    keys = {name: issue_token(user, now=NOW, scopes=("read", "write")) for name, user in people.items()} | {
        "expired token": old
    }
    session = Client()
    session.force_login(people["finance"])
    return {
        "anonymous": Client(),
        "finance by session": session,
        **{name: client_of(key) for name, key in keys.items()},
    }


def client_of(key: str) -> Client:
    """A client that shows a token."""
    return Client(headers={"authorization": f"Token {key}"})
