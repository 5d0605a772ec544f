"""A server on loopback that misbehaves on purpose: each path of its URL is a fault."""

import gzip
import json
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs


def answer(value: str = "1", **more: Any) -> bytes:
    """A proper answer: one series with one sample."""
    result = [{"metric": {"cluster": "c"}, "values": [[1790812800, value]], "value": [1790812800, value]}]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}} | more).encode()


def refusal(kind: str, error: str) -> bytes:
    """An error as the API tells it."""
    return json.dumps({"status": "error", "errorType": kind, "error": error}).encode()


JSON, HTML = "application/json", "text/html"
TOO_MANY = refusal("execution", "query processing would load too many samples into memory in query execution")

FAULTS: dict[str, list[tuple[int, str, bytes]]] = {
    "good": [(200, JSON, answer())],
    "503 twice": [(503, HTML, b"busy"), (503, HTML, b"busy"), (200, JSON, answer())],
    "503 always": [(503, HTML, b"busy")],
    "429 once": [(429, JSON, b"{}"), (200, JSON, answer())],
    "html": [(200, HTML, b"<html><title>Log in</title></html>")],
    "garbage": [(200, JSON, b'{"status": "success", "data": {"resultType": "matrix", "result": [{"metric"')],
    "other shape": [(200, JSON, b'{"status": "success", "data": {"resultType": "matrix", "result": {"a": 1}}}')],
    "list": [(200, JSON, b"[]")],
    "200 with error": [(200, JSON, refusal("bad_data", "parse error at char 3"))],
    "400": [(400, JSON, refusal("bad_data", "invalid parameter"))],
    "401": [(401, HTML, b"who are you?")],
    "404": [(404, HTML, b"nothing here")],
    "moved": [(302, HTML, b"")],
    "warned": [(200, JSON, answer(warnings=["fetching from store-3 failed"]))],
    "too many": [(422, JSON, TOO_MANY)],
    "not a number": [(200, JSON, answer("NaN"))],
    "infinite": [(200, JSON, answer("+Inf"))],
    "not even text": [(200, JSON, answer("abc"))],
    "huge": [(200, JSON, b'{"padding": "' + b"x" * 3_000_000 + b'"}')],
    "bomb": [(200, JSON, gzip.compress(b" " * 50_000_000))],
    "packed": [(200, JSON, gzip.compress(answer()))],
    "packed by half": [(200, JSON, gzip.compress(answer())[:-9])],
    "packed otherwise": [(200, JSON, answer())],
    "scalar as vector": [(200, JSON, answer("1790812770"))],
    "slow": [(200, JSON, answer())],
}
"""Fault → the answers to the first, second, … request; the last one repeats."""

PACKED = {"bomb": "gzip", "packed": "gzip", "packed by half": "gzip", "packed otherwise": "br"}
"""Fault → how its answers say that they are packed."""


@dataclass
class FaultServer:
    """Where it listens, and the requests it has received by fault."""

    port: int
    scheme: str = "http"
    requests: Counter[str] = field(default_factory=Counter)
    received: list[tuple[dict[str, str], dict[str, list[str]]]] = field(default_factory=list)

    def url(self, fault: str) -> str:
        """The location that shows a fault, its count begun anew."""
        self.requests[fault] = 0
        return f"{self.scheme}://127.0.0.1:{self.port}/{fault.replace(' ', '-')}"


@contextmanager
def faulty_server(certificate: Path | None = None) -> Iterator[FaultServer]:
    """Listen on a free port until the block ends; with a certificate (PEM, key included) over TLS."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            fault = self.path.split("/")[1].replace("-", " ")
            form = parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            server.received.append((dict(self.headers), form))
            answers = FAULTS[fault]
            status, kind, body = answers[min(server.requests[fault], len(answers) - 1)]
            server.requests[fault] += 1
            if fault == "slow":
                time.sleep(1.6)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if packed := PACKED.get(fault):
                self.send_header("Content-Encoding", packed)
            if fault == "moved":
                self.send_header("Location", f"http://127.0.0.1:{server.port}/good/api/v1/query_range")
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

        do_GET = do_POST  # noqa: N815  # the name is the library's

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the library's
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            http.socket = context.wrap_socket(http.socket, server_side=True)
        server = FaultServer(http.server_address[1], "https" if certificate else "http")
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
