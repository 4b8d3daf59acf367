"""Choice of the definition that counts for a commit.

In this order: an image that the person names with a command, the person's settings for this
repository, a devcontainer.json, `[environment]` of `.ctui.toml`, and else ctui's default image.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ctui.config.model import REPOSITORY_FILE
from ctui.environments.definition.commit_files import CommitFiles
from ctui.environments.definition.definition import Definition, Found, KeyReport
from ctui.environments.definition.variables import Names
from ctui.errors import InvalidInput, NotFound
from ctui.git.repository.repository import Repository
from ctui.small_file import is_missing
from ctui.text import one_line

FOLDER = ".devcontainer"
_PLACES = (f"{FOLDER}/devcontainer.json", ".devcontainer.json")
_FILE_LIMIT = 1 << 18
_NAMED = 100
"""Named definitions that are looked at."""
SETTINGS_FILE = "environments.toml"


def find(
    files: CommitFiles,
    *,
    image: str = "",
    devcontainer: str = "",
    settings: Path | None = None,
) -> Found:
    """Return the definition that counts.

    Args:
        files: of the commit that a task starts from.
        image: that the person names; it is all that counts.
        devcontainer: name of the folder below `.devcontainer` that was chosen.
        settings: the person's own file of environments.

    Raises:
        InvalidInput: what counts cannot be read; nothing below it is taken instead.
        NotFound: there is no devcontainer of that name.
    """
    if image:
        if not image.isprintable() or image.startswith("-") or " " in image:
            raise InvalidInput(f"{one_line(image)!r} is no image", hint="such as debian:bookworm")
        key = KeyReport("--env-image", "", "used", "the image underneath")
        return Found(Definition(source="option", image=image), (key,))
    # Of the readers only that of the kind that is there is loaded.
    if settings is not None and not is_missing(settings):
        from ctui.environments.definition.own_file import of_own_file

        if found := of_own_file(files.repository, settings):
            return found
    if (place := devcontainer_place(files, devcontainer)) is not None:
        from ctui.environments.definition.devcontainer import read_devcontainer

        text = files.text(place, _FILE_LIMIT)
        if text is None:
            raise InvalidInput(f"{place} is a link", hint="commit the file itself")
        return read_devcontainer(text, place, Names(devcontainer_id(files.repository)), files)
    text = files.text(REPOSITORY_FILE, _FILE_LIMIT)
    if text is None:
        return Found(Definition())
    from ctui.environments.definition.repository_file import read_environment

    if found := read_environment(text, REPOSITORY_FILE):
        return found
    return Found(Definition())


def devcontainer_place(files: CommitFiles, chosen: str) -> str | None:
    """Return the path of the devcontainer.json that counts, or None if there is none.

    Raises:
        InvalidInput: there are several, and none was chosen.
        NotFound: there is none of the chosen name.
    """
    named = devcontainer_names(files)
    if chosen:
        if chosen not in named:
            hint = f"there are: {', '.join(named)}" if named else "there is none with a name"
            raise NotFound(f"there is no devcontainer {one_line(chosen)}", hint=hint)
        return f"{FOLDER}/{chosen}/devcontainer.json"
    for place in _PLACES:
        if files.file(place) is not None:
            return place
    if len(named) > 1:
        shown = ", ".join(one_line(name, 40) for name in named)
        raise InvalidInput(
            f"there are several devcontainers: {shown}",
            hint=f"choose one, once: ctui env build --devcontainer {one_line(named[0], 40)}",
        )
    return f"{FOLDER}/{named[0]}/devcontainer.json" if named else None


def devcontainer_names(files: CommitFiles) -> list[str]:
    """Return the names of the devcontainers that have a folder of their own."""
    folders = files.folders(FOLDER)[:_NAMED]
    return [name for name in folders if files.file(f"{FOLDER}/{name}/devcontainer.json")]


def devcontainer_id(repository: Repository) -> str:
    """Return what `${devcontainerId}` stands for: the same for all tasks of a repository."""
    return hashlib.sha256(os.fsencode(repository.common_dir)).hexdigest()[:32]
