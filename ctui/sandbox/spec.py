"""What a task's container is, as data: everything it may reach, and how much of it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ctui.paths import WORKSPACE
from ctui.sandbox.docker.seccomp import profile

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

    def create_body(self) -> dict[str, Any]:
        """The body of the engine's `POST /containers/create` (API 1.41 and newer)."""
        body: dict[str, Any] = {
            "Image": self.image,
            "Cmd": list(self.command),
            "Env": [f"{name}={value}" for name, value in {**self.env, "HOME": HOME}.items()],
            "User": f"{self.uid}:{self.gid}",
            "WorkingDir": posixpath.join(WORKSPACE, self.directory).rstrip("/"),
            "Hostname": self.name[:63],
            "Labels": dict(self.labels),
            # Nobody's leaving may close the CLI's stdin: that would end its turn.
            "OpenStdin": True,
            "StdinOnce": False,
            "Tty": False,
            "AttachStdin": False,
            "AttachStdout": False,
            "AttachStderr": False,
            "HostConfig": self._host_config(),
        }
        if self.entrypoint:
            body["Entrypoint"] = list(self.entrypoint)
        return body

    def _host_config(self) -> dict[str, Any]:
        limits = self.limits
        return {
            "NetworkMode": self.network,
            "Mounts": [_mount(mount) for mount in self.mounts],
            "Tmpfs": {"/tmp": f"rw,exec,nosuid,nodev,size={limits.tmp},mode=1777"},  # noqa: S108 - the container's own
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges", f"seccomp={profile(debugger=self.debugger)}"],
            "Memory": limits.memory,
            "MemorySwap": limits.memory,
            "NanoCpus": int(limits.cpus * 1e9),
            "PidsLimit": limits.pids,
            "Ulimits": [
                {"Name": "nofile", "Soft": 8192, "Hard": 16384},
                {"Name": "core", "Soft": 0, "Hard": 0},
            ],
            "RestartPolicy": {"Name": "no"},
            # The log is the journal of record: a daemon's default driver may rotate or cut lines.
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1000g", "max-file": "1"}},
        }


def _mount(mount: Mount) -> dict[str, Any]:
    body: dict[str, Any] = {
        "Type": mount.kind,
        "Source": mount.source,
        "Target": mount.target,
        "ReadOnly": mount.read_only,
    }
    if mount.kind == "bind":
        body["BindOptions"] = {"Propagation": "rprivate"}
    return body
