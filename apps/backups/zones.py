"""Where the files lie that count: in the home folder, or in the bucket that several machines share."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from django.conf import settings

from apps.backups.versions import OF_A_LOG, Log
from apps.finops.errors import CostOpsError
from apps.warehouse import shared

ZONES = ("landing", "lake", "uploads")
UPLOADS = "uploads/"
LOOKS = 3
"""How often a log is listed that seems to lack a version: of two committed meanwhile the later may be seen alone."""
Watcher = Callable[[str], None]


class FilesMissing(CostOpsError):
    """A file is not there that the newest version of a table is read from."""


@dataclass(frozen=True)
class File:
    """One file: its path below the home folder, which is its key in the bucket; its sha256 where it was read."""

    path: str
    size: int
    sha256: str = ""
    modified_ns: int = 0
    """Of what people brought: whoever looks for new files goes by it."""
    may_go: bool = False
    """Whether only older versions of a table have it: what of these nobody reads any more is taken away, any night."""

    @property
    def is_fixed(self) -> bool:
        """Whether its name stands for one content. Versions of a log get their number again after a restore, and people
        may bring another file of the same name."""
        return not OF_A_LOG.fullmatch(self.path) and not self.path.startswith(UPLOADS)

    def copy_to(self, target: Path) -> None:
        if shared.is_on():
            shared.bucket().fetch(self.path, target)
        else:
            shutil.copyfile(_home() / self.path, target)


def files(say: Watcher) -> Iterator[File]:
    """What counts: landed files, those that people brought, the logs of tables, and every file a log ever named that is
    still there.

    What somebody is just writing, or left behind when he was killed, is named by no log.
    """
    yield from _listed("landing/").values()
    yield from _listed(UPLOADS).values()
    tables = {found[1] for path in _listed("lake/") if (found := OF_A_LOG.fullmatch(path))}
    for table in sorted(tables):
        yield from _of_table(table, say)


def _of_table(table: str, say: Watcher) -> Iterator[File]:
    """The log first, then what it names: files are there before the commit that names them."""
    log, files = _log_of(table)
    lying = _listed(f"lake/{table}/")
    gone = {path for path in log.named if f"lake/{table}/{path}" not in lying}
    if lost := sorted(gone & log.newest):
        raise FilesMissing(
            f"The newest version of the table {table} names {len(lost)} files that are not there, the first is "
            f"{lost[0]}: no backup was made. Bring them back from an earlier one, or run manage.py fill for their days."
        )
    if gone:
        say(f"{len(gone)} files of older versions of the table {table} are not there any more.")
    yield from files
    for path in sorted(log.named - gone):
        yield replace(lying[f"lake/{table}/{path}"], may_go=path not in log.newest)


def _log_of(table: str) -> tuple[Log, list[File]]:
    for _look in range(LOOKS):
        listed = _listed(f"lake/{table}/_delta_log/")
        log, files = Log(), []
        for path in sorted(path for path in listed if OF_A_LOG.fullmatch(path)):
            content = _read(path)
            log.take(Path(path).name, content)
            files.append(File(path, len(content), hashlib.sha256(content).hexdigest()))
        if log.lacking is None:
            return log, files
    raise FilesMissing(f"The log of the table {table} lacks its version {log.lacking}: no backup was made.")


def taken() -> list[str]:
    """The zones that hold anything."""
    if shared.is_on():
        return [zone for zone in ZONES if next(shared.bucket().listed(f"{zone}/"), None)]
    return [zone for zone in ZONES if any((_home() / zone).glob("*"))]


def _home() -> Path:
    return Path(settings.COSTOPS_HOME)


def _listed(below: str) -> dict[str, File]:
    """The files below a folder, by path; not what is hidden."""
    return {file.path: file for file in (_in_bucket(below) if shared.is_on() else _at_home(below))}


def _at_home(below: str) -> Iterator[File]:
    for folder, _folders, names in os.walk(_home() / below):
        for path in (Path(folder, name) for name in names if not name.startswith(".")):
            with suppress(FileNotFoundError):  # its writer moved it meanwhile
                facts = path.stat()
                if stat.S_ISREG(facts.st_mode):
                    changed = facts.st_mtime_ns if below == UPLOADS else 0
                    yield File(path.relative_to(_home()).as_posix(), facts.st_size, modified_ns=changed)


def _in_bucket(below: str) -> Iterator[File]:
    for one in shared.bucket().listed(below):
        yield File(one.key, one.size, modified_ns=shared.modified(one.key) if below == UPLOADS else 0)


def _read(path: str) -> bytes:
    return shared.bucket().read(path) if shared.is_on() else (_home() / path).read_bytes()
