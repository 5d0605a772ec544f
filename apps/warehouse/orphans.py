"""Orphans of the lake: files that were written and never committed, taken away after a grace period."""

import logging
import os
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from apps.warehouse import shared, versions

if TYPE_CHECKING:
    from apps.warehouse.objects import Bucket, Stored

logger = logging.getLogger(__name__)

GRACE = timedelta(days=2)
"""Far longer than a run may last between writing its files and committing them."""
_VERSION = re.compile(r"_delta_log/(\d{20})\.json")
_HALF_A_COMMIT = re.compile(r"_delta_log/(_commit_.+\.tmp|.+#\d+)")
"""How deltalake and its store call a version they are about to write."""
_TEMPORARY = ("staging", "engine", "commits", "exports", "uploads")
"""Folders below `tmp` of the home folder whose content belongs to whoever is at work; a killed process leaves it."""
_INCOMING = re.compile(r"\.incoming-[0-9a-f]{32}")
"""A file that is copied, fetched or brought, before it is whole and has its name."""
_TOLD = 5


def sweep(now: datetime) -> int:
    """Take away what no version of any table names, once it has lain there for the grace period; how many files.

    Older versions stay readable: what any of them ever named stays. So does everything of a table whose log has gaps,
    and whatever lies in folders that are none of ours. Temporary files of this machine go by the same grace.
    """
    _sweep_temporary(now)
    place = store()
    old = [one.key for prefix in ("lake/", ".probe-") for one in place.listed(prefix) if one.modified < now - GRACE]
    swept: list[str] = []
    for lost in _lost(place, old):
        place.delete(lost)
        swept += lost
    if swept:
        told = ", ".join(sorted(swept)[:_TOLD]) + (" …" if len(swept) > _TOLD else "")
        logger.warning("%d orphans of the lake swept, which no version names: %s", len(swept), told)
    return len(swept)


def store() -> "Bucket | _Folder":
    """Where the files lie that count, by key: those of the lake below `lake/`, landed ones below `landing/`."""
    return shared.bucket() if shared.is_on() else _Folder()


def _sweep_temporary(now: datetime) -> None:
    for name in _TEMPORARY:
        folder = Path(settings.COSTOPS_HOME) / "tmp" / name
        for path in folder.iterdir() if folder.exists() else ():
            with suppress(FileNotFoundError):  # whoever was at work took it away
                if _touched(path.lstat()) < now - GRACE:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    for path in (*_incoming(), *_unsent()):
        with suppress(FileNotFoundError):  # it is whole by now, and has its name
            if _touched(path.lstat()) < now - GRACE:
                path.unlink()


def _incoming() -> Iterator[Path]:
    """What lies beside the names it is to get: in the landing zone, where people bring files, and in what is kept of a
    shared lake."""
    zones = (settings.COSTOPS_LANDING, settings.COSTOPS_LAKE, Path(settings.COSTOPS_HOME) / "uploads")
    for zone in zones:
        for folder, _folders, names in os.walk(zone):
            yield from (Path(folder, name) for name in names if _INCOMING.fullmatch(name))


def _unsent() -> Iterator[Path]:
    """Of a lake in a bucket, what was written here and never got the name by which it would have been sent."""
    if shared.is_on():
        written = Path(settings.COSTOPS_LAKE).rglob("*.parquet")
        yield from (path for path in written if not shared.sha256_in(path) and path.parent.name != "_delta_log")


def _touched(facts: os.stat_result) -> datetime:
    """A copy that keeps the times of its original is as young as the copying."""
    return datetime.fromtimestamp(max(facts.st_mtime, facts.st_ctime), UTC)


def _lost(place: "Bucket | _Folder", old: Iterable[str]) -> Iterator[list[str]]:
    """Table by table, each when its log was read: a sweep that does not come to its end has done a part."""
    tables: dict[str, list[str]] = defaultdict(list)
    rest = []
    for key in sorted(old):
        if key.startswith((".probe-", "lake/.ready-", "lake/_kept/")):  # of a look at the place, of one computation
            rest.append(key)
        elif key.count("/") > 1:
            tables[key.split("/")[1]].append(key)
    yield rest
    for table, keys in tables.items():
        if (named := _named(place, table)) is not None:
            yield [key for key in keys if _is_lost(key.removeprefix(f"lake/{table}/"), named)]


def _is_lost(path: str, named: set[str]) -> bool:
    return bool(_HALF_A_COMMIT.fullmatch(path)) if path.startswith("_delta_log/") else path not in named


def _named(place: "Bucket | _Folder", table: str) -> set[str] | None:
    """Every file that any version added, relative to the table; None where that cannot be told for certain.

    Asked after the files were listed: what was committed meanwhile is named.
    """
    told = history(place, table)
    return None if told is None else {path for change in told.changes for path in change.added}


@dataclass(frozen=True)
class History:
    """What the versions of a table changed, from the first on, and when each was written."""

    changes: tuple[versions.Change, ...]
    written_at: tuple[datetime, ...]


def history(place: "Bucket | _Folder", table: str) -> History | None:
    """All there is of a table; None where its log has gaps or cannot be read."""
    log = ((one, _VERSION.fullmatch(one.key.removeprefix(f"lake/{table}/"))) for one in _log(place, table))
    found = {int(version[1]): one for one, version in log if version}
    if not found or sorted(found) != list(range(len(found))):
        return None
    ordered = [found[number] for number in sorted(found)]
    try:
        changes = versions.changes(table, ordered, place.read)
    except ValueError:
        logger.error("A version of the table %s cannot be read; nothing of it is swept.", table)
        return None
    return History(tuple(changes), tuple(one.modified for one in ordered))


def _log(place: "Bucket | _Folder", table: str) -> "Iterable[Stored | _Lying]":
    return place.listed(f"lake/{table}/_delta_log/")


@dataclass(frozen=True)
class _Lying:
    key: str
    size: int
    modified: datetime


class _Folder:
    """What lies on this machine, as a bucket would tell it. Links are neither followed nor touched."""

    def __init__(self) -> None:
        self._roots = {"lake": Path(settings.COSTOPS_LAKE), "landing": Path(settings.COSTOPS_LANDING)}

    def listed(self, prefix: str) -> Iterator[_Lying]:
        """The files of a zone or a folder, or the one file that is called so."""
        zone = prefix.partition("/")[0]
        place = self._path(prefix) if zone in self._roots else Path()
        paths = (Path(folder, name) for folder, _folders, names in os.walk(place) for name in names)
        for path in () if zone not in self._roots else (place,) if place.is_file() else paths:
            with suppress(FileNotFoundError):  # its writer moved it meanwhile
                facts = path.lstat()
                if stat.S_ISREG(facts.st_mode):
                    yield _Lying(
                        f"{zone}/{path.relative_to(self._roots[zone]).as_posix()}", facts.st_size, _touched(facts)
                    )

    def read(self, key: str) -> bytes:
        return self._path(key).read_bytes()

    def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            path = self._path(key)
            path.unlink(missing_ok=True)
            for folder in path.parents if key.startswith("lake/") else ():
                if not _is_of_one_writer(folder.relative_to(self._roots["lake"]).parts):
                    break
                with suppress(OSError):  # something lies there still
                    folder.rmdir()

    def _path(self, key: str) -> Path:
        zone, _, below = key.partition("/")
        return self._roots[zone] / below


def _is_of_one_writer(parts: tuple[str, ...]) -> bool:
    """Whether a folder belonged to one writing or one computation; in others somebody may be about to write."""
    return len(parts) > 1 and (parts[0] == "_kept" or (parts[1].startswith("_") and parts[1] != "_delta_log"))
