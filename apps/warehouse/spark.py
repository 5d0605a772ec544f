"""Set work on Apache Spark, by Spark Connect: it computes expressions, and its executors read and write the files."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa
from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.warehouse import spark_functions, spark_words, wording

ANSWERS_WITHIN_SECONDS = 10.0
_SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # what is too large is an error, never another number or NULL
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",  # a product keeps the digits after its point
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.session.localRelationCacheThreshold": str(1 << 20),
}
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

_lock = threading.Lock()
_sessions: dict[tuple[int, str], Any] = {}


class SparkUnavailable(CostOpsError):
    """COSTOPS_ENGINE names Apache Spark, and it cannot be used."""


class SparkFailed(CostOpsError):
    """Apache Spark was asked, and failed."""


class ComputedTooLarge(CostOpsError):
    """A number does not fit its type."""


def is_engine() -> bool:
    """Whether set work is Spark's."""
    return bool(settings.COSTOPS_ENGINE != "duckdb")


def session() -> Any:
    """This process's session. A forked child makes its own: a connection does not come along."""
    key = os.getpid(), settings.COSTOPS_ENGINE
    with _lock:
        if key not in _sessions or _sessions[key].is_stopped:
            _sessions[key] = _open(settings.COSTOPS_ENGINE)
        return _sessions[key]


def _open(address: str) -> Any:
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql.connect.session import SparkSession
    except ImportError as error:
        raise SparkUnavailable(
            f"COSTOPS_ENGINE is an address of Apache Spark, and its client is not installed ({error}). Install "
            "requirements/spark.txt, or set COSTOPS_ENGINE=duckdb."
        ) from error
    _knock(address)
    try:
        made = SparkSession.builder.remote(address).create()
        for name, value in _SETTINGS.items():
            made.conf.set(name, value)
        for statement in spark_functions.statements():
            made.sql(statement)
    except PySparkException as error:
        raise SparkUnavailable(
            f"Apache Spark at {_shown(address)} does not take work: {_first_line(error)}. "
            "It must be Spark 4.0 with Spark Connect."
        ) from error
    return made


def _knock(address: str) -> None:
    """Refuse at once where nobody listens; Spark's client would try for minutes."""
    told = urlsplit(address)
    try:
        with socket.create_connection((told.hostname, told.port or 15002), timeout=ANSWERS_WITHIN_SECONDS):
            return
    except OSError as error:
        raise SparkUnavailable(
            f"Apache Spark does not answer at {_shown(address)} ({error}). Start its Spark Connect server, correct "
            "COSTOPS_ENGINE, or set COSTOPS_ENGINE=duckdb."
        ) from error


def _shown(address: str) -> str:
    """An address without what may follow it: a token."""
    return address.partition(";")[0]


def _is_of_an_attempt(path: Path, folder: Path) -> bool:
    """Whether a task left it that ran beside another, or was killed, and is no part of what was committed."""
    return any(part.startswith(("_", ".")) for part in path.relative_to(folder).parts)


@contextmanager
def _failures_told() -> Iterator[None]:
    """Spark's errors in a line; it tells them with all that the machine was doing."""
    from pyspark.errors import ArithmeticException, PySparkException

    try:
        yield
    except ArithmeticException as error:
        raise ComputedTooLarge(_first_line(error)) from error
    except PySparkException as error:
        raise SparkFailed(f"Apache Spark could not do this: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:500]


def rows_of(expression: ir.Table) -> list[tuple[Any, ...]]:
    """The rows of an expression as Python values."""
    table = arrow_of(expression)
    return list(zip(*(column.to_pylist(maps_as_pydicts="strict") for column in table.columns), strict=True))


def arrow_of(expression: ir.Table) -> pa.Table:
    """The rows of an expression as a table in memory."""
    session()
    with _failures_told():
        return _frame(expression).toArrow()


def write(expression: ir.Table, folder: Path, *, partition_by: tuple[str, ...] = ()) -> list[Path]:
    """Let executors write rows as Parquet files into a new folder; the files."""
    session()
    with _failures_told():
        frame = _frame(expression)
        if partition_by:  # rows of a partition are brought together, and those of a large one shared by several writers
            frame = frame.hint("rebalance", *(frame[name] for name in partition_by))
        frame.write.mode("error").parquet(str(folder), partitionBy=list(partition_by) or None)
    written = sorted(path for path in folder.glob("**/part-*.parquet") if not _is_of_an_attempt(path, folder))
    if not written and not (folder / "_SUCCESS").exists():
        raise SparkFailed(
            f"Apache Spark wrote into {folder}, and nothing is there. Its executors must see the lake's folder at "
            "this path."
        )
    if any(_NO_VALUE in path.relative_to(folder).as_posix() for path in written):
        raise SparkFailed(f"{folder}: a partition without a value, or with an empty one, cannot be written.")
    return written


def _frame(expression: ir.Table) -> Any:
    """An expression as Spark's data frame, its columns of the types that Ibis tells: where it takes a number for what
    it should be already, it says nothing to the engine."""
    frames: dict[str, Any] = {}

    def named(table: ops.Relation) -> str:
        name = f"given_{len(frames)}"
        frames[name] = _read(table)
        return f"{{{name}}}"

    query = wording.worded(expression, quote="`", say=spark_words.say, named=named, text=spark_words.text)
    frame = session().sql(query, **frames) if frames else session().sql(query.format())
    kinds = {field.name: field.dataType.simpleString() for field in _schema(expression.schema())}
    return frame.selectExpr(*(f"CAST({_quoted(name)} AS {kind}) AS {_quoted(name)}" for name, kind in kinds.items()))


def _read(table: ops.Relation) -> Any:
    """A table that an expression begins with."""
    if isinstance(table, ops.InMemoryTable):
        kinds = table.schema.to_pyarrow()
        return session().createDataFrame(table.data.to_pyarrow(table.schema).cast(kinds), _schema(table.schema))
    query = getattr(table, "query", None)
    if not isinstance(query, wording.FileQuery):
        raise SparkFailed(f"{table.name}: a table of the worker's own engine is unknown to Apache Spark.")
    if not query.paths:
        return session().createDataFrame([], _schema(table.schema))
    reader = session().read.schema(_schema(table.schema)).option("basePath", query.folder)
    return reader.parquet(*query.paths)


def _schema(schema: sch.Schema) -> Any:
    from ibis.backends.pyspark.datatypes import PySparkSchema

    return PySparkSchema.from_ibis(schema)


def _quoted(name: str) -> str:
    return "`{}`".format(name.replace("`", "``"))
