"""An HTTP receiver of its own for the tests: keeps what is posted, answers what it is told to."""

import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Receiver:
    """Where it listens, what it received, and what it answers: status, body, headers, once its gate is open; of what
    begins with a method and path of `answers`, that."""

    port: int = 0
    posted: list[Posted] = field(default_factory=list)
    answer: tuple[int, bytes, dict[str, str]] = (200, b"ok", {})
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    gate: threading.Event = field(default_factory=threading.Event)

    def said(self, asked: str) -> tuple[int, bytes, dict[str, str]]:
        """The answer to a method and path."""
        own = next((answer for begin, answer in self.answers.items() if asked.startswith(begin)), None)
        return self.answer if own is None else (*own, {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver = Receiver()
    receiver.gate.set()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.receive()

        def do_PUT(self) -> None:
            self.receive()

        def do_POST(self) -> None:
            self.receive()

        def receive(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            receiver.posted.append(Posted(self.path, dict(self.headers.items()), body, self.command))
            receiver.gate.wait(30)
            status, said, headers = receiver.said(f"{self.command} {self.path}")
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # who asked may have died
                self.end_headers()
                self.wfile.write(said)

        def log_message(self, *_args: Any) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
