"""The command that mends an engine which does not answer."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Mapping
from pathlib import Path


def mend_engine(address: str, environ: Mapping[str, str], *, hangs: bool = False) -> str:
    """Return what to run or to do, after what can be seen from here.

    Args:
        address: of the engine that was asked, as DOCKER_HOST would give it; empty if none could
            be chosen.
        environ: the person's.
        hangs: it takes connections, and does not answer.
    """
    verb = "restart" if hangs else "start"
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        if environ.get(variable):
            return f"{verb} the engine that ${variable} names, or `unset {variable}`"
    socket = Path(address.removeprefix("unix://"))
    if not address.startswith("unix://"):
        return f"`docker context use default`, or {verb} the engine of that context"
    if _exists(socket) and not os.access(socket, os.R_OK | os.W_OK):
        return "`sudo usermod -aG docker $USER`, then log in anew"
    if shutil.which("docker", path=environ.get("PATH")) is None:
        return "install Docker: docs.docker.com/engine/install"
    if platform.system() == "Darwin":
        return "quit Docker and `open -a Docker`" if hangs else "`open -a Docker`"
    return f"`sudo systemctl {verb} docker`"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return True  # somebody else's folder: all the more it is not ours to use
