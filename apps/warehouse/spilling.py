"""Where engines put what does not fit into their memory: each into a folder of its own.

DuckDB calls its files the same in every process and locks none of them: two engines that shared a folder would read
each other's rows for their own.
"""

import os
import re
import shutil
import socket
import uuid
from contextlib import suppress
from pathlib import Path

from django.conf import settings


def new_folder() -> Path:
    """A folder that no other engine uses, not made yet. What ended processes of this machine left goes now, what those
    of others left after a grace period (`orphans`)."""
    place = Path(settings.COSTOPS_HOME) / "tmp" / "engine"
    place.mkdir(parents=True, exist_ok=True)
    for left in place.glob(f"{_machine()}-*"):
        if not _lives(left.name.split("-")[-2]):
            shutil.rmtree(left, ignore_errors=True)
    return place / f"{_machine()}-{os.getpid()}-{uuid.uuid4().hex}"


def _machine() -> str:
    """Host name and process namespace: two containers may share the one, never the other."""
    namespace = Path("/proc/self/ns/pid")
    number = namespace.stat().st_ino if namespace.exists() else 0
    return f"{re.sub('[^0-9A-Za-z]', '_', socket.gethostname())[:60]}-{number}"


def _lives(pid: str) -> bool:
    with suppress(ProcessLookupError):
        with suppress(PermissionError):  # another user's
            os.kill(int(pid), 0)
        return True
    return False
