"""Addresses: whether one is public, that is somewhere in the internet and not this machine; pure.

What Python's `ipaddress` calls global is not enough: an IPv6 address can carry an IPv4 address, to
which a translator or tunnel on the way goes on, and some global ones lead to the machine itself.
"""

from __future__ import annotations

import ipaddress
import socket

_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments; a cloud's metadata at 192.0.0.192
        "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
        "168.63.129.16/32",  # a cloud's channel to the host that a machine runs on
    )
)
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
"""All that is assigned to unicast (iana.org, IPv6 global unicast address assignments)."""
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocol assignments: Teredo, ORCHID, benchmarking
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which goes to the IPv4 address inside
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Goes on to the IPv4 address inside (RFC 6052); machines without IPv4 reach all of it so."""


def is_public(text: str) -> bool:
    """Return True for an address in the internet; what is no address is not public."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return _is_public_4(address)
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_4(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return (
        address in _GLOBAL_6
        and address.is_global
        and not any(address in network for network in _NOT_PUBLIC_6)
    )


def _is_public_4(address: ipaddress.IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC_4)
    )


def is_own(text: str) -> bool:
    """Return True for an address of this machine, also a public one.

    The kernel says it: towards an address of its own it would use that address itself. Nothing is
    sent.
    """
    family = socket.AF_INET6 if ":" in text else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((text, 9))
        except OSError:
            return False  # there is no way to it
        return bool(
            ipaddress.ip_address(probe.getsockname()[0].partition("%")[0])
            == ipaddress.ip_address(text)
        )
