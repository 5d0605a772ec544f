"""OpenCost's addresses give our numbers: those that can be added up by hand (`tests.api.opencost`)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from apps.marts.query import CostQuery, Scope
from apps.marts.selectors import answer
from tests.api.opencost import (
    BOTH_DAYS,
    FIRST,
    ROOT,
    TOTAL,
    ask,
    costs,
    exact,
    total,
)

pytestmark = pytest.mark.django_db

FIRST_DAY_BY_NAMESPACE = {
    "web": "2.88",
    "data": "3.92",
    "misc": "0.96",
    "kube-system": "0.72",
    "__idle__": "5.04",
    "__unallocated__": "5.000000000001",
}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param({"aggregate": "namespace", "includeIdle": "true"}, FIRST_DAY_BY_NAMESPACE, id="by namespace"),
        pytest.param(
            {"aggregate": "namespace"},
            {name: cost for name, cost in FIRST_DAY_BY_NAMESPACE.items() if name != "__idle__"},
            id="idle is told when asked for",
        ),
        pytest.param(
            {"aggregate": "team", "idle": "1"},
            {"web": "8.24", "data": "4.16", "__unallocated__": "1.080000000001", "__idle__": "5.04"},
            id="by team: own, shared and external cost",
        ),
        pytest.param(
            {"aggregate": "department", "external": "false"},
            {"Shop": "3.24", "__unallocated__": "5.24"},
            id="by the department of the team, without what is outside clusters",
        ),
        pytest.param(
            {"aggregate": "cluster", "includeIdle": "true"},
            {"online": "8.48", "__idle__": "5.04", "__unallocated__": "5.000000000001"},
            id="by cluster",
        ),
        pytest.param(
            {"aggregate": "cluster", "includeIdle": "true", "splitIdle": "true", "external": "false"},
            {"online": "8.48", "online/__idle__": "5.04"},
            id="idle by cluster",
        ),
        pytest.param(
            {
                "aggregate": "node",
                "includeIdle": "true",
                "splitIdle": "true",
                "idleByNode": "true",
                "external": "false",
            },
            {"n1": "5.76", "online/n1/__idle__": "5.04", "__unallocated__": "2.22", "__unmounted__": "0.5"},
            id="by node: volumes and platform cost have none",
        ),
        pytest.param(
            {"external": "false"},
            {
                "online/web/deployment:web": "2.88",
                "online/data/statefulset:data": "3.42",
                "online/data/__unmounted__": "0.5",
                "online/misc/deployment:misc": "0.96",
                "online/kube-system/__unallocated__": "0.72",
            },
            id="by default as fine as it is published; what nobody mounts is unmounted",
        ),
        pytest.param(
            {"aggregate": "deployment", "external": "false"},
            {"web": "2.88", "misc": "0.96", "__unallocated__": "4.14", "__unmounted__": "0.5"},
            id="by deployment: other controllers have none",
        ),
        pytest.param(
            {"aggregate": "label:tier", "external": "false"},
            {"front": "2.88", "back": "3.92", "__unallocated__": "1.68"},
            id="by label, the workload's before its namespace's",
        ),
        pytest.param(
            {"aggregate": "product,label:app_kubernetes_io_name", "filter": 'namespace:"web"'},
            {"__unallocated__/shop": "2.88"},
            id="a label as Prometheus writes it; products are the label app",
        ),
        pytest.param(
            {"aggregate": "namespace,team", "filter": 'namespace:"kube-system"'},
            {"kube-system/web": "0.36", "kube-system/data": "0.24", "kube-system/__unallocated__": "0.12"},
            id="platform cost by who receives it",
        ),
        pytest.param(
            {"aggregate": "namespace", "metric": "list_cost", "filter": 'cluster:"__unallocated__"+team:"web"'},
            {"__unallocated__": "6"},
            id="another cost basis",
        ),
        pytest.param({"aggregate": "namespace", "currency": "USD"}, {}, id="another currency: nothing"),
    ],
)
def test_an_allocation_is_what_was_published(
    clients: dict[str, Client], given: dict[str, str], found: dict[str, str]
) -> None:
    (only,) = ask(clients["boss"], window=FIRST, **given)
    assert costs(only) == found


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param('namespace:"web","data"', {"web", "data"}, id="any of two"),
        pytest.param('namespace!:"web","data"', {"misc", "kube-system", "__unallocated__"}, id="none of two"),
        pytest.param('namespace<~:"w"|namespace~>:"sc"', {"web", "misc"}, id="starts with, or ends with"),
        pytest.param('namespace~:"e"+namespace!~:"-"', {"web"}, id="contains, and contains not"),
        pytest.param('namespace!<~:"w"+node:"n1"', {"data", "misc"}, id="by node"),
        pytest.param('cluster:"__unallocated__"', {"__unallocated__"}, id="outside clusters"),
        pytest.param('label[tier]:"front"', {"web"}, id="by label"),
        pytest.param('label[tier]!:"front"+cluster:"online"', {"data", "misc", "kube-system"}, id="not by label"),
        pytest.param('label:"tier"', {"web", "data"}, id="that has a label"),
        pytest.param('label!:"tier"+cluster:"online"', {"misc", "kube-system"}, id="that has no such label"),
        pytest.param('namespaceLabel[tier]:"back"', {"data"}, id="by the namespace's label"),
        pytest.param('controllerKind:"statefulset"', {"data"}, id="by kind"),
        pytest.param('controllerName:"web"+controller:"deployment:web"', {"web"}, id="by controller"),
        pytest.param('team:"__unallocated__"', {"misc", "kube-system", "__unallocated__"}, id="nobody's"),
        pytest.param('department:"Shop"', {"web", "kube-system", "__unallocated__"}, id="by department"),
        pytest.param('providerID:"d-1"', {"data"}, id="by billed resource"),
        pytest.param('product:"x"', set(), id="nothing has it"),
    ],
)
def test_a_filter_keeps_what_it_says(clients: dict[str, Client], text: str, names: set[str]) -> None:
    (only,) = ask(clients["boss"], window=FIRST, aggregate="namespace", filter=text)
    assert set(only) == names


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({"filterNamespaces": "web,data"}, {"web", "data"}, id="namespaces"),
        pytest.param({"filterNamespaces": "w*"}, {"web"}, id="a star at the end"),
        pytest.param({"filterControllers": "statefulset:data"}, {"data"}, id="a controller with its kind"),
        pytest.param({"filterLabels": "tier:front,tier:back"}, {"web", "data"}, id="labels"),
        pytest.param(
            {"filterTeams": "data", "filter": 'cluster:"online"'}, {"data", "kube-system"}, id="with the newer"
        ),
        pytest.param({"filterClusters": "online", "filterNodes": "n1"}, {"web", "data", "misc"}, id="all must hold"),
    ],
)
def test_older_filters_are_understood(clients: dict[str, Client], given: dict[str, str], names: set[str]) -> None:
    (only,) = ask(clients["boss"], window=FIRST, aggregate="namespace", **given)
    assert set(only) == names


def test_idle_cost_is_shared_by_day_and_cluster(clients: dict[str, Client]) -> None:
    """October 1: CPU 2.88 over 1.92, 1.44, 0.96 (4.32), memory 2.16 over 0.96, 0.48 (1.44); on the 2nd all is web's."""
    found = ask(clients["boss"], aggregate="namespace", shareIdle="true", step="1d", external="false")
    assert costs(found[0], "cpuCost") == {"web": "3.2", "data": "2.4", "misc": "1.6"}
    assert costs(found[0], "cpuCostIdle") == {"web": "1.28", "data": "0.96", "misc": "0.64"}
    assert costs(found[0], "ramCost") == {"web": "2.4", "data": "1.2"}
    assert costs(found[1]) == {"web": "11.52"}
    assert ask(clients["boss"], aggregate="namespace", shareIdle="true", filter='namespace:"misc"') == [
        {"misc": found[0]["misc"] | {"window": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-03T00:00:00Z"}}}
    ]


def test_namespaces_are_shared_evenly(clients: dict[str, Client]) -> None:
    (only,) = ask(
        clients["boss"], window=FIRST, aggregate="namespace", shareNamespaces="kube-system", shareSplit="even",
        external="false",
    )  # fmt: skip
    assert costs(only) == {"web": "3.12", "data": "4.16", "misc": "1.2"}
    assert costs(only, "sharedCost") == {"web": "0.24", "data": "0.24", "misc": "0.24"}


def test_labels_are_shared_by_cost(clients: dict[str, Client]) -> None:
    """data's 3.92 over web 2.88, misc 0.96, kube-system 0.72 (4.56): exact parts that add up."""
    (only,) = ask(clients["boss"], window=FIRST, aggregate="namespace", shareLabels="tier:back", external="false")
    assert costs(only, "sharedCost") == {
        "web": "2.475789473684",
        "misc": "0.825263157895",
        "kube-system": "1.338947368421",  # its own 0.72, and 0.618947368421
    }
    assert total([only]) == Decimal("8.48")


# --- The same numbers as everywhere -------------------------------------------------------------------------------
@pytest.mark.parametrize("who", ["boss", "web", "data"])
@pytest.mark.parametrize(
    "given",
    [
        {"aggregate": "namespace", "includeIdle": "true"},
        {"aggregate": "team", "includeIdle": "true", "step": "1d"},
        {"aggregate": "node,label:tier", "shareIdle": "true", "idleByNode": "true"},
        {"aggregate": "controller", "shareIdle": "true", "shareNamespaces": "web,data", "accumulate": "week"},
        {"includeIdle": "true", "shareLabels": "tier:front", "metric": "list_cost"},
    ],
    ids=lambda given: given.get("aggregate", "default"),
)
def test_totals_are_those_of_every_other_answer(clients: dict[str, Client], who: str, given: dict[str, str]) -> None:
    scope = Scope(None if who == "boss" else frozenset({who}))
    metric = given.get("metric", "effective_cost")
    known = answer(CostQuery(date(2026, 10, 1), date(2026, 10, 3), metric=metric, scope=scope))
    found = ask(clients[who], **given)
    assert total(found) == known.totals["CNY"]
    assert total(found) == sum(sum(part_costs(each)) for one in found for each in one.values())


def part_costs(allocation: dict[str, Any]) -> list[Decimal]:
    """What OpenCost's own programs add up to a total."""
    return [
        allocation[f"{name}Cost"]
        for name in ("cpu", "ram", "gpu", "pv", "network", "loadBalancer", "shared", "external")
    ]


def test_manage_py_ask_says_the_same(clients: dict[str, Client], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("ask", "--start", "2026-10-01", "--end", "2026-10-03", "--format", "csv")
    said = capsys.readouterr().out.split()[-1].split(",")
    assert said == ["CNY", f"{TOTAL:.12f}"]
    response = clients["boss"].get(ROOT + "allocation", {"window": BOTH_DAYS, "aggregate": "cluster", "idle": "true"})
    assert b'"totalCost":5.000000000001,' in response.content  # a number with every decimal
    assert total(exact(response.content)["data"]) == Decimal(said[1])


def test_a_lead_sees_their_team_alone(clients: dict[str, Client]) -> None:
    (only,) = ask(clients["web"], aggregate="team,namespace", includeIdle="true")
    assert costs(only) == {"web/web": "7.68", "web/kube-system": "0.36", "web/__unallocated__": "5"}
    for text in ('team:"data"', 'namespace:"data"', 'label[tier]:"back"', 'team:"__unallocated__"'):
        assert ask(clients["web"], filter=text) == [{}]
    (sets,) = ask(clients["data"], "cloudCost", aggregate="service")["sets"]
    assert {name: str(each["netCost"]["cost"]) for name, each in sets["cloudCosts"].items()} == {
        "Compute": "2.16",
        "Disk": "2",
    }


def test_who_may_ask(clients: dict[str, Client]) -> None:
    for address in ("allocation", "allocation/compute", "assets", "cloudCost", "cloudCost/"):
        for name, client in clients.items():
            code = client.get(ROOT + address, {"window": FIRST}).status_code
            forbidden = 403 if address == "assets" and name in ("web", "data") else 200
            assert (address, name, code) == (address, name, 401 if name == "anonymous" else forbidden)
