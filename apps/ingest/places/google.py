"""Google Cloud Storage as it is asked here: faults are told at once. Loaded only where it is asked.

The library's own retries, six with growing waits, would multiply with ours. Its newer file system asks for the layout
of a bucket first, which takes a permission that readers of bills need not have. Redirects are not followed.
"""

from typing import Any

from aiohttp import ClientTimeout, TraceConfig
from gcsfs.core import GCSFileSystem

from apps.ingest.places.reach import check_meanwhile

CONNECT_SECONDS, READ_SECONDS = 10, 60


class GoogleStore(GCSFileSystem):  # type: ignore[misc]  # the library publishes no types
    """The library's plain file system, asking once."""

    _request = GCSFileSystem._request.__wrapped__  # what its retries are wrapped around
    requests_timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=READ_SECONDS)

    def __init__(self, **options: Any) -> None:
        straight = TraceConfig()
        straight.on_request_start.append(_check)
        straight.on_request_redirect.append(_refuse)
        super().__init__(session_kwargs={"trace_configs": [straight]}, **options)


async def _check(_session: Any, _context: Any, about: Any) -> None:
    await check_meanwhile(str(about.url))


async def _refuse(*_about: Any) -> None:
    raise PermissionError("The store sends us to another address; a store is asked where its source says it is.")
