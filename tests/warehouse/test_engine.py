"""The engine computes exactly, reads JSON literally, and keeps nothing of what it computed."""

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import ibis
import pyarrow as pa
import pytest

from apps.finops.tables import ALLOCATED
from apps.warehouse import engine, spilling
from apps.warehouse.engine import Workspace, business_day, json_member, rows_of

INSTANT = pa.timestamp("us", "UTC")


def column_of(name: str, *values: object, kind: pa.DataType | None = None) -> ibis.Table:
    return ibis.memtable(pa.table({name: pa.array(values, kind)}))


DOCUMENT = (
    r'{"a":"small","A":"large","a\"b":"quote","*":"star","x*":"glob","a.b":"dot","x y":"space","$":"dollar",'
    r'"a/b":"slash","a~1b":"tilde","\\":"backslash","数":"han","0":"zero","[0]":"index","n":5,"o":{"k":1},"null":null,'
    r'"it'
    "'"
    r's":"apostrophe"}'
)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("a", "small", id="a lower-case key"),
        pytest.param("A", "large", id="the same key in upper case is another"),
        pytest.param('a"b', "quote", id="a quotation mark"),
        pytest.param("it's", "apostrophe", id="an apostrophe"),
        pytest.param("*", "star", id="a star is a name, not every member"),
        pytest.param("x*", "glob", id="a star within"),
        pytest.param("a.b", "dot", id="a dot does not go down"),
        pytest.param("a/b", "slash", id="a slash does not go down"),
        pytest.param("a~1b", "tilde", id="what looks escaped is not"),
        pytest.param("x y", "space", id="a space"),
        pytest.param("$", "dollar", id="a dollar sign"),
        pytest.param("\\", "backslash", id="a backslash"),
        pytest.param("数", "han", id="a Chinese character"),
        pytest.param("0", "zero", id="a digit is a name, not a place"),
        pytest.param("[0]", "index", id="brackets"),
        pytest.param("n", "5", id="a number reads as text"),
        pytest.param("o", '{"k":1}', id="an object reads as text"),
        pytest.param("null", None, id="null is missing"),
        pytest.param("none", None, id="no such member"),
        pytest.param("o.k", None, id="a path is not a key"),
    ],
)
def test_a_member_of_a_json_object_is_found_by_its_literal_name(key: str, value: str | None) -> None:
    table = column_of("document", DOCUMENT)
    assert rows_of(table.select(found=json_member(table.document, key))) == [(value,)]


def test_an_empty_document_has_no_members() -> None:
    table = column_of("document", "", "{}", None)
    assert rows_of(table.select(found=json_member(table.document, "a"))) == [(None,)] * 3


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-10-31T15:59:59", "Asia/Shanghai", "2026-10-31"),
        ("2026-10-31T16:00:00", "Asia/Shanghai", "2026-11-01"),
        ("2026-10-31T16:00:00", "UTC", "2026-10-31"),
        ("2026-11-01T03:59:59", "America/New_York", "2026-10-31"),
        ("2026-02-28T20:00:00", "Asia/Kolkata", "2026-03-01"),
    ],
)
def test_a_business_day_is_the_date_on_the_companys_clock(instant: str, zone: str, day: str) -> None:
    table = column_of("at", datetime.fromisoformat(instant).replace(tzinfo=UTC), kind=INSTANT)
    assert rows_of(table.select(day=business_day(table.at, zone))) == [(date.fromisoformat(day),)]


def names_known() -> int:
    gc.collect()
    query = "SELECT (SELECT count(*) FROM duckdb_tables()) + (SELECT count(*) FROM duckdb_views() WHERE NOT internal)"
    (row,) = engine.connect().con.execute(query).fetchall()
    return int(row[0])


def test_nothing_is_left_of_what_was_computed() -> None:
    before = names_known()
    for number in range(5):
        with Workspace() as workspace:
            kept = workspace.keep(column_of("n", number).mutate(m=1))
            assert rows_of(kept.join(column_of("n", number), "n")) == [(number, 1)]
        assert rows_of(column_of("n", number)) == [(number,)]
        assert rows_of(engine.empty(ALLOCATED.schema)) == []
    assert names_known() == before


def test_nothing_is_left_of_what_failed() -> None:
    before = names_known()
    text = column_of("text", "x")
    with pytest.raises(Exception, match="Could not convert string 'x'"), Workspace() as workspace:
        workspace.keep(text.mutate(number=text.text.cast("int64")))
    with pytest.raises(Exception, match="Could not convert string 'x'"):
        rows_of(text.select(number=text.text.cast("int64")))
    assert names_known() == before


def test_an_expression_can_be_computed_again() -> None:
    numbers = column_of("n", 1, 2)
    doubled = numbers.select(n=numbers.n * 2)
    assert sorted(rows_of(doubled)) == sorted(rows_of(doubled)) == [(2,), (4,)]


def test_a_table_without_rows_has_its_columns_and_types() -> None:
    assert engine.empty(ALLOCATED.schema).schema() == ALLOCATED.schema
    with Workspace() as workspace:
        assert workspace.keep(engine.empty(ALLOCATED.schema)).schema() == ALLOCATED.schema


def test_every_thread_has_an_engine_of_its_own() -> None:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(engine.connect())) for _ in range(2)]
    for thread in threads:
        thread.start()
        thread.join()
    assert len({id(one) for one in [*found, engine.connect()]}) == 3
    assert engine.connect() is engine.connect()


def _compute(queue: "multiprocessing.Queue[object]") -> None:
    queue.put(rows_of(column_of("n", 7)))


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_opens_an_engine_of_its_own_and_leaves_its_parents_alone() -> None:
    assert rows_of(column_of("n", 1)) == [(1,)]
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_compute, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == [(7,)]
    child.join(timeout=60)
    assert child.exitcode == 0
    assert rows_of(column_of("n", 2)) == [(2,)]


def test_the_engine_fetches_no_extension_and_tells_time_in_utc(home: Path) -> None:
    asked = "autoinstall_known_extensions", "allow_community_extensions", "TimeZone"
    columns = ", ".join(f"current_setting('{name}')" for name in asked)
    assert engine.connect().con.execute(f"SELECT {columns}").fetchall() == [(False, False, "UTC")]


SPILLING_ROWS = 4_000_000
SPILLING = """
import sys, threading, time
import django; django.setup()
from pathlib import Path
from apps.warehouse import engine

def spill(number, told):
    con = engine.connect().con
    rows = f"SELECT 2 * (hash(range) % 1000000) + {number} AS cost, hash(range + {number}) AS other FROM range({ROWS})"
    con.execute(f"CREATE TEMP TABLE held AS {rows}")
    assert any(engine._local.spill.iterdir()), "it fits into memory: nothing is proved"
    Path(sys.argv[1], f"spilled-{number}").touch()
    until = time.monotonic() + 60
    while len(list(Path(sys.argv[1]).glob("spilled-*"))) < 3 and time.monotonic() < until:
        time.sleep(0.05)
    asked = "SELECT count(*), sum(cost), sum(other % 1000), max(cost % 2) FROM"
    told.append(con.execute(f"{asked} held").fetchone() == con.execute(f"{asked} ({rows})").fetchone())

told = []
threads = [threading.Thread(target=spill, args=(int(number), told)) for number in sys.argv[2:]]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
sys.exit(0 if told == [True] * len(threads) else f"{told}")
""".replace("{ROWS}", str(SPILLING_ROWS))


def test_engines_that_do_not_fit_into_memory_keep_their_rows_apart(tmp_path: Path) -> None:
    """Two threads of one process and one of another, at once, in one home."""
    environment = os.environ | {
        "COSTOPS_HOME": str(tmp_path), "COSTOPS_MEMORY_LIMIT": "60MB", "COSTOPS_THREADS": "1",
        "COSTOPS_SECRET_KEY": "x" * 50, "DJANGO_SETTINGS_MODULE": "costops.settings",
    }  # fmt: skip
    seen = tmp_path / "seen"
    seen.mkdir()
    processes = [
        subprocess.Popen([sys.executable, "-c", SPILLING, str(seen), *numbers], env=environment)
        for numbers in (["0", "1"], ["2"])
    ]
    assert [process.wait(120) for process in processes] == [0, 0]


def test_what_a_killed_engine_left_is_taken_away(settings, tmp_path: Path) -> None:
    settings.COSTOPS_HOME = tmp_path
    ended = subprocess.Popen(["true"])
    ended.wait()
    mine = spilling.new_folder()
    left, elsewhere = (mine.with_name(name) for name in (f"{spilling._machine()}-{ended.pid}-0", "other-1-1-0"))
    for folder in (mine, left, elsewhere):
        folder.mkdir()
    assert spilling.new_folder() != mine
    assert sorted(mine.parent.iterdir()) == sorted([mine, elsewhere])


def test_an_engine_whose_folder_was_swept_spills_again(settings, tmp_path: Path) -> None:
    engine.connect()
    engine._local.spill.rmdir()
    engine.connect()
    (told,) = engine.connect().con.execute("SELECT current_setting('temp_directory')").fetchone()
    assert told == str(engine._local.spill)
    assert Path(told).is_dir()
