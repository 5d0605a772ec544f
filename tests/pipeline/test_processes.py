"""Real processes: killed at any moment, racing each other, woken through real brokers; always the same numbers."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from apps.pipeline.steps import QUEUE_OF
from tests.conftest import ON_POSTGRES
from tests.prepared import dump, filled_school, open_school
from tests.servers.installation import ROOT, Installation
from tests.servers.process import Process, start

MOMENTS = {"land": 0.1, "normalize": 0.3, "meter": 0.4, "allocate": 2.0, "publish": 0.4}
"""About how many seconds a step of the small school takes."""
BEGINS, ENDS = re.compile(r"services: (\w+).*: begins"), re.compile(r"services: \w+.*: (done|failed)")


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What is published of the small school when nobody interferes."""
    return filled_school(request.getfixturevalue("postgres") if ON_POSTGRES else None).published


def start_fill(installation: Installation, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "fill", *arguments], cwd=ROOT, env=installation.environment,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def kill_in(installation: Installation, step: str, delay: float) -> str | None:
    """Kill a fill so many seconds after a step began; the step it really hit, None when it hit none."""
    fill = start_fill(installation, "--start", "2026-10-01", "--end", "2026-10-04")
    assert fill.stderr is not None
    said = []
    for line in fill.stderr:
        said.append(line)
        if (begun := BEGINS.search(line)) and begun[1] == step:
            time.sleep(delay)
            break
    os.killpg(fill.pid, signal.SIGKILL)
    said += fill.stderr.readlines()
    fill.stderr.close()
    assert fill.wait() == -signal.SIGKILL, said
    last = next((line for line in reversed(said) if BEGINS.search(line) or ENDS.search(line)), "")
    begun = BEGINS.search(last)
    return begun[1] if begun else None


def kill_until_hit(installation: Installation, step: str, dice: random.Random) -> str | None:
    """Kill in a step, sooner each time the step was over before the signal came; what runs only once gets one try."""
    struck = None
    for attempt in range(5 if step in ("land", "allocate", "publish") else 1):
        struck = kill_in(installation, step, dice.uniform(0, MOMENTS[step]) / 4**attempt)
        if struck:
            break
    return struck


@pytest.mark.timeout(600)
def test_a_fill_killed_again_and_again_ends_in_the_same_numbers(installation, undisturbed, tmp_path):
    open_school(installation, tmp_path / "school")
    seed = random.randrange(10**6)
    dice = random.Random(seed)
    steps = ("land", "normalize", "meter", "allocate", "allocate", "publish", "publish")
    hit = Counter(kill_until_hit(installation, step, dice) for step in steps)
    assert len(hit.keys() - {None}) >= 3, (seed, hit)
    first, second = start_fill(installation), start_fill(installation)
    errors = [fill.communicate()[1] for fill in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), (seed, errors)
    ended = dump(installation)
    assert ended["costs"] == undisturbed["costs"] != [], seed
    assert {state for _, state, _ in ended["runs"]} <= {"done", "failed"}
    installation.manage("fill")
    assert dump(installation)["versions"] == ended["versions"]


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")  # what carries messages in a file still uses it
@pytest.mark.timeout(600)
@pytest.mark.parametrize("broker", ["redis", "embedded"])
def test_a_worker_killed_at_work_is_replaced_and_the_fill_completed(
    installation, undisturbed, tmp_path, broker, request
):
    if broker == "redis":
        server = request.getfixturevalue("redis_server")
        server.flush()
        installation.environment["COSTOPS_REDIS_URL"] = server.url
    open_school(installation, tmp_path / "school")
    worker = installation.start_worker()
    ring(installation)
    wait_for(worker.log, r"allocate.*: begins")
    worker.kill()
    assert dump(installation)["costs"] == []
    second = installation.start_worker()
    ring(installation)
    wait_for(second.log, r"publish.*: done")
    ended = dump(installation)
    assert ended["costs"] == undisturbed["costs"] != []
    assert ["allocate", "done", 2] in ended["runs"]
    second.stop()
    assert second.popen.returncode == 0


BEAT = """
from costops.celery import app
app.conf.beat_schedule = {"tick": app.conf.beat_schedule["tick"] | {"schedule": 0.5}}
app.Beat(loglevel="INFO", schedule=SCHEDULE, pidfile=None).run()
"""
"""Our beat, in a hurry."""


def start_beat(installation: Installation, name: str) -> Process:
    code = BEAT.replace("SCHEDULE", repr(str(installation.home / name)))
    log = installation.home / f"{name}.log"
    beat = start([sys.executable, "-c", code], log=log, environment=installation.environment, cwd=ROOT)
    installation.processes.append(beat)
    return beat


@pytest.mark.timeout(300)
def test_two_beats_and_a_worker_asked_to_end_at_work_lose_and_repeat_nothing(
    installation, undisturbed, tmp_path, redis_server
):
    redis_server.flush()
    installation.environment["COSTOPS_REDIS_URL"] = redis_server.url
    open_school(installation, tmp_path / "school")
    with Celery(broker=redis_server.url) as newer:
        newer.send_task("apps.pipeline.tasks.of_a_newer_version", queue="io", kwargs={"day": 1})
    beats = [start_beat(installation, name) for name in ("one", "two")]
    worker = installation.start_worker()
    wait_for(worker.log, r"allocate.*: begins")
    worker.popen.send_signal(signal.SIGTERM)
    assert worker.popen.wait(timeout=90) == 0
    said = worker.log.read_text()
    assert "unregistered task" in said, "what only a newer version knows stops nobody"
    assert begun(worker)[-1] == "allocate", "it took no more runs"
    io, rest = (installation.start_worker("--queues", queues) for queues in ("io", "compute,learn"))
    wait_for(rest.log, r"publish.*: done")
    wait_for(io.log, r"alert: begins")
    for one, queues in ((io, {"io"}), (rest, {"compute", "learn"})):
        assert {QUEUE_OF[step] for step in begun(one)} <= queues
    assert [beat.popen.poll() for beat in beats] == [None, None]
    for beat in beats:
        assert "Sending due task" in beat.log.read_text()
    ended = dump(installation)
    assert ended["costs"] == undisturbed["costs"] != []
    done, expected = (
        sorted((step, state, attempt) for step, state, attempt in told["runs"] if step in MOMENTS)
        for told in (ended, undisturbed)
    )
    assert done == expected, "each once, at the first attempt"


def begun(worker: Process) -> list[str]:
    """The steps a worker has begun, one after another."""
    return re.findall(r" apps\.pipeline\.services: (\w+).*: begins", worker.log.read_text())


def ring(installation: Installation) -> None:
    """The clock's bell, as beat rings it; a newer sender may say more."""
    file = f"sqla+sqlite:///{installation.home / 'broker.sqlite3'}"
    with Celery(broker=installation.environment.get("COSTOPS_REDIS_URL", file)) as app:
        app.send_task("apps.pipeline.tasks.tick", queue="io", kwargs={"said_by_a_newer_version": 1})


def wait_for(log: Path, pattern: str, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if re.search(pattern, log.read_text(errors="replace")):
            return
        time.sleep(0.05)
    pytest.fail(f"{pattern!r} did not come:\n{log.read_text(errors='replace')[-3000:]}")
