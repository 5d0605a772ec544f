"""Runs web, worker and beat together from one command: `python scripts/run.py`, Ctrl-C stops all three.

    python scripts/run.py            in the foreground
    python scripts/run.py --stop     stops the one that runs for this COSTOPS_HOME

`COSTOPS_BIND` is the address to listen on (127.0.0.1:8000), `COSTOPS_HOME` the folder of data (var/).
"""

import argparse
import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("COSTOPS_HOME") or ROOT / "var").resolve()
os.environ["COSTOPS_HOME"] = str(HOME)  # the children work elsewhere: to them another folder would be meant
BIND = os.environ.get("COSTOPS_BIND", "127.0.0.1:8000")
PID_FILE = HOME / "run.pid"
STOP_SECONDS = 30.0
MOST_DEATHS = 5  # of one process, within
DEATH_SECONDS = 60.0
SIGN = Path(os.environ.setdefault("COSTOPS_WORKER_SIGN", str(HOME / "tmp" / "worker.alive")))
WEDGED_SECONDS = 100.0
"""Bells ring every minute: a worker that heard none for so long lives, and does not work."""

COMMANDS = {
    "web": ["gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--bind", BIND],
    "worker": ["celery", "-q", "-A", "costops", "worker", "--concurrency", "2", "--loglevel", "INFO"],
    "beat": ["celery", "-q", "-A", "costops", "beat", "--loglevel", "INFO", "--pidfile="],
}


@dataclass
class Child:
    """One of the processes, started again when it dies, unless it keeps dying."""

    name: str
    process: subprocess.Popen[str] | None = None
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_DEATHS))

    def start(self) -> None:
        """Start it in its own session, so that Ctrl-C reaches only this program, which stops them in order."""
        if self.name == "worker":
            SIGN.unlink(missing_ok=True)
        leash = (
            ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []
        )  # no orphans if we are killed
        polite = ["nice", "-n", "19"] if self.name == "worker" else []  # who looks at a page goes first
        command = [*leash, *polite, sys.executable, "-m", *COMMANDS[self.name]]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        threading.Thread(target=self._print_lines, args=(self.process,), daemon=True).start()

    def _print_lines(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for above
        for line in process.stdout:
            say(self.name, line.rstrip())

    def is_wedged(self) -> bool:
        """Whether it is a worker that once worked, and gives no sign of life any more."""
        return self.name == "worker" and SIGN.exists() and time.time() - SIGN.stat().st_mtime > WEDGED_SECONDS

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def keeps_dying(self) -> bool:
        """Remember this death; true when it was one too many in a short time."""
        self.deaths.append(time.monotonic())
        return len(self.deaths) == MOST_DEATHS and self.deaths[-1] - self.deaths[0] < DEATH_SECONDS

    def kill(self) -> None:
        """End it by force, with all its children, and wait until it is no more."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def signal(self, number: signal.Signals) -> None:
        """Ask politely (SIGTERM reaches the parent alone) or kill the whole group."""
        if self.process is None or self.process.poll() is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)


def say(who: str, line: str) -> None:
    print(f"{who:<6} | {line}", flush=True)


def lock() -> TextIO | None:
    """Hold this COSTOPS_HOME while the file is open: even a killed run lets go. None when another one holds it."""
    HOME.mkdir(parents=True, exist_ok=True)
    file = PID_FILE.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def find_running() -> int | None:
    """The process id of the run that holds this COSTOPS_HOME."""
    if (file := lock()) is not None:
        file.close()
        return None
    return int(PID_FILE.read_text() or 0) or None


def check_address() -> str | None:
    """What is wrong with the address to listen on, or None."""
    host, _, port = BIND.rpartition(":")
    if not host or not port.isdecimal():
        return f"COSTOPS_BIND must be HOST:PORT, not {BIND!r}."
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            return (
                f"Cannot listen on {BIND} ({error.strerror}). Set COSTOPS_BIND to a free address, e.g. 127.0.0.1:8001."
            )
    return None


def manage(*command: str) -> bool:
    """Whether a command of manage.py did its work."""
    done = subprocess.run([sys.executable, "manage.py", *command, "--verbosity", "0"], cwd=ROOT, check=False)
    return done.returncode == 0


def prepare() -> str | None:
    """Bring the database up to date and compress the files of pages, before anything reads them; what failed."""
    say("run", "bringing the database up to date")
    if not manage("migrate"):
        return "The database could not be brought up to date"
    say("run", "compressing the files of pages")
    return None if manage("collectstatic", "--noinput") else "The files of pages could not be compressed"


def stop(children: list[Child]) -> None:
    """Stop all: politely first, by force when the time is over."""
    for child in children:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            say("run", f"{child.name} did not stop within {STOP_SECONDS:.0f} s; its work is repeated later")
        child.signal(signal.SIGKILL)


def watch(children: list[Child], stopping: threading.Event) -> int:
    """Start a dead process again; give up, with status 1, on one that keeps dying."""
    while not stopping.wait(0.5):
        for child in children:
            if child.is_wedged():
                say("run", f"{child.name} gave no sign of life for {WEDGED_SECONDS:.0f} s; ending it by force")
                child.kill()
            if not child.has_died():
                continue
            status = child.process.returncode if child.process else None
            if child.keeps_dying():
                say(
                    "run",
                    f"{child.name} died {MOST_DEATHS} times in a minute (exit status {status}); stopping everything",
                )
                return 1
            say("run", f"{child.name} died (exit status {status}); starting it again")
            child.start()
    return 0


def run() -> int:
    """Hold the home folder, migrate, start, watch, stop."""
    held = lock()
    if held is None:
        print(f"Already running for {HOME} (process {find_running()}). `make stop` stops it.", file=sys.stderr)
        return 1
    with held:
        held.truncate(0)
        held.write(str(os.getpid()))
        held.flush()
        if problem := check_address():
            print(problem, file=sys.stderr)
            return 1
        if failure := prepare():
            print(f"{failure} (see above); nothing was started.", file=sys.stderr)
            return 1
        return serve()


def serve() -> int:
    """Start the three processes and stay until someone stops them or one keeps dying."""
    stopping = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGINT, ask_to_stop)
    signal.signal(signal.SIGTERM, ask_to_stop)
    children = [Child(name) for name in COMMANDS]
    try:
        for child in children:
            child.start()
        say("run", f"web, worker and beat are starting on http://{BIND}/; Ctrl-C stops them")
        return watch(children, stopping)
    finally:
        say("run", "stopping")
        stop(children)


def stop_running() -> int:
    """Stop the run that holds this COSTOPS_HOME, if there is one."""
    pid = find_running()
    if pid is None:
        print(f"Nothing runs for {HOME}.")
        return 0
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS + 10
    while find_running() is not None:
        if time.monotonic() > deadline:
            print(f"Process {pid} does not stop. `kill -9 {pid}` ends it.", file=sys.stderr)
            return 1
        time.sleep(0.2)
    print("Stopped.")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stop", action="store_true", help="stop the one that runs for this COSTOPS_HOME")
    return stop_running() if parser.parse_args().stop else run()


if __name__ == "__main__":
    sys.exit(main())
