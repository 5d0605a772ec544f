"""What Kubernetes does beside long-lived pods, metered from a real Prometheus whose history is known."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.meter import meter_day
from tests.ingest import prometheus_kubernetes as cluster
from tests.ingest import prometheus_world as world

FIRST = datetime.fromtimestamp(world.START, UTC)
LAST = FIRST + timedelta(hours=world.HOURS)
EXACT = 1e-5
SAMPLED = 0.02
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def metered(prometheus_server: Callable[..., Any]) -> Any:
    server = prometheus_server([cluster.special().text()])
    return meter_day(PrometheusConfig.from_options(server.url, "", {}), FIRST, LAST)


@pytest.fixture(scope="module")
def tables(metered: Any) -> Any:
    return metered[0]


def test_shares_of_unknown_cards_are_told(metered: Any) -> None:
    told = {problem.code: problem.subject for problem in metered[1] if problem.code.startswith("gpu")}
    assert told == {"gpu-shares": "k/g-unknown"}


def rows_of(tables: Any, name: str, **wanted: str) -> Rows:
    """The rows of a table with these values, `hour` as a number."""
    rows = [row | {"hour": (row["hour"] - FIRST) // timedelta(hours=1)} for row in tables[name].to_pylist()]
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


@pytest.mark.parametrize(
    ("pod", "node", "column", "expected", "tolerance"),
    [
        pytest.param("web-0", "n1", "cpu_request_core_hours", [0.5], SAMPLED, id="the first life asked for one core"),
        pytest.param(
            "web-0", "n2", "cpu_request_core_hours", [2, 4], SAMPLED, id="the second asked for four, elsewhere"
        ),
        pytest.param("web-0", "n1", "cpu_used_core_hours", [0.25], SAMPLED, id="each life used what its cgroup says"),
        pytest.param("web-0", "n2", "cpu_used_core_hours", [1, 2], SAMPLED, id="also where dashes are underscores"),
        pytest.param("web-0", "n2", "memory_used_gib_hours", [0.5, 1], SAMPLED, id="and the memory of its seconds"),
        pytest.param("cache-0", "n1", "cpu_request_core_hours", [5 / 3, 2], SAMPLED, id="two lives on one node add up"),
        pytest.param("cache-0", "n1", "cpu_used_core_hours", [0.25, 0.25], SAMPLED, id="use without a uid is not lost"),
        pytest.param("load", "n1", "cpu_request_core_hours", [2 / 3], SAMPLED, id="an init container by its seconds"),
        pytest.param("mesh", "n1", "cpu_request_core_hours", [1.5, 1.5], SAMPLED, id="a sidecar as long as it runs"),
    ],
)
def test_lives(tables: Any, pod: str, node: str, column: str, expected: list[float], tolerance: float) -> None:
    rows = rows_of(tables, "workload_hours", pod=pod, node=node)
    found = [float(row[column]) for row in sorted(rows, key=lambda row: row["hour"])]
    assert found[: len(expected)] == pytest.approx(expected, rel=tolerance)
    assert len({row["hour"] for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("volume", "expected"),
    [
        pytest.param(
            "d-half", {"half": [10, 10, 10], "": [10, 10, 10]}, id="one pod on half of the time, the claim its owner's"
        ),
        pytest.param("d-redeploy", {"old": [10, 10, 10, 5], "new": [5, 10, 10]}, id="a redeploy half-way"),
        pytest.param("d-hourly", {"hourly": [10] * 6}, id="a CronJob's pods that have finished mount nothing"),
        pytest.param("d-many", {"x": [20 / 3] * 6, "y": [10 / 3] * 6}, id="several pods, by the time they mounted"),
        pytest.param("d-nobody", {"": [10] * 6}, id="a pod that waits mounts nothing"),
        pytest.param("d-lost", {"": [20] * 6}, id="a volume that outlived its claim"),
    ],
)
def test_volumes(tables: Any, volume: str, expected: dict[str, list[float]]) -> None:
    found: dict[str, list[float]] = {}
    rows = rows_of(tables, "volume_hours", volume=volume)
    for row in sorted(rows, key=lambda row: row["hour"]):
        found.setdefault(row["workload"], []).append(float(row["capacity_gib_hours"]))
    assert found == {workload: pytest.approx(hours, rel=SAMPLED) for workload, hours in expected.items()}
    assert {row["namespace"] for row in rows} == {"disks"}


@pytest.mark.parametrize(
    ("node", "cards"),
    [
        pytest.param("g-sliced", 2, id="time slices under the device's name"),
        pytest.param("g-shared", 2, id="time slices as shares"),
        pytest.param("g-mixed", 2, id="a card, and one in slices"),
        pytest.param("g-single", 1, id="all devices are slices of a card"),
        pytest.param("g-hami", 1, id="a card that is told ten times"),
        pytest.param("g-unknown", 3, id="shares of nobody knows how many cards"),
        pytest.param("g-qgpu", 2, id="hundredths of cards"),
        pytest.param("n1", 0, id="no cards"),
    ],
)
def test_cards_of_nodes(tables: Any, node: str, cards: float) -> None:
    capacities = [float(row["gpu_capacity_hours"]) for row in rows_of(tables, "node_hours", node=node)]
    assert capacities == pytest.approx([cards] * world.HOURS, rel=EXACT)


@pytest.mark.parametrize(
    ("pod", "asked", "used"),
    [
        pytest.param("slice", 0.1, 0.08, id="a tenth of a card, and of what the card is used"),
        pytest.param("shares", 0.5, 0, id="two of four shares"),
        pytest.param("whole", 1, 0.5, id="a whole card"),
        pytest.param("seventh", 1 / 7, 0, id="a seventh"),
        pytest.param("quarter", 0.25, 0, id="a slice under the name of a device"),
        pytest.param("cores", 0.3, 0, id="per cent of a device"),
        pytest.param("memory", 0.25, 0, id="memory of a device, more than its per cent"),
        pytest.param("tenth", 0.1, 0, id="a device of ten that are one card"),
        pytest.param("qgpu", 0.5, 0, id="fifty hundredths"),
    ],
)
def test_cards_of_pods(tables: Any, pod: str, asked: float, used: float) -> None:
    rows = rows_of(tables, "workload_hours", pod=pod)
    assert [float(row["gpu_request_hours"]) for row in rows] == pytest.approx([asked] * world.HOURS, rel=EXACT)
    assert [float(row["gpu_used_hours"]) for row in rows] == pytest.approx([used] * world.HOURS, rel=EXACT)


@pytest.mark.parametrize(
    ("pod", "column", "expected"),
    [
        pytest.param("web-0", "cpu_peak_cores", [2, 2], id="the busier of two lives"),
        pytest.param("web-0", "memory_peak_gib", [1, 1], id="two lives after one another are not added"),
        pytest.param("load", "cpu_peak_cores", [], id="nobody measured it: no row"),
        pytest.param("slice", "cpu_peak_cores", [None, None], id="of its GPU alone something is told"),
        pytest.param("slice", "gpu_peak_share", [0.08, 0.08], id="a tenth of what the card is used"),
        pytest.param("slice", "gpu_memory_peak_gib", [2, 2], id="and of its memory"),
        pytest.param("whole", "gpu_memory_used_gib_hours", [6, 8], id="told by an exporter that took the label"),
        pytest.param("whole", "gpu_memory_peak_gib", [8, 8], id="and at most"),
        pytest.param("cores", "gpu_peak_share", [0.4, 0.1], id="ten minutes of forty per cent, by the pod's own"),
        pytest.param("cores", "gpu_memory_used_gib_hours", [3, 3], id="its own memory, not the card's"),
        pytest.param("web-0", "gpu_peak_share", [None, None], id="no GPU, nothing told"),
        pytest.param("slice", "gpu_memory_used_gib_hours", [2, 2], id="integrated over the hour"),
    ],
)
def test_peaks(tables: Any, pod: str, column: str, expected: list[float | None]) -> None:
    rows = sorted(rows_of(tables, "workload_peaks", pod=pod), key=lambda row: row["hour"])
    found = [None if row[column] is None else float(row[column]) for row in rows[: max(len(expected), 1)]]
    assert [one is None for one in found] == [one is None for one in expected]
    assert [one or 0 for one in found] == pytest.approx([one or 0 for one in expected], rel=SAMPLED)


def test_one_peak_per_hour_and_pod_where_it_was_longest(tables: Any) -> None:
    rows = rows_of(tables, "workload_peaks", workload="web")
    assert sorted((row["hour"], row["pod"], row["node"]) for row in rows)[1:3] == [
        (1, "web-0", "n2"),
        (2, "web-0", "n2"),
    ]
    assert len({(row["hour"], row["pod"]) for row in rows}) == len(rows) == world.HOURS


def test_bounds_of_autoscalers(tables: Any) -> None:
    rows = rows_of(tables, "autoscaler_hours", cluster="k", namespace="shop")
    found = {(row["hour"], row["workload"]): (row["min_replicas"], row["max_replicas"]) for row in rows}
    assert [found[hour, "web"] for hour in range(3)] == [(2, 10), (4, 12), (4, 12)]
    assert {bounds for (_hour, name), bounds in found.items() if name == "cache"} == {(1, 3)}
    assert len(found) == 2 * world.HOURS
    assert {(row["workload"], row["autoscaler"]) for row in rows} == {("web", "front"), ("cache", "cache")}


def test_what_nodes_keep_to_themselves(tables: Any) -> None:
    rows = rows_of(tables, "overhead_hours")
    assert {row["node"] for row in rows} == {"n1"}
    told = {
        tuple(float(row[f"{name}_hours"]) for name in ("cpu_overhead_core", "memory_overhead_gib", "gpu_overhead"))
        for row in rows
    }
    assert told == {(0.5, 3.0, 0.0)}


def test_services_behind_load_balancers(tables: Any) -> None:
    first = {
        (row["service"], row["load_balancer"]): float(row["attached_hours"])
        for row in rows_of(tables, "service_hours", namespace="shop")
        if row["hour"] == 0
    }
    assert first == {
        ("front", "lb-2ze"): 1.0,
        ("aws", "k8s-web-1a2b.elb.eu-west-1.amazonaws.com"): 1.0,
        ("plain", "10.1.1.2"): pytest.approx(0.5, rel=SAMPLED),
    }
    assert {row["service"] for row in rows_of(tables, "service_hours") if row["hour"] == 1} == {"front", "aws"}


def test_bytes_sent(tables: Any) -> None:
    rows = [row for row in rows_of(tables, "network_hours") if row["hour"] == 1]
    kinds = ("sent_gib", "internet_gib", "cross_region_gib", "cross_zone_gib")
    found = {row["workload"]: [float(row[kind]) for kind in kinds] for row in rows}
    assert found == {
        "web": pytest.approx([1, 0, 0, 0], rel=SAMPLED),
        "cache": pytest.approx([0.875, 0.5, 0.25, 0.125], rel=SAMPLED),
    }
    assert {(row["workload"], row["node"]) for row in rows} == {("web", "n2"), ("cache", "n1")}


def test_a_virtual_machine_is_a_workload(tables: Any) -> None:
    rows = rows_of(tables, "workload_hours", namespace="vms")
    assert {(row["workload"], row["workload_kind"]) for row in rows} == {("vm1", "VirtualMachine")}
    assert sum(float(row["cpu_request_core_hours"]) for row in rows) == pytest.approx(2.1 * world.HOURS)
