"""Files that people bring through the browser: named safely, put whole into the folder of their source."""

import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.ingest.landing import SUFFIXES
from apps.ingest.models import LandedFile, Source
from apps.ingest.sources import is_uploadable, uploads_folder
from apps.warehouse import shared

MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Brought:
    """A file as it came: `path` is a temporary file of ours."""

    name: str
    path: Path
    size: int


def uploadable_sources() -> list[Source]:
    return [source for source in Source.objects.order_by("name") if source.is_active and is_uploadable(source)]


def refusals(brought: Sequence[Brought]) -> dict[str, str]:
    """Name → the code of why it is not taken: empty, name, suffix, twice."""
    found = {}
    seen: set[str] = set()
    for one in brought:
        if reason := _refusal(one, seen):
            found[one.name] = reason
        seen.add(one.name)
    return found


def _refusal(one: Brought, seen: set[str]) -> str:
    name = one.name
    is_odd = not name.isprintable() or "/" in name or "\\" in name or name.startswith(".")
    if not name or is_odd or len(name) > MOST_CHARACTERS or len(name.encode()) > 250:
        return "name"
    if "." in name and not name.lower().endswith(SUFFIXES):
        return "suffix"
    if name in seen:
        return "twice"
    return "" if one.size else "empty"


def keep(source: Source, brought: Sequence[Brought]) -> None:
    """Move files into the source's folder, each in one step: a reader sees a file whole or not at all."""
    folder = uploads_folder(source.name)
    folder.mkdir(parents=True, exist_ok=True)
    for one in brought:
        beside = folder / f".incoming-{uuid.uuid4().hex}"
        try:
            shutil.move(one.path, beside)
            os.utime(beside)
            shared.keep_in_folder(beside, folder / one.name)
        finally:
            beside.unlink(missing_ok=True)


def alike(source: Source, *, size: int, sha256: str) -> str:
    """The name under which the same bytes lie in the source's folder already; empty where they are new."""
    folder = uploads_folder(source.name)
    return next((path.name for path in sorted(folder.glob("[!.]*")) if _holds(path, size, sha256)), "")


def _holds(path: Path, size: int, sha256: str) -> bool:
    """Whether a file has this content; it may be taken away meanwhile."""
    try:
        if path.stat().st_size != size:
            return False
        with path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == sha256
    except OSError:
        return False


def waiting(source: Source) -> list[str]:
    """The names of the files in the source's folder that were not landed yet, or not as they are now."""
    names = [path.name for path in uploads_folder(source.name).glob("[!.]*")]
    return sorted(name for name, landed in fates(source, names).items() if landed is None)


def fates(source: Source, names: Sequence[str]) -> Mapping[str, LandedFile | None]:
    """What became of uploaded files, by name; None of one that lies there and was not landed yet."""
    folder = uploads_folder(source.name)
    shared.bring_folder(folder)
    names = [name for name in names if "\0" not in name and Path(name).name == name]  # of this folder only
    newest = {file.path: file for file in source.files.filter(path__in=names).order_by("revision")}
    found: dict[str, LandedFile | None] = {}
    for name in names:
        landed = newest.get(name)
        try:
            facts = (folder / name).stat()
        except (OSError, ValueError):
            if landed:
                found[name] = landed
            continue
        is_landed = landed and (landed.size, landed.modified_ns) == (facts.st_size, facts.st_mtime_ns)
        found[name] = landed if is_landed else None
    return found
