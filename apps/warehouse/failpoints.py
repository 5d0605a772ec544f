"""Named places in the work where a test kills, stops or fails a process; nothing happens there in earnest.

COSTOPS_TEST_FAILPOINTS names what is to happen where: `publish.pin=kill`, several joined by `;`. A name may be `*`, for
every place; `kill@3` happens when a place is reached for the third time. Actions:

`kill`            SIGKILL to this process, as a lack of memory would; `kill:PID` to another one
`stop`            SIGSTOP to this process: every thread of it freezes, until somebody sends SIGCONT
`freeze:SECONDS`  this thread sleeps, the others go on
`raise`           the work fails here
`crash`           SIGSEGV to this process, as a mistake in a library would
`hoard`           memory is taken without end
`spin`            nothing else is done any more
`log:FILE`        a line is added to a file: the name and the process
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

VARIABLE = "COSTOPS_TEST_FAILPOINTS"

POINTS = {
    "claim.begin": "claim",
    "claim.taken": "claim",
    "land.list": "download",
    "land.copy": "download",
    "land.hash": "hash",
    "land.rename": "rename",
    "land.sync": "rename",
    "land.enter": "commit of the database",
    "read.unpack": "parse",
    "read.parse": "parse",
    "read.write": "write",
    "read.verify": "verify",
    "books.record": "commit of the database",
    "allocate.divide": "allocate",
    "lake.write": "write",
    "lake.sync": "rename",
    "lake.commit": "commit of the lake",
    "lake.committed": "commit of the lake",
    "publish.rebuild": "publish",
    "publish.check": "verify",
    "publish.pin": "commit of the database",
    "publish.pinned": "commit of the database",
    "finish.record": "commit of the database",
    "finish.unlock": "unlock",
    "outbox.put": "outbox",
    "outbox.claimed": "outbox",
    "outbox.sent": "outbox",
}
"""Every place, and the stage of the work it stands for."""
STAGES = tuple(dict.fromkeys(POINTS.values()))


class FailpointReached(Exception):
    """A test asked that the work fail here."""


class BadFailpoint(ValueError):
    """A place or an action that does not exist."""


@dataclass(frozen=True)
class _Armed:
    point: str
    action: str
    argument: str
    at_hit: int | None


_told = ""
_armed: tuple[_Armed, ...] = ()
_hits: Counter[_Armed] = Counter()


def failpoint(name: str) -> None:
    """The work has come here."""
    if _armed:
        _reach(name)


def arm(told: str) -> None:
    """Make what is told (as the variable has it) happen from now on; nothing any more when it is empty."""
    global _armed, _told
    _told = told
    _armed = tuple(_parsed(one.strip()) for one in told.split(";") if one.strip())
    _hits.clear()


def armed() -> str:
    """What is armed, for processes that work for this one."""
    return _told


def _parsed(told: str) -> _Armed:
    point, _, rest = told.partition("=")
    named, _, hit = rest.partition("@")
    action, _, argument = named.partition(":")
    if (point != "*" and point not in POINTS) or action not in _ACTIONS or not (hit or "1").isdecimal():
        raise BadFailpoint(f"{VARIABLE}: {told!r} is not POINT=ACTION, as apps/warehouse/failpoints.py lists them.")
    return _Armed(point, action, argument, int(hit) if hit else None)


def _reach(name: str) -> None:
    for armed in _armed:
        if armed.point not in ("*", name):
            continue
        _hits[armed] += 1
        if armed.at_hit in (None, _hits[armed]):
            _ACTIONS[armed.action](name, armed.argument)


def _kill(_name: str, process: str) -> None:
    os.kill(int(process or os.getpid()), signal.SIGKILL)


def _stop(_name: str, _argument: str) -> None:
    os.kill(os.getpid(), signal.SIGSTOP)


def _freeze(_name: str, seconds: str) -> None:
    time.sleep(float(seconds))


def _raise(name: str, _argument: str) -> None:
    raise FailpointReached(name)


def _crash(_name: str, _argument: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hoard(_name: str, _argument: str) -> None:
    held = []
    while True:
        held.append(bytearray(1 << 26))


def _spin(_name: str, _argument: str) -> None:
    while True:
        pass


def _log(name: str, path: str) -> None:
    with open(path, "a", encoding="utf-8") as log:  # one short write: lines of several processes do not mix
        log.write(f"{name} {os.getpid()}\n")


_ACTIONS: dict[str, Callable[[str, str], None]] = {
    "kill": _kill, "stop": _stop, "freeze": _freeze, "raise": _raise, "log": _log,
    "crash": _crash, "hoard": _hoard, "spin": _spin,
}  # fmt: skip

arm(os.environ.get(VARIABLE, ""))
