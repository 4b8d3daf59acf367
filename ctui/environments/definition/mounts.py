"""Entries of `mounts` in devcontainer.json: volumes, each task with its own, and nothing else."""

from __future__ import annotations

import posixpath
import re

from ctui.environments.definition.definition import VolumeMount
from ctui.paths import WORKSPACE
from ctui.text import one_line

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_OURS = (WORKSPACE, "/ctui", "/etc", "/proc", "/sys", "/dev", "/tmp", "/home/claude")  # noqa: S108 - a sandbox's own
_SHARED = "shared"
"""End of the name of the folder that the tasks of a repository share."""
_KEYS = {"src": "source", "dst": "target", "destination": "target"}


def read_mount(entry: object) -> tuple[str, VolumeMount | None, str]:
    """Return an entry as a person reads it, the mount if there will be one, and why."""
    said = _parts(entry)
    shown = one_line(f"{said.get('type', 'bind')} at {said.get('target', '?')}")
    kind, target = said.get("type", "bind"), posixpath.normpath(said.get("target", ""))
    name = said.get("source") or re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-")
    if kind != "volume":
        return shown, None, "a task has no folder of the host; only volumes"
    if not target.startswith("/") or target == "/" or not target.isprintable():
        return shown, None, "its target is no absolute path"
    if any(target == one or target.startswith(f"{one}/") for one in _OURS):
        return shown, None, "ctui has that folder: the worktree and HOME are the task's own"
    if not _NAME.fullmatch(name):
        return shown, None, "that is no name of a volume"
    if name == _SHARED:  # behind a task's id of twelve hex digits it would be another repository's
        name = f"own-{_SHARED}"
    return shown, VolumeMount(name, target), "a volume of each task's own"


def _parts(entry: object) -> dict[str, str]:
    """Return the parts of a mount, written as an object or as `--mount` has them."""
    pairs: list[tuple[str, object]] = []
    if isinstance(entry, dict):
        pairs = [(str(key), value) for key, value in entry.items()]
    elif isinstance(entry, str):
        pairs = [(key, value) for key, _, value in (p.partition("=") for p in entry.split(","))]
    return {_KEYS.get(key, key): value for key, value in pairs if isinstance(value, str)}
