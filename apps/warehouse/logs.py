"""Logs of tables in the shared store: brought here to be read, and added to by whoever is first.

A version of a table is one object, `_delta_log/<version>.json`. Whoever puts it where none was has committed; whoever
comes later sees that it is there and changed nothing. What lies here is only what the store holds: a commit is made in
a copy, and the copy's new versions become true when the store took them.
"""

import json
import shutil
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError
from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.warehouse import disk, shared
from apps.warehouse.shared import bucket, key_of

EVERY = 100
"""Versions from one checkpoint to the next."""
_PROBED: set[tuple[str, str]] = set()
_WHOLE: set[Path] = set()
"""Files of logs this process found to be here and whole."""


def pull(table: Path) -> None:
    """Bring what the log of a table has become."""
    if not shared.is_on():
        return
    newest = _newest_whole(table)
    after = key_of(log_of(table) / f"{newest:020}") if newest >= 0 else ""
    names = [Path(one.key).name for one in bucket().listed(f"{key_of(log_of(table))}/", after=after)]
    if newest < 0:
        names = _from_checkpoint(names, at=None)
    _bring(table, names)


def pull_version(table: Path, at: int) -> None:
    """Bring what an older version of a table is read from."""
    if not shared.is_on() or _is_whole(log_of(table) / f"{at:020}.json"):
        return
    names = [Path(one.key).name for one in bucket().listed(f"{key_of(log_of(table))}/")]
    _bring(table, _from_checkpoint(names, at=at))


def log_of(table: Path) -> Path:
    """The folder of its versions."""
    return table / "_delta_log"


def _number(name: str) -> int:
    return int(name.partition(".")[0])


def _newest_whole(table: Path) -> int:
    """The newest version up to which none that came lately was lost; -1 where there is none, or the newest
    checkpoint was."""
    checkpoints = sorted(log_of(table).glob("[0-9]*.checkpoint.parquet"))
    if checkpoints and not _is_whole(checkpoints[-1]):
        return -1
    names = sorted(path.name for path in log_of(table).glob("[0-9]*.json"))
    lost = next((name for name in names[-EVERY:] if not _is_whole(log_of(table) / name)), None)
    return max((_number(name) for name in names if lost is None or name < lost), default=-1)


def _is_whole(file: Path) -> bool:
    """Whether a file of a log is here, and all of it: a power cut leaves names without their content, which readers
    would take for a version that changed nothing, or with a part of it. What a process saw whole is not read again."""
    if not disk.is_whole(file):
        return False
    if file not in _WHOLE and not _ends_well(file.read_bytes(), file.suffix):
        return False
    _WHOLE.add(file)
    return True


def _ends_well(content: bytes, suffix: str) -> bool:
    if suffix == ".parquet":
        return content.endswith(b"PAR1")
    try:
        return all(json.loads(line) for line in content.splitlines() if line.strip())
    except ValueError:
        return False


def _from_checkpoint(names: Iterable[str], *, at: int | None) -> list[str]:
    """The versions that one is read from (the newest by default): the checkpoint before it, and all since."""
    known = [name for name in names if name[:20].isdigit() and (at is None or _number(name) <= at)]
    first = max((_number(name) for name in known if name.endswith(".checkpoint.parquet")), default=0)
    return [name for name in known if _number(name) >= first]


def _bring(table: Path, names: Iterable[str]) -> None:
    """In the order of versions, so that what is here is without gaps whenever somebody looks."""
    log = log_of(table)
    for name in sorted(names):
        target = log / name
        if name[:20].isdigit() and not _is_whole(target):
            log.mkdir(parents=True, exist_ok=True)
            fresh = log / f".incoming-{uuid.uuid4().hex}"
            bucket().fetch(key_of(target), fresh)
            if target.suffix == ".parquet":  # it is looked at no more once a newer version is here
                disk.sync(fresh)
            fresh.replace(target)


@contextmanager
def committing(table: Path) -> Iterator[Path]:
    """A folder to commit to a table in; CommitFailedError, and nothing changed, when somebody else was first."""
    if not shared.is_on():
        yield table
        return
    copy = Path(settings.COSTOPS_HOME) / "tmp" / "commits" / uuid.uuid4().hex
    try:
        held = copy_log(table, copy)
        yield copy
        fresh = sorted(path for path in log_of(copy).glob("*.json") if path.name not in held)
        for path in fresh:
            _publish(table, path)
            if _number(path.name) % EVERY == 0 and _number(path.name):
                _checkpoint(table, copy, _number(path.name))
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def copy_log(table: Path, copy: Path) -> set[str]:
    """What the newest version is read from, linked where that can be; the names of versions."""
    log_of(copy).mkdir(parents=True)
    names = _from_checkpoint((path.name for path in log_of(table).glob("[0-9]*")), at=None)
    for name in names:
        try:
            (log_of(copy) / name).hardlink_to(log_of(table) / name)
        except OSError:  # a lake on another disk than the home folder
            shutil.copyfile(log_of(table) / name, log_of(copy) / name)
    return {name for name in names if name.endswith(".json")}


def _publish(table: Path, version: Path) -> None:
    """Make a version true, then known here."""
    target = log_of(table) / version.name
    _probe()
    if not bucket().put_new(key_of(target), version.read_bytes()):
        raise CommitFailedError(f"Version {_number(version.name)} was written by somebody else meanwhile.")
    target.parent.mkdir(parents=True, exist_ok=True)
    disk.lay(version, target)


def _checkpoint(table: Path, copy: Path, at: int) -> None:
    """Write down the whole of a version, so that a machine that begins need not read every one before it."""
    DeltaTable(str(copy), version=at).create_checkpoint()
    name = f"{at:020}.checkpoint.parquet"
    bucket().put(key_of(log_of(table) / name), log_of(copy) / name)
    bucket().put(key_of(log_of(table) / "_last_checkpoint"), log_of(copy) / "_last_checkpoint")


def _probe() -> None:
    """Once in a process: see for ourselves that the store does not write over what is there."""
    store = bucket()
    told = (store.url, store.commit)
    if told in _PROBED:
        return
    key = f".probe-{uuid.uuid4().hex}"
    try:
        store.put_new(key, b"first")
        if store.put_new(key, b"second"):
            raise StoreOverwrites(
                f"{store.url} writes over objects it is told not to write over (COSTOPS_LAKE_COMMIT={store.commit}): "
                "two writers could both believe they were first. Nothing was written. On Alibaba Cloud OSS say "
                "COSTOPS_LAKE_COMMIT=oss and leave versioning of the bucket off; other stores must know If-None-Match."
            )
    finally:
        store.delete([key])
    _PROBED.add(told)


class StoreOverwrites(CostOpsError):
    """The store cannot keep two writers apart."""
