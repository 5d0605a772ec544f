"""Which network addresses may be asked: private ones yes, metadata services and the like never."""

import socket
from collections.abc import Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from apps.finops.errors import CostOpsError

FORBIDDEN = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # "this network"; some systems take 0.0.0.0 for the loopback
        "169.254.0.0/16",  # link-local, with the metadata services of most clouds
        "100.100.100.200/32",  # metadata of Alibaba Cloud
        "168.63.129.16/32",  # Azure's wire server
        "192.0.0.192/32",  # metadata of Oracle Cloud
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # metadata of AWS over IPv6
        "ff00::/8",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")
"""Of RFC 8215: which of its bits are the IPv4 address whoever runs the network decides (RFC 6052)."""
_COMPATIBLE = ip_network("::/96")

Address = IPv4Address | IPv6Address


class Unresolved(CostOpsError):
    """A name has no address now."""


class ForbiddenAddress(CostOpsError):
    """A name leads to an address that is never asked, such as a cloud's metadata service."""


def resolve(host: str, port: int, *, only: Sequence[str] = ()) -> list[str]:
    """The addresses of a host, every one of them checked: the caller connects to one of these, not to the name.

    `only` lists the places that may be asked at all (`is_listed`); nothing in it: any.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unresolved(f"The name {host!r} cannot be resolved ({error}). Check it.") from error
    addresses = list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    for address in addresses:
        if is_forbidden(ip_address(address)):
            raise ForbiddenAddress(
                f"{host!r} leads to {address}, which is never asked (link-local, metadata or multicast). "
                "Give the address of the server itself."
            )
        if only and not is_listed(only, host, port, address):
            raise ForbiddenAddress(
                f"{host!r} is not among the places that this installation asks; whoever runs CostOps lists it."
            )
    return addresses


def is_listed(entries: Sequence[str], host: str, port: int, address: str = "") -> bool:
    """Whether one of them, hosts (`jira.corp`, `*.corp`) or networks (`10.1.0.0/16`), each with `:port`, names this."""
    for entry in entries:
        name, colon, only = entry.strip().rpartition(":")
        if not colon or not only.isdigit():
            name, only = entry.strip(), ""
        if only and int(only) != port:
            continue
        if fnmatchcase(host.lower(), name.lower()) or (address and _is_within(address, name)):
            return True
    return False


def _is_within(address: str, network: str) -> bool:
    try:
        return ip_address(address) in ip_network(network.strip("[]"))
    except ValueError:
        return False


def is_forbidden(address: Address) -> bool:
    """Whether the address, or one that it wraps, is on the list."""
    return any(
        form in network for form in unwrapped(address) for network in FORBIDDEN if form.version == network.version
    )


def unwrapped(address: Address) -> list[Address]:
    """The address, and the IPv4 addresses hidden in it: mapped, compatible, 6to4, Teredo and NAT64."""
    if isinstance(address, IPv4Address):
        return [address]
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        inner.append(IPv4Address(int(address) & 0xFFFFFFFF))
    if address in _LOCAL_NAT64:
        inner += _translated(int(address))
    return [address, *(form for form in inner if form is not None)]


def _translated(address: int) -> list[IPv4Address]:
    """What an address may stand for, by prefixes of 48, 56, 64 and 96 bits; the bits from 64 to 71 are never of it."""
    others = (address >> 64) << 56 | address & (1 << 56) - 1  # 120 bits
    shifted = [address, *(others >> (120 - length - 32) for length in (48, 56, 64))]
    found = [bits & 0xFFFFFFFF for bits in shifted]
    return [IPv4Address(bits) for bits in found if bits >> 24]  # 0.x.x.x: of another length of prefix
