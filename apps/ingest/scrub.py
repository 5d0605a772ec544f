"""The scrub: what lies on the disk is read again and compared with what it was, before somebody reads a wrong number.

Landed bytes are known by their sha256. Of a file of the lake its table tells size and rows; its sha256 is taken when it
is seen first, and compared from then on: a flipped bit in Parquet gives another number, and no error.
"""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from apps.finops.problems import Problem
from apps.finops.tables import LAKE
from apps.ingest import landing
from apps.ingest.models import LandedFile, ScrubbedFile
from apps.warehouse import lake, shared

Damage = ScrubbedFile.Damage
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_BATCH = 100
WAYS_OUT = {
    "landing": "Restore it from a backup, or touch the file where it came from: it is copied and read again.",
    "lake": "Restore it from a backup. What was computed can be computed again: manage.py fill --step allocate.",
}
MEANS = {
    Damage.MISSING: "The file is gone.",
    Damage.CHANGED: "The bytes are no longer those that were written.",
    Damage.UNREADABLE: "The file cannot be read.",
}


@dataclass(frozen=True)
class Stored:
    """A file that must be there as it was; `sha256` of landed files, `size` and `rows` of files of the lake."""

    path: str
    full: Path
    sha256: str = ""
    size: int | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Scrubbed:
    """What a scrub did: files it read, bytes, and how many of all files it did not come to."""

    files: int
    bytes: int
    left: int


def scrub(
    now: datetime, *, seconds: float | None = None, on_progress: Callable[[int, int], None] | None = None
) -> Scrubbed:
    """Read files again, those first that were not looked at longest, for about so long; what is wrong is kept."""
    known = {one.path: one for one in ScrubbedFile.objects.all()}
    stored = {one.path: one for one in (*_landed(), *_of_the_lake())}
    ScrubbedFile.objects.filter(path__in=known.keys() - stored.keys()).delete()
    queue = oldest_first(stored.values(), known)
    deadline = time.monotonic() + seconds if seconds is not None else None
    done: list[ScrubbedFile] = []
    read = 0
    for at, one in enumerate(queue):
        if deadline is not None and time.monotonic() > deadline:
            break
        found = _look(one, known.get(one.path), now)
        done.append(found)
        read += one.size or (one.full.stat().st_size if one.full.exists() else 0)
        if len(done) % _BATCH == 0:
            _keep(done[-_BATCH:])
        if on_progress:
            on_progress(at + 1, len(queue))
    _keep(done[len(done) - len(done) % _BATCH :])
    return Scrubbed(len(done), read, len(queue) - len(done))


def problems() -> list[Problem]:
    """What the last look at every file found wrong."""
    return [
        Problem("error", f"scrub_{one.damage}", one.path, f"{MEANS[Damage(one.damage)]} {_way_out(one.path)}")
        for one in ScrubbedFile.objects.exclude(damage="").order_by("path")
    ]


def _way_out(path: str) -> str:
    return WAYS_OUT[path.partition("/")[0]]


def _landed() -> Iterator[Stored]:
    for sha256 in LandedFile.objects.order_by("sha256").values_list("sha256", flat=True).distinct():
        full = landing.landed_path(sha256)
        yield Stored(f"landing/{full.parent.name}/{full.name}", full, sha256)


def _of_the_lake() -> Iterator[Stored]:
    for table in LAKE:
        folder = lake.location(table)
        for file in lake.files(table) if lake.is_there(table) else ():
            told = shared.sha256_in(folder / file.path)
            yield Stored(f"lake/{table.name}/{file.path}", folder / file.path, told, size=file.size, rows=file.rows)


def oldest_first(stored: Iterable[Stored], known: Mapping[str, ScrubbedFile]) -> list[Stored]:
    """Files in the order they are read again: those never read, then those that were not read longest."""
    read_at = {path: one.checked_at for path, one in known.items()}
    return sorted(stored, key=lambda one: (read_at.get(one.path, _NEVER), one.path))


def _look(one: Stored, known: ScrubbedFile | None, now: datetime) -> ScrubbedFile:
    """The file as it is; a sha256 that was taken of a whole file once is kept, whatever it is now."""
    expected = one.sha256 or (known.sha256 if known else "")
    found, damage = "", ""
    try:
        found = _sha256(one.full)
        if expected and found != expected:
            damage = Damage.CHANGED
        elif not expected and _differs(one):
            found, damage = "", Damage.CHANGED
    except FileNotFoundError:
        damage = Damage.MISSING
    except (OSError, pa.ArrowException):
        found, damage = "", Damage.UNREADABLE
    return ScrubbedFile(path=one.path, sha256=expected or found, checked_at=now, damage=damage)


def _differs(one: Stored) -> bool:
    """Whether a file of the lake is not the one that was committed."""
    if one.full.stat().st_size != one.size:
        return True
    return bool(pq.read_metadata(one.full).num_rows != one.rows)


def _sha256(path: Path) -> str:
    if shared.is_on():
        return shared.digest(path)
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _keep(looked_at: list[ScrubbedFile]) -> None:
    facts: dict[str, Any] = {"unique_fields": ["path"], "update_fields": ["sha256", "checked_at", "damage"]}
    ScrubbedFile.objects.bulk_create(looked_at, update_conflicts=True, **facts)
