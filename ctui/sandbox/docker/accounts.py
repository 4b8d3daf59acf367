"""The user and the group of a task, by name: programs such as ssh refuse a uid without one.

A worktree's owner can be anybody, so their entries are not in an image: they lie over its files,
read-only, with the image's own behind them.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.files import replace_file
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, Mount, SandboxSpec

if TYPE_CHECKING:
    from docker.api.client import APIClient

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
        own = await engine.ask(partial(_files_of, image, owner))
        place.mkdir(mode=0o755, parents=True, exist_ok=True)
        for name in _FILES:
            text = with_entry(own[name], entry_of(name, spec.uid, spec.gid))
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


def _files_of(image: str, labels: Mapping[str, str], client: APIClient) -> dict[str, str]:
    """Return the text of an image's own files; "" for one that is missing, odd or too long."""
    body = {"Image": image, "Cmd": ["true"], "Entrypoint": [], "Labels": dict(labels)}
    made = client.create_container_from_config(body)  # type: ignore[no-untyped-call]
    try:
        return {name: _read(client, made["Id"], f"/etc/{name}") for name in _FILES}
    finally:
        client.remove_container(made["Id"], force=True, v=True)


def _read(client: APIClient, container: str, path: str) -> str:
    from docker.errors import NotFound

    try:
        stream, _ = client.get_archive(container, path)
    except NotFound:
        return ""
    data = bytearray()
    for piece in stream:
        data += piece
        if len(data) > _LIMIT:
            return ""
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            member = next(iter(archive), None)
            file = archive.extractfile(member) if member and member.isreg() else None
            return file.read().decode("utf-8", "surrogateescape") if file else ""
    except tarfile.TarError:
        return ""
