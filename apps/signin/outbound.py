"""What is asked of a provider of sign-in: at checked addresses, never redirected, bounded in time and size."""

from functools import partial
from ipaddress import ip_address
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
import requests
from django.conf import settings
from requests.adapters import HTTPAdapter

from apps.finops.errors import CostOpsError
from apps.warehouse.addresses import resolve, unwrapped
from apps.warehouse.exchange import asking, pieces_of

SECONDS = 10
"""So long all of an exchange may take."""
MOST_BYTES = 1 << 20
PORTS = {"https": 443, "http": 80}
Session: TypeAlias = requests.Session
Failed: TypeAlias = requests.RequestException
"""What others know of the library that asks."""


class NotAsked(requests.RequestException):
    """A place that is not asked for what signing in needs."""


class Guarded(HTTPAdapter):
    """The hosts of COSTOPS_SSO_FILE may be inside a network, others that they name are asked at public addresses."""

    def send(self, request: requests.PreparedRequest, *_told: Any, **_more: Any) -> requests.Response:
        url, headers = str(request.url), dict(request.headers)
        host, address = urlsplit(url).hostname, _checked(url)
        try:
            with asking(
                str(request.method), url, address=address, content=request.body, headers=headers,
                timeout=httpx.Timeout(SECONDS), seconds=SECONDS,
            ) as answer:  # fmt: skip
                body = _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise NotAsked(f"{host} did not answer ({type(error).__name__}).") from error
        if len(body) > MOST_BYTES:
            raise NotAsked(f"{host} answered with more than {MOST_BYTES} bytes.")
        response = requests.Response()
        response.status_code, response._content = answer.status_code, body
        response.headers.update(answer.headers)
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response.url, response.request, response.reason = url, request, answer.reason_phrase
        return response


def _read(answer: httpx.Response) -> bytes:
    """No more than shows that it is too much."""
    body = b""
    for piece in pieces_of(answer):
        body += piece
        if len(body) > MOST_BYTES:
            break
    return body


def session() -> requests.Session:
    """What the library asks with."""
    made = requests.Session()
    made.trust_env = False
    for scheme in PORTS:
        made.mount(f"{scheme}://", Guarded())
    made.request = partial(made.request, allow_redirects=False)  # type: ignore[method-assign]
    return made


def _checked(url: str) -> str:
    """The address of a place that may be asked."""
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
    return found[0]


def _is_public(address: str) -> bool:
    return all(form.is_global and not form.is_multicast for form in unwrapped(ip_address(address)))
