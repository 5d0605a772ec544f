"""The guard: a test that reaches beyond this machine fails, wherever it runs."""

import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOCAL_NAMES = {"", "localhost", socket.gethostname()}


class NetworkForbiddenError(AssertionError):
    """A test tried to leave this machine."""


def is_local(host: str) -> bool:
    """Whether a host name or address means this machine."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in LOCAL_NAMES


def check_address(family: int, address: Any) -> None:
    """Refuse an address that is not of this machine; files (AF_UNIX) and the kernel (AF_NETLINK) are."""
    if family in (socket.AF_INET, socket.AF_INET6) and not is_local(str(address[0])):
        raise NetworkForbiddenError(f"Tests talk to this machine only, not to {address[0]}:{address[1]}.")


@contextmanager
def only_loopback() -> Iterator[None]:
    """While this holds, Python sockets connect to this machine only and look up no other name."""
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        check_address(self.family, address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        check_address(self.family, address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is not None and not is_local(name) and name != "0.0.0.0":
            raise NetworkForbiddenError(f"Tests talk to this machine only and do not look up {name}.")
        return getaddrinfo(host, *args, **kwargs)

    socket.socket.connect = guarded_connect  # type: ignore[method-assign]
    socket.socket.connect_ex = guarded_connect_ex  # type: ignore[method-assign]
    socket.getaddrinfo = guarded_getaddrinfo
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.socket.connect_ex = connect_ex  # type: ignore[method-assign]
        socket.getaddrinfo = getaddrinfo
