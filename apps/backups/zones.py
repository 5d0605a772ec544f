"""Where the files lie that count: in the home folder, or in the bucket that several machines share."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from apps.warehouse import orphans, shared

ZONES = ("landing", "lake")


@dataclass(frozen=True)
class File:
    """One file: its path below the home folder, which is its key in the bucket."""

    path: str
    size: int

    def copy_to(self, target: Path) -> None:
        if shared.is_on():
            shared.bucket().fetch(self.path, target)
        else:
            shutil.copyfile(Path(settings.COSTOPS_HOME) / self.path, target)


def files() -> Iterator[File]:
    """What counts: landed files, the logs of tables, and every file a log ever named that is still there.

    What somebody is just writing, or left behind when he was killed, is named by no log.
    """
    lying = _in_bucket() if shared.is_on() else _at_home()
    named: set[str] = set()
    for path in sorted(lying):
        parts = path.split("/")
        if parts[0] == "landing" or "_delta_log" in parts:
            yield File(path, lying[path])
        if "_delta_log" in parts and path.endswith(".json"):
            named.update(f"lake/{parts[1]}/{name}" for name in orphans.added(_read(path)))
    yield from (File(path, lying[path]) for path in sorted(named & lying.keys()))


def taken() -> list[str]:
    """The zones that hold anything."""
    if shared.is_on():
        return [zone for zone in ZONES if next(shared.bucket().listed(f"{zone}/"), None)]
    return [zone for zone in ZONES if any((Path(settings.COSTOPS_HOME) / zone).glob("*"))]


def _at_home() -> dict[str, int]:
    """Path → size; not what is hidden."""
    home = Path(settings.COSTOPS_HOME)
    found = (path for zone in ZONES for path in (home / zone).rglob("*") if path.name[0] != "." and path.is_file())
    return {path.relative_to(home).as_posix(): path.stat().st_size for path in found}


def _in_bucket() -> dict[str, int]:
    return {one.key: one.size for zone in ZONES for one in shared.bucket().listed(f"{zone}/")}


def _read(path: str) -> bytes:
    return shared.bucket().read(path) if shared.is_on() else (Path(settings.COSTOPS_HOME) / path).read_bytes()
