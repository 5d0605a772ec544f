"""Google Cloud Storage's JSON interface on loopback: gcp-storage-emulator, kept in memory.

The emulator lists a bucket in one answer; `page` cuts its answers as Google does.
"""

import json
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote

from tests.servers.front import App, Front, relay, running
from tests.servers.process import free_port


@dataclass
class GoogleStore(Front):
    """The emulator behind a front; `page` is how many objects an answer lists, 0 for all."""

    page: int = 0

    def put(self, bucket: str, key: str, content: bytes) -> None:
        where = f"{self.address}/upload/storage/v1/b/{bucket}/o?uploadType=media&name={quote(key, safe='')}"
        urllib.request.urlopen(urllib.request.Request(where, content), timeout=60).close()

    def client(self) -> Any:
        from gcsfs.core import GCSFileSystem

        return GCSFileSystem(token="anon", endpoint_url=self.address, use_listings_cache=False)


@contextmanager
def running_google(bucket: str) -> Iterator[GoogleStore]:
    from gcp_storage_emulator.server import create_server

    port = free_port()
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=bucket)
    server.start()
    store = GoogleStore()
    try:
        with running(store, _paging(store, relay(port))):
            yield store
    finally:
        server.stop()


def _paging(store: GoogleStore, behind: App) -> App:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not store.page or not environ["PATH_INFO"].endswith("/o") or environ["REQUEST_METHOD"] != "GET":
            return behind(environ, start_response)
        listed = json.loads(b"".join(behind(environ, lambda *_begun: None)))
        items = listed.get("items", [])
        begin = int(parse_qs(environ["QUERY_STRING"]).get("pageToken", ["0"])[0])
        listed["items"] = items[begin : begin + store.page]
        if begin + store.page < len(items):
            listed["nextPageToken"] = str(begin + store.page)
        content = json.dumps(listed).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(content)))])
        return [content]

    return app
