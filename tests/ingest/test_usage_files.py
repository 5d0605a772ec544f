"""Usage files: a table each, told by the name of the file, exact, and never added up twice."""

import gzip
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from apps.finops.tables import (
    AUTOSCALER_HOURS,
    COVERAGE_HOURS,
    LABEL_HOURS,
    NODE_HOURS,
    USAGE,
    WORKLOAD_HOURS,
    WORKLOAD_PEAKS,
)
from apps.ingest import metered, services
from apps.ingest.models import LandedFile, MeteredDay
from apps.ingest.selectors import day_fingerprints
from apps.warehouse import lake
from tests.ingest.bills import NOW, errors, put, source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]

COVERAGE = "hour,cluster,observed_samples,expected_samples\n2026-10-01T00:00:00Z,online,59,60\n"
NODES = (
    "hour,cluster,node,node_pool,provider_id,instance_type,cpu_capacity_core_hours,memory_capacity_gib_hours,"
    "gpu_capacity_hours,labels\n2026-10-01T00:00:00Z,online,n1,main,cn-beijing.i-1,ecs.g7.xlarge,4,16.5,0,\n"
)


def meter(one):
    services.land(one, NOW)
    return [
        f"{problem.severity} {problem.subject}: {problem.message}"
        for problem in services.meter_files(one, NOW).problems
    ]


def rows(table):
    return lake.scan(table).to_pyarrow().to_pylist()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("coverage_hours-2026-10.csv", COVERAGE.encode(), id="by the name of the file"),
        pytest.param("coverage_hours/2026-10-01.csv", COVERAGE.encode(), id="by the name of its folder"),
        pytest.param("coverage_hours.csv.gz", gzip.compress(COVERAGE.encode()), id="gzip"),
    ],
)
def test_the_table_is_told_by_the_name(tmp_path, name, content):
    put(tmp_path / "in", name, content)
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(COVERAGE_HOURS)
    assert (row["hour"], row["observed_samples"]) == (datetime(2026, 10, 1, tzinfo=UTC), 59)


def test_a_node_hour_is_exact_and_without_labels_has_none(tmp_path):
    put(tmp_path / "in", "node_hours.csv", NODES.encode())
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(NODE_HOURS)
    assert (row["memory_capacity_gib_hours"], row["labels"], row["day"]) == (Decimal("16.5"), "{}", date(2026, 10, 1))


def test_parquet_with_typed_columns(tmp_path):
    table = pa.table(
        {
            "hour": pa.array([datetime(2026, 10, 1, tzinfo=UTC)], pa.timestamp("ns", "UTC")),
            **{name: pa.array(["x"]) for name in ("cluster", "namespace", "workload", "workload_kind", "pod", "node")},
            "resource_id": pa.array([None], pa.string()),
            **{name: pa.array([0.25]) for name in WORKLOAD_HOURS.file_columns if name.endswith("_hours")},
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    put(tmp_path / "in", "workload_hours.parquet", out.getvalue())
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(WORKLOAD_HOURS)
    assert (row["cpu_used_core_hours"], row["resource_id"]) == (Decimal("0.25"), "")


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_an_hour_of_no_sensible_year_is_refused_in_parquet_too(tmp_path, year):
    table = pa.table(
        {
            "hour": pa.array([datetime(year, 12, 31, 23, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "cluster": pa.array(["c"]),
            "observed_samples": pa.array([1]),
            "expected_samples": pa.array([1]),
        }
    )
    out = io.BytesIO()
    pq.write_table(table, out)
    put(tmp_path / "in", "coverage_hours.parquet", out.getvalue())
    (problem,) = errors(meter(source(tmp_path / "in", "usage_files")))
    assert "column hour" in problem


NODE = {
    "hour": pa.array([datetime(2026, 10, 1, tzinfo=UTC)]),
    **{name: pa.array(["x"]) for name in ("cluster", "node", "node_pool", "provider_id", "instance_type")},
    **{name: pa.array([1.0]) for name in NODE_HOURS.file_columns if name.endswith("_hours")},
    "labels": pa.array(["{}"]),
}
CORES = "cpu_capacity_core_hours"


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        pytest.param("hour", pa.array([date(2026, 10, 1)]), id="a day"),
        pytest.param("hour", pa.array([1790812800]), id="seconds since 1970"),
        pytest.param("hour", pa.array([[datetime(2026, 10, 1)]]), id="hours"),  # noqa: DTZ001  # as such files have it
        pytest.param(CORES, pa.array([True]), id="a truth"),
        pytest.param(CORES, pa.array([datetime(2026, 10, 1, tzinfo=UTC)]), id="an instant for a quantity"),
        pytest.param(CORES, pa.array([[1.0]]), id="quantities"),
        pytest.param(CORES, pa.array([[Decimal("1.5")]]), id="decimals"),
        pytest.param(CORES, pa.array([{"is": 1.0}]), id="an object for a quantity"),
        pytest.param(CORES, pa.array([b"1"]), id="bytes"),
        pytest.param(CORES, pa.array([Decimal("1.5")], pa.decimal256(60, 2)), id="decimals the engine would misread"),
        pytest.param(CORES, pa.array([float("nan")]), id="not a number"),
        pytest.param(CORES, pa.array([1e30]), id="more than there is"),
        pytest.param("node", pa.array([["x"]]), id="names"),
        pytest.param("labels", pa.array([[("a", "b")]], pa.map_(pa.string(), pa.string())), id="a map"),
    ],
)
def test_parquet_of_odd_types_is_refused_by_column(tmp_path, column, cells):
    pq.write_table(pa.table(NODE | {column: cells}), put(tmp_path / "in", "node_hours.parquet", b""))
    put(tmp_path / "in", "coverage_hours.csv", COVERAGE.encode())
    (problem,) = errors(meter(source(tmp_path / "in", "usage_files")))
    assert "node_hours.parquet" in problem
    assert f"column {column}" in problem
    assert (len(rows(NODE_HOURS)), len(rows(COVERAGE_HOURS))) == (0, 1)


def test_parquet_of_types_near_to_ours_is_read(tmp_path):
    near = {
        "labels": pa.array([None]),
        "node": pa.array([7]),
        CORES: pa.array([4]),
        "gpu_capacity_hours": pa.array(["1"]),
    }
    pq.write_table(pa.table(NODE | near), put(tmp_path / "in", "node_hours.parquet", b""))
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(NODE_HOURS)
    assert (row["labels"], row["node"], row[CORES], row["gpu_capacity_hours"]) == ("{}", "7", Decimal(4), Decimal(1))


@pytest.mark.parametrize(("width", "scale"), [(38, 26), (38, 25), (38, 37), (2, 1), (18, 6)])
def test_parquet_of_decimals_is_read_whatever_their_scale(tmp_path, width, scale):
    cells = pa.array([Decimal("1.5")], pa.decimal128(width, scale))
    pq.write_table(pa.table(NODE | {CORES: cells}), put(tmp_path / "in", "node_hours.parquet", b""))
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(NODE_HOURS)
    assert row[CORES] == Decimal("1.5")


@pytest.mark.parametrize("scale", [22, 23])
def test_parquet_of_counts_as_decimals_is_read_whatever_their_scale(tmp_path, scale):
    bounds = {
        "hour": pa.array([datetime(2026, 10, 1, tzinfo=UTC)]),
        **{name: pa.array(["x"]) for name in ("cluster", "namespace", "workload")},
        **{name: pa.array([Decimal(2)], pa.decimal128(38, scale)) for name in ("min_replicas", "max_replicas")},
    }
    pq.write_table(pa.table(bounds), put(tmp_path / "in", "autoscaler_hours.parquet", b""))
    assert meter(source(tmp_path / "in", "usage_files")) == []
    (row,) = rows(AUTOSCALER_HOURS)
    assert (row["min_replicas"], row["max_replicas"]) == (2, 2)


@pytest.mark.parametrize("scale", [25, 6])
def test_parquet_of_decimals_beyond_the_limit_is_refused(tmp_path, scale):
    cells = pa.array([Decimal(10**12)], pa.decimal128(38, scale))
    pq.write_table(pa.table(NODE | {CORES: cells}), put(tmp_path / "in", "node_hours.parquet", b""))
    (problem,) = errors(meter(source(tmp_path / "in", "usage_files")))
    assert f"column {CORES}" in problem


PEAKS = (
    "hour,cluster,namespace,workload,pod,node,cpu_peak_cores,memory_peak_gib,gpu_peak_share,gpu_memory_used_gib_hours,"
    "gpu_memory_peak_gib\n2026-10-01T00:00:00Z,c,ai,model,model-1,g1,1.5,,0.35,4.5,5\n"
)
BOUNDS = "hour,cluster,namespace,workload,min_replicas,max_replicas\n2026-10-01T00:00:00Z,c,shop,web,2,9\n"


def test_an_unknown_peak_is_not_zero(tmp_path):
    put(tmp_path / "in", "workload_peaks-2026-10.csv", PEAKS.encode())
    put(tmp_path / "in", "autoscaler_hours-2026-10.csv", BOUNDS.encode())
    assert not errors(meter(source(tmp_path / "in", "usage_files")))
    (row,) = rows(WORKLOAD_PEAKS)
    told = [row[name] for name in WORKLOAD_PEAKS.file_columns if name.startswith(("cpu", "memory", "gpu"))]
    assert told == [Decimal("1.5"), None, Decimal("0.35"), Decimal("4.5"), Decimal(5)]
    (row,) = rows(AUTOSCALER_HOURS)
    assert (row["workload"], row["min_replicas"], row["max_replicas"], row["autoscaler"]) == ("web", 2, 9, "")


def test_a_file_may_name_the_autoscaler(tmp_path):
    named = BOUNDS.replace("max_replicas\n", "max_replicas,autoscaler\n").replace("2,9\n", "2,9,web-hpa\n")
    put(tmp_path / "in", "autoscaler_hours-2026-10.csv", named.encode())
    assert not errors(meter(source(tmp_path / "in", "usage_files")))
    assert [row["autoscaler"] for row in rows(AUTOSCALER_HOURS)] == ["web-hpa"]


def changed(text: str, old: str, new: str) -> bytes:
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    ("table", "header", "row"),
    [
        pytest.param(
            "overhead_hours", "hour,cluster,node,cpu_overhead_core_hours,memory_overhead_gib_hours,gpu_overhead_hours",
            "2026-10-01T00:00:00Z,c,n1,0.5,2.25,0", id="what a node keeps to itself",
        ),
        pytest.param(
            "service_hours", "hour,cluster,namespace,service,load_balancer,attached_hours",
            "2026-10-01T00:00:00Z,c,shop,front,lb-1,0.25", id="a Service behind a load balancer",
        ),
        pytest.param(
            "network_hours",
            "hour,cluster,namespace,workload,pod,node,sent_gib,internet_gib,cross_region_gib,cross_zone_gib",
            "2026-10-01T00:00:00Z,c,shop,web,web-1,n1,9,1,0.5,0.25", id="bytes sent",
        ),
    ],
)  # fmt: skip
def test_usage_beside_pods_is_read(tmp_path, table, header, row):
    put(tmp_path / "in", f"{table}-2026-10.csv", f"{header}\n{row}\n".encode())
    assert not errors(meter(source(tmp_path / "in", "usage_files")))
    (found,) = rows(USAGE[table])
    told = dict(zip(header.split(","), row.split(","), strict=True)) | {"hour": "2026-10-01T00:00:00Z"}
    assert {name: f"{found[name]:%Y-%m-%dT%H:%M:%SZ}" if name == "hour" else str(found[name]) for name in told} == {
        name: text if "_hours" not in name and "_gib" not in name else f"{float(text):.6f}"
        for name, text in told.items()
    }


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        pytest.param("usage.csv", COVERAGE.encode(), "after its table", id="no table in the name"),
        pytest.param(
            "workload_peaks.csv", changed(PEAKS, ",1.5,", ",-1.5,"), "line 2, column cpu_peak_cores", id="negative"
        ),
        pytest.param(
            "workload_peaks.csv",
            changed(PEAKS, ",0.35,", ",65,"),
            "gpu_peak_share: '65' is more than 64",
            id="per cent",
        ),
        pytest.param(
            "autoscaler_hours.csv",
            changed(BOUNDS, "2,9", "9,2"),
            "column max_replicas",
            id="at most less than at least",
        ),
        pytest.param(
            "autoscaler_hours.csv", changed(BOUNDS, "2,9", ",9"), "column min_replicas", id="bounds are always known"
        ),
        pytest.param(
            "coverage_hours.csv",
            changed(COVERAGE, "observed", "seen"),
            "line 1: Unknown columns: seen_samples",
            id="unknown column",
        ),
        pytest.param(
            "coverage_hours.csv", b"hour,cluster\n", "line 1: Missing columns: observed_samples", id="missing column"
        ),
        pytest.param(
            "coverage_hours.csv", changed(COVERAGE, "59", "many"), "line 2, column observed_samples", id="not a number"
        ),
        pytest.param(
            "coverage_hours.csv", changed(COVERAGE, "59", ""), "line 2, column observed_samples", id="a missing number"
        ),
        pytest.param(
            "coverage_hours.csv", changed(COVERAGE, "00:00Z", "30:00Z"), "line 2, column hour", id="half past"
        ),
        pytest.param(
            "coverage_hours.csv",
            changed(COVERAGE, "2026-10-01T00:00:00Z", "1/10/26"),
            "line 2, column hour",
            id="another date",
        ),
        pytest.param(
            "coverage_hours.csv", changed(COVERAGE, "2026-", "9999-"), "line 2, column hour", id="a year without end"
        ),
        pytest.param(
            "node_hours.csv", changed(NODES, "16.5", "-1"), "line 2, column memory_capacity_gib_hours", id="negative"
        ),
        pytest.param(
            "node_hours.csv", changed(NODES, "0,\n", "0,x\n"), "line 2, column labels", id="labels that are no JSON"
        ),
        pytest.param("coverage_hours.csv", COVERAGE[:-3].encode(), "last line", id="cut off"),
        pytest.param(
            "coverage_hours.csv",
            (COVERAGE + COVERAGE.splitlines()[1] + "\n").encode(),
            "more than once",
            id="a row twice",
        ),
    ],
)
def test_bad_usage_is_refused_whole(tmp_path, name, content, said):
    put(tmp_path / "in", name, content)
    put(tmp_path / "in", "label_hours.csv", b"hour,cluster,namespace,workload,labels\n2026-10-01T00:00:00Z,c,n,w,{}\n")
    (problem,) = errors(meter(source(tmp_path / "in", "usage_files")))
    assert name in problem
    assert said in problem
    assert {name: len(rows(table)) for name, table in USAGE.items() if rows(table)} == {"label_hours": 1}


def test_the_same_hour_in_two_files_is_refused(tmp_path):
    one = source(tmp_path / "in", "usage_files")
    put(tmp_path / "in", "coverage_hours-a.csv", COVERAGE.encode())
    meter(one)
    put(tmp_path / "in", "coverage_hours-b.csv", changed(COVERAGE, "59", "58"))
    (problem,) = errors(meter(one))
    assert "coverage_hours-b.csv" in problem
    assert "more than once" in problem
    assert [row["observed_samples"] for row in rows(COVERAGE_HOURS)] == [59]


def test_the_same_hour_in_two_files_found_together_is_refused(tmp_path):
    put(tmp_path / "in", "coverage_hours-a.csv", COVERAGE.encode())
    put(tmp_path / "in", "coverage_hours-b.csv", changed(COVERAGE, "59", "58"))
    (problem,) = errors(meter(source(tmp_path / "in", "usage_files")))
    assert "coverage_hours-b.csv" in problem
    assert [row["observed_samples"] for row in rows(COVERAGE_HOURS)] == [59]


def test_a_file_rewritten_in_place_replaces_itself(tmp_path):
    one = source(tmp_path / "in", "usage_files")
    put(tmp_path / "in", "coverage_hours.csv", COVERAGE.encode())
    meter(one)
    put(tmp_path / "in", "coverage_hours.csv", changed(COVERAGE, "59", "60"))
    assert meter(one) == []
    assert [row["observed_samples"] for row in rows(COVERAGE_HOURS)] == [60]
    assert set(LandedFile.objects.values_list("state", flat=True)) == {"current", "superseded"}


def test_later_hours_of_a_day_are_added(tmp_path):
    one = source(tmp_path / "in", "usage_files")
    put(tmp_path / "in", "coverage_hours-00.csv", COVERAGE.encode())
    meter(one)
    put(tmp_path / "in", "coverage_hours-01.csv", changed(COVERAGE, "T00", "T01"))
    assert meter(one) == []
    assert len(rows(COVERAGE_HOURS)) == 2
    assert [str(day) for day in day_fingerprints()] == ["2026-10-01"]


def test_a_pulled_day_is_replaced_and_an_identical_one_changes_nothing(tmp_path):
    one = source(tmp_path / "in", "usage_files")
    day = date(2026, 10, 1)

    def pulled(observed):
        tables = {name: lake_schema(table).empty_table() for name, table in USAGE.items()}
        hour = datetime(2026, 10, 1, tzinfo=UTC)
        values = [[hour], ["online"], [observed], [60]]
        tables["coverage_hours"] = pa.table(values, schema=lake_schema(COVERAGE_HOURS))
        return tables

    metered.keep_day(one, day, pulled(58), NOW)
    first = (lake.version(COVERAGE_HOURS), day_fingerprints())
    metered.keep_day(one, day, pulled(58), NOW)
    assert (lake.version(COVERAGE_HOURS), day_fingerprints()) == first
    metered.keep_day(one, day, pulled(60), NOW)
    assert [row["observed_samples"] for row in rows(COVERAGE_HOURS)] == [60]
    assert day_fingerprints() != first[1]
    assert MeteredDay.objects.get().observed_samples == 60
    assert rows(LABEL_HOURS) == []


def lake_schema(table):
    return pa.schema([(name, table.schema[name].to_pyarrow()) for name in table.file_columns])
