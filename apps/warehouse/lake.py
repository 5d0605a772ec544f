"""The lake: Delta tables of Parquet files, written by the engine, committed (`commits`), read at a pinned version."""

import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import ibis.expr.types as ir
import pyarrow.parquet as pq

from apps.finops.tables import LakeTable
from apps.warehouse import engine, shared, spark, wording
from apps.warehouse.commits import CommitConflict, commit
from apps.warehouse.failpoints import failpoint
from apps.warehouse.stored import (
    LakeError,
    StoredFile,
    WrittenFile,
    files,
    forget,
    is_there,
    location,
    open_table,
    paths,
    version,
)
from apps.warehouse.wording import FileQuery

__all__ = [
    "CommitConflict", "LakeError", "StoredFile", "WrittenFile", "between", "changed", "commit", "drop", "files",
    "is_there", "location", "paths", "query_of", "replace", "scan", "version", "write", "write_sql",
]  # fmt: skip


def scan(
    table: LakeTable, *, at: int | None = None, only: Iterable[StoredFile | WrittenFile] | None = None
) -> ir.Table:
    """A table, or some of its files, as an Ibis table with the declared columns and types."""
    chosen = files(table, at=at) if only is None else tuple(only)
    if not chosen:
        return engine.empty(table.schema)
    return engine.reading(query_of(table, chosen), table.schema)


def query_of(table: LakeTable, chosen: Iterable[StoredFile | WrittenFile]) -> FileQuery:
    """Files of a table (at least one) as a query in the engine's own language."""
    here = [str(path) for path in paths(table, chosen)]
    names = ", ".join(map(wording.text, here))
    types = ", ".join(f"'{name}': {_HIVE_TYPES[table.columns[name]]}" for name in table.partition_by)
    columns = ", ".join(_told(table, name) for name in table.columns)
    union = "union_by_name = true, " if table.has_grown else ""
    rows = f"read_parquet([{names}], hive_partitioning = true, {union}hive_types = {{{types}}})"
    if table.may_be_missing:
        texts = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in table.may_be_missing)
        rows = f"(SELECT * FROM {rows} UNION ALL BY NAME SELECT {texts} WHERE false)"  # noqa: S608  # names and paths of our own tables
    query = f"SELECT {columns} FROM {rows}"  # noqa: S608  # the same
    return FileQuery.of(query, folder=str(location(table)), paths=here)


def _told(table: LakeTable, name: str) -> str:
    """A column, or what stands in where older files lack it."""
    if name not in table.stands_in:
        return f'"{name}"'
    return f"""coalesce("{name}", '{table.stands_in[name]}') AS "{name}\""""


_HIVE_TYPES = {"date": "DATE", "string": "VARCHAR"}


def between(table: LakeTable, column: str, start: Any, end: Any, *, at: int | None = None) -> ir.Table:
    """The files of a table whose partition value lies in start <= value < end."""
    low, high = str(start), str(end)
    return scan(table, only=[file for file in files(table, at=at) if low <= file.partition[column] < high])


def write(table: LakeTable, rows: ir.Table) -> list[WrittenFile]:
    """Ask the engine to write rows as Parquet into the table's folder. Nothing is visible until `commit`."""
    open_table(table)  # what a killed writer leaves beside a table is swept (`orphans`)
    cast = rows.select(**{name: rows[name].cast(kind) for name, kind in table.schema.items()})
    if spark.is_engine():
        return _write_by_spark(table, cast)
    with engine.registered(cast) as backend:
        return write_sql(table, backend.con, wording.query_of(backend, cast))


def write_sql(table: LakeTable, connection: duckdb.DuckDBPyConnection, query: str) -> list[WrittenFile]:
    """`write` for a query in the engine's own language; its columns are the table's, in order. The table itself may not
    be there yet."""
    failpoint("lake.write")
    folder = location(table)
    folder.mkdir(parents=True, exist_ok=True)
    batch = f"w{uuid.uuid4().hex[:12]}"
    partitions = ", ".join(f'"{name}"' for name in table.partition_by)
    try:
        found = connection.execute(
            f"COPY ({query}) TO {wording.text(str(folder))} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
            f"PARTITION_BY ({partitions}), FILENAME_PATTERN '{batch}_{{i}}', OVERWRITE_OR_IGNORE, RETURN_STATS)"
        ).fetchall()
    except BaseException:
        for half in folder.rglob(f"{batch}_*.parquet"):
            half.unlink(missing_ok=True)
        raise
    return [_written(folder, Path(row[0]), rows=row[1], size=row[2]) for row in found]


def _write_by_spark(table: LakeTable, rows: ir.Table) -> list[WrittenFile]:
    """Its executors write into a folder of their own, for Spark's own commit knows but one writer of a folder; whole
    files are moved from there."""
    folder, batch = location(table), f"w{uuid.uuid4().hex[:12]}"
    aside = folder / f"_{batch}"
    written = []
    try:
        for number, path in enumerate(spark.write(rows, aside, partition_by=table.partition_by)):
            count = pq.read_metadata(path).num_rows
            target = folder / path.relative_to(aside).with_name(f"{batch}_{number}.parquet")
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
            written.append(_written(folder, target, rows=count, size=target.stat().st_size))
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return written


def _written(folder: Path, path: Path, *, rows: int, size: int) -> WrittenFile:
    relative = path.relative_to(folder)
    partition = dict(part.split("=", 1) for part in relative.parts[:-1])
    return WrittenFile(
        path=str(relative), partition={key: unquote(value) for key, value in partition.items()}, size=size, rows=rows
    )


def replace(
    table: LakeTable, rows: ir.Table, window: Iterable[StoredFile], note: Mapping[str, str] | None = None
) -> int:
    """Replace the files of a window by new rows, in one transaction."""
    return commit(table, add=write(table, rows), remove=window, note=note)


def changed(table: LakeTable, before: int | None, after: int) -> list[StoredFile]:
    """The files one of two versions of a table has and the other has not; all files where there is none before."""
    now = {file.path: file for file in files(table, at=after)}
    then = {file.path: file for file in files(table, at=before)} if before is not None else {}
    return [file for path, file in sorted((then | now).items()) if path not in now or path not in then]


def drop(table: LakeTable) -> None:
    """Forget a table and its files. For tests and benchmarks."""
    if shared.is_on():
        shared.bucket().delete([one.key for one in shared.bucket().listed(f"{shared.key_of(location(table))}/")])
    shutil.rmtree(location(table), ignore_errors=True)
    forget()
