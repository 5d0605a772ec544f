"""The tables of the lake as they lie there: their versions, and the files of each."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable, Field
from deltalake.exceptions import CommitFailedError
from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.finops.tables import LakeTable
from apps.warehouse import durable, logs, shared


class LakeError(CostOpsError):
    """A table of the lake cannot be read or written as asked."""


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


def open_table(table: LakeTable) -> DeltaTable:
    """A table at its newest version; one that nobody wrote is made."""
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
    durable.keep_new(path)


def _with_new_columns(table: LakeTable, delta: DeltaTable) -> DeltaTable:
    """A table made by an earlier release gets the columns that came since; its older files read them as missing."""
    held = {field.name for field in delta.schema().fields}
    new = [name for name in table.columns if name not in held]
    if new:
        fields = pa.schema([pa.field(name, table.schema[name].to_pyarrow()) for name in new])
        with suppress(CommitFailedError), logs.committing(location(table)) as folder:  # somebody else may be at it
            DeltaTable(str(folder)).alter.add_columns(
                [Field.from_arrow(field) for field in fields], post_commithook_properties=durable.NO_HOOKS
            )
        logs.pull(location(table))
        delta.update_incremental()
        durable.keep_version(location(table), int(delta.version()))
    return delta


_KEEP_HISTORY = {"delta.enableExpiredLogCleanup": "false"}
"""By default a table forgets versions after thirty days, and with them every publication that pins one."""


def version(table: LakeTable) -> int:
    """The newest committed version of a table; a table nobody wrote is version 0 and empty."""
    return int(open_table(table).version())


@dataclass(frozen=True)
class StoredFile:
    """One file of a committed table version."""

    path: str  # relative to the table's folder
    partition: dict[str, str]
    rows: int
    size: int


def files_of(folder: str, at: int, *, opened: DeltaTable | None = None) -> tuple[StoredFile, ...]:
    """The files of a version of the table in a folder; `opened` is that version, where somebody has it open."""
    return _files_of(folder, at, _Opened(opened))


def forget() -> None:
    """Forget what versions hold: their numbers may be given again."""
    _files_of.cache_clear()


class _Opened:
    """A version that may be open already. What is in it is the same, so that one is remembered for another; whoever
    looks into it takes it, so that it does not stay open with what is remembered."""

    def __init__(self, delta: DeltaTable | None) -> None:
        self._delta = delta

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Opened)

    def __hash__(self) -> int:
        return hash(_Opened)

    def take(self, folder: str, at: int) -> DeltaTable:
        delta, self._delta = self._delta, None
        if delta is None:
            logs.pull_version(Path(folder), at)
            delta = DeltaTable(folder, version=at)
        return delta


@lru_cache(maxsize=256)
def _files_of(folder: str, at: int, opened: _Opened) -> tuple[StoredFile, ...]:
    told = opened.take(folder, at).get_add_actions(flatten=True)
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
    if at is not None:
        return files_of(str(location(table)), at)
    newest = open_table(table)
    return files_of(str(location(table)), int(newest.version()), opened=newest)
