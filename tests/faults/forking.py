"""Processes that share what was imported before them: each begins its work at once, so that faults hit the work."""

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apps.warehouse import failpoints

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True)
class Child:
    """A forked process at work on a function."""

    pid: int

    def wait(self, seconds: float) -> int | None:
        """Its exit status, negative for a signal; None when it still works after so long."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            if time.monotonic() > deadline:
                return None
            time.sleep(0.005)

    def kill(self) -> int | None:
        """SIGKILL it, whatever it is at; its exit status, which is 0 when it was done before."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.wait(30)

    def is_stopped(self) -> bool:
        """Whether it stands frozen."""
        return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


def fork(work: Callable[..., Any], *arguments: Any, failing: str = "") -> Child:
    """Do something in a process of its own, with these failpoints, where `PID` is its own number; a mistake ends it
    with status 1, and is printed."""
    pid = os.fork()
    if pid:
        return Child(pid)
    status = 1
    try:
        from django.db import connections

        for connection in connections.all(initialized_only=True):
            connection.inc_thread_sharing()
            connection.connection = None  # the parent's own
        failpoints.arm(failing.replace("PID", str(os.getpid())))
        work(*arguments)
        status = 0
    except BaseException:  # noqa: BLE001  # whatever it was, it must not go on in the parent's code
        traceback.print_exc()
    finally:
        os._exit(status)


def readers() -> list[int]:
    """The processes below this one that read files apart, or wait to do so."""
    told = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
    found = [line.split(None, 2) for line in told.stdout.splitlines() if line.endswith("apps.ingest.apart.reader")]
    return [int(pid) for pid, parent, _ in found if int(parent) == os.getpid()]


def inherit_orphans() -> None:
    """What outlives a process that was forked here comes to be below this one."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)


class Points:
    """What processes passed: a line for each failpoint."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        path.touch()

    def last(self) -> str | None:
        """The last place a process, or who reads for it, came to, since this was asked last."""
        with self.path.open(encoding="utf-8") as log:
            log.seek(self._read)
            lines = [line.split() for line in log]
            self._read = log.tell()
        passed = [words[0] for words in lines if len(words) == 2]
        return passed[-1] if passed else None


class Told:
    """What processes tell each other: JSON lines in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def add(self, **facts: Any) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(facts) + "\n")

    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
