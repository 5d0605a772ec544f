"""HTTP for object stores that goes where it was sent and nowhere else. Loaded only where S3 is asked.

The library below follows redirects, so that whoever answers for a bucket could send this machine to ask its own
neighbours: a metadata service, an admin port. S3's way to name another region is an answer of its own, not a redirect.
"""

from typing import Any

from aiobotocore.httpsession import AIOHTTPSession

from apps.ingest.places.reach import check_meanwhile


class StraightSession(AIOHTTPSession):  # type: ignore[misc]  # the library publishes no types
    """Answers 3xx are taken as answers."""

    async def _get_session(self, proxy_url: str | None) -> Any:
        return _Straight(await super()._get_session(proxy_url))


class _Straight:
    def __init__(self, session: Any) -> None:
        self._session = session

    async def request(self, *args: Any, url: Any, **kwargs: Any) -> Any:
        await check_meanwhile(str(url))
        return await self._session.request(*args, url=url, **kwargs, allow_redirects=False)
