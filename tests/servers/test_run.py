"""`make run`: web, worker and beat come up together, stay up, and stop together."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from costops.celery import BEATS
from scripts.answers import wait
from tests.servers.installation import ROOT, new_installation
from tests.servers.process import free_port, start

pytestmark = pytest.mark.timeout(300)
RUN = [sys.executable, "scripts/run.py"]
PROMISED_SECONDS = 120
"""Within which a worker that lives and does not work is replaced (docs/guarantees.md)."""
START_SECONDS = 15
"""Of a worker, at most."""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An installation for all tests: a site takes long to start. The last one stops it."""
    house = new_installation(tmp_path_factory.mktemp("site"))
    yield house
    house.stop()


@pytest.fixture(scope="module")
def site(house):
    """A running site: its address and its process."""
    port = free_port()
    house.environment["COSTOPS_BIND"] = f"127.0.0.1:{port}"
    process = start(RUN, log=house.home / "run.out", environment=house.environment, cwd=ROOT)
    house.processes.append(process)
    address = f"http://127.0.0.1:{port}/login/"
    assert wait(address, seconds=180), process.log.read_text()
    return address, process


def read_until(process, text, *, count=1, seconds=90):
    deadline = time.monotonic() + seconds
    while process.log.read_text().count(text) < count:
        assert time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.2)


def children_of(process):
    listed = subprocess.run(
        ["pgrep", "-P", str(process.popen.pid), "-f", "costops"], capture_output=True, text=True, check=False
    )
    return {int(pid) for pid in listed.stdout.split()}


def test_a_busy_address_is_said_before_anything_starts(site, house, tmp_path):
    environment = house.environment | {"COSTOPS_HOME": str(tmp_path / "another home")}
    refused = subprocess.run(RUN, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert "Set COSTOPS_BIND to a free address" in refused.stderr


@pytest.mark.parametrize(
    ("given", "home"),
    [
        pytest.param("site", "{here}/site", id="from where one stands"),
        pytest.param("", f"{ROOT}/var", id="an empty one is none"),
    ],
)
def test_children_work_in_the_home_that_is_locked(tmp_path, given, home):
    told = "from scripts import run; import os; print(run.PID_FILE.parent, os.environ['COSTOPS_HOME'], sep='\\n')"
    environment = os.environ | {"COSTOPS_HOME": given, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", told], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [home.format(here=tmp_path)] * 2


@pytest.fixture
def program(monkeypatch, tmp_path):
    """`scripts/run.py` as a module, for a home of its own."""
    monkeypatch.setenv("COSTOPS_HOME", str(tmp_path))
    monkeypatch.setenv("COSTOPS_WORKER_SIGN", str(tmp_path / "worker.alive"))
    return importlib.reload(importlib.import_module("scripts.run"))


def test_a_worker_that_hangs_is_told_in_time_from_one_that_waits_for_a_bell(program):
    bell = BEATS["tick"]["schedule"]
    assert 1.5 * bell < program.WEDGED_SECONDS <= PROMISED_SECONDS - START_SECONDS


@pytest.mark.parametrize(
    ("name", "late", "is_wedged"),
    [
        pytest.param("worker", -5, False, id="just below"),
        pytest.param("worker", 5, True, id="just above"),
        pytest.param("worker", None, False, id="it never worked yet"),
        pytest.param("web", 5, False, id="not the worker"),
    ],
)
def test_a_worker_hangs_once_it_gave_no_sign_for_so_long(program, name, late, is_wedged):
    if late is not None:
        program.SIGN.touch()
        os.utime(program.SIGN, (0, time.time() - program.WEDGED_SECONDS - late))
    assert program.Child(name).is_wedged() is is_wedged


def test_a_worker_that_hangs_is_replaced(site, house, program):
    _address, process = site
    sign = house.home / "tmp" / "worker.alive"
    read_until(process, "ready.")
    deadline = time.monotonic() + 60
    while not sign.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    worker = next(pid for pid in children_of(process) if b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(worker, signal.SIGSTOP)
    os.utime(sign, (0, time.time() - program.WEDGED_SECONDS + 30))
    time.sleep(3)
    assert "worker gave no sign of life" not in process.log.read_text()
    os.utime(sign, (0, time.time() - program.WEDGED_SECONDS - 1))
    read_until(process, "worker gave no sign of life")
    read_until(process, "worker died (exit status -9); starting it again")
    read_until(process, "ready.", count=2)


def test_a_process_that_dies_is_started_again(site):
    address, process = site
    before = children_of(process)
    web = next(pid for pid in before if b"gunicorn" in Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(web, signal.SIGKILL)
    read_until(process, "web died (exit status -9); starting it again")
    assert wait(address, seconds=90), process.log.read_text()
    assert len(children_of(process) - before) == 1


def test_a_site_runs_until_it_is_stopped(site, house):
    address, process = site
    read_until(process, "ready.")
    children = children_of(process)
    assert len(children) == 3
    polite = {pid: os.getpriority(os.PRIO_PROCESS, pid) for pid in children}
    assert {b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes(): nice for pid, nice in polite.items()} == {
        True: 19,
        False: os.getpriority(os.PRIO_PROCESS, 0),
    }

    second = subprocess.run(RUN, cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "Already running" in second.stderr

    stopped = subprocess.run(
        [*RUN, "--stop"], cwd=ROOT, env=house.environment, capture_output=True, text=True, check=False
    )
    assert stopped.returncode == 0, stopped.stdout + stopped.stderr
    assert process.popen.wait(20) == 0
    assert not wait(address, seconds=0)
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
