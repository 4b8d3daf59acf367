"""Engines that answer, and on which a task could not work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctui.errors import Refused

_ANOTHER = "choose another engine with DOCKER_HOST, or `docker context use`; docs/platforms.md"


def refuse_unfit(version: Mapping[str, Any], info: Mapping[str, Any]) -> None:
    """Refuse an engine by what it says of itself.

    Args:
        version: the answer to `GET /version`.
        info: the answer to `GET /info`.

    Raises:
        Refused: tasks could not work there, or not sealed; the message says why.
    """
    components = version.get("Components") or ()
    if any("podman" in str(part.get("Name", "")).lower() for part in components):
        # Podman 4.3 takes a seccomp profile as a path only, and attaches to nothing that waits.
        raise Refused("this is Podman, whose Docker API takes no seccomp profile", hint=_ANOTHER)
    options = [str(option) for option in info.get("SecurityOptions") or ()]
    for name, kind in (("rootless", "rootless"), ("userns", "one with userns-remap")):
        if any(option.split(",")[0] == f"name={name}" for option in options):
            raise Refused(
                f"this engine is {kind}: there a task's uid is not that of its worktree's owner",
                hint=_ANOTHER,
            )
    if info.get("OSType", "linux") != "linux":
        raise Refused("this engine runs no Linux containers", hint=_ANOTHER)


def runs_in_machine(info: Mapping[str, Any]) -> bool:
    """Return True for an engine that keeps its containers in a virtual machine of its own."""
    return "Docker Desktop" in str(info.get("OperatingSystem", ""))


def refuse_unsealable() -> None:
    """Refuse to seal a task on an engine that mounts no socket of this machine.

    Raises:
        Refused: always.
    """
    raise Refused(
        "this engine is Docker Desktop, which cannot mount the gateway's sockets",
        hint="`ctui run --no-gateway` runs it unsealed (network.gateway = false: always)",
    )
