"""Landing: files of a source are copied as received, under the name of their sha256."""

import hashlib
import os
import shutil
import stat
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.warehouse import disk, shared
from apps.warehouse.failpoints import failpoint

SUFFIXES = (".csv", ".csv.gz", ".zip", ".parquet", ".json", ".jsonl", ".json.gz", ".jsonl.gz", ".tar.gz", ".tgz")
MOST_MANIFEST_BYTES = 16 << 20


class LocationMissing(CostOpsError):
    """The place a source points to is not there, or cannot be read."""


class Swept(CostOpsError):
    """Bytes were taken away before their row was there: a worker that was frozen for days may find it so."""


class Interrupted(OSError):
    """A place that fails for the moment."""


class Archived(OSError):
    """What a store keeps where nobody can read it: it comes back only when somebody asks for it, and may never."""


@dataclass(frozen=True)
class Found:
    """A file at a source's location: `path` is relative to it, `full` where it lies on this machine.

    An object of a store has no place on this machine but a `key`, and a `version` that changes with its content.
    """

    path: str
    full: Path
    size: int
    modified_ns: int
    key: str = ""
    version: str = ""


@dataclass(frozen=True)
class Landed:
    """The bytes of a found file, safe in the landing zone."""

    found: Found
    sha256: str


def landed_path(sha256: str) -> Path:
    return Path(settings.COSTOPS_LANDING) / sha256[:2] / sha256


def at_hand(sha256: str) -> Path:
    """A landed file, to be opened here and now."""
    return shared.at_hand([landed_path(sha256)])[0]


def find(location: str) -> list[Found]:
    """The bill or usage files at a location, by path; the location is one file or a folder with subfolders."""
    root = Path(location)
    try:
        if root.is_file():
            return [_found(root, root.name)]
        if not root.is_dir():
            raise LocationMissing(f"{location}: there is no such file or folder; mount it, or correct the location.")
        return sorted(_inside(root), key=lambda found: found.path)
    except OSError as error:
        raise LocationMissing(f"{location}: cannot be read ({error.strerror}); check its permissions.") from error


def read_small(found: Found) -> bytes:
    """The bytes of a manifest."""
    if found.size > MOST_MANIFEST_BYTES:
        raise OSError(f"{found.path}: {found.size} bytes are too many for a manifest")
    return found.full.read_bytes()


def _inside(root: Path) -> Iterator[Found]:
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and _is_ours(path):
                yield _found(path, path.relative_to(root).as_posix())


def _raise(error: OSError) -> None:
    raise error


def _is_ours(path: Path) -> bool:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False
    except FileNotFoundError:  # gone since it was listed, or a link to nowhere
        return False
    if path.name.lower().endswith(SUFFIXES):
        return True
    return "." not in path.name and _begins_like_gzip(path)


def _begins_like_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _found(path: Path, relative: str) -> Found:
    facts = path.stat()
    return Found(relative, path, facts.st_size, facts.st_mtime_ns)


def copy(found: Found) -> Landed | None:
    """Copy a file into the landing zone; None when it changed meanwhile, for it is still being written."""
    folder = Path(settings.COSTOPS_LANDING)
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".incoming-{uuid.uuid4().hex}"
    try:
        sha256 = _copy_and_hash(found.full, temporary)
        if not _unchanged(found, temporary):
            return None
        keep_landed(temporary, sha256)
    except FileNotFoundError:
        return None
    finally:
        temporary.unlink(missing_ok=True)
    return Landed(found, sha256)


def _copy_and_hash(origin: Path, target: Path) -> str:
    """The sha256 of the copy, taken while the disk writes it."""
    failpoint("land.copy")
    shutil.copyfile(origin, target)
    failpoint("land.hash")
    with target.open("rb") as copied, ThreadPoolExecutor(1) as aside:
        syncing = aside.submit(os.fsync, copied.fileno())
        digest = hashlib.file_digest(copied, "sha256")
        syncing.result()
    return digest.hexdigest()


def _unchanged(found: Found, copied: Path) -> bool:
    facts = found.full.stat()
    return (facts.st_size, facts.st_mtime_ns, copied.stat().st_size) == (found.size, found.modified_ns, found.size)


def keep_landed(temporary: Path, sha256: str) -> None:
    """Put the bytes of a file that is whole where every machine finds them."""
    keep(temporary, landed_path(sha256))
    shared.send([landed_path(sha256)])


def is_landed_again(sha256: str) -> bool:
    """Whether the bytes are here from a run that did not come to its end; then they are as young as if just landed."""
    path = landed_path(sha256)
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    shared.send([path])
    return True


def keep(temporary: Path, target: Path) -> None:
    """Put a file that is whole under its name in the landing zone."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.chmod(0o440)
    failpoint("land.rename")
    temporary.replace(target)
    failpoint("land.sync")
    disk.sync(target.parent, target.parent.parent)
