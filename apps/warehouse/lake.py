"""The lake: Delta tables of Parquet files, written by the engine, committed here, read at a pinned version."""

import json
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import replace as changed_to
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Field, PostCommitHookProperties
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction
from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.finops.tables import LakeTable
from apps.warehouse import engine, fencing, logs, shared, spark, wording
from apps.warehouse.failpoints import failpoint
from apps.warehouse.wording import FileQuery

Partition = Mapping[str, str | date]


class LakeError(CostOpsError):
    """A table of the lake cannot be read or written as asked."""


class CommitConflict(LakeError):
    """Two writers replaced the same window at the same time; the later one changed nothing."""


COMMIT_ATTEMPTS = 20
COMMIT_PAUSE_SECONDS = 0.02
SYNCED_AT_ONCE = 8


@dataclass(frozen=True)
class WrittenFile:
    """A Parquet file lying in a table's folder, not yet part of the table."""

    path: str  # relative to the table's folder
    partition: dict[str, str]
    size: int
    rows: int


def location(table: LakeTable) -> Path:
    """The folder of a table on this machine; of a lake in a bucket it holds what was read (`paths`) or just written."""
    return Path(settings.COSTOPS_LAKE) / table.name


def paths(table: LakeTable, chosen: Iterable["StoredFile | WrittenFile"]) -> list[Path]:
    """Files of a table, to be opened here and now."""
    folder = location(table)
    return shared.at_hand(folder / file.path for file in chosen)


def is_there(table: LakeTable) -> bool:
    """Whether anybody ever wrote the table."""
    logs.pull(location(table))
    return location(table).exists()


def _open(table: LakeTable) -> DeltaTable:
    path = location(table)
    logs.pull(path)
    if not DeltaTable.is_deltatable(str(path)):
        _create(table, path)
    return _with_new_columns(table, DeltaTable(str(path)))


def _create(table: LakeTable, path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True)
    schema = pa.schema([pa.field(name, kind.to_pyarrow()) for name, kind in table.schema.items()])
    with suppress(CommitFailedError), logs.committing(path) as folder:  # somebody else may be making it
        DeltaTable.create(
            str(folder), schema=schema, partition_by=list(table.partition_by), mode="ignore",
            configuration=_KEEP_HISTORY,
        )  # fmt: skip
    logs.pull(path)


def _with_new_columns(table: LakeTable, delta: DeltaTable) -> DeltaTable:
    """A table made by an earlier release gets the columns that came since; its older files read them as missing."""
    held = {field.name for field in delta.schema().fields}
    new = [name for name in table.columns if name not in held]
    if new:
        fields = pa.schema([pa.field(name, table.schema[name].to_pyarrow()) for name in new])
        with logs.committing(location(table)) as folder:
            DeltaTable(str(folder)).alter.add_columns([Field.from_arrow(field) for field in fields])
        delta.update_incremental()
    return delta


_KEEP_HISTORY = {"delta.enableExpiredLogCleanup": "false"}
"""By default a table forgets versions after thirty days, and with them every publication that pins one."""


def version(table: LakeTable) -> int:
    """The newest committed version of a table; a table nobody wrote is version 0 and empty."""
    return int(_open(table).version())


@dataclass(frozen=True)
class StoredFile:
    """One file of a committed table version."""

    path: str  # relative to the table's folder
    partition: dict[str, str]
    rows: int
    size: int


@lru_cache(maxsize=256)
def _files_of(folder: str, at: int) -> tuple[StoredFile, ...]:
    logs.pull_version(Path(folder), at)
    told = DeltaTable(folder, version=at).get_add_actions(flatten=True)
    actions = pa.RecordBatchReader.from_stream(told).read_all().to_pylist()  # `pa.table` would first look for pandas
    return tuple(
        _stored(
            unquote(row["path"]), row["num_records"] or 0, row["size_bytes"],
            tuple((key.removeprefix(_OF), str(value)) for key, value in row.items() if key.startswith(_OF)),
        )
        for row in sorted(actions, key=lambda row: row["path"])
    )  # fmt: skip


@lru_cache(maxsize=100_000)
def _stored(path: str, rows: int, size: int, partition: tuple[tuple[str, str], ...]) -> StoredFile:
    """One file, shared by all versions that have it: from one to the next nearly all stay, and many are remembered."""
    return StoredFile(path, dict(partition), rows, size)


_OF = "partition."


def files(table: LakeTable, *, at: int | None = None) -> tuple[StoredFile, ...]:
    """The files of one version (the newest by default), never a glob: what a killed writer left behind is not there."""
    number = version(table) if at is None else at
    return _files_of(str(location(table)), number)


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
    cast = rows.select(**{name: rows[name].cast(kind) for name, kind in table.schema.items()})
    if spark.is_engine():
        return _write_by_spark(table, cast)
    with engine.registered(cast) as backend:
        return write_sql(table, backend.con, wording.query_of(backend, cast))


def write_sql(table: LakeTable, connection: duckdb.DuckDBPyConnection, query: str) -> list[WrittenFile]:
    """`write` for a query in the engine's own language; its columns are the table's, in order."""
    _open(table)
    failpoint("lake.write")
    folder = location(table)
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
    _open(table)
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


def commit(
    table: LakeTable, *, add: Iterable[WrittenFile], remove: Iterable[StoredFile], note: Mapping[str, str] | None = None
) -> int:
    """Put files into a table and take others out, in one transaction; the new version. Older versions stay readable.

    A partition is replaced whole: raises CommitConflict when the table meanwhile holds other files than the caller saw,
    and TakenOver when another worker does the caller's work by now.
    """
    add, remove = _sent(table, add), list(remove)
    now = int(time.time() * 1000)  # noqa: TID251  # the log's own stamp; no number depends on it
    actions: list[AddAction | RemoveAction] = [
        RemoveAction(file.path, True, now, size=file.size, partition_values=dict(file.partition)) for file in remove
    ]
    actions += [
        AddAction(
            path=file.path, size=file.size, partition_values=dict(file.partition), modification_time=now,
            data_change=True, stats=json.dumps({"numRecords": file.rows}),
        )
        for file in add
    ]  # fmt: skip
    for attempt in range(COMMIT_ATTEMPTS):
        delta = _open(table)
        _check_seen(table, delta, add, remove)
        if not actions:
            return int(delta.version())
        fencing.check()
        failpoint("lake.commit")
        _check_there(table, add)
        try:
            _write(table, delta, actions, dict(note or {}))
        except CommitFailedError as conflict:
            # Somebody was first, here or in another window: look again, in the table as it is now.
            if attempt == COMMIT_ATTEMPTS - 1:
                message = f"{table.name}: {conflict} Nothing was changed here; run the step again."
                raise CommitConflict(message) from conflict
            time.sleep(COMMIT_PAUSE_SECONDS * attempt)
        else:
            break
    delta.update_incremental()
    failpoint("lake.committed")
    _sync(location(table) / "_delta_log" / f"{delta.version():020}.json", location(table) / "_delta_log")
    return int(delta.version())


def _to_disk(folder: Path, add: Iterable[WrittenFile]) -> None:
    """Wait until files lie on the disk under their names: a power cut must not leave a table that names lost bytes."""
    files = [folder / file.path for file in add]
    if not files:
        return
    failpoint("lake.sync")
    parents = {parent for file in files for parent in file.parents if parent.is_relative_to(folder)}
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
        list(pool.map(_sync, (*files, *parents)))


def _sync(*paths: Path) -> None:
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sent(table: LakeTable, written: Iterable[WrittenFile]) -> list[WrittenFile]:
    """The files, where everybody who reads the table will find them: in the shared store under names that tell what
    they hold."""
    written, folder = list(written), location(table)
    if not shared.is_on():
        _to_disk(folder, written)
        return written
    named = [changed_to(file, path=str(shared.named(folder / file.path).relative_to(folder))) for file in written]
    shared.send(folder / file.path for file in named)
    return named


def _write(
    table: LakeTable, delta: DeltaTable, actions: list[AddAction | RemoveAction], metadata: dict[str, str]
) -> None:
    """Commit as the version after the one that was looked at, or not at all.

    Delta would try again on top of what somebody else committed, and takes two appends to one partition for friends.
    """
    with logs.committing(location(table)) as folder:
        seen = delta if folder == location(table) else DeltaTable(str(folder), version=delta.version())
        seen.create_write_transaction(
            actions,
            mode="append",
            schema=seen.schema(),
            partition_by=list(table.partition_by),
            commit_properties=CommitProperties(custom_metadata=metadata, max_commit_retries=0),
            post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=False),
        )


def _check_seen(table: LakeTable, delta: DeltaTable, add: list[WrittenFile], remove: list[StoredFile]) -> None:
    """What is removed must still be there, and what is there in the partitions written to must be removed."""
    held = _files_of(str(location(table)), int(delta.version()))
    written = {tuple(sorted(file.partition.items())) for file in add}
    gone = {file.path for file in remove}
    overlooked = [
        file.path for file in held if tuple(sorted(file.partition.items())) in written and file.path not in gone
    ]
    vanished = gone - {file.path for file in held}
    if overlooked or vanished:
        raise CommitConflict(
            f"{table.name}: somebody else changed {[*overlooked, *sorted(vanished)][0]} at the same time. "
            "Nothing was changed here; run the step again."
        )


def _check_there(table: LakeTable, add: list[WrittenFile]) -> None:
    """A writer that was frozen for days may find its files swept (`orphans.sweep`): no version may name them then."""
    gone = [] if shared.is_on() else [file.path for file in add if not (location(table) / file.path).exists()]
    if gone:
        raise CommitConflict(
            f"{table.name}: {gone[0]} is gone before it was committed. Nothing was changed here; run the step again."
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
    _files_of.cache_clear()
