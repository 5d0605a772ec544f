"""A company of one node, whose cost can be added up on paper, behind OpenCost's addresses.

October 1: the node costs 11.52 for 4 x 8 + 16 = 48 units over 24 hours: a unit-hour costs 0.01.

| who | cores, GiB | CPU | memory | sum | | |
|---|---|---|---|---|---|---|
| web | 1, 4 | 1.92 | 0.96 | 2.88 | team web | receives 0.36 of kube-system (2.88 of 5.76) |
| data | 0.75, 2 | 1.44 | 0.48 | 1.92 | team data | receives 0.24 |
| misc | 0.5, 0 | 0.96 | 0 | 0.96 | nobody's | receives 0.12 |
| kube-system | 0.25, 1 | 0.48 | 0.24 | 0.72 | shared | |
| idle | 1.5, 9 | 2.88 | 2.16 | 5.04 | nobody's | |

A volume costs 2.00: 30 GiB of it are data's, 10 GiB of namespace data are mounted by nobody. A log service costs 5.00
(team web), a tax 0.000000000001 (nobody's). In all 18.520000000001.

October 2: the node costs 11.52 again; web takes 2 cores and 4 GiB: 3.84 + 0.96 = 4.80, idle is 6.72.
"""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from apps.api.services import issue_token
from apps.marts.models import Publication
from apps.marts.services import publish
from apps.teams.models import Membership, Team
from tests.allocation import worlds
from tests.allocation.worlds import charge, claim, labels, moved, node, pod
from tests.api.company import NOW, client_of

ROOT = "/api/compat/opencost/"
BOTH_DAYS = "2026-10-01,2026-10-03"
FIRST = "2026-10-01"
PUBLISHED_AT = datetime(2026, 11, 20, tzinfo=UTC)
FIRST_TOTAL = Decimal("18.520000000001")
TOTAL = FIRST_TOTAL + Decimal("11.52")
RULES = """
rules:
  - {name: web, when: {namespace: web}, team: web}
  - {name: data, when: {namespace: data}, team: data}
  - {name: logs, when: {service: Log Service}, team: web}
shared:
  - {name: platform, when: {namespace: kube-system}}
"""
SHOP = '{"app.kubernetes.io/name": "shop", "tier": "front"}'


def publish_world(
    *, more: list[worlds.Row] | None = None, rules: str = RULES, **usage: list[worlds.Row]
) -> Publication:
    """The two days, allocated and published; `more` charges and other usage may be added."""
    charges = [
        charge("11.52", "i-n1", ProviderName="Alibaba Cloud", ServiceCategory="Compute"),
        charge("2", "d-1", ServiceName="Disk", ServiceCategory="Storage", ProviderName="Alibaba Cloud"),
        charge("5", ServiceName="Log Service", SubAccountId="7", RegionId="cn-beijing", ListCost="6"),
        charge("0.000000000001", ServiceName="Tax"),
        *moved([charge("11.52", "i-n1", ProviderName="Alibaba Cloud", ServiceCategory="Compute")], 1),
    ]
    first = [
        *pod("web", "1", "4", used="0.5", memory_used="1"),
        *pod("data", "0.75", "2", workload_kind="StatefulSet"),
        *pod("misc", "0.5"),
        *pod("kube-system", "0.25", "1", workload="dns"),
    ]
    Team.objects.create(name="web", department="Shop")
    Team.objects.create(name="data")
    worlds.allocated(
        [*charges, *(more or [])],
        rules,
        days=2,
        node_hours=[*node(), *moved(node(), 1)],
        workload_hours=[*first, *moved(pod("web", "2", "4"), 1)],
        volume_hours=[*claim("data", "30"), *claim("data", "10", workload="", claim="lost")],
        label_hours=[
            *labels("web", SHOP, workload="web"),
            *labels("data", '{"tier": "back"}'),
            *moved(labels("web", '{"tier": "edge"}', workload="web"), 1),
        ],
        **usage,
    )
    number = publish(None, now=PUBLISHED_AT).versions["publication"]
    return Publication.objects.get(number=number)


def hire() -> dict[str, Client]:
    """Clients of somebody who sees everything, by token and by session, of a lead of each team, and of nobody."""
    boss = User.objects.create_superuser("boss")
    session = Client()
    session.force_login(boss)
    clients = {"boss": client_of(issue_token(boss, now=NOW)), "boss by session": session, "anonymous": Client()}
    for name in ("web", "data"):
        user = User.objects.create_user(f"lead of {name}")
        Membership.objects.create(user=user, team=Team.objects.get(name=name))
        clients[name] = client_of(issue_token(user, now=NOW))
    return clients


# --- Asking ---------------------------------------------------------------------------------------------------------
def exact(content: bytes) -> Any:
    """JSON whose numbers are read digit by digit."""
    return json.loads(content, parse_float=Decimal, parse_int=Decimal)


def ask(client: Client, address: str = "allocation", **given: str) -> Any:
    response = client.get(ROOT + address, {"window": BOTH_DAYS} | given)
    assert response.status_code == 200, response.content
    answer = exact(response.content)
    assert answer["code"] == 200
    return answer["data"]


def refused(client: Client, address: str = "allocation", **given: str) -> dict[str, Any]:
    response = client.get(ROOT + address, {"window": BOTH_DAYS} | given)
    answer = exact(response.content)
    assert (response.status_code, answer["code"], answer["data"]) == (400, 400, None), answer
    assert answer["message"] == answer["error"]["message"]
    return dict(answer["error"])


def costs(found: dict[str, Any], field: str = "totalCost") -> dict[str, str]:
    """One cost of each allocation, without those that are nothing."""
    return {name: str(each[field]) for name, each in found.items() if each[field]}


def total(sets: list[dict[str, Any]]) -> Decimal:
    return sum((each["totalCost"] for one in sets for each in one.values()), Decimal(0))
