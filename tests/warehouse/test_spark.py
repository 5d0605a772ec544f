"""Apache Spark computes what DuckDB computes, to the last decimal, and its executors write what is committed once."""

import csv
import io
import json
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from django.core.exceptions import ImproperlyConfigured

from apps.finops.tables import LakeTable
from apps.warehouse import engine, exact, lake, spark
from apps.warehouse.engine import Workspace, rows_of
from costops.reading import Environment
from tests import prepared
from tests.servers.installation import Installation, new_installation
from tests.servers.process import free_port
from tests.servers.spark import running_spark
from tests.warehouse.spark_cases import CASES, HOSTILE, TEXTS
from tests.warehouse.test_exact import expected, random_case, shares

pytestmark = pytest.mark.timeout(1200)

START, END = "2026-10-29", "2026-11-01"
LAST_DAY = "2026-10-31"
TABLE = LakeTable(
    "spark_table", {"name": "string", "cost": "decimal(38, 12)", "source": "string", "day": "date"}, ("source", "day")
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_spark(tmp_path_factory.mktemp("spark")) as found:
        yield found


@pytest.fixture
def on_spark(address: str, settings: Any) -> None:
    settings.COSTOPS_ENGINE = address


# --- Expressions ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rows", "make"), CASES)
def test_an_expression_means_the_same(
    rows: pa.Table, make: Callable[[ir.Table], ir.Table], address: str, settings: Any
) -> None:
    by_duckdb = rows_of(make(ibis.memtable(rows)))
    settings.COSTOPS_ENGINE = address
    by_spark = rows_of(make(ibis.memtable(rows)))
    assert sorted(by_spark, key=repr_of) == sorted(by_duckdb, key=repr_of)


def repr_of(row: tuple[Any, ...]) -> str:
    return repr([Decimal(value) if isinstance(value, int) else value for value in row])


@pytest.mark.usefixtures("on_spark")
def test_whole_columns_of_money_are_divided_exactly() -> None:
    rng = random.Random(7)
    cases = [case for case in (random_case(rng) for _ in range(400)) if abs(case[0]) < 10**28]
    assert shares(cases) == [expected(case) for case in cases]


@pytest.mark.usefixtures("on_spark")
def test_what_is_too_large_is_an_error_and_never_another_number() -> None:
    one = ibis.memtable(pa.table({"amount": pa.array([Decimal(10) ** 25], pa.decimal128(38, 12))}))
    with pytest.raises(engine.TOO_LARGE):
        rows_of(one.select(out=(one.amount * 100).cast("decimal(38, 12)")))


@pytest.mark.usefixtures("on_spark")
def test_conversion_rounds_half_even_as_on_paper() -> None:
    told = pa.table(
        {
            "amount": pa.array([Decimal("0.000000000005"), Decimal("-1.000000000015")], pa.decimal128(38, 12)),
            "times": [1, 1],
            "per": [10, 10],
        }
    )
    found = rows_of(exact.with_conversion(ibis.memtable(told), "amount", times="times", per="per").select("amount"))
    assert sorted(found) == [(Decimal("-0.100000000002"),), (Decimal("0E-12"),)]


# --- The lake ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def table() -> Iterator[LakeTable]:
    lake.drop(TABLE)
    yield TABLE
    lake.drop(TABLE)


def world(*rows: tuple[str, str, str, date]) -> ir.Table:
    names = ("name", "cost", "source", "day")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) | {"cost": [Decimal(row[1]) for row in rows]}
    return ibis.memtable(pa.table(columns, TABLE.schema.to_pyarrow()))


def test_executors_write_and_both_engines_read_each_version(table: LakeTable, address: str, settings: Any) -> None:
    day = date(2026, 10, 1)
    settings.COSTOPS_ENGINE = address
    first = lake.commit(
        table,
        add=lake.write(table, world(*(("x", "0.000000000001", name, day) for name in HOSTILE if name))),
        remove=(),
    )
    lake.write(table, world(("never committed", "5", "s", day)))
    assert not list(lake.location(table).glob("_w*")), "what executors wrote aside was moved or removed"
    second = lake.commit(table, add=lake.write(table, world(("y", "2", "O'Neil", date(2026, 10, 2)))), remove=())

    expected_rows = sorted([("x", Decimal("0.000000000001"), name, day) for name in HOSTILE if name])
    for chosen in (address, "duckdb"):
        settings.COSTOPS_ENGINE = chosen
        assert sorted(rows_of(lake.scan(table, at=first))) == expected_rows
        assert sorted(rows_of(lake.scan(table, at=second))) == sorted(
            [*expected_rows, ("y", Decimal(2), "O'Neil", date(2026, 10, 2))]
        )
    assert sum(file.rows for file in lake.files(table, at=first)) == len(expected_rows)
    assert all((lake.location(table) / file.path).stat().st_size == file.size for file in lake.files(table))


@pytest.mark.usefixtures("on_spark")
def test_no_rows_are_no_files(table: LakeTable) -> None:
    assert lake.write(table, engine.empty(table.schema)) == []


@pytest.mark.usefixtures("on_spark")
def test_a_partition_has_a_name(table: LakeTable) -> None:
    with pytest.raises(spark.SparkFailed, match="without a value"):
        lake.write(table, world(("x", "1", "", date(2026, 10, 1))))
    assert lake.files(table) == ()
    assert not list(lake.location(table).glob("_w*"))


@pytest.mark.usefixtures("on_spark")
def test_what_was_kept_is_gone_in_the_end() -> None:
    with Workspace() as workspace:
        kept = workspace.keep(ibis.memtable(TEXTS).mutate(n=ibis.literal(1)))
        assert len(rows_of(kept.semi_join(workspace.keep(kept.limit(1)), "n"))) == len(HOSTILE)
        here = engine.connect().con.execute(f"SELECT count(*) FROM ({kept.op().query})").fetchone()
        assert here == (len(HOSTILE),), "this process's own engine reads what Spark kept"
    kept_folder = lake.location(TABLE).parent / "_kept"
    assert not list(kept_folder.iterdir())


# --- Where there is no Spark ------------------------------------------------------------------------------------------
def test_a_server_that_is_not_there_is_said_at_once(settings: Any) -> None:
    settings.COSTOPS_ENGINE = f"sc://127.0.0.1:{free_port()}/;token=secret"
    with pytest.raises(spark.SparkUnavailable, match="does not answer at sc://127") as told:
        rows_of(ibis.memtable(TEXTS))
    assert "secret" not in str(told.value)


@pytest.mark.parametrize(
    ("value", "is_fine"),
    [
        pytest.param("duckdb", True, id="the engine inside"),
        pytest.param("sc://spark:15002", True, id="a server"),
        pytest.param("sc://spark.example.com/;use_ssl=true;token=x", True, id="with a token"),
        pytest.param("spark://spark:7077", False, id="a master is no Spark Connect server"),
        pytest.param("sc://", False, id="no host"),
        pytest.param("Spark", False, id="a word"),
    ],
)
def test_the_setting(value: str, is_fine: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSTOPS_ENGINE", value)
    if is_fine:
        assert Environment().engine("COSTOPS_ENGINE") == value
    else:
        with pytest.raises(ImproperlyConfigured, match="sc://HOST:PORT"):
            Environment().engine("COSTOPS_ENGINE")


# --- A whole company --------------------------------------------------------------------------------------------------
QUESTIONS = f"""
import json
from datetime import date
from apps.marts.query import GROUPS, METRICS, CostQuery, Scope
from apps.marts.selectors import answer
window = {{"start": date.fromisoformat("{START}"), "end": date.fromisoformat("{END}")}}
one = [{{"metric": METRICS[n % len(METRICS)], "group_by": GROUPS[n : n + 3]}} for n in range(0, len(GROUPS), 3)]
more = [{{"metric": metric, "group_by": ("day", "team", "namespace", "kind")}} for metric in METRICS]
narrow = [
    {{"metric": "effective_cost", "group_by": ("week", "service"), "filters": (("kind", ("direct", "shared")),)}},
    {{"metric": "list_cost", "group_by": ("team",), "excludes": (("namespace", ("",)),)}},
    {{"metric": "billed_cost", "group_by": (), "scope": Scope(frozenset({{"unallocated", "nobody's"}}))}},
]
for number, asked in enumerate((*one, *more, *narrow)):
    found = answer(CostQuery(**window, **asked)).rows
    print("answer", json.dumps([f"{{number}} {{asked['metric']}}", [[str(value) for value in row] for row in found]]))
"""


@pytest.fixture(scope="module")
def both(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Installation]:
    """The same small company, filled by either engine; the last day has no bill yet."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copytree(prepared.company(), folder / "demo")
    for bill in (folder / "demo" / "billing").glob("*.csv"):
        without_the_last_day(bill)
    installations = {name: new_installation(folder / name) for name in ("duckdb", "spark")}
    installations["spark"].environment["COSTOPS_ENGINE"] = address
    for installation in installations.values():
        load(installation, folder / "demo")
    return installations


def without_the_last_day(bill: Path) -> None:
    charges = list(csv.DictReader(io.StringIO(bill.read_text())))
    known = [charge for charge in charges if charge["ChargePeriodStart"][:10] < LAST_DAY]
    assert 0 < len(known) < len(charges)
    with bill.open("w", newline="") as file:
        writer = csv.DictWriter(file, known[0])
        writer.writeheader()
        writer.writerows(known)


def load(installation: Installation, company: Path) -> None:
    installation.manage_each(
        ("migrate", "--verbosity", "0"),
        ("source", "add", "bill", "--kind", "focus", "--location", str(company / "billing")),
        ("source", "add", "usage", "--kind", "usage_files", "--location", str(company / "usage")),
        ("import_teams", str(company / "teams.yaml")),
        ("fill",),
    )


def tables_of(installation: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of every table of a lake, as they lie in its newest version."""
    found = {}
    for log in sorted((installation.home / "lake").glob("*/_delta_log")):
        delta = DeltaTable(str(log.parent))
        columns = ", ".join(f'"{field.name}"' for field in sorted(delta.schema().fields, key=lambda field: field.name))
        files = [str(uri).removeprefix("file://") for uri in delta.file_uris()]
        query = f"SELECT {columns} FROM read_parquet({files}, hive_partitioning = true, union_by_name = true)"
        found[log.parent.name] = sorted(duckdb.sql(query).fetchall(), key=repr) if files else []
    return found


def test_every_table_is_the_same_to_the_last_decimal(both: dict[str, Installation]) -> None:
    by_duckdb, by_spark = tables_of(both["duckdb"]), tables_of(both["spark"])
    assert by_spark.keys() == by_duckdb.keys()
    assert [name for name in by_duckdb if by_spark[name] != by_duckdb[name]] == []
    filled = {name for name, rows in by_duckdb.items() if rows}
    assert filled >= {
        "charges",
        "allocated",
        "passed_on",
        "estimates",
        "costs",
        "reconciliation",
        "coverage",
        "workload_days",
    }
    for name, wrote in (("spark", "parquet-mr"), ("duckdb", "DuckDB")):
        files = list((both[name].home / "lake" / "allocated").rglob("*.parquet"))
        assert files
        assert {pq.read_metadata(file).created_by.split()[0] for file in files} == {wrote}
    assert not list((both["spark"].home / "lake" / "_kept").iterdir())


def test_every_question_has_the_same_answer(both: dict[str, Installation]) -> None:
    answers = {}
    for name, installation in both.items():
        printed = installation.manage("shell", "--no-imports", "-c", QUESTIONS).stdout.splitlines()
        answers[name] = dict(json.loads(line.removeprefix("answer ")) for line in printed if line.startswith("answer "))
    assert answers["spark"] == answers["duckdb"]
    assert len(answers["duckdb"]) > 12
    assert max(len(rows) for rows in answers["duckdb"].values()) > 50


def test_files_of_attempts_that_were_not_committed_are_none_of_what_was_written(tmp_path, monkeypatch):
    """A task that outlives its job makes its folder anew, beside the files that count."""
    names = ("part-0.parquet", "_temporary/0/_temporary/attempt_1/part-0.parquet", ".staging/part-0.parquet")

    class Frame:
        write = property(lambda self: self)

        def mode(self, _mode):
            return self

        def parquet(self, folder, partitionBy=None):  # noqa: N803  # Spark's own name
            for name in ("_SUCCESS", *names):
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / name).touch()

    monkeypatch.setattr(spark, "session", lambda: None)
    monkeypatch.setattr(spark, "_frame", lambda _expression: Frame())
    assert spark.write(None, tmp_path / "kept") == [tmp_path / "kept" / "part-0.parquet"]
