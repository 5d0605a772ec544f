"""The meter against a real Prometheus whose history is a small world with known truth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ibis
import orjson
import pytest

from apps.finops.tables import USAGE
from apps.ingest.prometheus.checks import check
from apps.ingest.prometheus.config import PrometheusConfig
from apps.ingest.prometheus.coverage import bin_seconds, scrape_interval
from apps.ingest.prometheus.meter import meter_day
from apps.ingest.prometheus.pods import resource_measures
from tests.ingest import prometheus_world as world

FIRST = datetime.fromtimestamp(world.START, UTC)
LAST = FIRST + timedelta(hours=world.HOURS)
OUTAGE = 3
HALF_SEEN = 4
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def online(prometheus_server: Callable[..., Any]) -> Any:
    return prometheus_server([world.online().text()])


@pytest.fixture(scope="module")
def batch(prometheus_server: Callable[..., Any]) -> Any:
    return prometheus_server([world.batch().text()])


def config_of(server: Any, cluster: str = "", **options: str) -> PrometheusConfig:
    return PrometheusConfig.from_options(server.url, cluster, options)


@pytest.fixture(scope="module")
def metered(online: Any) -> Any:
    return meter_day(config_of(online), FIRST, LAST)


def rows_of(tables: Any, name: str, **wanted: str) -> Rows:
    """The rows of a table that have these values, with `hour` as the number of the world's hour."""
    rows = tables[name].to_pylist()
    return [
        row | {"hour": (row["hour"] - FIRST) // timedelta(hours=1)}
        for row in rows
        if all(row[column] == value for column, value in wanted.items())
    ]


def by_hour(rows: Rows, column: str) -> dict[int, float]:
    totals: dict[int, float] = {}
    for row in rows:
        totals[row["hour"]] = totals.get(row["hour"], 0.0) + float(row[column])
    return totals


def seen(truth: dict[int, float]) -> dict[int, float]:
    return {hour: value for hour, value in truth.items() if hour != OUTAGE}


def steady(value: float) -> dict[int, float]:
    return seen(dict.fromkeys(range(world.HOURS), value))


def life(value: float, start: int, end: int) -> dict[int, float]:
    return seen({hour: part * value for hour, part in world.hours_of(start, end).items()})


def test_the_tables_have_the_columns_and_types_of_the_lake(metered: Any) -> None:
    tables, _problems = metered
    assert list(tables) == list(USAGE)
    for name, table in tables.items():
        assert table.schema == ibis.schema(USAGE[name].file_columns).to_pyarrow()


ALL = world.HOURS * world.HOUR
WEB = {"namespace": "live", "workload": "web", "workload_kind": "Deployment", "node": "n1"}


@pytest.mark.parametrize(
    ("wanted", "column", "truth", "tolerance"),
    [
        pytest.param(WEB, "cpu_used_core_hours", steady(1.5), 0.01, id="CPU, over a restart and a counter that resets"),
        pytest.param(WEB, "cpu_request_core_hours", steady(3), 1e-6, id="CPU requested, missed scrapes made up for"),
        pytest.param(WEB, "memory_used_gib_hours", steady(3), 0.01, id="memory, not doubled by the pair of servers"),
        pytest.param(WEB, "memory_request_gib_hours", steady(6), 1e-6, id="memory requested"),
        pytest.param(
            {"pod": "db-0", "node": "n1"}, "cpu_request_core_hours", life(2, 0, 9000), 0.02, id="a pod that left a node"
        ),
        pytest.param(
            {"pod": "db-0", "node": "n2"}, "cpu_request_core_hours", life(2, 9000, ALL), 0.02, id="and came to another"
        ),
        pytest.param({"pod": "db-0"}, "cpu_used_core_hours", steady(0.25), 0.01, id="and used CPU on both"),
        pytest.param({"namespace": "ml"}, "gpu_request_hours", steady(2), 1e-6, id="GPUs requested"),
        pytest.param({"namespace": "ml"}, "gpu_used_hours", steady(0.8), 0.01, id="GPUs used, of two devices"),
        pytest.param(
            {"resource_id": "eci-2zexyz", "node": "virtual-kubelet-cn-beijing-h"},
            "cpu_request_core_hours",
            {1: 2.0},
            0.02,
            id="a serverless pod is its billed instance",
        ),
        pytest.param({"pod": "waiting"}, "cpu_request_core_hours", {}, 0, id="a pod that waits claims nothing"),
        pytest.param({"pod": "finished"}, "cpu_request_core_hours", {}, 0, id="a pod that has finished claims nothing"),
    ],
)
def test_workload_hours(
    metered: Any, wanted: dict[str, str], column: str, truth: dict[int, float], tolerance: float
) -> None:
    assert by_hour(rows_of(metered[0], "workload_hours", **wanted), column) == pytest.approx(truth, rel=tolerance)


@pytest.mark.parametrize(
    ("column", "amount", "tolerance"),
    [
        pytest.param("cpu_request_core_hours", 0.5, 0.02, id="requests of short jobs are not inflated"),
        pytest.param("cpu_used_core_hours", 0.8, 0.05, id="use of short jobs is not lost"),
        pytest.param("memory_used_gib_hours", 1.0, 0.03, id="memory of short jobs"),
    ],
)
def test_two_minute_jobs(metered: Any, column: str, amount: float, tolerance: float) -> None:
    rows = [row for row in rows_of(metered[0], "workload_hours", namespace="cron") if row["hour"] < OUTAGE]
    lived = sum(
        min(end, OUTAGE * world.HOUR) - start for _name, start, end in world.cron_lives() if start < OUTAGE * world.HOUR
    )
    assert {(row["workload"], row["workload_kind"]) for row in rows} == {("tick", "CronJob")}
    assert len({row["pod"] for row in rows}) == sum(
        start < OUTAGE * world.HOUR for _name, start, _end in world.cron_lives()
    )
    assert sum(float(row[column]) for row in rows) == pytest.approx(amount * lived / 3600, rel=tolerance)


@pytest.mark.parametrize(
    ("node", "column", "truth", "tolerance"),
    [
        pytest.param("n1", "cpu_capacity_core_hours", steady(8), 1e-6, id="a node that stayed"),
        pytest.param("n1", "memory_capacity_gib_hours", steady(32), 1e-6, id="its memory"),
        pytest.param("n2", "gpu_capacity_hours", steady(4), 1e-6, id="its GPUs"),
        pytest.param("n3", "cpu_capacity_core_hours", life(8, 4500, 17100), 0.34, id="a node that came and went"),
        pytest.param("virtual-kubelet-cn-beijing-h", "cpu_capacity_core_hours", {}, 0, id="a virtual node is no node"),
    ],
)
def test_node_hours(metered: Any, node: str, column: str, truth: dict[int, float], tolerance: float) -> None:
    assert by_hour(rows_of(metered[0], "node_hours", node=node), column) == pytest.approx(truth, rel=tolerance)


def test_a_node_is_described(metered: Any) -> None:
    first = rows_of(metered[0], "node_hours", node="n1")[0]
    described = {key: first[key] for key in ("cluster", "node_pool", "provider_id", "instance_type")}
    assert described == {
        "cluster": "online",
        "node_pool": "np1",
        "provider_id": "cn-beijing.i-n1",
        "instance_type": "ecs.g7.2xlarge",
    }
    came = by_hour(rows_of(metered[0], "node_hours", node="n3"), "cpu_capacity_core_hours")
    assert came[1] == pytest.approx(6, abs=8 / 120)


def test_volume_hours(metered: Any) -> None:
    rows = rows_of(metered[0], "volume_hours")
    assert {(row["volume"], row["namespace"], row["claim"], row["workload"]) for row in rows} == {
        ("d-2zeabc", "data", "db-data", "db")
    }
    assert by_hour(rows, "capacity_gib_hours") == pytest.approx(steady(100))
    assert by_hour(rows, "used_gib_hours") == pytest.approx(steady(40))


def test_labels_are_told_once_and_kept_as_they_are(metered: Any) -> None:
    rows = {(row["namespace"], row["workload"]): row["labels"] for row in rows_of(metered[0], "label_hours")}
    assert set(rows) == {("live", ""), ("live", "web"), ("data", "")}
    assert rows["live", ""] == '{"app_kubernetes_io_team":"live-class"}'
    assert rows["data", ""] == '{"annotation:example_com_owner":"data"}'
    assert orjson.loads(rows["live", "web"]) == {"team": world.HOSTILE, "annotation:on_call": world.HOSTILE}


def test_an_hour_nobody_saw_is_missing_and_said(metered: Any) -> None:
    tables, problems = metered
    covered = {row["hour"]: row for row in rows_of(tables, "coverage_hours")}
    assert sorted(covered) == list(range(world.HOURS))
    assert covered[OUTAGE]["observed_samples"] == 0
    assert covered[OUTAGE]["expected_samples"] == 120
    assert 0.45 < covered[HALF_SEEN]["observed_samples"] / covered[HALF_SEEN]["expected_samples"] < 0.55
    assert all(
        0.97 < covered[hour]["observed_samples"] / covered[hour]["expected_samples"] <= 1 for hour in (0, 1, 2, 5)
    )
    for name in ("workload_hours", "node_hours", "volume_hours"):
        assert OUTAGE not in {row["hour"] for row in rows_of(tables, name)}
    assert [problem.code for problem in problems] == ["hours-not-observed"]
    assert "2026-10-01 03:00Z" in problems[0].message


def test_metering_again_gives_the_same_rows(metered: Any, online: Any) -> None:
    again, _problems = meter_day(config_of(online, concurrency="4"), FIRST, LAST)
    assert all(again[name].equals(table) for name, table in metered[0].items())


def test_windows_meet_without_gap_or_overlap(metered: Any, online: Any) -> None:
    middle = FIRST + timedelta(hours=2)
    parts = [meter_day(config_of(online), *window)[0] for window in ((FIRST, middle), (middle, LAST))]
    for name in ("workload_hours", "node_hours", "volume_hours"):
        rows = [row for part in parts for row in part[name].to_pylist()]
        assert [row | {"labels": ""} for row in rows] == [row | {"labels": ""} for row in metered[0][name].to_pylist()]


def test_a_selector_narrows_every_question(online: Any) -> None:
    tables, problems = meter_day(config_of(online, "online", selector='cluster="other"'), FIRST, LAST)
    assert {row["observed_samples"] for row in rows_of(tables, "coverage_hours", cluster="online")} == {0}
    assert not any(tables[name].num_rows for name in ("workload_hours", "node_hours", "volume_hours", "label_hours"))
    assert problems


def test_a_cluster_without_label_without_up_and_without_phases(batch: Any) -> None:
    tables, problems = meter_day(config_of(batch, "batch"), FIRST, LAST)
    pods = rows_of(tables, "workload_hours", cluster="batch", namespace="offline", node="b1")
    assert by_hour(pods, "cpu_request_core_hours") == pytest.approx({0: 4, 1: 4, 2: 8, 3: 8, 4: 4, 5: 4})
    assert by_hour(pods, "cpu_used_core_hours") == pytest.approx({0: 2, 1: 2, 2: 8, 3: 8, 4: 2, 5: 2}, rel=1e-3)
    assert by_hour(pods, "memory_used_gib_hours") == pytest.approx({0: 3, 1: 3, 2: 6, 3: 6, 4: 3, 5: 3})
    assert {row["node_pool"] for row in rows_of(tables, "node_hours")} == {"spot"}
    assert {row["observed_samples"] for row in rows_of(tables, "coverage_hours")} == {12}
    assert [(problem.code, problem.subject) for problem in problems] == [("pod-without-node", "batch/kube-system/lost")]


def test_a_share_of_gpu_memory_is_a_share_of_a_card(batch: Any) -> None:
    tables, _problems = meter_day(config_of(batch, "batch"), FIRST, FIRST + timedelta(hours=1))
    assert by_hour(rows_of(tables, "node_hours"), "gpu_capacity_hours") == {0: 2.0}
    assert by_hour(rows_of(tables, "workload_hours", pod="etl-a"), "gpu_request_hours") == {0: 0.5}


def test_owners_are_guessed_from_names_when_nobody_tells(batch: Any) -> None:
    tables, _problems = meter_day(config_of(batch, "batch"), FIRST, LAST)
    rows = rows_of(tables, "workload_hours")
    assert {row["pod"]: (row["workload"], row["workload_kind"]) for row in rows} == {
        "etl-a": ("etl", "Deployment"),
        "etl-b": ("nightly", "CronJob"),
        "proxy-b1": ("proxy-b1", "Pod"),
        "lost": ("lost", "Pod"),
    }


@pytest.mark.parametrize(
    "state_targets",
    [
        pytest.param([("ksm-a", 0, ALL)], id="one kube-state-metrics"),
        pytest.param([("ksm-a", 0, ALL), ("ksm-b", 0, ALL)], id="two that say the same are not added"),
        pytest.param([("ksm-a", 0, 5000), ("ksm-b", 5000, ALL)], id="one that was replaced within the hour"),
    ],
)
def test_instances_of_kube_state_metrics(
    prometheus_server: Callable[..., Any], state_targets: list[tuple[str, int, int]]
) -> None:
    server = prometheus_server([world.one_pod(*state_targets).text()])
    tables, problems = meter_day(config_of(server), FIRST, LAST)
    full = dict.fromkeys(range(world.HOURS), 1.0)
    assert by_hour(rows_of(tables, "workload_hours"), "memory_request_gib_hours") == pytest.approx(full)
    assert by_hour(rows_of(tables, "node_hours"), "cpu_capacity_core_hours") == pytest.approx(dict.fromkeys(full, 4.0))
    assert by_hour(rows_of(tables, "workload_hours"), "memory_used_gib_hours") == pytest.approx(full)
    covered = {(row["observed_samples"], row["expected_samples"]) for row in rows_of(tables, "coverage_hours")}
    assert covered == {(120, 180)}  # one of three kubelets never answers, and nobody else pays for it
    assert [problem.code for problem in problems] == ["metric-absent", "node-without-id"]


HALF = 3 * world.HOUR


@pytest.mark.parametrize(
    ("given", "observed"),
    [
        pytest.param({"nodes": HALF, "kubelets": HALF, "alive": HALF}, 60, id="it was scaled to nothing"),
        pytest.param({"nodes": ALL, "kubelets": HALF, "alive": HALF}, 0, id="its node is there and nobody watches it"),
        pytest.param({"nodes": HALF, "kubelets": ALL, "alive": HALF}, 0, id="its kubelet is watched and is silent"),
        pytest.param(
            {"nodes": HALF, "kubelets": HALF, "alive": HALF, "namespaces": HALF}, 0,
            id="nor is anything else of it told: whoever tells may see nothing",
        ),
        pytest.param({"nodes": 0, "kubelets": HALF, "alive": HALF}, 0, id="no node was ever told of"),
        pytest.param(
            {"nodes": HALF, "kubelets": HALF, "alive": HALF, "state": HALF}, 0, id="nobody tells of nodes any more"
        ),
    ],
)  # fmt: skip
def test_a_cluster_without_nodes_is_watched_where_somebody_tells_so(
    prometheus_server: Callable[..., Any], given: dict[str, int], observed: int
) -> None:
    server = prometheus_server([world.scaled(**given).text()])

    tables, problems = meter_day(config_of(server), FIRST, LAST)
    late, told_late = meter_day(config_of(server), FIRST + timedelta(hours=3), LAST)

    covered = {row["hour"]: row["observed_samples"] for row in rows_of(tables, "coverage_hours")}
    assert [covered[hour] for hour in (3, 4, 5)] == [observed] * 3
    assert [row["observed_samples"] for row in rows_of(late, "coverage_hours")] == [observed] * 3
    assert {row["hour"] for row in rows_of(tables, "workload_hours")} <= {0, 1, 2}
    assert ("hours-not-observed" in {one.code for one in (*problems, *told_late)}) == (observed == 0)
    assert observed == 0 or not told_late


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        pytest.param("cpu", ("cpu", 1.0), id="cores"),
        pytest.param("memory", ("memory", 1 / 1024**3), id="bytes to GiB"),
        pytest.param("nvidia_com_gpu", ("gpu", 1.0), id="devices"),
        pytest.param("nvidia_com_mig_3g_20gb", ("gpu_slice", 3 / 7), id="a slice is sevenths of a device"),
        pytest.param("nvidia_com_mig_1g_5gb", ("gpu_slice", 1 / 7), id="the smallest slice"),
        pytest.param("nvidia_com_mig_2g_12gb", ("gpu_slice", 1 / 2), id="a slice of a device that is cut into four"),
        pytest.param("nvidia_com_mig_4g_24gb", ("gpu_slice", 1.0), id="all four"),
        pytest.param("nvidia_com_gpu_shared", ("gpu_share", 1.0), id="time slices"),
        pytest.param("tke_cloud_tencent_com_qgpu_core", ("gpu_per_cent", 0.01), id="hundredths of a device"),
        pytest.param("aliyun_com_gpu_mem", ("gpu_memory", 1.0), id="GPU memory waits for its node's cards"),
        pytest.param("ephemeral_storage", ("", 0.0), id="what costs nothing here"),
    ],
)
def test_resource_measures(resource: str, expected: tuple[str, float]) -> None:
    assert resource_measures(resource) == expected


def test_a_cluster_without_any_name_is_an_error(batch: Any) -> None:
    _tables, problems = meter_day(config_of(batch), FIRST, LAST)
    assert ("error", "no-cluster") in {(problem.severity, problem.code) for problem in problems}


def test_a_server_without_history_is_said(online: Any) -> None:
    before = FIRST - timedelta(days=100)
    tables, problems = meter_day(config_of(online), before, before + timedelta(hours=3))
    assert [problem.code for problem in problems] == ["nothing-observed"]
    assert not any(table.num_rows for table in tables.values())


def test_a_window_without_time_zone_is_refused(online: Any) -> None:
    with pytest.raises(ValueError, match="time zone"):
        meter_day(config_of(online), FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None))


def test_quantities_are_exact_decimals(metered: Any) -> None:
    first = rows_of(metered[0], "workload_hours", pod="web-7c9d5f4b6d-1")[0]
    assert first["cpu_request_core_hours"] == Decimal("1.000000")


def test_check_tells_what_is_there(online: Any, batch: Any) -> None:
    facts = {fact.name: fact for fact in check(config_of(online), now=datetime.now(UTC), at=LAST)}
    assert facts["version"].value.startswith("2.")
    assert facts["clusters"].value == "online"
    assert facts["clock skew"].is_good
    assert facts["scrape interval of kubelets"].value == "online: 30 s"
    assert all(fact.is_good for fact in facts.values())
    absent = {fact.name for fact in check(config_of(batch), at=LAST) if not fact.is_good}
    assert {"clusters", "scrape interval of kubelets"} <= absent


def test_check_says_when_nobody_answers() -> None:
    config = PrometheusConfig.from_options("http://127.0.0.1:9", "c", {"retry_seconds": "0"})
    [fact] = check(config)
    assert not fact.is_good
    assert "failed 4 times" in fact.value


@pytest.mark.parametrize(
    ("scrapes", "expected"),
    [
        pytest.param(120, 30, id="every half minute"),
        pytest.param(118, 30, id="two missed"),
        pytest.param(12, 300, id="every five minutes"),
        pytest.param(11, 300, id="one of twelve missed"),
        pytest.param(100, 36, id="an unusual interval is believed"),
        pytest.param(0, 3600, id="none at all"),
    ],
)
def test_scrape_interval(scrapes: int, expected: int) -> None:
    assert scrape_interval(scrapes) == expected


def test_a_bin_holds_two_scrapes() -> None:
    assert [bin_seconds(interval) for interval in (15, 150, 300, 600, 3600)] == [300, 300, 600, 1200, 3600]
