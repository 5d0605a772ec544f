"""OpenCost's addresses: its parameters and shape, our numbers, added up by hand (`tests.api.opencost`)."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
ROOT = "/api/compat/opencost/"
BOTH_DAYS = "2026-10-01,2026-10-03"
FIRST = "2026-10-01"
WORDS = st.sampled_from(
    (
        "namespace",
        "label",
        "pod",
        "[tier]",
        "[",
        ":",
        "!:",
        "<~:",
        '"web"',
        '"',
        "(",
        ")",
        "+",
        "|",
        ",",
        "'",
        "*",
        "数",
    )
)


@pytest.fixture(scope="module")
def clients(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> "Iterator[dict[str, Client]]":
    """The company of `tests.api.opencost`, published once, and the people who ask."""
    from django.db import transaction
    from django.test import override_settings

    from tests.api.opencost import hire, publish_world

    with (
        django_db_blocker.unblock(),
        override_settings(COSTOPS_LAKE=tmp_path_factory.mktemp("lake"), COSTOPS_API_REQUESTS_PER_MINUTE=0),
        transaction.atomic(),
    ):
        publish_world()
        yield hire()
        transaction.set_rollback(True)


def exact(content: bytes) -> Any:
    """JSON whose numbers are read digit by digit."""
    return json.loads(content, parse_float=Decimal, parse_int=Decimal)


def ask(client: "Client", address: str = "allocation", **given: str) -> Any:
    response = client.get(ROOT + address, {"window": BOTH_DAYS} | given)
    assert response.status_code == 200, response.content
    answer = exact(response.content)
    assert answer["code"] == 200
    return answer["data"]


def refused(client: "Client", address: str = "allocation", **given: str) -> dict[str, Any]:
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
    clients: "dict[str, Client]", given: dict[str, str], found: dict[str, str]
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
def test_a_filter_keeps_what_it_says(clients: "dict[str, Client]", text: str, names: set[str]) -> None:
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
def test_older_filters_are_understood(clients: "dict[str, Client]", given: dict[str, str], names: set[str]) -> None:
    (only,) = ask(clients["boss"], window=FIRST, aggregate="namespace", **given)
    assert set(only) == names


def test_idle_cost_is_shared_by_day_and_cluster(clients: "dict[str, Client]") -> None:
    """October 1: CPU 2.88 over 1.92, 1.44, 0.96 (4.32), memory 2.16 over 0.96, 0.48 (1.44); on the 2nd all is web's."""
    found = ask(clients["boss"], aggregate="namespace", shareIdle="true", step="1d", external="false")
    assert costs(found[0], "cpuCost") == {"web": "3.2", "data": "2.4", "misc": "1.6"}
    assert costs(found[0], "cpuCostIdle") == {"web": "1.28", "data": "0.96", "misc": "0.64"}
    assert costs(found[0], "ramCost") == {"web": "2.4", "data": "1.2"}
    assert costs(found[1]) == {"web": "11.52"}
    assert ask(clients["boss"], aggregate="namespace", shareIdle="true", filter='namespace:"misc"') == [
        {"misc": found[0]["misc"] | {"window": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-03T00:00:00Z"}}}
    ]


def test_namespaces_are_shared_evenly(clients: "dict[str, Client]") -> None:
    (only,) = ask(
        clients["boss"], window=FIRST, aggregate="namespace", shareNamespaces="kube-system", shareSplit="even",
        external="false",
    )  # fmt: skip
    assert costs(only) == {"web": "3.12", "data": "4.16", "misc": "1.2"}
    assert costs(only, "sharedCost") == {"web": "0.24", "data": "0.24", "misc": "0.24"}


def test_labels_are_shared_by_cost(clients: "dict[str, Client]") -> None:
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
def test_totals_are_those_of_every_other_answer(clients: "dict[str, Client]", who: str, given: dict[str, str]) -> None:
    from apps.marts.query import CostQuery, Scope
    from apps.marts.selectors import answer

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


def test_manage_py_ask_says_the_same(clients: "dict[str, Client]", capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command

    from tests.api.opencost import TOTAL

    call_command("ask", "--start", "2026-10-01", "--end", "2026-10-03", "--format", "csv")
    said = capsys.readouterr().out.split()[-1].split(",")
    assert said == ["CNY", f"{TOTAL:.12f}"]
    response = clients["boss"].get(ROOT + "allocation", {"window": BOTH_DAYS, "aggregate": "cluster", "idle": "true"})
    assert b'"totalCost":5.000000000001,' in response.content  # a number with every decimal
    assert total(exact(response.content)["data"]) == Decimal(said[1])


def test_a_lead_sees_their_team_alone(clients: "dict[str, Client]") -> None:
    (only,) = ask(clients["web"], aggregate="team,namespace", includeIdle="true")
    assert costs(only) == {"web/web": "7.68", "web/kube-system": "0.36", "web/__unallocated__": "5"}
    for text in ('team:"data"', 'namespace:"data"', 'label[tier]:"back"', 'team:"__unallocated__"'):
        assert ask(clients["web"], filter=text) == [{}]
    (sets,) = ask(clients["data"], "cloudCost", aggregate="service")["sets"]
    assert {name: str(each["netCost"]["cost"]) for name, each in sets["cloudCosts"].items()} == {
        "Compute": "2.16",
        "Disk": "2",
    }


def test_who_may_ask(clients: "dict[str, Client]") -> None:
    for address in ("allocation", "allocation/compute", "assets", "cloudCost", "cloudCost/"):
        for name, client in clients.items():
            code = client.get(ROOT + address, {"window": FIRST}).status_code
            forbidden = 403 if address == "assets" and name in ("web", "data") else 200
            assert (address, name, code) == (address, name, 401 if name == "anonymous" else forbidden)


# --- The shape ----------------------------------------------------------------------------------------------------
def test_an_allocation_has_the_fields_of_opencost(clients: "dict[str, Client]") -> None:
    (only,) = ask(clients["boss"], aggregate="namespace,label:tier", filter='namespace:"web"', window="2026-10-01")
    gib_hours = 4 * 24 * 2**30
    nothing = dict.fromkeys(
        ("networkTransferBytes", "networkReceiveBytes", "networkCost", "networkCrossZoneCost",
         "networkCrossRegionCost", "networkInternetCost", "networkCostAdjustment", "loadBalancerCost",
         "loadBalancerCostAdjustment", "cpuCoreLimitAverage", "ramByteLimitAverage", "cpuCostAdjustment",
         "ramCostAdjustment", "gpuCostAdjustment", "pvCostAdjustment", "gpuCount", "gpuHours", "gpuRequestAverage",
         "gpuUsageAverage", "gpuCost", "gpuCostIdle", "gpuEfficiency", "cpuCostIdle", "ramCostIdle", "pvBytes",
         "pvByteHours", "pvCost", "externalCost", "sharedCost"),
        0,
    )  # fmt: skip
    assert only == {
        "web/front": {
            "name": "web/front",
            "properties": {
                "cluster": "online", "node": "n1", "namespace": "web", "controller": "web",
                "controllerKind": "deployment", "providerID": "i-n1", "labels": {"tier": "front"},
            },
            "window": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-02T00:00:00Z"},
            "start": "2026-10-01T00:00:00Z",
            "end": "2026-10-02T00:00:00Z",
            "minutes": 1440,
            "cpuCores": 1, "cpuCoreHours": 24, "cpuCoreRequestAverage": 1, "cpuCoreUsageAverage": Decimal("0.5"),
            "cpuCost": Decimal("1.92"), "cpuEfficiency": Decimal("0.5"),
            "ramBytes": 4 * 2**30, "ramByteHours": gib_hours, "ramByteRequestAverage": 4 * 2**30,
            "ramByteUsageAverage": 2**30, "ramCost": Decimal("0.96"), "ramEfficiency": Decimal("0.25"),
            "totalCost": Decimal("2.88"),
            "totalEfficiency": Decimal("0.416667"),  # (0.5 x 1.92 + 0.25 x 0.96) / 2.88
            "pvs": None, "lbAllocations": None, "gpuAllocation": None,
        } | nothing
    }  # fmt: skip


@pytest.mark.parametrize(
    ("given", "sets"),
    [
        pytest.param({}, [{"web": "7.68"}], id="one set"),
        pytest.param({"step": "1d"}, [{"web": "2.88"}, {"web": "4.8"}], id="one a day"),
        pytest.param({"step": "1d", "accumulate": "true"}, [{"web": "7.68"}], id="added up"),
        pytest.param({"accumulateBy": "month"}, [{"web": "7.68"}], id="by month"),
        pytest.param(
            {"window": "2026-09-30,2026-10-05", "step": "2d"}, [{"web": "2.88"}, {"web": "4.8"}, {}], id="days without"
        ),
    ],
)
def test_sets(clients: "dict[str, Client]", given: dict[str, str], sets: list[dict[str, str]]) -> None:
    found = ask(clients["boss"], aggregate="namespace", filter='namespace:"web"', **given)
    assert [costs(each) for each in found] == sets


def test_assets_are_what_was_charged(clients: "dict[str, Client]") -> None:
    from tests.api.opencost import TOTAL

    found = ask(clients["boss"], "assets")
    node = found["Alibaba Cloud/100/__undefined__/Compute/online/Node/Compute/i-n1/n1"]
    disk = found["Alibaba Cloud/100/__undefined__/Storage/online/Disk/Disk/d-1/d-1"]
    assert sum(each["totalCost"] for each in found.values()) == TOTAL
    assert {name: str(node[name]) for name in ("type", "nodeType", "pool", "cpuCores", "minutes")} == {
        "type": "Node", "nodeType": "g", "pool": "general", "cpuCores": "4", "minutes": "2880",
    }  # fmt: skip
    # 4 cores weigh 32, 16 GiB weigh 16: two thirds of 23.04 are CPU.
    assert (str(node["cpuCost"]), str(node["ramCost"]), str(node["totalCost"])) == ("15.36", "7.68", "23.04")
    assert (disk["type"], str(disk["totalCost"]), disk["bytes"]) == ("Disk", "2", 40 * 2**30)
    assert costs(ask(clients["boss"], "assets", aggregate="type", filter='cluster:"online"')) == {
        "Node": "23.04", "Disk": "2",
    }  # fmt: skip
    assert [costs(one) for one in ask(clients["boss"], "assets", aggregate="category,project", step="1d")] == [
        {"Compute/__unallocated__": "11.52", "Storage/__unallocated__": "2", "Other/7": "5",
         "Other/__unallocated__": "1E-12"},
        {"Compute/__unallocated__": "11.52"},
    ]  # fmt: skip
    assert list(ask(clients["boss"], "assets", filterTypes="Disk", aggregate="name")) == ["d-1"]


def test_cloud_costs_stand_side_by_side(clients: "dict[str, Client]") -> None:
    found = ask(clients["boss"], "cloudCost", aggregate="accountID,regionID", filter='service:"Log Service"')
    span = {"start": "2026-10-01T00:00:00Z", "end": "2026-10-03T00:00:00Z"}
    five = {"cost": 5, "kubernetesPercent": 0}
    assert found == {
        "sets": [
            {
                "cloudCosts": {
                    "7/cn-beijing": {
                        "properties": {"accountID": "7", "regionID": "cn-beijing"},
                        "window": span,
                        "listCost": {"cost": 6, "kubernetesPercent": 0},
                        "netCost": five,
                        "amortizedNetCost": five,
                        "invoicedCost": five,
                        "amortizedCost": five,
                    }
                },
                "window": span,
                "aggregationProperties": ["accountID", "regionID"],
            }
        ],
        "window": span,
    }


def test_cloud_costs_add_up(clients: "dict[str, Client]") -> None:
    from tests.api.opencost import TOTAL

    found = ask(clients["boss"], "cloudCost", step="1d")["sets"]
    amounts = [each["amortizedNetCost"]["cost"] for one in found for each in one["cloudCosts"].values()]
    assert (len(found), sum(amounts)) == (2, TOTAL)
    assert "100/__unallocated__/Alibaba Cloud/i-n1/Compute/Compute/__unallocated__" in found[0]["cloudCosts"]


# --- Refusals -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("address", "given", "parameter", "why"),
    [
        pytest.param("allocation", {"window": ""}, "window", "missing", id="no window"),
        pytest.param("allocation", {"window": "1h"}, "window", "whole days", id="an hour"),
        pytest.param("allocation", {"step": "1h"}, "step", "whole days", id="hours as steps"),
        pytest.param("allocation", {"accumulate": "hour"}, "accumulate", "whole days", id="hours as sets"),
        pytest.param("allocation", {"accumulateBy": "x"}, "accumulateBy", "is not one of", id="another set"),
        pytest.param("allocation", {"aggregate": "namespace,pod"}, "aggregate", "use controller", id="by pod"),
        pytest.param("allocation", {"aggregate": "annotation:x"}, "aggregate", "use label", id="by annotation"),
        pytest.param("allocation", {"aggregate": "label"}, "aggregate", "is not known", id="a label without a name"),
        pytest.param("allocation", {"filter": 'pod:"x"'}, "filter", "use controller", id="a filter by pod"),
        pytest.param("allocation", {"filter": 'annotation[a]:"x"'}, "filter", "use label", id="a filter by annotation"),
        pytest.param("allocation", {"filter": "namespace="}, "filter", "no meaning", id="another language"),
        pytest.param("allocation", {"filterPods": "x"}, "filterPods", "use controller", id="an older filter by pod"),
        pytest.param("allocation", {"filterLabels": "x"}, "filterLabels", "name:value", id="a label without a value"),
        pytest.param("allocation", {"includeIdle": "maybe"}, "includeIdle", "true, false", id="neither yes nor no"),
        pytest.param("allocation", {"sharelb": "true"}, "sharelb", "only be false", id="load balancers are not shared"),
        pytest.param("allocation", {"shareCost": "5"}, "shareCost", "no parameter", id="never ignored"),
        pytest.param("allocation", {"metric": "spend"}, "metric", "is not one of", id="another metric"),
        pytest.param("allocation", {"resolution": "1m;"}, "resolution", "length of time", id="a strange resolution"),
        pytest.param("assets", {"filter": 'pod:"x"'}, "filter", "needs a field", id="assets have no pods"),
        pytest.param("assets", {"aggregate": "pod"}, "aggregate", "is not one of", id="assets are not by pod"),
        pytest.param("cloudCost", {"aggregate": "label:x"}, "aggregate", "is not one of", id="charges by label"),
        pytest.param("cloudCost", {"filter": "provider"}, "filter", "needs an operator", id="half a filter"),
    ],
)
def test_what_the_books_do_not_say_is_refused(
    clients: "dict[str, Client]", address: str, given: dict[str, str], parameter: str, why: str
) -> None:
    error = refused(clients["boss"], address, **given)
    assert error["parameter"] == parameter
    assert why in error["message"]


def test_accepted_and_without_effect(clients: "dict[str, Client]") -> None:
    plain = ask(clients["boss"], aggregate="cluster")
    given = {"resolution": "10m", "includeAggregatedMetadata": "true", "sharelb": "false"}
    assert ask(clients["boss"], aggregate="cluster", **given) == plain


def test_a_publication_that_is_not_there(clients: "dict[str, Client]") -> None:
    response = clients["boss"].get(ROOT + "allocation", {"window": FIRST, "as_of": "999999"})
    assert (response.status_code, response.json()["code"]) == (404, 404)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(WORDS).map("".join), window=st.sampled_from((FIRST, "1h", "today", "0d", "\x00", "7d")))
def test_whatever_is_asked_is_answered_or_refused(clients: "dict[str, Client]", text: str, window: str) -> None:
    response = clients["boss"].get(ROOT + "allocation", {"window": window, "filter": text, "aggregate": "cluster"})
    assert response.status_code in (200, 400)
    assert exact(response.content)["code"] == response.status_code


def test_a_filter_of_very_many_values_is_answered(clients: "dict[str, Client]") -> None:
    parts = "|".join(f'namespace<~:"{number}"' for number in range(180))
    assert ask(clients["boss"], filter=parts) == [{}]


def test_an_unchanged_answer_is_not_sent_again(clients: "dict[str, Client]") -> None:
    asked = {"window": FIRST, "aggregate": "team"}
    first = clients["boss"].get(ROOT + "allocation", asked)
    again = clients["boss"].get(ROOT + "allocation", asked, headers={"if-none-match": first["ETag"]})
    other = clients["web"].get(ROOT + "allocation", asked, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
