"""The person's own proxies: which of them leads to a host, and the way through it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

from ctui.gateway.egress.names import BadName, Target, host_of, is_address

_KINDS: Mapping[str, tuple[Literal["http", "socks5"], int]] = {
    "http": ("http", 8080),
    "socks5": ("socks5", 1080),
    "socks5h": ("socks5", 1080),
    "socks": ("socks5", 1080),
}


class Upstream(msgspec.Struct, frozen=True):
    """One proxy; its password shows up nowhere."""

    kind: Literal["http", "socks5"]
    host: str
    port: int
    user: str = ""
    password: str = ""

    def __repr__(self) -> str:
        return f"{self.kind}://{self.host}:{self.port}"


class Upstreams(msgspec.Struct, frozen=True):
    """The proxies that a person's environment names, as other programs read it."""

    https: Upstream | None = None
    http: Upstream | None = None
    direct: tuple[str, ...] = ()
    """Hosts without a proxy: names, which cover what is below them, addresses, networks, `*`."""

    def of(self, target: Target, *, plain: bool = False) -> Upstream | None:
        """Return the proxy for a target, or None where it is reached without one."""
        chosen = self.http if plain else self.https
        return None if chosen is None or self._is_direct(target.host) else chosen

    def _is_direct(self, host: str) -> bool:
        return any(_covers(entry, host) for entry in self.direct)


def upstreams_of(environ: Mapping[str, str]) -> Upstreams:
    """Return the proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.

    Raises:
        BadName: one of them cannot be used.
    """

    def value(name: str) -> str:
        return environ.get(name.lower()) or environ.get(name) or ""

    every = value("ALL_PROXY")
    return Upstreams(
        https=_upstream(value("HTTPS_PROXY") or every),
        http=_upstream(value("HTTP_PROXY") or every),
        direct=tuple(part for part in value("NO_PROXY").replace(",", " ").lower().split()),
    )


def _upstream(text: str) -> Upstream | None:
    if not text:
        return None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port
    except ValueError:
        raise BadName("the address of a proxy cannot be read") from None
    if parts.scheme not in _KINDS:
        raise BadName(f"a proxy by {parts.scheme}:// is none that ctui knows (http, socks5)")
    kind, usual = _KINDS[parts.scheme]
    return Upstream(
        kind,
        host_of(parts.hostname or ""),
        port or usual,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def _covers(entry: str, host: str) -> bool:
    if entry == "*":
        return True
    if is_address(host):
        try:
            return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    entry = entry.rpartition(":")[0] if entry.rpartition(":")[2].isdigit() else entry
    entry = entry.removeprefix("*").removeprefix(".")
    return bool(entry) and (host == entry or host.endswith("." + entry))
