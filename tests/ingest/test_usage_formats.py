"""Usage of other tools: the operator's reports and OpenCost's exports become our rows, exactly, or are refused."""

import gzip
import io
import json
import tarfile
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest

from apps.finops.tables import COVERAGE_HOURS, LABEL_HOURS, NODE_HOURS, VOLUME_HOURS, WORKLOAD_HOURS
from apps.ingest import services
from apps.ingest.usage_formats.base import spread
from apps.warehouse import lake
from tests.ingest.bills import NOW, errors, put

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

GIB = 1 << 30
HOURS = ("2026-10-01 09:00:00 +0000 UTC,2026-10-01 09:59:59 +0000 UTC", "2026-10-01 11:00:00 +0000 UTC,…")
PODS = (
    "interval_start,interval_end,pod,namespace,node,resource_id,pod_usage_cpu_core_seconds,pod_request_cpu_core_seconds,"
    "pod_limit_cpu_core_seconds,pod_usage_memory_byte_seconds,pod_request_memory_byte_seconds,"
    "node_capacity_cpu_core_seconds,node_capacity_memory_byte_seconds,pod_labels\n"
    f"{HOURS[0]},web-7d9f8b6c5d-x2x4z,live,n1,i-1,1800,3600,7200,{GIB * 1800},{GIB * 3600},14400,{GIB * 57600},"
    "label_app:web|label_tier:\n"
    f"{HOURS[0]},db-0,live,n1,i-1,900.9,,,{GIB * 3600},,14400,{GIB * 57600},label_app:db\n"
    f"{HOURS[1]},db-0,live,n1,i-1,1E+2,0,0,0,0,14400,{GIB * 57600},label_app:db\n"
)
STORAGE = (
    "interval_start,interval_end,namespace,pod,persistentvolumeclaim,persistentvolume,csi_volume_handle,"
    "persistentvolumeclaim_capacity_byte_seconds,persistentvolumeclaim_usage_byte_seconds\n"
    f"{HOURS[0]},live,db-0,data,pv-1,d-2ze1,{GIB * 36000},{GIB * 3600}\n"
    f"{HOURS[0]},live,db-1,data,pv-1,d-2ze1,{GIB * 36000},{GIB * 3600}\n"
    f"{HOURS[0]},live,db-0,logs,pv-2,,{GIB * 7200},0\n"
)
GPUS = (
    "interval_start,interval_end,node,namespace,pod,gpu_uuid,gpu_pod_uptime,mig_profile\n"
    f"{HOURS[0]},n1,live,db-0,GPU-1,1800,\n{HOURS[0]},n1,live,db-0,GPU-2,3600,2g.10gb\n"
)
NODE_LABELS = (
    f"interval_start,interval_end,node,node_labels\n{HOURS[0]},n1,label_eks.amazonaws.com/nodegroup:base|label_x:y\n"
)
SPACES = f"interval_start,interval_end,namespace,namespace_labels\n{HOURS[0]},live,label_team:web\n"


def archive(**reports):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, text in ({"manifest.json": "{}"} | {f"{name}.csv": text for name, text in reports.items()}).items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text.encode())
            tar.addfile(entry, io.BytesIO(text.encode()))
    return out.getvalue()


def metered(folder, kind, name, content, cluster="c1"):
    """Land and read one file; what was wrong, as text."""
    put(folder, name, content)
    one = services.add_source(name=kind, kind=kind, location=str(folder), cluster=cluster, options={}, now=NOW)
    services.land(one, NOW)
    told = services.meter_files(one, NOW).problems
    return [f"{problem.severity} {problem.subject}: {problem.message}" for problem in told]


def rows(table, *columns):
    found = lake.scan(table).to_pyarrow().to_pylist()
    return sorted(tuple(shown(row[column]) for column in columns) for row in found)


def shown(value):
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return f"{value:%H}" if isinstance(value, datetime) else value


WORK = ("hour", "workload", "workload_kind", "pod", "node", "cpu_used_core_hours", "cpu_request_core_hours")


def test_an_operators_archive_is_read_as_one(tmp_path):
    content = archive(pods=PODS, storage=STORAGE, gpus=GPUS, nodes=NODE_LABELS, spaces=SPACES)
    assert metered(tmp_path, "koku", "2026-10-01.tar.gz", content) == []
    assert rows(WORKLOAD_HOURS, *WORK) == [
        ("09", "db", "StatefulSet", "db-0", "n1", "0.25025", "0"),
        ("09", "web", "Deployment", "web-7d9f8b6c5d-x2x4z", "n1", "0.5", "1"),
        ("11", "db", "StatefulSet", "db-0", "n1", "0.027778", "0"),
    ]
    assert rows(
        WORKLOAD_HOURS, "hour", "pod", "memory_used_gib_hours", "memory_request_gib_hours", "gpu_request_hours"
    ) == [
        ("09", "db-0", "1", "0", "0.785714"),
        ("09", "web-7d9f8b6c5d-x2x4z", "0.5", "1", "0"),
        ("11", "db-0", "0", "0", "0"),
    ]
    assert rows(
        NODE_HOURS, "hour", "node", "node_pool", "provider_id", "cpu_capacity_core_hours", "gpu_capacity_hours"
    ) == [
        ("09", "n1", "base", "i-1", "4", "2"),
        ("11", "n1", "", "i-1", "4", "0"),
    ]
    assert rows(NODE_HOURS, "hour", "memory_capacity_gib_hours")[0] == ("09", "16")
    assert rows(VOLUME_HOURS, "volume", "claim", "workload", "capacity_gib_hours", "used_gib_hours") == [
        ("d-2ze1", "data", "db", "10", "1"),
        ("pv-2", "logs", "db", "2", "0"),
    ]
    assert rows(LABEL_HOURS, "hour", "workload", "labels") == [
        ("09", "", '{"team": "web"}'),
        ("09", "db", '{"app": "db"}'),
        ("09", "web", '{"app": "web", "tier": ""}'),
        ("11", "db", '{"app": "db"}'),
    ]
    assert rows(COVERAGE_HOURS, "hour", "observed_samples", "expected_samples") == [
        ("09", 1, 1),
        ("10", 0, 1),
        ("11", 1, 1),
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("pods.csv", PODS.encode(), id="one report"),
        pytest.param("pods.csv.gz", gzip.compress(PODS.encode()), id="one report, packed"),
    ],
)
def test_a_single_report_is_enough(tmp_path, name, content):
    assert metered(tmp_path, "koku", name, content) == []
    assert len(rows(WORKLOAD_HOURS, "pod")) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(
            PODS.replace("1800,3600", "much,3600"), "line 2, column pod_usage_cpu_core_seconds", id="no number"
        ),
        pytest.param(PODS.replace("900.9", "-900.9"), "line 3, column pod_usage_cpu_core_seconds", id="a negative one"),
        pytest.param(PODS.replace("900.9", "NaN"), "line 3, column pod_usage_cpu_core_seconds", id="not a number"),
        pytest.param(PODS.replace("11:00:00", "11:30:00"), "line 4, column interval_start", id="half past"),
        pytest.param(PODS.replace("2026-10-01 11", "9999-12-31 23"), "line 4, column interval_start", id="year 9999"),
        pytest.param(PODS.replace("2026-10-01 11", "0001-01-01 00"), "line 4, column interval_start", id="year 1"),
        pytest.param(PODS.replace("2026-10-01 11", "2028-10-01 11"), "report.csv: Its hours are more", id="two years"),
        pytest.param(PODS.replace("900.9", "9" * 25), "line 3, column pod_usage_cpu_core_seconds", id="25 digits"),
        pytest.param(PODS.replace("900.9", "9e99"), "line 3, column pod_usage_cpu_core_seconds", id="an exponent"),
        pytest.param(
            PODS.replace("900.9", "35e14") + f"{HOURS[0]},db-0,live,n1,i-1,35e14,,,0,,0,0,\n",
            "report.csv › workload_hours: What it tells of an hour adds up to more",
            id="too much together",
        ),
        pytest.param(PODS.replace("resource_id,", "id,"), "Missing columns: resource_id", id="a column is missing"),
        pytest.param(
            PODS.replace(",label_app:db\n", "\n", 1), "line 3: 13 values for 14 columns", id="a value is missing"
        ),
        pytest.param(PODS[:-1], "last line", id="cut off"),
        pytest.param("a,b\n1,2\n", "No report of the operator", id="another file"),
        pytest.param(GPUS, "There is no pod report beside it", id="loose GPUs"),
        pytest.param(NODE_LABELS, "There is no pod report beside it", id="loose node labels"),
    ],
)
def test_a_bad_report_leaves_nothing_behind(tmp_path, content, said):
    (problem,) = errors(metered(tmp_path, "koku", "report.csv", content.encode()))
    assert said in problem
    assert rows(WORKLOAD_HOURS, "pod") == rows(LABEL_HOURS, "labels") == rows(COVERAGE_HOURS, "hour") == []


def test_a_report_without_a_cluster(tmp_path):
    (problem,) = errors(metered(tmp_path, "koku", "report.csv", PODS.encode(), cluster=""))
    assert "--cluster" in problem


# --- OpenCost -------------------------------------------------------------------------------------------------------
WEB = {
    "name": "n1/live/web-1/main",
    "properties": {
        "cluster": "c2", "node": "n1", "namespace": "live", "controller": "web", "controllerKind": "deployment",
        "pod": "web-1", "container": "main", "labels": {"app": "web"}, "namespaceLabels": {"team": "live"},
    },
    "window": {"start": "2026-10-01T00:00:00Z", "end": "2026-10-02T00:00:00Z"},
    "start": "2026-10-01T09:00:00Z", "end": "2026-10-01T11:30:00Z", "minutes": 150, "cpuCoreRequestAverage": 0.4,
    "cpuCoreUsageAverage": 0.1, "cpuCoreHours": 1, "ramByteRequestAverage": 1073741824, "ramByteUsageAverage": 0,
    "ramByteHours": 2684354560, "gpuHours": 0,
    "pvs": {"cluster=c2:name=pv-1": {"byteHours": 26843545600, "cost": 1, "providerID": "d-1"}},
}  # fmt: skip
SIDE = WEB | {"properties": WEB["properties"] | {"container": "side"}}
IDLE = {"name": "__idle__", "properties": {"cluster": "c2"}, "window": WEB["window"], "cpuCoreHours": 95}
NODE = {
    "type": "Node", "properties": {"cluster": "c2", "name": "n1", "providerID": "i-1"}, "window": WEB["window"],
    "nodeType": "g7", "pool": "base", "start": "2026-10-01T09:00:00Z", "end": "2026-10-01T11:00:00Z", "minutes": 120,
    "cpuCoreHours": 8, "ramByteHours": 34359738368, "gpuCount": 1, "labels": {"a": "b"},
}  # fmt: skip


def told(*things):
    return json.dumps({"code": 200, "data": [{str(at): thing for at, thing in enumerate(things)}]}).encode()


def lasting(minutes: bytes) -> bytes:
    """An allocation whose time is written so."""
    return told(WEB).replace(b'"minutes": 150', b'"minutes": ' + minutes)


def test_an_allocation_is_spread_evenly_over_the_time_it_ran(tmp_path):
    """Two containers that ask for 0.4 cores for two and a half hours: 0.8 in each whole hour, 0.4 in the last half."""
    assert metered(tmp_path, "opencost", "day.json", told(WEB, SIDE, IDLE)) == []
    assert rows(WORKLOAD_HOURS, *WORK, "memory_request_gib_hours") == [
        ("09", "web", "Deployment", "web-1", "n1", "0.2", "0.8", "2"),
        ("10", "web", "Deployment", "web-1", "n1", "0.2", "0.8", "2"),
        ("11", "web", "Deployment", "web-1", "n1", "0.1", "0.4", "1"),
    ]
    assert rows(VOLUME_HOURS, "hour", "volume", "claim", "workload", "capacity_gib_hours") == [
        ("09", "d-1", "pv-1", "web", "10"),
        ("10", "d-1", "pv-1", "web", "10"),
        ("11", "d-1", "pv-1", "web", "5"),
    ]
    assert rows(LABEL_HOURS, "workload", "labels") == [("", '{"team": "live"}'), ("web", '{"app": "web"}')]
    assert len(rows(COVERAGE_HOURS, "hour", "observed_samples")) == 24


def test_assets_are_the_capacity_of_nodes(tmp_path):
    assert metered(tmp_path, "opencost", "assets.json", told(NODE, {"type": "Disk"} | IDLE)) == []
    assert rows(
        NODE_HOURS, "hour", "node", "node_pool", "provider_id", "instance_type", "cpu_capacity_core_hours",
        "memory_capacity_gib_hours", "gpu_capacity_hours", "labels",
    ) == [
        ("09", "n1", "base", "i-1", "g7", "4", "16", "1", '{"a": "b"}'),
        ("10", "n1", "base", "i-1", "g7", "4", "16", "1", '{"a": "b"}'),
    ]  # fmt: skip


def test_the_exporters_csv_is_a_day_per_row(tmp_path):
    content = (
        "Date,Namespace,ControllerKind,ControllerName,Pod,Container,CPUCoreUsageAverage,CPUCoreRequestAverage,"
        "RAMBytesUsageAverage,RAMBytesRequestAverage,GPUs,TotalCost\n2026-10-01,live,deployment,web,web-1,main,0.5,1,0,0,,3\n"
    )
    assert metered(tmp_path, "opencost", "day.csv", content.encode()) == []
    found = rows(WORKLOAD_HOURS, *WORK)
    assert len(found) == 24
    assert found[0] == ("00", "web", "Deployment", "web-1", "", "0.5", "1")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(told(WEB)[:-9], "not JSON", id="cut off"),
        pytest.param(told(WEB | {"minutes": -1}), "data[0].0, minutes: '-1' is not a quantity", id="negative minutes"),
        pytest.param(told(WEB | {"gpuHours": "two"}), "data[0].0, gpuHours", id="text for a number"),
        pytest.param(told(WEB | {"minutes": float("nan")}), "no number of JSON", id="not a number"),
        pytest.param(told(WEB | {"cpuCoreUsageAverage": 1e30}), "data[0].0, cpu_used_core_hours: 2.5e+30", id="1e30"),
        pytest.param(told(WEB | {"minutes": 10**16}), "data[0].0, cpu_request_core_hours", id="minutes without end"),
        pytest.param(lasting(b"1e-10000000"), "data[0].0, minutes", id="ten million zeros"),
        pytest.param(lasting(b"0e999999999"), "data[0].0, minutes", id="nothing, at length"),
        pytest.param(lasting(b"1" * 300_000), "data[0].0, minutes", id="digits without end"),
        pytest.param(told(WEB | {"name": "w\ud800"}), "surrogates not allowed", id="half a character"),
        pytest.param(told(WEB | {"window": {}}), "window.start", id="no window"),
        pytest.param(
            told(WEB | {"window": WEB["window"] | {"end": "2027-10-01T00:00:00Z"}}), "at most", id="a year at once"
        ),
        pytest.param(b'{"data": "none"}', "no `data`", id="another file"),
        pytest.param(b"Date,Pod\n", "Missing columns: Namespace", id="another CSV"),
    ],
)  # fmt: skip
def test_a_bad_export_leaves_nothing_behind(tmp_path, content, said):
    (problem,) = errors(metered(tmp_path, "opencost", "bad.json", content))
    assert said.replace("at most", "31 days") in problem
    assert rows(WORKLOAD_HOURS, "pod") == rows(COVERAGE_HOURS, "hour") == []


def test_what_is_spread_adds_up():
    parts = spread(Fraction(1, 3), datetime(2026, 10, 1, 9, 20, tzinfo=UTC), datetime(2026, 10, 1, 12, 5, tzinfo=UTC))
    assert sum(parts.values()) == 333_333
    assert [hour.hour for hour in parts] == [9, 10, 11, 12]
