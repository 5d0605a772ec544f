"""OpenCost's addresses in other worlds: two currencies, a workload that two teams carry, what clusters cost besides."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache

from apps.api.services import issue_token
from apps.marts.models import Publication
from tests.allocation.worlds import charge, overhead, sent, service
from tests.api.company import NOW, client_of
from tests.api.opencost import FIRST, FIRST_TOTAL, ROOT, RULES, TOTAL, ask, costs, hire, publish_world, refused, total

pytestmark = pytest.mark.django_db


def test_currencies_are_never_added(home: object) -> None:
    publish_world(more=[charge("3", BillingCurrency="USD", ServiceName="Log Service")])
    clients = hire()
    for address in ("allocation", "assets", "cloudCost"):
        error = refused(clients["boss"], address)
        assert (error["parameter"], "CNY, USD" in error["message"]) == ("currency", True)
    assert costs(ask(clients["boss"], aggregate="team", currency="USD")[0]) == {"web": "3"}
    assert total(ask(clients["boss"], currency="CNY", idle="true")) == TOTAL
    assert costs(ask(clients["data"], aggregate="team")[0]) == {"data": "4.16"}  # whose cost is in one currency


def test_what_teams_carry_together_is_told_by_their_cost(home: object) -> None:
    """web's 2.88 and its 24 core-hours are split 75 : 25; the parts are CPU and memory as before."""
    publish_world(rules=RULES.replace("team: web}", "split: {web: 75, data: 25}}", 1))
    (only,) = ask(hire()["boss"], window=FIRST, aggregate="team", filter='namespace:"web"')
    assert costs(only) == {"web": "2.16", "data": "0.72"}
    assert costs(only, "cpuCost") == {"web": "1.44", "data": "0.48"}
    assert costs(only, "cpuCoreHours") == {"web": "18", "data": "6"}


ASKED = [
    ("allocation", {}),
    ("allocation", {"aggregate": "namespace", "includeIdle": "true", "step": "1d"}),
    ("allocation", {"aggregate": "controller,label:tier", "shareIdle": "true"}),
    ("allocation", {"aggregate": "node,team", "idleByNode": "true", "splitIdle": "true", "idle": "true"}),
    ("allocation", {"aggregate": "team", "metric": "list_cost", "filter": 'controllerKind:"deployment"'}),
    ("assets", {}),
    ("cloudCost", {}),
]


def test_a_publication_without_usage_by_the_day_gives_the_same_answers(home: object) -> None:
    """One of an earlier release has hours only; the answers differ in no digit of cost or use."""
    pinned = publish_world()
    boss = hire()["boss"]
    by_day = [ask(boss, address, **given) for address, given in ASKED]
    earlier = {name: number for name, number in pinned.versions.items() if not name.endswith("_days")}
    assert len(earlier) == len(pinned.versions) - 3
    Publication.objects.filter(number=pinned.number).update(versions=earlier)
    cache.clear()
    assert [ask(boss, address, **given) for address, given in ASKED] == by_day


def test_of_two_currencies_one_must_be_named(home: object) -> None:
    publish_world(more=[charge("3", BillingCurrency="USD", ServiceName="Log Service")])
    boss = hire()["boss"]
    response = boss.get(f"{ROOT}model/getConfigs")
    assert (response.status_code, "CNY, USD" in response.json()["message"]) == (400, True)
    assert boss.get(f"{ROOT}model/getConfigs", {"currency": "USD"}).json()["data"] == {"currencyCode": "USD"}
    assert costs(ask(boss, "model/allocation", window=FIRST, aggregate="namespace", currency="USD")[0]) == {
        "__unallocated__": "3"
    }


def test_without_costs_there_is_no_currency(db: None, home: object) -> None:
    boss = client_of(issue_token(User.objects.create_superuser("boss"), now=NOW))
    assert boss.get(f"{ROOT}model/getConfigs").status_code == 404


def test_what_a_cluster_costs_beside_nodes_and_volumes(home: object) -> None:
    """A load balancer of web's for 3, bytes for 4 (web 3, data 1), a control plane for 5.76 as the claims are, and of
    the idle 5.04 what the node keeps to itself: 6 of 48 units, 1.44."""
    clusters = """
clusters:
  - {name: fee, when: {service: Fee}, cluster: online}
  - {name: bytes, when: {service: NAT}, cluster: online, by: traffic}
"""
    publish_world(
        more=[
            charge("3", "lb-1", ServiceName="Balancer"), charge("4", "nat-1", ServiceName="NAT"),
            charge("5.76", "c-1", ServiceName="Fee"),
        ],
        rules=RULES + clusters,
        service_hours=service("web"),
        network_hours=sent("web", "3") + sent("data", "1"),
        overhead_hours=overhead(),
    )  # fmt: skip
    boss = hire()["boss"]
    (only,) = ask(boss, window=FIRST, aggregate="team", includeIdle="true")
    assert costs(only, "loadBalancerCost") == {"web": "3"}
    assert costs(only, "networkCost") == {"web": "3", "data": "1"}
    assert costs(only, "sharedCost") == {"web": "3.24", "data": "2.16", "__unallocated__": "1.08"}
    assert costs(only)["__idle__"] == "5.04"
    assert total([only]) == FIRST_TOTAL + Decimal("12.76")
    (assets,) = [ask(boss, "assets", window=FIRST, aggregate="type")]
    assert {name: str(each["totalCost"].normalize()) for name, each in assets.items() if name != "Cloud"} == {
        "Node": "11.52", "Disk": "2", "LoadBalancer": "3", "Network": "4", "ClusterManagement": "5.76",
    }  # fmt: skip
