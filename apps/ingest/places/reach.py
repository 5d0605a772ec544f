"""What object stores may be reached: checked before each request, whatever its source or its credentials name."""

import asyncio
from urllib.parse import urlsplit

from django.conf import settings

from apps.warehouse.addresses import ForbiddenAddress, Unresolved, resolve


def check(url: str) -> None:
    """Raise where the host of an address may not be asked, or has none now."""
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        resolve(parts.hostname or "", port, only=settings.COSTOPS_SOURCE_HOSTS)
    except ForbiddenAddress as error:
        raise PermissionError(str(error)) from error
    except Unresolved as error:
        raise ConnectionError(str(error)) from error


async def check_meanwhile(url: str) -> None:
    """The same while others are served: a name server may take its time."""
    await asyncio.to_thread(check, url)
