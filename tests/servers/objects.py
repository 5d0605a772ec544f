"""An object store that speaks S3, on loopback, with faults on demand."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

REGION = "us-east-1"
KEY, SECRET = "AKIATESTTESTTEST", "a-secret-of-the-test-0123456789"
Fault = Callable[[dict[str, Any], Callable[..., Any]], "Iterable[bytes] | None"]


@dataclass
class ObjectStore:
    """`fault` may answer a request in the store's place; `asked` are the requests, as method and path with query."""

    address: str = ""
    fault: Fault | None = None
    asked: list[str] = field(default_factory=list)

    def client(self) -> Any:
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.address, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=SECRET
        )


@contextmanager
def running_store() -> Iterator[ObjectStore]:
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_said: Any) -> None: ...

    store = ObjectStore()
    inner = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        store.asked.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']}")
        answer = store.fault(environ, start_response) if store.fault else None
        return inner(environ, start_response) if answer is None else answer

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    store.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
