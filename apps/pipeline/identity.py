"""Who works: a name for this process that tells, on the same machine, whether it still lives."""

import os
import socket
import uuid
from functools import lru_cache
from pathlib import Path

import psutil

UNKNOWN = "-"
_PROCESSES = Path("/proc")
_TICKS = 22 - 4
"""Where `proc(5)` has `starttime`, counted from the first field behind the state."""


def new_worker() -> str:
    """A name nobody else has: machine, the start of it, process, when the process began, and a random part for this
    piece of work."""
    return f"{_machine()} {_boot()} {os.getpid()} {_began(os.getpid())} {uuid.uuid4().hex[:12]}"


def is_dead(worker: str) -> bool:
    """Whether the process of that name surely lives no more; False for one of another machine, or of another version
    that names it otherwise: the version before had no start of the machine in it. Another start of a machine of our
    name may be another machine, cloned perhaps."""
    try:
        machine, boot, pid, began, _ = worker.split(" ")
        is_here = machine == _machine() and boot == _boot() != UNKNOWN
        return is_here and _began(int(pid)) != int(began)
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _machine() -> str:
    """Host name and process namespace: two containers may share the one, never the other; two machines may share
    both."""
    namespace = Path("/proc/self/ns/pid")
    number = namespace.stat().st_ino if namespace.exists() else 0
    return f"{socket.gethostname()[:60]}/{number}".replace(" ", "_")


@lru_cache(maxsize=1)
def _boot() -> str:
    """Which start of which machine this is: no other has the same."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:13]
    except OSError:
        return UNKNOWN


def _began(pid: int) -> int:
    """When a process began; 0 when there is none, or only its remains.

    In ticks since the machine started, which no change of its clock moves: the moment that libraries tell is counted
    from it with the clock of now. Where the kernel does not tell ticks, in hundredths of a second of the clock.
    """
    if not (_PROCESSES / "self" / "stat").exists():
        return _began_by_clock(pid)
    try:
        state, *facts = (_PROCESSES / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state in (b"Z", b"X") else int(facts[_TICKS])


def _began_by_clock(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return 0 if process.status() == psutil.STATUS_ZOMBIE else int(process.create_time() * 100)
    except psutil.Error:
        return 0
