"""Hosts with their ports, as addresses of the web have them."""

from __future__ import annotations

HTTP, HTTPS, SSH = 80, 443, 22
"""Ports of a host where none is named."""


def with_port(host: str, port: object) -> str:
    """Return `HOST:PORT`, with an address of IPv6 in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
