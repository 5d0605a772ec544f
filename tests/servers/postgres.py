"""A PostgreSQL server of its own for the tests, in a temporary folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers.process import Process, ServerDidNotStartError, find_program, free_port, start

USER = "costops"
SPEED_OVER_SAFETY = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
"""Of a server that lives as long as the tests. One that dies on the way says what is committed before it is written."""


@dataclass(frozen=True)
class Postgres:
    """Where the server listens. It trusts everyone: it lives on loopback as long as the tests."""

    port: int

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as `COSTOPS_DATABASE_URL` takes it."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, encoding: str = "UTF8", *, template: str = "template0") -> str:
        """Make an empty database, or one with what stands in another; returns its address."""
        locale = "C.UTF-8" if encoding == "UTF8" else "C"
        command = sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE {} TEMPLATE {}")
        words = sql.Identifier(name), sql.Literal(encoding), sql.Literal(locale), sql.Identifier(template)
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(command.format(*words))
        return self.url(name)


def find_binaries() -> Path:
    """The folder of initdb and postgres: Debian keeps them out of PATH, one folder per version."""
    if found := sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])):
        return found[-1].parent
    return Path(find_program("initdb", package="postgresql")).parent


def unprivileged_prefix(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: hand the folder to an ordinary user and become that user."""
    if os.getuid() != 0:
        return []
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--"]


def init_database(binaries: Path, data: Path, prefix: list[str]) -> None:
    """Make the folder of a new server."""
    command = [*prefix, str(binaries / "initdb"), "--pgdata", str(data), "--username", USER, "--auth", "trust"]
    command += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
    done = subprocess.run(command, cwd=data.parent, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServerDidNotStartError(f"initdb failed:\n{done.stdout}{done.stderr}")


def start_server(
    binaries: Path, folder: Path, prefix: list[str], port: int, settings: tuple[str, ...] = SPEED_OVER_SAFETY
) -> Process:
    """Start PostgreSQL and wait until it answers a query."""
    options = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", *settings]
    command = [*prefix, str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
    for option in options:
        command += ["-c", option]
    # SIGINT is PostgreSQL's fast shutdown; SIGTERM waits for every client to leave.
    server = start(command, log=folder / "log", cwd=folder, stop_signal=signal.SIGINT)
    server.wait_until(lambda: answers(port), what="PostgreSQL")
    return server


def answers(port: int) -> bool:
    """Whether the server takes queries."""
    try:
        with psycopg.connect(Postgres(port).url(), connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A new server, gone with all its data at the end."""
    binaries = find_binaries()
    # Not pytest's folder: that is closed to other users, and as root the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="costops-postgres-"))
    try:
        prefix = unprivileged_prefix(folder)
        init_database(binaries, folder / "data", prefix)
        port = free_port()
        server = start_server(binaries, folder, prefix, port)
        try:
            yield Postgres(port)
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
