"""Who works: a name for this process that tells, on the same machine, whether it still lives."""

import os
import socket
import uuid
from functools import lru_cache
from pathlib import Path

import psutil


def new_worker() -> str:
    """A name nobody else has: machine, process, when the process began, and a random part for this piece of work."""
    return f"{_machine()} {os.getpid()} {_began(os.getpid())} {uuid.uuid4().hex[:12]}"


def is_dead(worker: str) -> bool:
    """Whether the process of that name surely lives no more; False for a process of another machine."""
    try:
        machine, pid, began, _ = worker.split(" ")
    except ValueError:
        return False
    return machine == _machine() and _began(int(pid)) != int(began)


@lru_cache(maxsize=1)
def _machine() -> str:
    """Host name and process namespace: two containers may share the one, never the other."""
    namespace = Path("/proc/self/ns/pid")
    number = namespace.stat().st_ino if namespace.exists() else 0
    return f"{socket.gethostname()[:60]}/{number}".replace(" ", "_")


def _began(pid: int) -> int:
    """When a process began, in hundredths of a second; 0 when there is none, or only its remains."""
    try:
        process = psutil.Process(pid)
        return 0 if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time() * 100)
    except psutil.Error:
        return 0
