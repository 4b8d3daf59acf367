"""Certificates that the gateway trusts outside."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx2

_VARIABLES = ("CTUI_CA_FILE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
"""In the order in which they count for the image of tasks, too."""


def trusted(environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the machine's own trust, and the CA bundle that the person names beside it.

    Raises:
        OSError: the bundle cannot be read.
    """
    context = httpx2.create_ssl_context()
    for variable in _VARIABLES:
        if (name := environ.get(variable, "")) and Path(name).is_file():
            context.load_verify_locations(name)
            break
    return context
