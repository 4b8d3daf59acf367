"""Certificates that the gateway trusts outside."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import httpx2

_VARIABLES = ("CTUI_CA_FILE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
"""In the order in which they count for the image of tasks, too."""


def trusted(environ: Mapping[str, str], ca_file: str = "") -> ssl.SSLContext:
    """Return the machine's own trust, and the CA bundle that the person names beside it.

    Args:
        environ: with variables that name it.
        ca_file: the bundle that the settings name, which is stronger; "" is none.

    Raises:
        OSError: the bundle cannot be read.
    """
    context = httpx2.create_ssl_context()
    for name in (ca_file, *(environ.get(variable, "") for variable in _VARIABLES)):
        if name and (bundle := Path(name).expanduser()).is_file():
            context.load_verify_locations(bundle)
            break
    return context


@lru_cache(maxsize=8)
def trusted_tunnels(ca_file: str) -> ssl.SSLContext:
    """Return the trust of tunnels that are opened, in which HTTP/1.1 is spoken."""
    context = trusted(os.environ, ca_file)
    context.set_alpn_protocols(["http/1.1"])
    return context
