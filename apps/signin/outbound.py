"""What is asked of a provider of sign-in: at checked addresses, never redirected, bounded in time and size."""

from functools import partial
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from apps.finops.errors import CostOpsError
from apps.warehouse.addresses import resolve, unwrapped

SECONDS = 10
MOST_BYTES = 1 << 20
PORTS = {"https": 443, "http": 80}
Session: TypeAlias = requests.Session
Failed: TypeAlias = requests.RequestException
"""What others know of the library that asks."""


class NotAsked(requests.RequestException):
    """A place that is not asked for what signing in needs."""


class Guarded(HTTPAdapter):
    """The hosts of COSTOPS_SSO_FILE may be inside a network, others that they name are asked at public addresses."""

    def send(self, request: requests.PreparedRequest, *told: Any, **more: Any) -> requests.Response:
        _check(str(request.url))
        response = super().send(request, *told, **more | {"stream": True})
        with response:
            body = response.raw.read(MOST_BYTES + 1, decode_content=True)
        if len(body) > MOST_BYTES:
            raise NotAsked(f"{urlsplit(str(request.url)).hostname} answered with more than {MOST_BYTES} bytes.")
        response._content = body
        return response


def session() -> requests.Session:
    """What the library asks with."""
    made = requests.Session()
    made.trust_env = False
    for scheme in PORTS:
        made.mount(f"{scheme}://", Guarded())
    made.request = partial(made.request, timeout=SECONDS, allow_redirects=False)  # type: ignore[method-assign]
    return made


def _check(url: str) -> None:
    parts = urlsplit(url)
    host, is_named = parts.hostname or "", (parts.hostname or "") in settings.COSTOPS_SSO_HOSTS
    if parts.scheme != "https" and not is_named:
        raise NotAsked(f"{host} is asked by https only.")
    try:
        found = resolve(host, parts.port or PORTS[parts.scheme])
    except CostOpsError as error:
        raise NotAsked(str(error)) from error
    if not is_named and not all(_is_public(address) for address in found):
        raise NotAsked(f"{host} leads inside a network, and COSTOPS_SSO_FILE does not name it.")


def _is_public(address: str) -> bool:
    return all(form.is_global and not form.is_multicast for form in unwrapped(ip_address(address)))
