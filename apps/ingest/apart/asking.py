"""Asking for a file to be read apart: its parts come into the lake's folder when it went well, or nothing does.

A reader that dies, takes too much memory or too long is replaced, and its file refused. One that somebody killed, as a
machine without memory does, gets a second try.
"""

import atexit
import json
import logging
import os
import selectors
import shutil
import signal
import subprocess
import sys
import uuid
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.finops.problems import Problem
from apps.finops.tables import LAKE
from apps.ingest.apart import words
from apps.ingest.apart.reader import ANSWERED, READ
from apps.ingest.bill.writer import Bill
from apps.ingest.reading import Reading, refused
from apps.ingest.usage import UsageFile
from apps.warehouse import engine, failpoints, lake

logger = logging.getLogger(__name__)
TRIES = 2
_ENVIRONMENT = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TZDIR", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV",
    "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONWARNINGS",
)  # fmt: skip
"""What a reader may know of its surroundings: nothing that opens anything."""
_TABLES = {table.name: table for table in LAKE}


class ReaderFailed(Exception):
    """A fault in CostOps while a file was read; what the reader said of it."""


def read_bill(bill: Bill) -> Reading:
    """Read a bill (`apps.ingest.bill.reader`)."""
    return _read("bill", bill)


def read_usage(file: UsageFile) -> Reading:
    """Read a usage file (`apps.ingest.usage`)."""
    return _read("usage", replace(file, replaces=frozenset(), beside=()))


def _read(what: str, file: Any) -> Reading:
    if not settings.COSTOPS_READ_APART:
        return READ[what](file)
    folder = Path(settings.COSTOPS_HOME).absolute() / "tmp" / "staging" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        return _understood(_told(_request(what, file, folder)), file.name, folder / "lake")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _request(what: str, file: Any, folder: Path) -> dict[str, Any]:
    """The reader's home, with a lake of its own, is the folder: what it leaves there goes with it."""
    its_own = {
        "COSTOPS_HOME": folder, "COSTOPS_LAKE": folder / "lake", "COSTOPS_LAKE_URL": "", "COSTOPS_ENGINE": "duckdb",
        "COSTOPS_MEMORY_LIMIT": settings.COSTOPS_MEMORY_LIMIT, "COSTOPS_THREADS": settings.COSTOPS_THREADS,
    }  # fmt: skip
    return {
        "what": what,
        "file": words.spell(replace(file, path=file.path.absolute())),
        "settings": words.spell(its_own),
        "failpoints": failpoints.armed(),
        "memory_bytes": int(settings.COSTOPS_READ_MEMORY_GIB * (1 << 30)),
        "cpu_seconds": int(settings.COSTOPS_READ_MINUTES * 60 * engine.threads()) + 1,
    }


def _understood(told: dict[str, Any], name: str, its_lake: Path) -> Reading:
    if "reading" in told:
        return _taken_over(words.understand(told["reading"], ANSWERED), its_lake)
    if "errno" in told:
        raise OSError(told["errno"], told["strerror"], told["filename"])
    if "failed" in told:
        failed = ReaderFailed(f"{name}: {told['failed']}")
        failed.add_note(told["trace"])
        raise failed
    code, message = _reason(told["lacks"], told.get("signal", ""))
    return refused([Problem("error", code, name, message)])


def _reason(lacks: str, how: str) -> tuple[str, str]:
    """What a reader lacked as the code and the message of a refusal."""
    gib, minutes = settings.COSTOPS_READ_MEMORY_GIB, settings.COSTOPS_READ_MINUTES
    return {
        "memory": (
            "too_much_memory",
            "Reading the file takes more memory than it may: COSTOPS_READ_MEMORY_GIB is "
            f"{gib}, COSTOPS_MEMORY_LIMIT {settings.COSTOPS_MEMORY_LIMIT}. Split it, or raise them; "
            "then bring it anew, or set an option of its source.",
        ),
        "time": (
            "too_slow",
            f"Reading the file takes longer than {minutes} minutes. Split it, or raise COSTOPS_READ_MINUTES; "
            "then bring it anew, or set an option of its source.",
        ),
        "life": (
            "reader_died",
            f"The process that reads the file dies ({how}): the file is damaged, made to do so, or takes more than "
            f"{gib} GiB of memory. Export it again, or raise COSTOPS_READ_MEMORY_GIB and set an option of its source.",
        ),
    }[lacks]


def _taken_over(reading: Reading, its_lake: Path) -> Reading:
    """The same with its parts in the lake's folder, uncommitted; with none of them where one cannot be taken."""
    taken: list[Path] = []
    try:
        for name, parts in reading.parts.items():
            table = _TABLES[name]
            lake.version(table)  # makes the table when it is not there yet
            for part in parts:
                taken.append(lake.location(table) / part.path)
                taken[-1].parent.mkdir(parents=True, exist_ok=True)
                shutil.move(its_lake / name / part.path, taken[-1])
    except BaseException:
        for path in taken:
            path.unlink(missing_ok=True)
        raise
    return replace(reading, parts={name: list(parts) for name, parts in reading.parts.items()})


# --- The readers of this process -------------------------------------------------------------------------------------
class _Reader:
    """A process that reads one file at a time (`apps.ingest.apart.reader`)."""

    def __init__(self) -> None:
        self.is_lost = False
        environment = {key: value for key, value in os.environ.items() if key in _ENVIRONMENT}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "apps.ingest.apart.reader"],
            cwd=settings.BASE_DIR, env=environment | {"OPENBLAS_NUM_THREADS": "1"}, text=True, encoding="utf-8",
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """How the process of the file `ended`, and what it `said`; as if killed where nobody is there any more.

        The reader `is_lost` unless it answered in time.
        """
        self.is_lost = True
        asked, answered = self._process.stdin, self._process.stdout
        assert asked is not None  # noqa: S101  # both are pipes
        assert answered is not None  # noqa: S101
        with suppress(BrokenPipeError), selectors.DefaultSelector() as waiting:
            asked.write(json.dumps(request) + "\n")
            asked.flush()
            waiting.register(answered, selectors.EVENT_READ)
            if not waiting.select(seconds):
                return {"ended": -signal.SIGXCPU}
            if (line := answered.readline()).endswith("\n"):
                answer: dict[str, Any] = json.loads(line)
                self.is_lost = False
                return answer
        return {"ended": -signal.SIGKILL}

    def is_there(self) -> bool:
        return self._process.poll() is None

    def end(self) -> None:
        """And whatever it has begun."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what it was never told
                if pipe:
                    pipe.close()


_idle: list[_Reader] = []
"""Readers that wait for work: one, or as many as there were threads that read at once."""


def _told(request: dict[str, Any]) -> dict[str, Any]:
    """What came of reading: `reading`, what it `lacks`, or what failed."""
    for _ in range(TRIES):
        answer = _asked(request)
        ended = answer["ended"]
        if ended != -signal.SIGKILL:
            break
    if ended == 0:
        told: dict[str, Any] = json.loads(answer["said"])
        if not told.get("confined", True):
            _say_that_readers_are_loose()
        return told
    if ended == -signal.SIGXCPU:
        return {"lacks": "time"}
    return {"lacks": "life", "signal": signal.Signals(-ended).name if ended < 0 else f"status {ended}"}


@cache
def _say_that_readers_are_loose() -> None:
    """Once for each process."""
    logger.warning(
        "The kernel of this machine does not confine readers of files (seccomp, on x86_64 and aarch64): they have "
        "limits of memory and time and no credentials, but could reach the network. Read bills of strangers elsewhere."
    )


def _asked(request: dict[str, Any]) -> dict[str, Any]:
    """Ask a reader, which is started where none waits; one that is lost is ended."""
    reader = _waiting() or _Reader()
    try:
        return reader.ask(request, settings.COSTOPS_READ_MINUTES * 60)
    finally:
        if reader.is_lost:
            reader.end()
        else:
            _idle.append(reader)


def _waiting() -> _Reader | None:
    with suppress(IndexError):  # of several threads, another was first
        while _idle:
            reader = _idle.pop()
            if reader.is_there():
                return reader
            reader.end()
    return None


def end_readers() -> None:
    """Those that wait; the next file would start another."""
    while _idle:
        _idle.pop().end()


atexit.register(end_readers)
os.register_at_fork(after_in_child=_idle.clear)  # they are the parent's
