"""The person's HTTP proxies, for builds and for what runs in a sandbox."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_NAMES = {
    "HTTP_PROXY": "httpProxy",
    "HTTPS_PROXY": "httpsProxy",
    "NO_PROXY": "noProxy",
    "ALL_PROXY": "allProxy",
}
"""Variables, and what docker's configuration calls them (docs.docker.com/engine/cli/proxy)."""


GATEWAY = "http://127.0.0.1:3128"
"""Proxy that the relay has on loopback where there is a gateway."""


def proxy_environment(
    environ: Mapping[str, str] | None = None, *, engine: str = "", in_sandbox: bool = False
) -> dict[str, str]:
    """Return the proxy variables, each in both cases, because programs read one or the other.

    What the environment says is stronger than `proxies` in docker's config.json, as anywhere. A
    proxy's address can hold a password, so the result is a secret.

    Args:
        environ: the person's; this process's own by default.
        engine: the engine's address, which may have proxies of its own in that file.
        in_sandbox: leave out a proxy at localhost, which there is the sandbox itself.
    """
    environ = os.environ if environ is None else environ
    configured = _configured(environ, engine)
    found: dict[str, str] = {}
    for name, key in _NAMES.items():
        value = environ.get(name) or environ.get(name.lower()) or configured.get(key)
        if not isinstance(value, str) or not value or not value.isprintable():
            continue
        if name != "NO_PROXY" and in_sandbox and is_own_address(value):
            continue
        found[name] = found[name.lower()] = value
    return found if set(found) - {"NO_PROXY", "no_proxy"} else {}


def gateway_proxies(direct: Iterable[str] = ()) -> dict[str, str]:
    """Return the proxy variables of what has no network but the gateway's sockets.

    Args:
        direct: further hosts that no proxy is asked for.
    """
    found = {f"{name}_PROXY": GATEWAY for name in ("HTTP", "HTTPS", "ALL")}
    found["NO_PROXY"] = ",".join(["localhost", "127.0.0.1", "::1", *direct])
    return {**found, **{name.lower(): value for name, value in found.items()}}


def past_proxies(proxies: Mapping[str, str], hosts: Iterable[str]) -> dict[str, str]:
    """Return the proxy variables with hosts that are asked directly; none where there is none."""
    if not proxies:
        return {}
    known = proxies.get("NO_PROXY", "")
    direct = ",".join(dict.fromkeys(one for one in (*known.split(","), *hosts) if one))
    return {**proxies, **({"NO_PROXY": direct, "no_proxy": direct} if direct else {})}


def is_own_address(url: str) -> bool:
    """Return True for an address that leads to whatever machine or container asks it."""
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _configured(environ: Mapping[str, str], engine: str) -> Mapping[str, Any]:
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME", "/")) / ".docker")
    try:
        value = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    proxies = value.get("proxies") if isinstance(value, dict) else None
    if not isinstance(proxies, dict):
        return {}
    chosen = proxies.get(engine) or proxies.get("default")
    return chosen if isinstance(chosen, dict) else {}
