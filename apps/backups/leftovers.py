"""Backups that never were complete: what a `make` that was killed left behind."""

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

OLD = timedelta(days=1)
"""A `make` that is at work writes into its folder all the time."""


def clear(folder: Path, own: Path) -> list[str]:
    """Delete the folders without a manifest into which nothing was written for a day before our own; their names.

    The clock is that of the disk, which dates all of them: one that is ahead must not take what is being written.
    """
    gone = [path for path in _incomplete(folder) if _written_at(own) - _written_at(path) > OLD.total_seconds()]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)  # another may be at it; no backup fails for want of tidiness
    return [path.name for path in gone if not path.exists()]


def _incomplete(folder: Path) -> Iterator[Path]:
    for path in sorted((folder / "backups").iterdir()):
        is_ours = re.fullmatch(r"\d{8}T\d{6}Z", path.name) and path.is_dir() and not path.is_symlink()
        if is_ours and not (path / "manifest.json").exists():
            yield path


def _written_at(path: Path) -> float:
    return max(_changed_at(one) for one in (path, *path.iterdir()))


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has its name by now
        return 0.0
