"""OpenCost's addresses have OpenCost's shape, and refuse what the books do not say."""

from decimal import Decimal

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.opencost import FIRST, ROOT, TOTAL, ask, costs, exact, refused

pytestmark = pytest.mark.django_db
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


def test_an_allocation_has_the_fields_of_opencost(clients: dict[str, Client]) -> None:
    (only,) = ask(clients["boss"], aggregate="namespace,label:tier", filter='namespace:"web"', window="2026-10-01")
    gib_hours = 4 * 24 * 2**30
    nothing = dict.fromkeys(
        ("networkCost", "networkCrossZoneCost",
         "networkCrossRegionCost", "networkInternetCost", "networkCostAdjustment", "loadBalancerCost",
         "loadBalancerCostAdjustment", "cpuCostAdjustment",
         "ramCostAdjustment", "gpuCostAdjustment", "pvCostAdjustment", "gpuCount", "gpuHours", "gpuRequestAverage",
         "gpuUsageAverage", "gpuCost", "gpuCostIdle", "gpuEfficiency", "cpuCostIdle", "ramCostIdle", "pvBytes",
         "pvByteHours", "pvCost", "externalCost", "sharedCost"),
        0,
    )  # fmt: skip
    nothing |= dict.fromkeys(  # nobody knows
        ("networkTransferBytes", "networkReceiveBytes", "cpuCoreLimitAverage", "ramByteLimitAverage")
    )
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
def test_sets(clients: dict[str, Client], given: dict[str, str], sets: list[dict[str, str]]) -> None:
    found = ask(clients["boss"], aggregate="namespace", filter='namespace:"web"', **given)
    assert [costs(each) for each in found] == sets


def test_assets_are_what_was_charged(clients: dict[str, Client]) -> None:
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


def test_cloud_costs_stand_side_by_side(clients: dict[str, Client]) -> None:
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


def test_cloud_costs_add_up(clients: dict[str, Client]) -> None:
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
        pytest.param(
            "allocation",
            {"aggregate": ",".join(f"label:l{number}" for number in range(11))},
            "aggregate",
            "more than 10 fields",
            id="by very many labels",
        ),
        pytest.param("assets", {"filter": 'pod:"x"'}, "filter", "needs a field", id="assets have no pods"),
        pytest.param("assets", {"aggregate": "pod"}, "aggregate", "is not one of", id="assets are not by pod"),
        pytest.param("cloudCost", {"aggregate": "label:x"}, "aggregate", "is not one of", id="charges by label"),
        pytest.param("cloudCost", {"filter": "provider"}, "filter", "needs an operator", id="half a filter"),
    ],
)
def test_what_the_books_do_not_say_is_refused(
    clients: dict[str, Client], address: str, given: dict[str, str], parameter: str, why: str
) -> None:
    error = refused(clients["boss"], address, **given)
    assert error["parameter"] == parameter
    assert why in error["message"]


def test_accepted_and_without_effect(clients: dict[str, Client]) -> None:
    plain = ask(clients["boss"], aggregate="cluster")
    given = {"resolution": "10m", "includeAggregatedMetadata": "true", "sharelb": "false"}
    assert ask(clients["boss"], aggregate="cluster", **given) == plain


def test_a_publication_that_is_not_there(clients: dict[str, Client]) -> None:
    response = clients["boss"].get(ROOT + "allocation", {"window": FIRST, "as_of": "999999"})
    assert (response.status_code, response.json()["code"]) == (404, 404)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.lists(WORDS).map("".join), window=st.sampled_from((FIRST, "1h", "today", "0d", "\x00", "7d")))
def test_whatever_is_asked_is_answered_or_refused(clients: dict[str, Client], text: str, window: str) -> None:
    response = clients["boss"].get(ROOT + "allocation", {"window": window, "filter": text, "aggregate": "cluster"})
    assert response.status_code in (200, 400)
    assert exact(response.content)["code"] == response.status_code


def test_a_filter_of_very_many_values_is_answered(clients: dict[str, Client]) -> None:
    parts = "|".join(f'namespace<~:"{number}"' for number in range(180))
    assert ask(clients["boss"], filter=parts) == [{}]


def test_older_filters_of_very_many_values_are_answered(clients: dict[str, Client]) -> None:
    many = ",".join(str(number) for number in range(800))
    (only,) = ask(clients["boss"], aggregate="namespace", filterNamespaces=f"{many},web")
    assert costs(only) == {"web": "7.68"}


def test_two_years_in_steps_of_two_days_are_answered(clients: dict[str, Client]) -> None:
    found = ask(clients["boss"], window="2025-01-01,2026-12-31", step="2d", aggregate="team", external="false")
    assert len(found) == 365
    # October 1 is day 638 of them: both days with cost are in one set, 3.24 + 4.80 of web.
    assert [costs(each) for each in found if each] == [{"web": "8.04", "data": "4.16", "__unallocated__": "1.08"}]


def test_an_unchanged_answer_is_not_sent_again(clients: dict[str, Client]) -> None:
    asked = {"window": FIRST, "aggregate": "team"}
    first = clients["boss"].get(ROOT + "allocation", asked)
    again = clients["boss"].get(ROOT + "allocation", asked, headers={"if-none-match": first["ETag"]})
    other = clients["web"].get(ROOT + "allocation", asked, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
