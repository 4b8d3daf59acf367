"""Files that the person gave with a message: beside the task's records, read-only in its sandbox.

A front end puts them into a folder of their own (`staging`); the driver moves them to the task that
is told of them. Images and documents are in the message as well.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from pathlib import Path, PurePath

from ctui.claude.protocol.fields import JsonObject
from ctui.claude.protocol.media import HEAD, LARGEST, fitting, media_block, media_type
from ctui.errors import InvalidInput, Unavailable
from ctui.paths import ATTACHED, Paths
from ctui.small_file import read_small_file


def staging(paths: Paths, name: str) -> Path:
    """Return the folder in which a front end puts the files of one call.

    Each is in a folder of its own, whose name says its place among them.

    Raises:
        InvalidInput: the name is none that a front end gives.
    """
    try:
        return paths.state / "attaching" / str(uuid.UUID(name))
    except ValueError as error:
        raise InvalidInput("the files are not where a command puts them") from error


def folder_of(paths: Paths, task_id: str) -> Path:
    """Return the folder of a task's files."""
    return paths.task(task_id) / "attached"


def make_folder(paths: Paths, task_id: str) -> Path:
    """Return that folder, made where it is not there, which everybody may read."""
    folder = folder_of(paths, task_id)
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder.chmod(0o755)
    return folder


def take(paths: Paths, task_id: str, name: str) -> tuple[str, ...]:
    """Move the files of a call to its task; return their names there.

    Raises:
        Unavailable: they are gone, or cannot be moved.
    """
    source, names = staging(paths, name), list[str]()
    try:
        target = make_folder(paths, task_id)
        for entry in sorted(source.glob("*/*"), key=lambda entry: entry.parent.name):
            free = _free_name(target, entry.name)
            entry.rename(target / free)
            names.append(free)
    except OSError as error:
        raise Unavailable(
            f"the attached files cannot be given to the task: {error.strerror}",
            hint="nothing was sent: try it again",
        ) from error
    return tuple(names)


def _free_name(folder: Path, name: str) -> str:
    """Return a name that a folder does not have yet, as like the wanted one as can be."""
    stem, suffix = PurePath(name).stem, PurePath(name).suffix
    number, found = 1, name
    while os.path.lexists(folder / found):
        number += 1
        found = f"{stem}-{number}{suffix}"
    return found


def with_note(text: str, folder: Path, names: Iterable[str]) -> str:
    """Return a message that says where its files are."""
    listed = [f"{ATTACHED}/{name}{'/' if (folder / name).is_dir() else ''}" for name in names]
    return f"{text}\n\n(Attached, read-only: {', '.join(listed)})" if listed else text


def attached_names(paths: Paths, task_id: str) -> list[str]:
    """Return the names of everything that a task was given so far."""
    folder = folder_of(paths, task_id)
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def blocks(folder: Path, names: Iterable[str]) -> list[JsonObject]:
    """Return the images and documents among a message's files; one that is gone is left out."""
    found: list[tuple[str, bytes]] = []
    for name in names:
        path = folder / name
        try:
            if path.stat(follow_symlinks=False).st_size > LARGEST or not media_type(head_of(path)):
                continue
            found.append((name, read_small_file(path, LARGEST, follow_links=False)))
        except OSError:
            continue
    fits = fitting(len(data) for _, data in found)
    return [media_block(*one) for one, fit in zip(found, fits, strict=True) if fit]


def head_of(path: Path) -> bytes:
    """Return the beginning of a regular file; nothing of a folder, a link or a device."""
    if path.is_symlink() or not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(HEAD)
