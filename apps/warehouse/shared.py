"""The shared store: where the lake lies in a bucket, what this machine keeps of it to read.

Files of the lake and landed files never change once they have their name, and the name tells their sha256. So a copy on
this machine is right or damaged, never out of date: it is fetched once, checked, and forgotten when room is needed.
Where the lake lies on this machine alone nothing here does anything.
"""

import hashlib
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.warehouse import disk

if TYPE_CHECKING:
    from apps.warehouse.objects import Bucket

AT_ONCE = 8
FETCHES = 3
"""How often an object is fetched again that is missing, or not what its name says."""
UNTOUCHED_SECONDS = 3600.0
"""What was read within the hour is not forgotten: somebody may be about to open it."""
TRIM_SECONDS = 60.0
_trimmed = threading.local()


class StoreUnavailable(CostOpsError):
    """The shared store did not answer, or answered with faults, however often it was asked."""


class StoreRefused(CostOpsError):
    """The shared store refuses what it is asked: credentials, rights or the address are wrong."""


class CredentialsMissing(StoreRefused):
    """Nobody gave credentials for the shared store, and the machine has no role of its own."""


class ObjectMissing(CostOpsError, FileNotFoundError):
    """There is no such object."""


class Damaged(CostOpsError):
    """What came from the shared store is not what its name says."""


class LibraryMissing(CostOpsError):
    """COSTOPS_LAKE names a bucket, and what reaches buckets is not installed."""


def is_on() -> bool:
    """Whether the lake lies in a bucket that several machines share."""
    return bool(settings.COSTOPS_LAKE_URL)


def bucket() -> "Bucket":
    try:
        from apps.warehouse import objects
    except ImportError as missing:
        raise LibraryMissing(
            f"COSTOPS_LAKE names a bucket, which needs {missing.name}: pip install -r requirements/places.txt."
        ) from missing
    return objects.bucket()


def root() -> Path:
    """The folder that holds what this machine keeps: below it, paths are keys."""
    return Path(settings.COSTOPS_LAKE).parent


def key_of(path: Path) -> str:
    return path.relative_to(root()).as_posix()


# --- Files whose name tells their sha256 ------------------------------------------------------------------------------
def named(path: Path) -> Path:
    """A Parquet file of the lake under a name that tells its sha256; the file is renamed."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return path.rename(path.with_name(f"{path.stem}.{digest}{path.suffix}"))


def sha256_in(path: Path) -> str:
    """What the name of a file says of its content: a landed file is called by it, a Parquet file bears it."""
    told = path.name if path.suffix != ".parquet" else path.stem.rpartition(".")[2]
    return told if len(told) == 64 else ""


def send(paths: Iterable[Path]) -> None:
    """Put files into the shared store."""
    if is_on():
        _each(_send, list(paths))


def _send(path: Path) -> None:
    disk.sync(path)  # it stays here under a name that tells what it holds
    bucket().put(key_of(path), path)


def missing(paths: Iterable[Path]) -> list[Path]:
    """Of files that were written, and sent, those that are not there."""
    asked = list(paths)
    with ThreadPoolExecutor(AT_ONCE if is_on() else 1) as pool:
        return [path for path, is_there in zip(asked, pool.map(_is_there, asked), strict=True) if not is_there]


def _is_there(path: Path) -> bool:
    if not is_on():
        return path.exists()
    try:
        bucket().facts(key_of(path))
    except ObjectMissing:
        return False
    return True


def at_hand(paths: Iterable[Path]) -> list[Path]:
    """Files that can be opened here now; those of the shared store that are not are fetched, and checked."""
    found = list(paths)
    if is_on():
        missing = [path for path in found if not _is_fresh(path)]
        _each(_fetch, missing)
        if missing:
            trim()
    return found


def _is_fresh(path: Path) -> bool:
    """Whether the file is here, and not emptied by a power cut; that it is wanted is remembered."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return disk.is_whole(path)


def _each(do: Callable[[Path], None], paths: list[Path]) -> None:
    if len(paths) <= 1:
        for path in paths:
            do(path)
        return
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(do, paths))


def _fetch(path: Path) -> None:
    """Bring a file here under its name, whole and checked. A store may list an object before it gives it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(1, FETCHES + 1):
        fresh = path.with_name(f".incoming-{uuid.uuid4().hex}")
        try:
            found = bucket().fetch(key_of(path), fresh)
        except ObjectMissing:
            if attempt == FETCHES:
                raise
            time.sleep(0.2 * attempt)
            continue
        if found == (sha256_in(path) or found):
            fresh.chmod(0o440)
            disk.sync(fresh)  # a copy that a power cut left a part of would not be fetched again
            fresh.replace(path)
            return
        fresh.unlink()
    raise Damaged(
        f"{bucket().url}: {key_of(path)} came {FETCHES} times with another sha256 than its name says; nothing was read "
        "from it. Restore it from a backup, or an earlier version of the object."
    )


def digest(path: Path) -> str:
    """The sha256 of a file as the shared store holds it, not of the copy here."""
    found = hashlib.sha256()
    for piece in bucket().pieces(key_of(path)):
        found.update(piece)
    return found.hexdigest()


# --- Room ----------------------------------------------------------------------------------------------------------
def trim(*, at_once: bool = False) -> int:
    """Forget the copies that were not read longest, down to COSTOPS_CACHE_GIB; how many. Looked at once a minute."""
    now = time.monotonic()
    if not at_once and now - getattr(_trimmed, "at", -TRIM_SECONDS) < TRIM_SECONDS:
        return 0
    _trimmed.at = now
    copies = sorted(_copies(), reverse=True)
    kept = forgotten = 0
    untouched = time.time() - UNTOUCHED_SECONDS  # noqa: TID251  # compared with the file system's own stamps
    for touched, size, path in copies:
        kept += size
        if kept > settings.COSTOPS_CACHE_GIB << 30 and touched < untouched:
            path.unlink(missing_ok=True)
            forgotten += 1
    return forgotten


def _copies() -> Iterable[tuple[float, int, Path]]:
    """Files here that the shared store has: when they were wanted last, and their size."""
    for zone in (Path(settings.COSTOPS_LAKE), Path(settings.COSTOPS_LANDING)):
        for path in zone.rglob("*"):
            if sha256_in(path) and path.is_file():
                facts = path.stat()
                yield facts.st_mtime, facts.st_size, path


# --- Folders that several machines fill -------------------------------------------------------------------------------
MODIFIED = "modified-ns"


def keep_in_folder(brought: Path, path: Path) -> None:
    """Give a file its name in a folder of the home folder, in the shared store first: what lies there under a name is
    what counts, and is brought over what machines have."""
    send_as(brought, path)
    brought.replace(path)


def send_as(brought: Path, path: Path) -> None:
    """Put a file into the shared store under a name in such a folder, with the time it was changed."""
    if is_on():
        told = {MODIFIED: str(brought.stat().st_mtime_ns)}
        bucket().put(_key_at_home(path), brought, metadata=told)


def files_in(folder: Path) -> set[Path]:
    """What was put there whole."""
    return {path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")}


def unsent(folder: Path) -> set[Path]:
    """Files of such a folder that the shared store has not: whoever made them was killed before they were sent."""
    if not is_on():
        return set()
    there = {one.key for one in bucket().listed(f"{_key_at_home(folder)}/")}
    return {path for path in files_in(folder) if _key_at_home(path) not in there}


def bring_folder(folder: Path) -> None:
    """Bring what other machines put into a folder of the home folder; what is put anew meanwhile, the next time."""
    if not is_on():
        return
    home = Path(settings.COSTOPS_HOME)
    for one in bucket().listed(f"{_key_at_home(folder)}/"):
        path, changed = home / one.key, modified(one.key)
        if path.exists() and (path.stat().st_size, path.stat().st_mtime_ns) == (one.size, changed):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f".incoming-{uuid.uuid4().hex}")
        bucket().fetch(one.key, fresh)
        if modified(one.key) != changed:
            fresh.unlink()
            continue
        os.utime(fresh, ns=(changed, changed))
        fresh.replace(path)


def _key_at_home(path: Path) -> str:
    return path.relative_to(Path(settings.COSTOPS_HOME)).as_posix()


def modified(key: str) -> int:
    """When a file of such a folder was changed, as whoever sent it had it."""
    return int(bucket().facts(key)["Metadata"].get(MODIFIED, 0))
