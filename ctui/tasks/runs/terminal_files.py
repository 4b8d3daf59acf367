"""The server of a task's terminals, as files beside its managed settings."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ctui.claude.mcp.image_servers import TERMINAL
from ctui.claude.personal.collect import ManagedFile
from ctui.errors import Unavailable
from ctui.paths import resource
from ctui.tasks.model import TaskOptions

_OWN = ("server.py", "terminals.py", "wcwidth.py")


def has_terminals(options: TaskOptions) -> bool:
    """Return True if the task has ctui's server of terminals."""
    return options.mcp_servers.get("terminal") == TERMINAL


def terminal_files(options: TaskOptions) -> dict[str, ManagedFile]:
    """Return the server and its model of a screen; nothing for a task that has no terminals.

    Raises:
        Unavailable: the package of that model is not installed here.
    """
    if not has_terminals(options):
        return {}
    found = importlib.util.find_spec("pyte")
    if found is None or not found.submodule_search_locations:
        raise Unavailable("the package pyte is missing", hint="pip install pyte")
    model = Path(found.submodule_search_locations[0])
    folder = resource("docker") / "terminal"
    files = {f"terminal/{name}": (folder / name).read_bytes() for name in _OWN}
    files |= {f"terminal/pyte/{file.name}": file.read_bytes() for file in model.glob("*.py")}
    return {name: ManagedFile(content) for name, content in files.items()}
