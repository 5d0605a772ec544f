"""The web server's processes share what is asked: who connects waits for none that is at work while another is idle."""

import http.client
import json
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.servers.installation import ROOT
from tests.servers.process import free_port, start

WHOLE = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
THREADS = 8
"""Of the two processes of the web server together."""
SITE = """
import os, time
from pathlib import Path

def halves():
    yield b"12345"
    raise RuntimeError("it breaks")

def site(environ, start_response):
    name, at_work = environ["PATH_INFO"].strip("/"), Path({folder!r})
    if name == "broken":
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "10")])
        return halves()
    if name == "slow":
        time.sleep(0.3)
    elif name == "read":
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    elif name:
        (at_work / name).write_text(str(os.getpid()))
        deadline = time.monotonic() + 20
        while len(list(at_work.iterdir())) < {threads} + name.startswith("held") and time.monotonic() < deadline:
            time.sleep(0.01)
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "10")])
    return [b"%10d" % os.getpid()]
"""
"""Answers with the number of its process; what has a name waits until as many names were asked as there are threads,
and what is held for one more."""


@pytest.fixture
def asked(tmp_path):
    """Where names lie that were asked so far."""
    folder = tmp_path / "asked"
    folder.mkdir()
    return folder


@pytest.fixture
def server(tmp_path, asked, port):
    """The site behind the web server as it is configured."""
    (tmp_path / "site_asked.py").write_text(SITE.format(folder=str(asked), threads=THREADS))
    command = [sys.executable, "-m", "gunicorn", "--config", "python:costops.gunicorn", "site_asked:site"]
    command = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh", *command]
    command += ["--pythonpath", f"{tmp_path},{ROOT}", "--bind", f"127.0.0.1:{port}"]
    server = start(command, log=tmp_path / "server.log", environment={"COSTOPS_HOME": str(tmp_path)}, cwd=ROOT)
    try:
        server.wait_until(lambda: answers(port), what="the web server")
        yield server
    finally:
        server.stop()


@pytest.fixture
def port():
    return free_port()


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


def test_every_thread_of_every_process_is_at_work_before_anybody_waits(port, asked, server):
    for again in range(3):
        for one in asked.iterdir():
            one.unlink()
        began = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            by = list(pool.map(lambda number: ask(port, f"{number}"), range(THREADS)))
        assert time.monotonic() - began < 10, f"round {again}: somebody waited for a process that was at work"
        assert sorted(by.count(process) for process in set(by)) == [THREADS // 2, THREADS // 2]


def test_a_connection_goes_on_where_nothing_else_is_answered_and_leaves_who_is_at_work(port, asked, server):
    with ExitStack() as open_ones, ThreadPoolExecutor(THREADS) as pool:
        may_go_on = False
        while not may_go_on:  # an answer is written down before it counts as over
            kept = open_ones.enter_context(connected(port))
            process, may_go_on = told(kept)
        assert told(kept)[0] == process, "the connection was kept"
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


def test_nobody_waits_for_who_does_not_close(port, asked, server):
    """Whose connection is closed may keep it half open; the loop that all others wait for goes on."""
    with ExitStack() as open_ones, ThreadPoolExecutor(THREADS) as pool:
        slow = [open_ones.enter_context(socket.create_connection(("127.0.0.1", port), 30)) for _ in range(THREADS)]
        answers = list(pool.map(told_and_kept_open, slow, range(THREADS)))
        assert sum(b"Connection: close" in one for one in answers) >= THREADS - 2, "all but the first of each process"
        began = time.monotonic()
        for _ in range(20):
            ask(port)
        assert time.monotonic() - began < 4, (
            "to wait for one of them takes two seconds, and there are three of each process"
        )


def told_and_kept_open(client, number):
    client.sendall(f"GET /{number} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
    answer = b""
    while len(answer.partition(b"\r\n\r\n")[2]) < 10:
        answer += client.recv(1000)
    return answer


def test_who_waits_is_shared_by_processes_that_stop_and_who_comes_later_is_refused(port, asked, server):
    with ExitStack() as open_ones, ThreadPoolExecutor(THREADS) as pool:
        held = [pool.submit(ask, port, f"held-{number}") for number in range(THREADS)]
        for number in range(THREADS):
            at_work(asked / f"held-{number}")
        waiting = [open_ones.enter_context(connected(port)) for _ in range(3 * THREADS)]
        for one in waiting:
            one.request("GET", "/slow")  # it lies in the kernel: every thread is at work
        server.popen.send_signal(signal.SIGTERM)
        while "Handling signal: term" not in server.log.read_text():
            time.sleep(0.01)
        (asked / "go on").touch()
        by = [one.result(30) for one in held] + [int(one.getresponse().read()) for one in waiting]
        assert min(by.count(process) for process in set(by)) >= THREADS
    deadline = time.monotonic() + 20  # the last of them may find a moment later that nobody waits
    while answers(port):
        assert time.monotonic() < deadline


def test_bad_requests_that_do_not_close_use_no_files_up(port, server, asked):
    """They leave after two seconds, and count meanwhile."""
    with ExitStack() as open_ones:
        for _ in range(3):
            for _ in range(700):
                client = open_ones.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
                with suppress(OSError):
                    client.send(b"BAD\r\n\r\n")
            time.sleep(0.3)
        assert ask(port)
    assert "Too many open files" not in server.log.read_text()
    assert server.log.read_text().count("Booting worker") == 2


def test_an_answer_that_breaks_is_counted_once(port, asked, server):
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: broken(port), range(3 * THREADS)))
        by = list(pool.map(lambda number: ask(port, f"{number}"), range(THREADS)))
    assert sorted(by.count(process) for process in set(by)) == [THREADS // 2, THREADS // 2]


def broken(port):
    with connected(port) as connection:
        connection.request("GET", "/broken")
        answer = connection.getresponse()
        with pytest.raises((http.client.HTTPException, OSError)):
            answer.read()


def at_work(name):
    """The process that answers what was asked by this name."""
    deadline = time.monotonic() + 20
    while not (name.exists() and name.read_text()):
        assert time.monotonic() < deadline, f"{name.name} was not begun"
        time.sleep(0.01)
    return int(name.read_text())


HALVES = {
    "a head": b"GET / HTTP/1.1\r\nHost: loc",
    "a body": b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\nx",
}


@pytest.mark.parametrize("half", HALVES.values(), ids=list(HALVES))
def test_who_sends_half_a_request_holds_a_thread_for_a_while_only(port, server, half):
    """Byte by byte, or nothing more: as many as there are threads, and some."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(THREADS + 4)]
        for one in held:
            one.sendall(half)
        deadline = time.monotonic() + 8
        while is_answered_within_a_second(port):
            assert time.monotonic() < deadline, "they hold no thread at all"
        assert ask(port)


def is_answered_within_a_second(port):
    with socket.create_connection(("127.0.0.1", port), timeout=1) as one:
        one.sendall(WHOLE)
        try:
            return bool(one.recv(1))
        except TimeoutError:
            return False


def test_a_body_that_takes_its_time_is_read_to_its_end(port, server):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as one:
        one.sendall(b"POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 36000\r\n\r\n")
        for _ in range(12):
            one.sendall(b"x" * 3000)
            time.sleep(1)
        assert one.recv(100).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        pytest.param("/api/v1/costs/", "application/problem+json", id="a program is told as the API tells everything"),
        pytest.param("/explorer/", "text/html", id="a person is told on a page"),
    ],
)
def test_an_address_that_is_too_long_is_refused_in_the_form_it_asks_for(port, server, path, kind):
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET {path}?team={'x' * 20_000} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        body = answer.read()

    assert (answer.status, answer.getheader("Content-Type")) == (414, kind)
    if kind.endswith("json"):
        told = json.loads(body)
        assert (told["status"], told["code"]) == (414, "address_too_long")
        assert "8,190" in told["detail"]
