"""The user and the group of a task, by name: programs such as ssh refuse a uid without one.

A worktree's owner can be anybody, so their entries are not in an image: they lie over its files,
read-only, with the image's own behind them.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from ctui.files import replace_file
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image_files import files_of
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, Mount, SandboxSpec

USER = "claude"
SHELL = "/ctui/tree/bin/bash"
"""A shell that every image of a task has."""
_FILES = ("passwd", "group")
_LIMIT = 1 << 20
"""Bytes of an image's own file; one that is longer is not used."""


async def account_mounts(engine: Engine, spec: SandboxSpec, folder: Path) -> tuple[Mount, ...]:
    """Return the mounts of the files that name the sandbox's user and group.

    Args:
        engine: that has the image.
        spec: of the sandbox.
        folder: keeps the files; those of an image and a user are made once.

    Raises:
        Unavailable: the engine does not answer, or the image is missing.
    """
    image = await engine.image_id(spec.image)
    if image is None:
        return ()  # making the container will say so
    named = f"{image} {spec.uid} {spec.gid} {SHELL}"
    place = folder / hashlib.sha256(named.encode()).hexdigest()[:16]
    if not all((place / name).is_file() for name in _FILES):
        owner = {LABEL_INSTANCE: spec.labels.get(LABEL_INSTANCE, "")}
        paths = {name: f"/etc/{name}" for name in _FILES}
        own = await files_of(engine, image, paths.values(), owner, _LIMIT)
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in _FILES:
            theirs = own[paths[name]].decode("utf-8", "surrogateescape")
            text = with_entry(theirs, entry_of(name, spec.uid, spec.gid))
            replace_file(place / name, text.encode("utf-8", "surrogateescape"), mode=0o644)
    return tuple(Mount(str(place / name), f"/etc/{name}", read_only=True) for name in _FILES)


def entry_of(name: str, uid: int, gid: int) -> str:
    """Return the line of a task's user in `passwd`, or of its group in `group`."""
    if name == "group":
        return f"{USER}:x:{gid}:"
    return f"{USER}:x:{uid}:{gid}:Claude Code:{HOME}:{SHELL}"


def with_entry(text: str, entry: str) -> str:
    """Return a file's text with an entry before all others, of which none has its name.

    Where another has its number, the first one counts; by the other name that is still found.
    """
    name = entry.partition(":")[0]
    others = [line for line in text.splitlines() if line.partition(":")[0] != name and line]
    return "\n".join([entry, *others]) + "\n"
