"""Commits to the tables of the lake: one transaction that changes a window, or changes nothing."""

import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace as changed_to
from pathlib import Path

from deltalake import CommitProperties, DeltaTable
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from apps.finops.tables import LakeTable
from apps.warehouse import disk, durable, fencing, logs, shared
from apps.warehouse.failpoints import failpoint
from apps.warehouse.stored import LakeError, StoredFile, WrittenFile, files_of, location, open_table

COMMIT_ATTEMPTS = 20
COMMIT_PAUSE_SECONDS = 0.02
SYNCED_AT_ONCE = 8


class CommitConflict(LakeError):
    """Two writers replaced the same window at the same time; the later one changed nothing."""


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
        delta = open_table(table)
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
    durable.keep_version(location(table), int(delta.version()))
    durable.keep_checkpoint(location(table), int(delta.version()))
    return int(delta.version())


def _to_disk(folder: Path, add: Iterable[WrittenFile]) -> None:
    """Wait until files lie on the disk under their names: a power cut must not leave a table that names lost bytes."""
    files = [folder / file.path for file in add]
    if not files:
        return
    failpoint("lake.sync")
    parents = {parent for file in files for parent in file.parents if parent.is_relative_to(folder)}
    with ThreadPoolExecutor(SYNCED_AT_ONCE) as pool:
        list(pool.map(disk.sync, (*files, *parents)))


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
    The version it builds on is on the disk first, whoever wrote that.
    """
    durable.keep_version(location(table), int(delta.version()))
    with logs.committing(location(table)) as folder:
        seen = delta if folder == location(table) else DeltaTable(str(folder), version=delta.version())
        seen.create_write_transaction(
            actions,
            mode="append",
            schema=seen.schema(),
            partition_by=list(table.partition_by),
            commit_properties=CommitProperties(custom_metadata=metadata, max_commit_retries=0),
            post_commithook_properties=durable.NO_HOOKS,
        )


def _check_seen(table: LakeTable, delta: DeltaTable, add: list[WrittenFile], remove: list[StoredFile]) -> None:
    """What is removed must still be there, and what is there in the partitions written to must be removed."""
    held = files_of(str(location(table)), int(delta.version()), opened=delta)
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
    if gone := shared.missing(location(table) / file.path for file in add):
        name = gone[0].relative_to(location(table))
        raise CommitConflict(
            f"{table.name}: {name} is gone before it was committed. Nothing was changed here; run the step again."
        )
