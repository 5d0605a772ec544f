"""What lies on the disk before anything builds on it."""

import os
import shutil
import uuid
from contextlib import suppress
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
    """Give a file its name where it belongs, on another disk perhaps, once it is on the disk; who has it keeps it."""
    fresh = target.with_name(f".incoming-{uuid.uuid4().hex}")
    try:
        shutil.copyfile(made, fresh)
        sync(fresh)
        with suppress(FileExistsError):  # another process of this machine was first, with the same bytes
            target.hardlink_to(fresh)
    finally:
        fresh.unlink(missing_ok=True)
    sync(target.parent)
