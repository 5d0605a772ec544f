"""Failpoints do what the variable says, where it says, and nothing otherwise."""

import os
import signal
import subprocess
import sys
import time

import pytest

from apps.warehouse import failpoints
from apps.warehouse.failpoints import BadFailpoint, FailpointReached, arm, failpoint

HERE = "publish.pin"


@pytest.fixture(autouse=True)
def _disarmed():
    yield
    arm("")


def test_nothing_happens_unless_it_is_asked_for():
    failpoint(HERE)


@pytest.mark.parametrize(
    ("told", "places", "expected"),
    [
        pytest.param("publish.pin=raise", ["lake.commit", HERE], 1, id="at its place"),
        pytest.param("publish.pin=raise@2", [HERE, HERE], 1, id="the second time"),
        pytest.param("publish.pin=raise@3", [HERE, HERE], None, id="not before its time"),
        pytest.param("*=raise", ["land.list"], 0, id="everywhere"),
    ],
)
def test_it_fails_where_it_is_told_to(told, places, expected):
    arm(told)
    reached = None
    for at, place in enumerate(places):
        try:
            failpoint(place)
        except FailpointReached:
            reached = at
    assert reached == expected


def test_it_writes_down_where_it_was(tmp_path):
    arm(f"*=log:{tmp_path / 'log'};lake.commit=freeze:0.05")
    began = time.monotonic()
    failpoint("lake.commit")
    failpoint(HERE)
    assert time.monotonic() - began >= 0.05
    assert (tmp_path / "log").read_text() == f"lake.commit {os.getpid()}\npublish.pin {os.getpid()}\n"


@pytest.mark.parametrize("told", ["publish.pin", "nowhere=kill", "publish.pin=explode", "publish.pin=kill@x"])
def test_what_is_none_is_refused(told):
    with pytest.raises(BadFailpoint, match="POINT=ACTION"):
        arm(told)


def test_a_process_is_killed_by_its_environment():
    code = "from apps.warehouse.failpoints import failpoint; failpoint('land.list'); failpoint('publish.pin')"
    environment = os.environ | {failpoints.VARIABLE: "publish.pin=kill"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert done.returncode == -signal.SIGKILL


def test_another_process_is_killed():
    with subprocess.Popen(["sleep", "60"]) as other:
        arm(f"{HERE}=kill:{other.pid}")
        failpoint(HERE)
        assert other.wait(10) == -signal.SIGKILL
