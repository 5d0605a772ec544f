"""The front of a store on loopback: it keeps what it is asked, fails on demand, and else lets the store answer."""

import http.client
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Fault = Callable[[dict[str, Any], Callable[..., Any]], "Iterable[bytes] | None"]
_HOP = {"connection", "keep-alive", "transfer-encoding", "server", "date"}


@dataclass
class Front:
    """`fault` may answer a request in the store's place; `asked` are the requests, as method and path with query."""

    address: str = ""
    fault: Fault | None = None
    asked: list[str] = field(default_factory=list)


@contextmanager
def running(front: Front, store: App) -> Iterator[None]:
    """Serve a store behind its front."""

    class Quiet(WSGIRequestHandler):
        def log(self, *_said: Any) -> None: ...

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        front.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        answer = front.fault(environ, start_response) if front.fault else None
        return store(environ, start_response) if answer is None else answer

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    front.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def relay(port: int) -> App:
    """A store that is another process of this machine. What a fault made of QUERY_STRING is what it is asked."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, _, query = environ["REQUEST_URI"].partition("?")
        headers = {
            name[5:].replace("_", "-").title(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        behind = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            query = environ["QUERY_STRING"] or query
            behind.request(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, body, headers)
            answer = behind.getresponse()
            content = answer.read()
        finally:
            behind.close()
        told = [(name, value) for name, value in answer.getheaders() if name.lower() not in _HOP]
        start_response(f"{answer.status} {answer.reason}", told)
        return [content]

    return app
