"""What kubectl-cost asks, asked as it asks it: the addresses of Kubecost, and the parameters it always sends."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.api.opencost import BOTH_DAYS, FIRST, ROOT, TOTAL, ask, costs, exact, refused, total

pytestmark = pytest.mark.django_db


def allocation(client: Client, **given: str) -> list[dict[str, Any]]:
    """`kubectl cost namespace --window …`: everything of the window in one set, whatever namespace."""
    always = {"accumulate": "true", "includeIdle": "false", "idle": "false", "filterNamespaces": ""}
    return list(ask(client, "model/allocation", **(always | {"aggregate": "namespace", "window": FIRST} | given)))


def test_kubectl_cost_namespace(clients: dict[str, Client]) -> None:
    (only,) = allocation(clients["boss"])
    assert costs(only)["web"] == "2.88"
    assert costs(allocation(clients["boss"], filterNamespaces="data")[0]) == {"data": "3.92"}


def test_kubectl_cost_controller_with_idle(clients: dict[str, Client]) -> None:
    found = allocation(
        clients["boss"], aggregate="cluster,namespace,controller", includeIdle="true", idle="true", window=BOTH_DAYS
    )
    assert (len(found), total(found)) == (1, TOTAL)


def test_kubectl_cost_node_gets_a_list_of_one_set(clients: dict[str, Client]) -> None:
    given = {"aggregate": "", "accumulate": "true", "disableAdjustments": "false", "filterTypes": "Node"}
    (only,) = ask(clients["boss"], "model/assets", window=FIRST, **given)
    (node,) = only.values()
    assert (node["type"], node["properties"]["name"], node["totalCost"]) == ("Node", "n1", Decimal("11.52"))
    assert ask(clients["boss"], "assets", window=FIRST, **given) == only


def test_the_currency_it_writes_beside_amounts(clients: dict[str, Client]) -> None:
    for who in ("boss", "web"):
        assert exact(clients[who].get(f"{ROOT}model/getConfigs").content)["data"] == {"currencyCode": "CNY"}
    assert clients["anonymous"].get(f"{ROOT}model/getConfigs").status_code == 401


def test_pods_are_refused_with_what_to_ask_instead(clients: dict[str, Client]) -> None:
    assert "use controller" in refused(clients["boss"], "model/allocation", aggregate="namespace,pod")["message"]


def test_all_in_one(clients: dict[str, Client]) -> None:
    (only,) = ask(clients["boss"], aggregate="all", accumulate="all")
    assert list(only) == [""]
    (with_idle,) = ask(clients["boss"], aggregate="all", includeIdle="true", accumulateBy="all")
    assert (set(with_idle), total([with_idle])) == ({"", "__idle__"}, TOTAL)


def test_a_dashboard_of_any_moments_gets_whole_days_when_it_asks_for_them(clients: dict[str, Client]) -> None:
    moments = "2026-10-01T10:23:00Z,2026-10-02T10:23:00Z"
    error = refused(clients["boss"], window=moments)
    assert "wholeDays=true" in error["message"]
    (only,) = ask(clients["boss"], window=moments, wholeDays="true", includeIdle="true")
    assert total([only]) == TOTAL
    assert only["__idle__"]["window"] == {"start": "2026-10-01T00:00:00Z", "end": "2026-10-03T00:00:00Z"}
