"""Certificates that the gateway trusts outside."""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import httpx2

_VARIABLES = ("CTUI_CA_FILE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
"""In the order in which they count for the image of tasks, too."""
_SECONDS = 3600


def trusted(environ: Mapping[str, str], ca_file: str = "") -> ssl.SSLContext:
    """Return the machine's own trust, and the CA bundle that the person names beside it.

    Args:
        environ: with variables that name it.
        ca_file: the bundle that the settings name, which is stronger; "" is none.

    Raises:
        OSError: the bundle cannot be read.
    """
    context = httpx2.create_ssl_context()
    if (bundle := _bundle(environ, ca_file)) is not None:
        context.load_verify_locations(bundle)
    return context


def trusted_tunnels(ca_file: str) -> ssl.SSLContext:
    """Return the trust of tunnels that are opened, in which HTTP/1.1 is spoken.

    It is read anew once the bundle has changed, and each hour, as the machine's may have.
    """
    bundle, stamp = _bundle(os.environ, ca_file), None
    with suppress(OSError):
        stamp = bundle and bundle.stat().st_mtime_ns
    return _tunnels(ca_file, bundle, stamp, int(time.monotonic() // _SECONDS))


@lru_cache(maxsize=8)
def _tunnels(ca_file: str, *_: object) -> ssl.SSLContext:
    context = trusted(os.environ, ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _bundle(environ: Mapping[str, str], ca_file: str) -> Path | None:
    names = (ca_file, *(environ.get(variable, "") for variable in _VARIABLES))
    found = (Path(name).expanduser() for name in names if name)
    return next((bundle for bundle in found if bundle.is_file()), None)
