"""What lies on the disk at each moment, and what was named before it did: a power cut would leave the name alone."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable
from deltalake.transaction import AddAction, RemoveAction
from django.conf import settings

from apps.finops.tables import LakeTable
from apps.ingest import services
from apps.ingest.landing import Landed, landed_path
from apps.ingest.models import Source
from apps.warehouse import lake


class Disk:
    """What files held and folders listed when somebody last waited for them; `early` tells what did not wait."""

    def __init__(self) -> None:
        self.kept: dict[int, int | dict[str, int]] = {}
        self.early: list[str] = []

    def note(self, handle: int) -> None:
        facts = os.fstat(handle)
        if stat.S_ISDIR(facts.st_mode):
            self.kept[facts.st_ino] = {entry.name: entry.inode() for entry in os.scandir(handle)}
        else:
            self.kept[facts.st_ino] = facts.st_size

    def holds(self, path: Path, below: Path) -> bool:
        """Whether all of a file is there, and found from a folder down."""
        facts, steps = path.stat(), [path, *(one for one in path.parents if one.is_relative_to(below) and one != below)]
        is_found = all(
            isinstance(names := self.kept.get(one.parent.stat().st_ino), dict)
            and names.get(one.name) == one.stat().st_ino
            for one in steps
        )
        return is_found and (path.is_dir() or self.kept.get(facts.st_ino) == facts.st_size)

    def want(self, path: Path, below: Path, by: str) -> None:
        if not self.holds(path, below):
            self.early.append(f"{by} names {path.name}, which a power cut would take")


@contextmanager
def watched() -> Iterator[Disk]:
    """Note what is waited for, and look at it whenever a new name, a commit or a row of a landed file builds on it."""
    disk = Disk()
    with pytest.MonkeyPatch.context() as patched:
        _watch_names(disk, patched)
        _watch_commits(disk, patched, Path(settings.COSTOPS_LAKE))
        _watch_rows(disk, patched, Path(settings.COSTOPS_LANDING))
        yield disk


def _watch_names(disk: Disk, patched: pytest.MonkeyPatch) -> None:
    sync, give_name = os.fsync, os.replace
    ours = (Path(settings.COSTOPS_LAKE), Path(settings.COSTOPS_LANDING))

    def synced(handle: int) -> None:
        sync(handle)
        disk.note(handle)

    def named(made: Path, target: Path) -> None:
        facts = os.stat(made)
        if any(Path(target).is_relative_to(one) for one in ours) and disk.kept.get(facts.st_ino) != facts.st_size:
            disk.early.append(f"{Path(target).name} has its name before its content lies on the disk")
        give_name(made, target)

    patched.setattr(os, "fsync", synced)
    patched.setattr(os, "replace", named)


def _watch_commits(disk: Disk, patched: pytest.MonkeyPatch, lakes: Path) -> None:
    write, commit = DeltaTable.create_write_transaction, lake.commit

    def written(self: DeltaTable, actions: list[AddAction | RemoveAction], **told: Any) -> None:
        folder = Path(self.table_uri.removeprefix("file://"))
        for one in actions:
            if isinstance(one, AddAction):
                disk.want(folder / one.path, lakes, "a commit")
        disk.want(_version(folder, int(self.version())), lakes, "the next version")
        write(self, actions, **told)

    def committed(table: LakeTable, **told: Any) -> int:
        at = commit(table, **told)
        disk.want(_version(lake.location(table), at), lakes, "whoever committed")
        return at

    patched.setattr(DeltaTable, "create_write_transaction", written)
    patched.setattr(lake, "commit", committed)


def _watch_rows(disk: Disk, patched: pytest.MonkeyPatch, landing_zone: Path) -> None:
    enter = services._enter

    def entered(source: Source, landed: list[tuple[Any, Landed]], *given: Any) -> None:
        for _, one in landed:
            disk.want(landed_path(one.sha256), landing_zone, "a row")
        enter(source, landed, *given)

    patched.setattr(services, "_enter", entered)


def _version(folder: Path, at: int) -> Path:
    return folder / "_delta_log" / f"{at:020}.json"
