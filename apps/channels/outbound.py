"""Requests to places that people name: addresses checked and pinned, never redirected, bounded in time and size."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

import httpx
from django.conf import settings

from apps.finops.errors import CostOpsError
from apps.warehouse.addresses import ForbiddenAddress, Unresolved, is_listed, resolve, unwrapped
from apps.warehouse.exchange import asking, pieces_of

CONNECT_SECONDS = 4.0
READ_SECONDS = 10.0
ANSWER_SECONDS = 30
"""So long all of it may take."""
MOST_BYTES = 64 << 10
PORTS = {"https": 443, "http": 80}


class NotSent(CostOpsError):
    """It was not sent. `is_final`: trying again without a change would fail again; `wait_seconds`: how long the other
    side asks us to wait."""

    def __init__(self, message: str, *, is_final: bool = False, wait_seconds: int = 0) -> None:
        super().__init__(message)
        self.is_final = is_final
        self.wait_seconds = wait_seconds

    def saying(self, message: str) -> "NotSent":
        """The same in other words."""
        return NotSent(message, is_final=self.is_final, wait_seconds=self.wait_seconds)


@dataclass(frozen=True)
class Answer:
    """What the other side said."""

    status: int
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def check(url: str) -> SplitResult:
    """The parts of an address that may be asked as far as its text tells, or why not."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise NotSent("This is no address of the web.", is_final=True) from error
    if parts.scheme not in PORTS or not parts.hostname or any(sign <= " " or sign == "\x7f" for sign in url):
        raise NotSent("Give an address such as https://example.com/hook.", is_final=True)
    if parts.username is not None or parts.password is not None:
        raise NotSent("An address holds no user and no password; give them as secrets.", is_final=True)
    if not _is_listed(parts.hostname, port) and (parts.scheme, port) != ("https", 443):
        raise NotSent(
            f"{parts.hostname} is asked by https on port 443 only; whoever runs CostOps allows others by "
            "COSTOPS_CHANNEL_HOSTS.",
            is_final=True,
        )
    return parts


def addresses_of(parts: SplitResult) -> list[str]:
    """The network addresses of a place, each of which may be asked: public ones, and what the installation lists."""
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    try:
        found = resolve(host, port)
    except Unresolved as error:
        raise NotSent(str(error)) from error
    except ForbiddenAddress as error:
        raise NotSent(str(error), is_final=True) from error
    inside = [address for address in found if not _is_public(address) and not _is_listed(host, port, address)]
    if inside:
        raise NotSent(
            f"{host} leads to {inside[0]}, inside a network; whoever runs CostOps allows it by COSTOPS_CHANNEL_HOSTS.",
            is_final=True,
        )
    return found


def _is_public(address: str) -> bool:
    return all(form.is_global and not form.is_multicast for form in unwrapped(ip_address(address)))


def _is_listed(host: str, port: int, address: str = "") -> bool:
    return is_listed(settings.COSTOPS_CHANNEL_HOSTS, host, port, address)


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = READ_SECONDS) -> Answer:
    """Post once."""
    return ask("POST", url, body, headers, timeout=timeout)


def ask(method: str, url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = READ_SECONDS) -> Answer:
    """Send once, to a checked address under the name of the host. An answer is an answer, whatever its status."""
    parts = check(url)
    address = addresses_of(parts)[0]
    told = {"User-Agent": "CostOps", "Accept": "application/json", **headers}
    limits = httpx.Timeout(timeout, connect=CONNECT_SECONDS)
    try:
        with asking(
            method, url, address=address, content=body, headers=told, timeout=limits, seconds=ANSWER_SECONDS
        ) as response:
            return Answer(_judged(response, parts.hostname or ""), _read(response))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise NotSent("This is no address of the web.", is_final=True) from error
    except httpx.DecodingError as error:
        raise NotSent(f"{parts.hostname} answered, but {error}.", is_final=True) from error
    except (httpx.HTTPError, OSError) as error:
        raise NotSent(f"{parts.hostname} did not answer ({type(error).__name__}).") from error


def _judged(response: httpx.Response, host: str) -> int:
    """The status of a success; why anything else is none."""
    status = response.status_code
    if status < 300:
        return status
    if status < 400:
        raise NotSent(f"{host} redirects ({status}), which is not followed; give the final address.", is_final=True)
    try:
        said = " ".join(_read(response).decode("utf-8", "replace").split())[:300]
    except httpx.DecodingError:  # the status says enough
        said = ""
    is_final = status < 500 and status not in (408, 425, 429)
    raise NotSent(
        f"{host} answered {status}: {said or 'no reason given'}", is_final=is_final, wait_seconds=_wait(response)
    )


def _wait(response: httpx.Response) -> int:
    text = response.headers.get("retry-after", "")
    return min(3600, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _read(response: httpx.Response) -> bytes:
    """The beginning of an answer; what is longer matters to nobody."""
    found = b""
    for piece in pieces_of(response):
        found += piece
        if len(found) >= MOST_BYTES:
            break
    return found[:MOST_BYTES]
