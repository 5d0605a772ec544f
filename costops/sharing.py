"""How the web server's processes share the work: whoever is at work leaves connections to one that is idle.

Gunicorn's own processes take every connection they can and keep it: where clients keep theirs, as a proxy does, it is
luck which process has the work, and one of two was seen to do 98 % of it.
"""

import json
import selectors
import socket
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestLine
from gunicorn.http.message import Request
from gunicorn.http.parser import RequestParser
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from apps.api.problems import PROBLEMS

LEAVING_SECONDS = 2.0
AT_ONCE = 65_536
READING_SECONDS, SLOWEST = 10.0, 1_000
"""A request comes within so many seconds, and as many as its body has these bytes a second: who is slower would hold a
thread from all others."""


@dataclass
class Reading:
    """What a thread reads from a connection: since when, and how many bytes of a body so far."""

    began: float
    request: Any = None
    bytes: int = 0

    def is_too_slow(self, now: float) -> bool:
        return now > self.began + READING_SECONDS + self.bytes / SLOWEST


class Asked(Request):
    """A request that remembers how it began: of an address that is too long nothing else is known."""

    began = b""

    def read_into(self, unreader: Any, buf: bytearray, stop: bool = False) -> None:
        super().read_into(unreader, buf, stop)
        self.began = self.began or bytes(buf[:80])

    def parse(self, unreader: Any) -> Any:
        try:
            return super().parse(unreader)
        except LimitRequestLine as too_long:
            too_long.is_of_api = self.began.lstrip().partition(b" ")[2].startswith(b"/api/")
            raise


RequestParser.mesg_class = Asked


class Sharing(ThreadWorker):
    """Takes connections only while a thread of it is free, and keeps none open while others are being answered.

    Who is told to close connects again at once, and reaches a process that is free. Nobody is refused: where all
    threads of all processes are at work, connections wait in the kernel for the first that is free; a process that
    stops goes on taking them until nobody waits. What was kept in quiet times stays with its process until its next
    answer.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._counting, self._answering = threading.Lock(), 0
        self._leaving: deque[Any] = deque()
        self._reading: dict[Any, Reading] = {}
        self._is_stopping = False

    @property
    def _taken(self) -> int:
        """How many connections are being answered, or wait for a thread."""
        return int(self.nr_conns - len(self.keepalived_conns) - len(self.pending_conns) - len(self._leaving))

    # --- Taking -----------------------------------------------------------------------------------------------------
    def set_accept_enabled(self, enabled: bool) -> None:
        """Asked in every turn of the loop that does not accept."""
        super().set_accept_enabled(enabled and self._taken < self.cfg.threads)

    def accept(self, listener: Any) -> None:
        """Of what happened at once, an earlier connection may have been the last one to take."""
        if self._accepting or self._is_stopping:
            super().accept(listener)

    def enqueue_req(self, conn: Any) -> None:
        super().enqueue_req(conn)
        self.set_accept_enabled(self._accepting)

    def _cap_keepalive(self, deadline: float) -> None:
        """Called once, when it stops: what waits in the kernel would be reset with the last listener."""
        super()._cap_keepalive(deadline)
        self._is_stopping = True
        self._take_what_waits()

    def _take_what_waits(self) -> None:
        """As many as there are threads free; who comes once nobody waits is refused at once, and tries elsewhere."""
        for listener in list(self.sockets):
            before = -1
            while before < self.nr_conns < self.worker_connections and self._taken < self.cfg.threads:
                before = self.nr_conns
                self.accept(listener)
            if before == self.nr_conns:
                self.sockets.remove(listener)
                listener.close()

    # --- Reading ----------------------------------------------------------------------------------------------------
    def handle(self, conn: Any) -> Any:
        self._reading[conn] = Reading(time.monotonic())
        try:
            return super().handle(conn)
        finally:
            del self._reading[conn]

    def _count(self, conn: Any, req: Any) -> None:
        """From the end of its head on, what comes is its body."""
        reading = self._reading[conn]
        reading.request = req
        unreader = conn.parser.unreader
        take = type(unreader).chunk

        def counted(*hint: Any) -> bytes:
            data: bytes = take(unreader, *hint)
            reading.bytes += len(data)
            return data

        unreader.chunk = counted

    def _give_up_reading(self) -> None:
        """Of whoever is too slow: the thread that waits for more is told that there is none, and free again. Whoever is
        still being answered gets the answer, and no other on this connection."""
        now = time.monotonic()
        for conn, reading in list(self._reading.items()):
            if reading.is_too_slow(now) and not conn.is_http2:
                if reading.request is not None:
                    reading.request.force_close()
                with suppress(OSError):  # of the connection itself: one that is encrypted would be unwrapped
                    socket.socket.shutdown(conn.sock, socket.SHUT_RD)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Programs are told that an address is too long as the API tells everything: it comes no further than here."""
        if not getattr(exc, "is_of_api", False):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Invalid request from ip=%s: %s", (addr or ("",))[0], exc)
        kind = PROBLEMS["address_too_long"]
        body = json.dumps(kind.told(kind.cause, ""))
        head = f"HTTP/1.1 {kind.status} URI Too Long\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        with suppress(OSError):
            write_nonblock(client, f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    # --- Answering --------------------------------------------------------------------------------------------------
    def handle_request(self, req: Any, conn: Any) -> Any:
        self._count(conn, req)
        with self._counting:
            self._answering += 1
            if self._answering > 1 or self._taken > self.cfg.threads:
                req.force_close()
        try:
            return super().handle_request(req, conn)
        finally:
            with self._counting:
                self._answering -= 1

    # --- Leaving ----------------------------------------------------------------------------------------------------
    def finish_request(self, conn: Any, fs: Any) -> None:
        """Gunicorn's own waits for the client to close too, up to two seconds, in the loop that all others wait for;
        and counts a connection twice that broke amid its answer."""
        if not fs.cancelled() and fs.exception() is None and fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_on, conn))
        except (OSError, ValueError, KeyError):  # it is closed
            self.nr_conns -= 1
            conn.close()
        else:
            conn.timeout = time.monotonic() + LEAVING_SECONDS
            self._leaving.append(conn)

    def _read_on(self, conn: Any, client: Any) -> None:
        """What it still sends is read and forgotten: to close before would take back what it was answered."""
        with suppress(OSError):
            if client.recv(AT_ONCE):
                return
        self._leaving.remove(conn)
        self._leave(conn)

    def murder_pending(self) -> None:
        """Asked in every turn of the loops: who has not closed by now is left, and who is too slow is read no more."""
        super().murder_pending()
        self._give_up_reading()
        if self._is_stopping:
            self._take_what_waits()
        while self._leaving and self._leaving[0].timeout < time.monotonic():
            self._leave(self._leaving.popleft())

    def _leave(self, conn: Any) -> None:
        self.nr_conns -= 1
        with suppress(OSError, ValueError, KeyError):
            self.poller.unregister(conn.sock)
        conn.close()
