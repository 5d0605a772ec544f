"""The process that reads: it imports everything once, then forks for every file it is asked to read.

`python -m apps.ingest.apart.reader` takes a request as a line of JSON and answers with one. It has no threads to be
forked with, no database, no credentials, and ends when nobody holds the other end of its pipe any more, or asked for
long. A file gets a fresh process: whatever the one before did to the engine is gone, and limits count for it alone.
"""

import ctypes
import errno
import gc
import json
import os
import resource
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import duckdb
import ibis.backends.duckdb  # noqa: F401  # what engines import when they are asked first: no file waits for it
import pyarrow.dataset  # noqa: F401  # the same
from django.conf import settings

from apps.finops.problems import Problem
from apps.ingest import usage
from apps.ingest.apart import words
from apps.ingest.apart.confined import confine
from apps.ingest.bill import reader as bills
from apps.ingest.bill.mapping import Gather, Input, Mapping, Told
from apps.ingest.bill.writer import Bill
from apps.ingest.reading import BilledDay, Content, Reading
from apps.ingest.usage import UsageFile
from apps.warehouse import failpoints, lake

READ: dict[str, Callable[[Any], Reading]] = {"bill": bills.read_bill, "usage": usage.read_usage}
ASKED = (Bill, Mapping, Input, Gather, Told, UsageFile)
ANSWERED = (Reading, Content, BilledDay, Problem, lake.WrittenFile)
IDLE_SECONDS = 600
_PR_SET_PDEATHSIG = 1


def serve() -> None:
    """Answer until the worker is gone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    gc.freeze()  # else every forked process would copy what it looks through
    while select.select([sys.stdin], [], [], IDLE_SECONDS)[0] and (line := sys.stdin.readline()):
        answer = _answered(json.loads(line), answers)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _answered(asked: dict[str, Any], answers: IO[str]) -> dict[str, Any]:
    """How the process of one file ended, and what it wrote; ends with that process when the worker is gone."""
    me = os.getpid()
    ended, alive = os.pipe()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        pid = os.fork()
        if not pid:
            _end_with(me)
            os.close(sys.stdin.fileno())
            os.close(answers.fileno())
            _work(asked, said)
        os.close(alive)
        if sys.stdin in select.select([sys.stdin, ended], [], [])[0]:  # nobody asks meanwhile: this is its end
            os.kill(pid, signal.SIGKILL)
            sys.exit()
        os.close(ended)
        _, status = os.waitpid(pid, 0)
        said.seek(0)
        return {"ended": os.waitstatus_to_exitcode(status), "said": said.read()}


def _end_with(parent: int) -> None:
    """Be killed with the process that forked this one, even if that one is killed itself."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def _work(asked: dict[str, Any], said: IO[str]) -> None:
    status = 1
    try:
        said.write(json.dumps(_read(asked)))
        said.flush()
        status = 0
    finally:
        os._exit(status)


def _read(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        settings.configure(**words.understand(asked["settings"], ()))
        failpoints.arm(asked["failpoints"])
        _limit(asked["memory_bytes"], asked["cpu_seconds"])
        is_confined = confine()
        reading = words.spell(READ[asked["what"]](words.understand(asked["file"], ASKED)))
        return {"reading": reading, "confined": is_confined}
    except Exception as error:  # noqa: BLE001  # whatever it is, the worker hears of it
        return _told(error)


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, duckdb.OutOfMemoryException) and "failed to offload" in str(error):  # which takes disk
        return {"errno": errno.ENOSPC, "strerror": os.strerror(errno.ENOSPC), "filename": "tmp/engine"}
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException) or "can't start new thread" in str(error):
        return {"lacks": "memory"}
    if isinstance(error, OSError) and error.errno is not None:
        return {"errno": error.errno, "strerror": error.strerror, "filename": str(error.filename or "")}
    return {"failed": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


def _limit(memory_bytes: int, cpu_seconds: int) -> None:
    """What is mapped already, libraries for the most part, does not count; a machine out of memory takes this first."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 5))
    mapped = Path("/proc/self/statm")
    if mapped.exists():
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
        most = int(mapped.read_text().split()[0]) * resource.getpagesize() + memory_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    serve()
