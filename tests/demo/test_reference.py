"""The plain reference of attribution, on companies small enough to add up on paper."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.reference import attribute

DAY = date(2026, 10, 1)
RULES = [
    {"name": "live", "when": {"namespace": "live-*"}, "team": "live"},
    {"name": "data", "when": {"label.team": "data"}, "team": "data"},
    {"name": "idle", "when": {"node_pool": "base"}, "team": "platform"},
    {"name": "logs", "when": {"service": "Log Service"}, "split": {"live": 60, "data": 40}},
    {"name": "old", "when": {"tag.team": "data"}, "team": "data", "valid_to": "2026-10-01"},
]
TEAMS = {"rules": RULES, "shared": [{"name": "platform", "when": {"namespace": "kube-system"}}]}


def charge(cost: str, *, hour: int = 0, hours: int = 1, **columns: str) -> dict[str, str]:
    """A charge of node `i-1` unless told otherwise."""
    times = {
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "ChargePeriodStart": f"2026-10-01T{hour:02d}:00:00Z",
        "ChargePeriodEnd": f"2026-10-01T{hour + hours:02d}:00:00Z",
    }
    return {"EffectiveCost": cost, "ResourceId": "i-1", "ServiceName": "ECS"} | times | columns


def hour_of(hour: int) -> dict[str, Any]:
    return {"hour": datetime(2026, 10, 1, hour, tzinfo=UTC), "cluster": "c"}


def node(hour: int = 0, cores: int = 10) -> dict[str, Any]:
    """A node of `cores` cores and nothing else."""
    names = {"node": "n", "node_pool": "base", "provider_id": "cn-beijing.i-1"}
    room = {"cpu_capacity_core_hours": cores, "memory_capacity_gib_hours": 0, "gpu_capacity_hours": 0}
    return hour_of(hour) | names | room


def pod(namespace: str, request: str, used: str = "0", *, hour: int = 0, resource_id: str = "") -> dict[str, Any]:
    names = {"namespace": namespace, "workload": "w", "pod": "p", "node": "n", "resource_id": resource_id}
    nothing = dict.fromkeys(
        ("memory_used_gib_hours", "memory_request_gib_hours", "gpu_used_hours", "gpu_request_hours"), 0
    )
    return hour_of(hour) | names | nothing | {"cpu_used_core_hours": used, "cpu_request_core_hours": request}


def volume(namespace: str, gib: int) -> dict[str, Any]:
    return hour_of(0) | {"volume": "d-1", "namespace": namespace, "workload": "w", "capacity_gib_hours": gib}


@pytest.mark.parametrize(
    ("charges", "usage", "expected"),
    [
        pytest.param(
            [charge("10")],
            {"node_hours": [node()], "workload_hours": [pod("live-a", "3", "4"), pod("x", "1")]},
            {
                ("live", "live-a", "direct"): "4",
                ("unallocated", "x", "unallocated"): "1",
                ("platform", "", "idle"): "5",
            },
            id="the larger of request and use is claimed, the rest is idle",
        ),
        pytest.param(
            [charge("10")],
            {"node_hours": [node()], "workload_hours": [pod("live-a", "15"), pod("x", "5")]},
            {("live", "live-a", "direct"): "7.5", ("unallocated", "x", "unallocated"): "2.5"},
            id="claims beyond capacity shrink in proportion",
        ),
        pytest.param(
            [charge("10", hours=2)],
            {"node_hours": [node(0, 10), node(1, 30)], "workload_hours": [pod("live-a", "10"), pod("x", "30", hour=1)]},
            {("live", "live-a", "direct"): "2.5", ("unallocated", "x", "unallocated"): "7.5"},
            id="a longer charge is spread over its hours by units",
        ),
        pytest.param(
            [charge("10"), charge("10", hour=1)],
            {"node_hours": [node()], "workload_hours": [pod("live-a", "5")]},
            {("live", "live-a", "direct"): "10", ("platform", "", "idle"): "10"},
            id="an hour never measured follows the hour that was",
        ),
        pytest.param(
            [charge("10"), charge("-20")],
            {"node_hours": [node()], "workload_hours": [pod("live-a", "5")]},
            {("live", "live-a", "direct"): "-5", ("platform", "", "idle"): "-5"},
            id="a credit that outweighs the price is divided by units",
        ),
        pytest.param(
            [charge("10")],
            {"node_hours": [node()], "workload_hours": [pod("live-a", "6"), pod("x", "2"), pod("kube-system", "2")]},
            {
                ("live", "live-a", "direct"): "6",
                ("live", "kube-system", "shared"): "1.5",
                ("unallocated", "x", "unallocated"): "2",
                ("unallocated", "kube-system", "shared"): "0.5",
            },
            id="the platform is shared in proportion, nobody's namespaces included",
        ),
        pytest.param(
            [charge("10")],
            {"node_hours": [node()], "workload_hours": [pod("kube-system", "10")]},
            {("unallocated", "kube-system", "unallocated"): "10"},
            id="a platform with nobody to share with is unallocated",
        ),
        pytest.param(
            [charge("3", ResourceId="eci-1")],
            {
                "workload_hours": [pod("x", "1", resource_id="eci-1")],
                "label_hours": [hour_of(5) | {"namespace": "x", "workload": "w", "labels": '{"team": "data"}'}],
            },
            {("data", "x", "direct"): "3"},
            id="a serverless pod's charge is its workload's, owned by label",
        ),
        pytest.param(
            [charge("1", ResourceId="d-1")],
            {"volume_hours": [volume("live-a", 1), volume("live-b", 2)]},
            {("live", "live-a", "direct"): "0.333333333333", ("live", "live-b", "direct"): "0.666666666667"},
            id="a volume is divided by the size of its claims, to the last decimal",
        ),
        pytest.param(
            [
                charge("1", ResourceId="sls", ServiceName="Log Service"),
                charge("2", ResourceId="", Tags='{"team": "data"}'),
            ],
            {},
            {("live", "", "direct"): "0.6", ("data", "", "direct"): "0.4", ("unallocated", "", "unallocated"): "2"},
            id="other charges by rules: a split, and one no longer valid",
        ),
    ],
)
def test_attribution_on_paper(
    charges: list[dict[str, str]],
    usage: dict[str, list[dict[str, Any]]],
    expected: dict[tuple[str, str, str], str],
) -> None:
    answer = attribute(charges, usage, TEAMS)
    assert answer == {(DAY, *key): Decimal(cost) for key, cost in expected.items()}
