"""A whole installation of its own for one test: a home folder, a database and real processes."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.postgres import Postgres
from tests.servers.process import Process, start

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Installation:
    """A home folder and the environment its processes get. Stop it when done."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    processes: list[Process] = field(default_factory=list)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in a process of its own, to its end."""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def manage(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run `manage.py`; with `check`, a status other than 0 fails with what it printed."""
        done = self.run("manage.py", *arguments)
        if check and done.returncode != 0:
            said = f"{done.stdout}{done.stderr}"[-4000:]
            raise AssertionError(f"manage.py {' '.join(arguments)} ended with status {done.returncode}:\n{said}")
        return done

    def manage_each(self, *commands: Sequence[str]) -> None:
        """Run commands of `manage.py` one after another in one process: to start each takes seconds."""
        calls = [f"call_command(*{list(one)!r})" for one in commands]
        code = "\n".join(["from django.core.management import call_command", *calls])
        self.manage("shell", "--no-imports", "-c", code)

    def start(self, *module_and_arguments: str) -> Process:
        """Start a Python module, e.g. `start("celery", "-A", "costops", "beat")`, with its output in a file at home."""
        log = self.home / f"{module_and_arguments[0]}-{len(self.processes)}.log"
        command = [sys.executable, "-m", *module_and_arguments]
        process = start(command, log=log, environment=self.environment, cwd=ROOT)
        self.processes.append(process)
        return process

    def start_worker(self, *options: str) -> Process:
        """Start a Celery worker and wait until it takes tasks."""
        worker = self.start("celery", "-A", "costops", "worker", "--concurrency", "1", "--loglevel", "INFO", *options)
        worker.wait_until(lambda: " ready." in worker.log.read_text(errors="replace"), what="The Celery worker")
        return worker

    def stop(self) -> None:
        """Stop every process that still runs."""
        for process in self.processes:
            process.stop()


def new_installation(home: Path, *, database_url: str | None = None, is_migrated: bool = True) -> Installation:
    """An installation with the embedded default, or another database; nothing of the caller's settings leaks in.

    To make all tables takes as long as many a test: the embedded database has them, where nothing else is said.
    """
    home.mkdir(parents=True, exist_ok=True)
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("COSTOPS_", "PYTEST_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)  # each process would compile the whole of CostOps again
    environment = kept | {"COSTOPS_HOME": str(home), "DJANGO_SETTINGS_MODULE": "costops.settings"}
    if database_url:
        environment["COSTOPS_DATABASE_URL"] = database_url
    elif is_migrated:
        shutil.copyfile(migrated(), home / "costops.sqlite3")
    return Installation(home, environment)


_MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
"""
"""Not by `manage.py`, which would write down that somebody did it."""


def migrated() -> Path:
    """An SQLite database with all tables and no rows of ours."""

    def make(folder: Path) -> None:
        home = new_installation(folder, is_migrated=False)
        subprocess.run([sys.executable, "-c", _MIGRATE], cwd=ROOT, env=home.environment, check=True)

    return made_for_all("tables", make) / "costops.sqlite3"


def migrated_database(server: Postgres, name: str) -> str:
    """The same on a PostgreSQL server: a new database; its address."""

    def make(folder: Path) -> None:
        home = new_installation(folder, database_url=server.create_database("tables"))
        subprocess.run([sys.executable, "-c", _MIGRATE], cwd=ROOT, env=home.environment, check=True)

    made_for_all(f"tables-{server.port}", make)
    return server.create_database(name, template="tables")


def made_for_all(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is made once for all processes of a run of the suite: whoever uses it copies it, or only reads."""
    folder = Path(os.environ["COSTOPS_HOME"]) / "made" / name
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / ".made").exists():
            make(folder)
            (folder / ".made").touch()
    return folder
