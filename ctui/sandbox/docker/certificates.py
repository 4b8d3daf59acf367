"""The CA bundle that a task's image has beside its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.small_file import read_small_file

_LIMIT = 8 << 20
_VARIABLES = ("CTUI_CA_FILE", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")


def ca_file(environ: Mapping[str, str]) -> str:
    """Return the CA bundle that a variable names, where the usual one does not do; else ""."""
    found = (environ.get(variable, "") for variable in _VARIABLES)
    return next((name for name in found if name and Path(name).is_file()), "")


def certificates(config: ImageConfig) -> dict[str, bytes]:
    """Return the files of an image's context that hold certificates, by their names.

    Raises:
        Unavailable: `image.ca_file` cannot be read.
    """
    name = config.ca_file or ca_file(os.environ)
    if not name:
        return {}
    try:
        return {"certificates/host.crt": read_small_file(Path(name).expanduser(), _LIMIT)}
    except OSError as error:
        raise Unavailable(
            f"the CA bundle {name} cannot be read: {error.strerror}",
            hint="set image.ca_file to another, or leave it out",
        ) from error
