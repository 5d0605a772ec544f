"""Starting a real server for the tests, waiting until it answers, stopping it with the suite."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 20.0


class ServerDidNotStartError(RuntimeError):
    """A server that a test needs is missing, died at once or never answered."""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find_program(name: str, *, package: str) -> str:
    """The path of a program, or an error that names the Debian package that brings it."""
    if path := shutil.which(name):
        return path
    raise ServerDidNotStartError(f"{name} is not installed; `make test` brings the Debian package {package}.")


@dataclass(frozen=True)
class Process:
    """A running server and the file its output goes to."""

    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals = signal.SIGTERM

    def stop(self) -> None:
        """Ask it to end and wait; after a while, end it by force with all its children."""
        with contextlib.suppress(ProcessLookupError):
            self.popen.send_signal(self.stop_signal)
        try:
            self.popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it and its children at once, as a power cut would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait(STOP_SECONDS)

    def wait_until(self, is_ready: Callable[[], bool], *, what: str, seconds: float = START_SECONDS) -> None:
        """Wait until the server answers; raise with the end of its output when it does not."""
        deadline = time.monotonic() + seconds
        while self.popen.poll() is None and time.monotonic() < deadline:
            if is_ready():
                return
            time.sleep(0.05)
        status = self.popen.poll()
        self.kill()
        tail = self.log.read_text(errors="replace")[-2000:]
        raise ServerDidNotStartError(f"{what} did not start (exit status {status}):\n{tail}")


def start(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Process:
    """Start a server in a session of its own; the kernel ends it should the tests be killed."""
    leash = ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [*leash, *map(str, command)],
            cwd=cwd,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(popen, log, stop_signal)


def is_listening(port: int) -> bool:
    """Whether something answers at this port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
