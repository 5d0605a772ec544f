"""Copies of everything an installation knows: the database as of one moment, and the files it speaks of.

A backup folder holds many backups. Files of the lake and landed files never change once they have their name: each lies
there once, however many backups speak of it. Versions of a log get their numbers again after a restore: those lie there
by what they hold. What a manifest names is never written over by anything else.

    FOLDER/files/landing/…, FOLDER/files/lake/…      as in the home folder
    FOLDER/files/by-sha256/ab/abc…                    whatever may change under its name
    FOLDER/backups/20261102T030405Z/database          the database
    FOLDER/backups/20261102T030405Z/manifest.json     every file with size and sha256; written last
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from apps.backups import database, leftovers, zones
from apps.backups.zones import ZONES
from apps.finops.errors import CostOpsError
from apps.marts.models import Publication
from apps.pipeline import restored
from apps.warehouse import shared, stored

FORMAT, READ = 2, (1, 2)
"""Before 2 the files of a log lay by their names too, but for `_last_checkpoint`, which lay beside the manifest."""
HINT = "_last_checkpoint"
KEY = "secret_key"
OWN = (KEY, "costops.env")
"""What lies in the home folder besides: without the key, credentials that it sealed cannot be read again."""
OWNER_ONLY = 0o600
Watcher = Callable[[str], None]


class NoBackup(CostOpsError):
    """There is no such backup, or not all of it."""


class Damaged(CostOpsError):
    """A file of a backup is not as it was written."""


class NotEmpty(CostOpsError):
    """There is something where a backup is to be restored to."""


@dataclass(frozen=True)
class Kept:
    """A file of a backup: its path below the home folder, size and sha256, whether it lies by that, and of one that
    people brought when it was changed."""

    path: str
    size: int
    sha256: str
    by_sha256: bool = False
    modified_ns: int = 0

    @property
    def is_beside(self) -> bool:
        """Whether it lies beside the manifest."""
        return "/" not in self.path or Path(self.path).name == HINT

    @property
    def place(self) -> str:
        """Where it lies below `files`."""
        return f"by-sha256/{self.sha256[:2]}/{self.sha256}" if self.by_sha256 else self.path

    def is_at(self, place: Path) -> bool:
        """Whether what lies there is this, as it was written."""
        return place.exists() and place.stat().st_size == self.size and _sha256(place) == self.sha256


@dataclass(frozen=True)
class Backup:
    """A complete backup; `publication` is the newest number in it."""

    name: str
    made_at: str
    vendor: str
    migrations: int
    publication: int | None
    files: tuple[Kept, ...]
    zones: tuple[str, ...] = ("landing", "lake")
    """What it is about; earlier versions knew these two."""

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


# --- Making ----------------------------------------------------------------------------------------------------------
def make(folder: Path, *, now: datetime, say: Watcher) -> Backup:
    """Copy the database, then every file there is: those it speaks of were there before it was copied."""
    name = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    into = folder / "backups" / name
    into.mkdir(parents=True, mode=0o700)
    (folder / "files").mkdir(exist_ok=True)
    (folder / "files").chmod(0o700)
    for gone in leftovers.clear(folder, into):
        say(f"{gone} was never complete and is deleted.")
    database.save(into / "database")
    (into / "database").chmod(OWNER_ONLY)
    say("The database is copied.")
    if newer := database.newer():
        say(f"It is of a newer version of CostOps, with the migration {newer}: only that one can restore this backup.")
    known = {file.path: file for backup in backups(folder) for file in backup.files if not file.is_beside}
    files = list(_copies(into, folder, known, say))
    own = [_hashed(into / "database", "database"), *_copied_own(into)]
    newest = Publication.objects.order_by("-number").values_list("number", flat=True).first()
    backup = Backup(name, now.isoformat(), connection.vendor, _migrations(), newest, (*own, *files), ZONES)
    _write(into / "manifest.json", json.dumps({"format": FORMAT, **asdict(backup)}, indent=1).encode())
    return backup


def _migrations() -> int:
    return MigrationRecorder.Migration.objects.count()


def _copies(into: Path, folder: Path, known: Mapping[str, Kept], say: Watcher) -> Iterator[Kept]:
    for file in zones.files(say):
        try:
            yield _kept(file, into, folder, known.get(file.path))
        except FileNotFoundError:
            if file.path.startswith("lake/") and not file.may_go:
                raise zones.FilesMissing(
                    f"{file.path} was taken away before it was copied: no backup was made."
                ) from None
            say(f"{file.path} was taken away before it was copied.")


def _kept(file: zones.File, into: Path, folder: Path, before: Kept | None) -> Kept:
    """Have a file in the folder; nothing that a manifest names is written over by another content."""
    is_known = before and before.size == file.size and before.modified_ns == file.modified_ns
    if before and is_known and (file.is_fixed or file.modified_ns) and _lies(folder, before):
        return before
    told = Kept(file.path, file.size, file.sha256, by_sha256=True)
    if file.sha256 and _lies(folder, told):
        return told
    fresh = into / ".new"
    kept = _fresh(file.copy_to, fresh, file.path)
    if before and file.is_fixed and kept.sha256 == before.sha256:
        kept = before  # whose copy went missing
    elif before or not file.is_fixed:
        kept = replace(kept, by_sha256=True, modified_ns=file.modified_ns)
    _name(fresh, folder / "files" / kept.place)
    return kept


def _lies(folder: Path, kept: Kept) -> bool:
    place = folder / "files" / kept.place
    return place.exists() and place.stat().st_size == kept.size


def _copied_own(into: Path) -> list[Kept]:
    home = Path(settings.COSTOPS_HOME)
    return [_copied(home / name, into / name, name) for name in OWN if (home / name).exists()]


def _copied(source: Path, target: Path, relative: str, mode: int = OWNER_ONLY) -> Kept:
    return _written(lambda fresh: shutil.copyfile(source, fresh), target, relative, mode)


def _written(write: Callable[[Path], object], target: Path, relative: str, mode: int = OWNER_ONLY) -> Kept:
    """Write under another name, look at what was written, then give it its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    kept = _fresh(write, fresh, relative, mode)
    _name(fresh, target)
    return kept


def _fresh(write: Callable[[Path], object], fresh: Path, relative: str, mode: int = OWNER_ONLY) -> Kept:
    fresh.unlink(missing_ok=True)  # of one that was killed
    write(fresh)
    if mode == OWNER_ONLY:  # its folder is for the owner only from the beginning
        fresh.chmod(mode)
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    return _hashed(fresh, relative)


def _name(fresh: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh.replace(target)


def _hashed(path: Path, relative: str) -> Kept:
    return Kept(relative, path.stat().st_size, _sha256(path))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.touch(OWNER_ONLY)
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


# --- Looking ---------------------------------------------------------------------------------------------------------
def backups(folder: Path) -> list[Backup]:
    """The complete ones, the oldest first."""
    return [_read(path) for path in sorted((folder / "backups").glob("*/manifest.json"))]


def _read(path: Path) -> Backup:
    told: dict[str, Any] = json.loads(path.read_text())
    if told.pop("format", None) not in READ:
        raise NoBackup(f"{path}: written by another version of CostOps, which must restore it.")
    backup = Backup(**told | {"files": tuple(Kept(**file) for file in told["files"])})
    if not set(backup.zones) <= set(ZONES):
        raise Damaged(f"{path}: it is about folders that no backup holds.")
    if backup.name != path.parent.name:
        raise Damaged(f"{path}: it is of a backup called {backup.name!r}.")
    if strange := [file.path for file in backup.files if not _is_ours(PurePosixPath(file.path), file.sha256)]:
        raise Damaged(f"{path}: {strange[0]!r} is no file that a backup holds; nothing is restored from it.")
    return backup


def _is_ours(path: PurePosixPath, sha256: str) -> bool:
    """Whether it stays where a backup is restored to, and lies where a backup is."""
    is_below = len(path.parts) > 1 and path.parts[0] in ZONES and ".." not in path.parts
    return bool(re.fullmatch("[0-9a-f]{64}", sha256)) and (str(path) in ("database", *OWN) or is_below)


def find(folder: Path, name: str = "") -> Backup:
    """The backup of this name, or the newest."""
    there = backups(folder)
    found = next((one for one in reversed(there) if name in ("", one.name)), None)
    if found is None:
        listed = ", ".join(one.name for one in there) or "none"
        raise NoBackup(f"{folder} holds no complete backup{f' {name}' if name else ''}; there are: {listed}.")
    return found


def place_of(folder: Path, backup: Backup, file: Kept) -> Path:
    """Where a file of a backup lies."""
    return folder / "backups" / backup.name / file.path if file.is_beside else folder / "files" / file.place


def check(folder: Path, backup: Backup, *, say: Watcher) -> None:
    """Read every file of a backup again; Damaged names the first that is not as it was written."""
    for file in backup.files:
        place = place_of(folder, backup, file)
        if not place.exists():
            raise Damaged(f"{place} is missing.")
        if not file.is_at(place):
            raise Damaged(f"{place} is not as it was written: size or sha256 differ.")
    say(f"{len(backup.files)} files are as they were written.")


# --- Restoring -------------------------------------------------------------------------------------------------------
def restore(folder: Path, backup: Backup, *, force: bool, now: datetime, say: Watcher) -> None:
    """Bring a backup into this home folder and database. Everything is looked at before anything is touched."""
    home, copy = Path(settings.COSTOPS_HOME), folder / "backups" / backup.name / "database"
    database.check_kind(backup.vendor)
    check(folder, backup, say=say)
    database.look(copy)
    _check_room(home, backup, force=force)
    if shared.is_on():
        shutil.rmtree(shared.root(), ignore_errors=True)  # copies of what lay there before
    for zone in backup.zones:
        _move_aside(home / zone, backup)
    for file in backup.files:
        if "/" in file.path:
            _bring(place_of(folder, backup, file), home / file.path, file)
    say("The files are there.")
    database.load(copy)
    call_command("migrate", verbosity=0, interactive=False)
    stored.forget()  # versions get their numbers again
    restored.settle(now=now)
    say("The database is there.")
    for file in backup.files:
        if file.path in OWN and not file.is_at(home / file.path):
            _bring_own(place_of(folder, backup, file), home / file.path, backup, say)


def _bring(source: Path, target: Path, file: Kept) -> None:
    if shared.is_on():
        told = {shared.MODIFIED: str(file.modified_ns)} if file.modified_ns else None
        shared.bucket().put(file.path, source, metadata=told)
        return
    _copied(source, target, file.path, mode=0o666)  # as the umask has it
    if file.modified_ns:
        os.utime(target, ns=(file.modified_ns, file.modified_ns))


def _check_room(home: Path, backup: Backup, *, force: bool) -> None:
    """NotEmpty where files would be written over; in a bucket nothing can be moved aside."""
    taken = " and ".join(zone for zone in zones.taken() if zone in backup.zones)
    if taken and shared.is_on():
        raise NotEmpty(f"{shared.bucket().url} holds files in {taken}; name an empty prefix.")
    if taken and not force:
        raise NotEmpty(f"{home} holds files in {taken}; with --force they are moved aside first.")
    moved = [home / zone for zone in backup.zones if _is_filled(home / zone)]
    moved += [home / KEY for file in backup.files if file.path == KEY and not file.is_at(home / file.path)]
    for aside in (_aside(path, backup) for path in moved if path.exists()):
        if aside.exists():
            raise NotEmpty(f"{aside} is there from an earlier time; take it away first.")


def _aside(path: Path, backup: Backup) -> Path:
    return path.with_name(f"{path.name}.before-{backup.name}")


def _is_filled(zone: Path) -> bool:
    return zone.exists() and any(zone.iterdir())


def _move_aside(zone: Path, backup: Backup) -> None:
    """What was there stays beside, for whoever restored the wrong thing."""
    if _is_filled(zone):
        zone.rename(_aside(zone, backup))


def _bring_own(source: Path, target: Path, backup: Backup, say: Watcher) -> None:
    """The key must be the one that sealed the credentials of the database. Settings are those of this machine: another
    one's would send its mail, and ask its sources."""
    if target.name == KEY:
        _say_which_key(source, target, say)
        if target.exists():
            target.rename(_aside(target, backup))
    elif target.exists():
        beside = target.with_name(f"{target.name}.from-backup")
        say(f"{target} stays as it is here; that of the backup lies beside it: {beside.name}.")
        if others := sorted(_keys_in(source).items() - _keys_in(target).items()):
            named = " and ".join(name for name, _value in others)
            say(f"It gives another {named}: without what it says there, credentials cannot be opened.")
        target = beside
    _copied(source, target, target.name)


def _say_which_key(source: Path, target: Path, say: Watcher) -> None:
    """A key that the settings name wins over the file."""
    is_of_file = target.exists() and target.read_text().strip() == settings.SECRET_KEY
    if not is_of_file and source.read_text().strip() not in (settings.SECRET_KEY, *settings.COSTOPS_SECRETS_KEYS):
        say(
            f"COSTOPS_SECRET_KEY is set here, and is not the key of the backup, which now lies in {target}: put that "
            "one into COSTOPS_SECRETS_KEYS, or credentials cannot be opened."
        )


def _keys_in(path: Path) -> dict[str, str]:
    """What a file of settings says of keys."""
    lines = (line.strip().removeprefix("export ") for line in path.read_text(errors="replace").splitlines())
    pairs = (line.partition("=") for line in lines if line.startswith(("COSTOPS_SECRET_KEY", "COSTOPS_SECRETS_KEYS")))
    return {name.strip(): value.strip() for name, _equals, value in pairs}
