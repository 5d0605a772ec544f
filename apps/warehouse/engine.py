"""The engine that computes over the lake: DuckDB inside this process, one connection per thread, or Apache Spark
(`spark`), where COSTOPS_ENGINE is its address.

`rows_of`, `count_of`, `Workspace.keep` and `lake.write` take an expression and compute it where set work is done. What
is asked in DuckDB's own language (`connect`, `registered`, `keep_query`) is computed here, over the same files.
"""

import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa
from django.conf import settings
from ibis.backends.duckdb import Backend

from apps.warehouse import exact, spark, spilling
from apps.warehouse.wording import FileQuery, query_of, quoted, text

ibis.options.sql.fuse_selects = False
"""An expression that reads a computed column reads what was computed: fused into one select it would be computed
again wherever it is read (`exact`)."""

TOO_LARGE = (duckdb.OutOfRangeException, duckdb.ConversionException, spark.ComputedTooLarge)
"""What is raised where a number does not fit its type."""

_local = threading.local()
_inherited: list[Any] = []
"""Connections of a parent process: closing one in a forked child would wait for threads that did not come along."""

_TEMPORARY = ops.Namespace(catalog="temp", database="main")

_MACROS = f"""
{exact.MACROS}
CREATE OR REPLACE MACRO json_member(document, path) AS json_extract_string(nullif(document, ''), path);
CREATE OR REPLACE MACRO json_text(value) AS CAST(to_json(value) AS VARCHAR);
CREATE OR REPLACE MACRO business_day(instant, zone) AS CAST(timezone(zone, instant) AS DATE);
CREATE OR REPLACE MACRO start_of_day(day, zone) AS timezone(zone, CAST(day AS TIMESTAMP));
"""


def connect() -> Backend:
    """This thread's engine. Connections are never shared between threads, nor inherited by a forked child."""
    if getattr(_local, "pid", None) != os.getpid():
        _inherited.append(getattr(_local, "backend", None))
        _local.backend, _local.pid = _open(), os.getpid()
    with suppress(OSError):  # a full disk matters to those alone who need it
        _local.spill.mkdir(exist_ok=True)  # of an engine that was idle for days it may have been swept
    backend: Backend = _local.backend
    return backend


def renew() -> None:
    """Leave this thread's engine behind: after an internal error it answers nothing any more, to nobody."""
    backend, _local.pid = getattr(_local, "backend", None), None
    _local.backend = None
    if backend is not None:
        with suppress(duckdb.Error):
            backend.disconnect()
        shutil.rmtree(_local.spill, ignore_errors=True)


def _open() -> Backend:
    backend = Backend().connect()  # `ibis.duckdb` would look through every package that is installed first
    _local.spill = spilling.new_folder()
    raw: duckdb.DuckDBPyConnection = backend.con
    for setting, value in {
        "TimeZone": "UTC",
        "memory_limit": settings.COSTOPS_MEMORY_LIMIT,
        "temp_directory": str(_local.spill),
        "preserve_insertion_order": "false",
        "enable_progress_bar": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_community_extensions": "false",
    }.items():
        raw.execute(f"SET {setting} = {text(value)}")
    if settings.COSTOPS_THREADS:
        raw.execute(f"SET threads = {settings.COSTOPS_THREADS:d}")
    raw.execute(_MACROS)
    return backend


def threads() -> int:
    """How many threads the engine of this process uses."""
    return settings.COSTOPS_THREADS or os.cpu_count() or 1


def use_one_thread() -> None:
    """Let this thread's engine work with one thread: for a pool whose workers each have an engine of their own."""
    connect().con.execute("SET threads = 1")


class Workspace:
    """Intermediate tables of one computation, in the engine's temporary storage; gone when it ends.

    Spark's are Parquet files in a folder of the lake, where its executors, and the engine of this process, find them.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        self._folders: list[Path] = []

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_exception: object) -> None:
        for name in self._names:
            connect().con.execute(f"DROP TABLE IF EXISTS {name}")
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, expression: ir.Table) -> ir.Table:
        """Compute an expression once; what follows reads the result.

        Ibis would do it with five more queries (where to create, what was created) and a copy of the whole statement:
        small tables are kept in half the time without.
        """
        name = f"kept_{uuid.uuid4().hex[:12]}"
        if spark.is_engine():
            return self._keep_as_files(expression, Path(settings.COSTOPS_LAKE) / "_kept" / name)
        self._names.append(name)
        schema = expression.schema()
        with registered(expression) as backend:
            backend.con.execute(f"CREATE TEMP TABLE {name} ({_declared(schema)})")
            backend.con.execute(f"INSERT INTO {name} {query_of(backend, expression)}")
        return ops.DatabaseTable(name, schema=schema, source=backend, namespace=_TEMPORARY).to_expr()

    def _keep_as_files(self, expression: ir.Table, folder: Path) -> ir.Table:
        self._folders.append(folder)
        paths = [str(path) for path in spark.write(expression, folder)]
        if not paths:
            return empty(expression.schema())
        columns, names = ", ".join(map(quoted, expression.columns)), ", ".join(map(text, paths))
        query = f"SELECT {columns} FROM read_parquet([{names}], hive_partitioning = false)"  # noqa: S608  # names of our own
        return reading(FileQuery.of(query, folder=str(folder), paths=paths), expression.schema())

    def keep_query(self, query: str, given: Sequence[Any] = (), *, into: str = "") -> str:
        """The same for a query in the engine's own language, with what its question marks stand for: the name of the
        table, which is one that was kept before where it is to go `into` that. An interactive question is asked so: to
        build an expression takes longer than many an answer."""
        if into:
            connect().con.execute(f"INSERT INTO {into} {query}", given)
            return into
        name = f"kept_{uuid.uuid4().hex[:12]}"
        self._names.append(name)
        connect().con.execute(f"CREATE TEMP TABLE {name} AS {query}", given)
        return name


def _declared(schema: sch.Schema) -> str:
    return ", ".join(f"{quoted(name)} {_kind(str(kind))}" for name, kind in schema.items())


@lru_cache(maxsize=1000)
def _kind(kind: str) -> str:
    """A type in the engine's own words."""
    known = ibis.dtype(kind)
    words = Backend.compiler.type_mapper.to_string(known)
    return words if known.nullable else f"{words} NOT NULL"


@contextmanager
def registered(expression: ir.Expr) -> Iterator[Backend]:
    """Make the functions and in-memory tables of an expression known to this thread's engine while it is computed.

    Ibis alone would keep every in-memory table it ever saw, with its data, until the process ends.
    """
    backend = connect()
    fresh = list(backend._verify_in_memory_tables_are_unique(expression))
    if fresh:
        backend._run_pre_execute_hooks(expression)  # what every public Ibis call does first
    try:
        yield backend
    finally:
        for table in fresh:
            backend.con.unregister(table.name)
            backend._memtables.discard(table)


def empty(schema: sch.Schema) -> ir.Table:
    """A table without rows."""
    columns = ", ".join(f"NULL::{_kind(str(kind(nullable=True)))} AS {quoted(name)}" for name, kind in schema.items())
    return reading(FileQuery.of(f"SELECT {columns} WHERE false"), schema)


def reading(query: FileQuery, schema: sch.Schema) -> ir.Table:
    """What a query reads, for either engine."""
    return ops.SQLQueryResult(query, schema, connect()).to_expr()


@ibis.udf.scalar.builtin(signature=(("timestamp('UTC', 6)", "string"), "date"))
def business_day(instant, zone):  # type: ignore[no-untyped-def]  # types are in the signature
    """The date of an instant in a time zone."""


@ibis.udf.scalar.builtin(name="epoch_us", signature=(("timestamp('UTC', 6)",), "int64"))
def microseconds(instant):  # type: ignore[no-untyped-def]  # types are in the signature
    """An instant in microseconds since 1970: an engine reckons with these far faster than with instants of a zone."""


@ibis.udf.scalar.builtin(signature=(("date", "string"), "timestamp('UTC', 6)"))
def start_of_day(day, zone):  # type: ignore[no-untyped-def]  # types are in the signature
    """The instant a date begins at in a time zone."""


@ibis.udf.scalar.builtin(signature=(("string", "string"), "string"))
def json_object(key, value):  # type: ignore[no-untyped-def]  # types are in the signature
    """A JSON object of one member."""


@ibis.udf.scalar.builtin(signature=(("string",), "string"))
def json_text(value):  # type: ignore[no-untyped-def]  # types are in the signature
    """A text as JSON spells it, in quotes."""


@ibis.udf.scalar.builtin(name="json_member", signature=(("string", "string"), "string"))
def _json_member(document, path):  # type: ignore[no-untyped-def]  # types are in the signature
    """The member of a JSON object at a path, as text; NULL where there is none."""


def json_member(document: ir.StringValue, key: str) -> ir.StringValue:
    """The member `key` of a JSON object, as text; NULL where there is none. Any key is taken literally."""
    return _json_member(document, json_pointer(key))


def json_pointer(key: str) -> str:
    """Where the member `key` of a JSON object is; in a path even a quoted `*` would mean every member."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


@ibis.udf.scalar.builtin(signature=(("string",), "array<string>"))
def json_keys(document):  # type: ignore[no-untyped-def]  # types are in the signature
    """The names of the members of a JSON object."""


def rows_of(expression: ir.Table) -> list[tuple[Any, ...]]:
    """The rows of an expression as Python values: `Decimal` stays exact, `date` is `date`."""
    if spark.is_engine():
        return spark.rows_of(expression)
    with registered(expression) as backend:
        rows: list[tuple[Any, ...]] = backend.con.execute(query_of(backend, expression)).fetchall()
    return rows


def arrow_of(expression: ir.Table) -> pa.Table:
    """The rows of an expression as a table in memory, for what is looked up again and again."""
    if spark.is_engine():
        return spark.arrow_of(expression)
    with registered(expression) as backend:
        return backend.con.execute(query_of(backend, expression)).to_arrow_table()


def count_of(expression: ir.Table) -> int:
    """How many rows an expression has."""
    ((count,),) = rows_of(expression.aggregate(count=expression.count()))
    return int(count)
