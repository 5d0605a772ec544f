"""The web server's processes share what is asked: nobody waits for one that is at work while another is idle."""

import http.client
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.servers.installation import ROOT
from tests.servers.process import free_port, start

THREADS = 8
"""Of the two processes of the web server together."""
SITE = """
import os, time
from pathlib import Path

def site(environ, start_response):
    name, at_work = environ["PATH_INFO"].strip("/"), Path({folder!r})
    if name:
        (at_work / name).write_text(str(os.getpid()))
        deadline = time.monotonic() + 20
        while len(list(at_work.iterdir())) < {threads} and time.monotonic() < deadline:
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "10")])
    return [b"%10d" % os.getpid()]
"""
"""Answers with the number of its process; what has a name waits until as many names were asked as there are threads."""


@pytest.fixture
def asked(tmp_path):
    """Where names lie that were asked so far."""
    folder = tmp_path / "asked"
    folder.mkdir()
    return folder


@pytest.fixture
def port(tmp_path, asked):
    """The site behind the web server as it is configured."""
    (tmp_path / "site_asked.py").write_text(SITE.format(folder=str(asked), threads=THREADS))
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--config",
        "python:costops.gunicorn",
        "--pythonpath",
        f"{tmp_path},{ROOT}",
    ]
    command += ["site_asked:site", "--bind", f"127.0.0.1:{port}"]
    server = start(command, log=tmp_path / "server.log", environment={"COSTOPS_HOME": str(tmp_path)}, cwd=ROOT)
    try:
        server.wait_until(lambda: answers(port), what="the web server")
        yield port
    finally:
        server.stop()


def answers(port):
    try:
        return bool(ask(port))
    except OSError:
        return False


@contextmanager
def connected(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def ask(port, name=""):
    with connected(port) as connection:
        return told(connection, name)[0]


def told(connection, name=""):
    """Which process answers, and whether the connection may be used again."""
    connection.request("GET", f"/{name}")
    answer = connection.getresponse()
    return int(answer.read()), answer.getheader("Connection") != "close"


def test_every_thread_of_every_process_is_at_work_before_anybody_waits(port, asked):
    for again in range(3):
        for one in asked.iterdir():
            one.unlink()
        began = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            by = list(pool.map(lambda number: ask(port, f"{number}"), range(THREADS)))
        assert time.monotonic() - began < 10, f"round {again}: somebody waited for a process that was at work"
        assert sorted(by.count(process) for process in set(by)) == [THREADS // 2, THREADS // 2]


def test_a_connection_goes_on_where_nothing_else_is_answered_and_leaves_who_is_at_work(port, asked):
    with connected(port) as kept, ThreadPoolExecutor(THREADS) as pool:
        process, may_go_on = told(kept)
        assert may_go_on
        assert told(kept) == (process, True), "the connection was kept"
        others = []
        try:
            while process not in others:  # until one is taken by the same process
                assert len(others) < THREADS - 1, "one of two processes took them all"
                pool.submit(ask, port, f"{len(others)}")
                others.append(at_work(asked / f"{len(others)}"))
            assert told(kept) == (process, False), "whoever is at work sends the next request elsewhere"
        finally:
            for number in range(THREADS):
                (asked / f"{number}").touch()


def at_work(name):
    """The process that answers what was asked by this name."""
    deadline = time.monotonic() + 20
    while not (name.exists() and name.read_text()):
        assert time.monotonic() < deadline, f"{name.name} was not begun"
        time.sleep(0.01)
    return int(name.read_text())
