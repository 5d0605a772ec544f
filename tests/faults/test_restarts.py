"""The database and the broker die at work: nothing is lost, work goes on within a minute, and no page shows a half."""

import json
import os
import random
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from celery import Celery
from django.db import ConnectionHandler

from apps.warehouse.failpoints import POINTS, VARIABLE
from tests.faults.forking import Points, Told
from tests.faults.generations import Issues, cost_of
from tests.faults.runs import IS_SOAK, REPORTS, soak
from tests.servers import postgres as servers
from tests.servers.installation import Installation, new_installation
from tests.servers.process import find_program, free_port, start
from tests.servers.redis import Redis

pytestmark = pytest.mark.timeout(900 + (int(os.environ.get("COSTOPS_TEST_SOAK_SECONDS", 7200)) * 3 if IS_SOAK else 0))
RESUMES_SECONDS = 60.0
"""After a fault, to begin again; the work itself takes its own time, the more on a busy machine."""
WORK_SECONDS = 120.0
LONGEST_SECONDS = RESUMES_SECONDS + WORK_SECONDS
ANSWERS_SECONDS = 5.0
ASYNCHRONOUS = ("synchronous_commit=off", "wal_writer_delay=10s")


ASKED = (
    ("/api/v1/costs/", {"Authorization": "Token cost_xxxxxxxx"}),
    ("/runs/", {"Cookie": f"sessionid={'x' * 32}"}),
)
"""What stands in the database is needed to answer."""


class Mortal:
    """A PostgreSQL server that keeps its data and its port while it dies and comes back. By default it answers before
    it has written, as Alibaba Cloud's does."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.binaries, self.port = folder, servers.find_binaries(), free_port()
        self.prefix = servers.unprivileged_prefix(folder)
        servers.init_database(self.binaries, folder / "data", self.prefix)
        self.start()
        self.url = servers.Postgres(self.port).create_database("costops")

    def start(self) -> None:
        self.server = servers.start_server(self.binaries, self.folder, self.prefix, self.port, settings=ASYNCHRONOUS)

    def kill(self) -> None:
        """SIGKILL to the postmaster; its children end when they notice, and until then no other begins."""
        pid = self.server.popen.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        self.server.kill()
        wait_for(lambda: not any(Path("/proc", child).exists() for child in children), "their end", seconds=60)

    def one(self, query: str) -> tuple | None:
        with psycopg.connect(self.url, autocommit=True, connect_timeout=2) as connection:
            cursor = connection.execute(query)
            return cursor.fetchone() if cursor.description else None

    def published(self) -> str | None:
        row = self.one("SELECT totals->>'CNY' FROM marts_publication ORDER BY number DESC LIMIT 1")
        return row[0] if row else None


@pytest.fixture
def mortal():
    folder = Path(tempfile.mkdtemp(prefix="costops-mortal-"))
    server = Mortal(folder)
    yield server
    server.server.stop()
    shutil.rmtree(folder, ignore_errors=True)


class MortalBroker:
    """A Redis that dies and comes back empty, at the same port."""

    def __init__(self, folder: Path) -> None:
        self.port, self.log = free_port(), folder / "redis.log"
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [find_program("redis-server", package="redis-server"), "--port", str(self.port)]
        command += ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.server = Redis(self.port, start(command, log=self.log))
        self.server.process.wait_until(self.server.answers, what="Redis")


@pytest.fixture
def broker(tmp_path):
    server = MortalBroker(tmp_path)
    yield server
    server.server.process.stop()


@contextmanager
def bells(url: str):
    """What beat does, every second; a broker that is away hears nothing."""
    over = threading.Event()

    def ring() -> None:
        with Celery(broker=url) as app:
            while not over.wait(1.0):
                with suppress(Exception):
                    app.send_task("apps.pipeline.tasks.tick", queue="io", expires=55, retry=False)

    thread = threading.Thread(target=ring, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(30)


IDLE = "at rest"
PATIENCE = """
import os, socket
from django.db import connection
connection.ensure_connection()
ours = socket.socket(fileno=os.dup(connection.connection.fileno()))
asked = ("TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
print(*(ours.getsockopt(socket.IPPROTO_TCP, getattr(socket, one)) for one in asked))
"""
TOLD = "SELECT array_agg(what ORDER BY what) FROM told"


@dataclass
class Scene:
    """An installation whose servers die, what its worker passed, and somebody who reads all the while."""

    installation: Installation
    mortal: Mortal
    issues: Issues
    points: Points
    watching: Path
    told: list[dict[str, object]] = field(default_factory=list)

    def rounds(self, count: int, strike: Callable[[], None], name: str) -> None:
        """A new issue, a fault at a random moment of its way, and what is published a minute later at most; then how
        often and in which stage of the work it struck."""
        dice, slowest, done = random.Random(), 0.0, 0
        stages: Counter[str] = Counter()
        deadline = time.monotonic() + float(soak(2 * LONGEST_SECONDS * count, "COSTOPS_TEST_SOAK_SECONDS", 7200))
        while done < count and time.monotonic() < deadline:
            self.issues.issue()
            self.points.last()
            look_anew(self.mortal)
            time.sleep(dice.uniform(0, 4))
            stages[POINTS.get(self.points.last() or "", IDLE)] += 1
            strike()
            look_anew(self.mortal)
            slowest = max(slowest, wait_for(self.is_published, f"issue {self.issues.newest} after {name}"))
            done += 1
        told = {"scenario": name, "asked": count, "faults": done, "stages": dict(sorted(stages.items()))}
        self.told.append(told | {"slowest_seconds": round(slowest, 1), "is_over_time": done < count})
        report(self.told, {})

    def is_published(self) -> bool:
        return Decimal(self.mortal.published() or 0) == cost_of(self.issues.newest)

    def end(self) -> dict[str, object]:
        """What the reader tells, once it read the newest issue as well."""
        time.sleep(1)
        (self.watching / "stop").touch()
        told = Told(self.watching / "told")
        wait_for(lambda: bool(told.all()), "the end of who reads", seconds=60)
        return told.all()[-1]


@pytest.fixture
def school(tmp_path, mortal, broker):
    """An installation on both servers, with a worker at work and the first issue published."""
    installation = new_installation(tmp_path / "installation", database_url=mortal.url)
    installation.environment |= {"COSTOPS_REDIS_URL": broker.url, "COSTOPS_THREADS": "1"}
    issues, points = Issues(tmp_path / "school"), Points(tmp_path / "points")
    code = "from django.core.management import call_command; call_command('migrate', verbosity=0)\n"
    code += "from pathlib import Path; from tests.faults.generations import Issues; "
    installation.manage("shell", "--no-imports", "-c", code + f"Issues(Path({str(issues.folder)!r})).open()")
    watching = tmp_path / "watching"
    watching.mkdir()
    installation.environment[VARIABLE] = f"*=log:{points.path}"
    installation.start_worker()
    del installation.environment[VARIABLE]
    with bells(broker.url):
        wait_for(lambda: mortal.published() is not None, "the first publication", seconds=180)
        installation.start("tests.faults.watching", str(watching))
        yield Scene(installation, mortal, issues, points, watching)
    installation.stop()


def wait_for(is_true, what: str, *, seconds: float = LONGEST_SECONDS) -> float:
    """So long it took."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        with suppress(psycopg.OperationalError):
            if is_true():
                return time.monotonic() - began
        time.sleep(0.1)
    pytest.fail(f"{what} did not come within {seconds:.0f} s")


def look_anew(mortal: Mortal) -> None:
    mortal.one("UPDATE pipeline_clock SET looked_at = NULL")


def test_what_was_read_is_there_after_a_death(mortal, django_db_blocker):
    """Of ours; what another program commits beside is read as well, and forgotten."""
    here = {"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": mortal.port, "USER": servers.USER}
    ours = ConnectionHandler({"default": here | {"NAME": "costops"}})["default"]
    mortal.one("CREATE TABLE told (what text)")
    with django_db_blocker.unblock(), ours.cursor() as cursor:
        cursor.execute("INSERT INTO told VALUES ('ours')")
    mortal.one("INSERT INTO told VALUES ('theirs')")
    assert mortal.one(TOLD) == (["ours", "theirs"],)
    mortal.kill()
    mortal.start()
    assert mortal.one(TOLD) == (["ours"],)


def test_a_server_that_vanished_without_a_word_is_away_soon(mortal, tmp_path):
    """Its machine, or the way to it: nothing tells a process that waits for it, unless the kernel asks."""
    told = new_installation(tmp_path / "ours", database_url=mortal.url).manage("shell", "--no-imports", "-c", PATIENCE)
    sent, *silence = map(int, told.stdout.split())
    idle, every, times = silence
    assert 0 < sent <= 30_000
    assert 0 < idle + every * times <= 30


def test_servers_die_at_work(school, mortal, broker):
    """Each twice, in a soak as often as it says; in one installation, which takes long to start."""
    port = free_port()
    web = ("gunicorn", "--config", "python:costops.gunicorn", "costops.wsgi", "--workers", "1")
    school.installation.start(*web, "--bind", f"127.0.0.1:{port}")
    wait_for(lambda: is_open(port), "the web", seconds=60)
    assert [ask(port, path, **headers)[0] for path, headers in ASKED] == [401, 200]

    def kill_broker() -> None:
        """It is the cache of the web as well."""
        broker.server.process.kill()
        try:
            assert ask(port, "/api/v1/costs/", **ASKED[0][1])[0] in (401, 503)
        finally:
            time.sleep(0.5)
            broker.start()

    def kill_database() -> None:
        mortal.kill()
        try:
            no_page_is_shown(port)
        finally:
            mortal.start()

    count = int(soak(2, "COSTOPS_TEST_RESTARTS", 200))
    school.rounds(count, kill_database, "database killed")
    school.rounds(count, kill_broker, "broker killed")
    school.rounds(count, broker.server.flush, "broker flushed")
    assert mortal.one("SELECT count(*) FROM ingest_landedfile WHERE state = 'current' AND path LIKE '2026-10%'")[0] == 1
    read = school.end()
    report(school.told, read)
    assert "violated" not in read, read
    assert read["reads"] > 2 * count, read
    assert read["issues_seen"] > 1, read
    assert [one["faults"] for one in school.told] == [count] * 3, school.told
    assert all(sum(one["stages"].values()) == count for one in school.told), school.told
    assert {stage for one in school.told for stage in one["stages"]} - {IDLE}, "the worker was at work"


def report(told: list[dict[str, object]], read: dict[str, object]) -> None:
    """Below var/soak/, in a soak."""
    if IS_SOAK:
        REPORTS.mkdir(parents=True, exist_ok=True)
        for one in told:
            (REPORTS / f"{one['scenario']}.json").write_text(json.dumps(one | {"reader": read}, indent=1))


def no_page_is_shown(port: int) -> None:
    """Whoever asks is told to come again, at once."""
    for path, headers in ASKED:
        status, told, seconds = ask(port, path, **headers)
        assert (status, told.get("Retry-After")) == (503, "5"), path
        assert seconds < ANSWERS_SECONDS, path


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def ask(port: int, path: str, **headers: str):
    """Status, headers, and how long it took."""
    began = time.monotonic()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, time.monotonic() - began
    except urllib.error.HTTPError as error:
        return error.code, error.headers, time.monotonic() - began
