"""What lies on the disk before anything builds on it."""

import os
import shutil
import uuid
from pathlib import Path


def sync(*paths: Path) -> None:
    """Wait until files or folders are on the disk: a power cut would leave a name without its content."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def lay(made: Path, target: Path) -> None:
    """Give a copy of a file its name, on another disk perhaps, once it is on that disk."""
    fresh = target.with_name(f".incoming-{uuid.uuid4().hex}")
    try:
        shutil.copyfile(made, fresh)
        sync(fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    sync(target.parent)


def is_whole(path: Path) -> bool:
    """Whether a file is here. An empty one has a name, and lost its content by a power cut."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
