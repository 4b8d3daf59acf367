"""What a task's container is, as data: everything it may reach, and how much of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

HOME = "/home/claude"
GIT_DIRECTORY = "/ctui/git"
MANAGED = "/etc/claude-code"
"""What the CLI reads before every other setting; a task cannot write there."""

LABEL_INSTANCE = "ctui.instance"
LABEL_TASK = "ctui.task"
LABEL_RUN = "ctui.run"
LABEL_VOLUME = "ctui.volume"
"""What a volume is for; homes that were made before this label have only their task's."""


class Limits(msgspec.Struct, frozen=True):
    """How much of the machine a task may use."""

    memory: int = 4 << 30
    """Bytes; swap is not added."""
    cpus: float = 2.0
    pids: int = 2048
    tmp: int = 2 << 30
    """Bytes of /tmp, which counts as memory."""


class Mount(msgspec.Struct, frozen=True):
    """A folder or file of the host, or a named volume."""

    source: str
    target: str
    read_only: bool = False
    kind: Literal["bind", "volume"] = "bind"


class SandboxSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One container."""

    name: str
    image: str
    command: tuple[str, ...]
    uid: int
    gid: int
    env: Mapping[str, str]
    mounts: tuple[Mount, ...]
    network: str
    labels: Mapping[str, str]
    limits: Limits = Limits()
    directory: str = ""
    """The folder below the workspace in which its command starts; "" is the workspace."""
    debugger: bool = False
    """Whether its processes may trace each other (ptrace)."""
    entrypoint: tuple[str, ...] = ()
    """Instead of the relay; only for containers that are no task."""
