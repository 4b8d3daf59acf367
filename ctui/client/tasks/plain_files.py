"""Files that a task must not see as they are: the repository stores them transformed.

In the person's own checkout an encrypted file lies in plain text, and so it may in a worktree that
git made. Who starts a task there names the paths that it may see, or the filters that hide nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path

from ctui.config.own_sections import GitConfig
from ctui.errors import Refused
from ctui.git import hostile
from ctui.git.process.command import run_git
from ctui.git.stored.attributes import LFS, Transformation, transformed_files
from ctui.text import one_line

_NO_LFS = "there is no git-lfs here, so what the task adds to Git LFS cannot be landed or pushed"
_SHOWN = 5
_PORTION = 1 << 20


async def look_at_files(git_dir: Path, files: Path, allowed: GitConfig) -> list[str]:
    """Refuse a place where a task would see a file otherwise than it is stored.

    Args:
        git_dir: of the checkout or worktree.
        files: its work tree.
        allowed: the person's own settings, never a repository's.

    Returns:
        what the person should know of other files, one sentence each.

    Raises:
        Refused: the message names the files and their filters.
        CtuiError: it cannot be found out.
    """
    rules = await transformed_files(git_dir, files=files)
    found = {
        path: rule
        for path, rule in rules.items()
        if rule.filter and rule.filter != LFS and rule.filter not in allowed.filter_names
    }
    globs = [glob.strip("/").split("/") for glob in allowed.plaintext_globs]
    asked = {
        path: rule
        for path, rule in found.items()
        if not any(_matches(os.fsdecode(path).split("/"), glob) for glob in globs)
    }
    stored = await _stored(git_dir) if asked else {}
    plain = await asyncio.to_thread(lambda: list(_other_bytes(files, asked, stored)))
    if plain:
        names = sorted({asked[path].filter for path in plain})
        paths = [one_line(path.decode("utf-8", "replace"), 60) for path in sorted(plain)]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        raise Refused(
            f"a task in {files} would see {', '.join(paths[:_SHOWN])}{more} without the filter "
            f"{one_line(', '.join(names), 60)}",
            hint="use a new worktree, which has it as it is stored; or allow the path in "
            "git.plaintext, or a filter that hides nothing in git.filters: ctui config edit",
        )
    uses_lfs = any(rule.filter == LFS for rule in rules.values())
    return [_NO_LFS] if uses_lfs and shutil.which("git-lfs") is None else []


def _matches(path: Sequence[str], glob: Sequence[str]) -> bool:
    """Return True if a glob is of the path: `*` stays in its folder, `**` does not."""
    if not glob:
        return not path
    if glob[0] == "**":
        return any(_matches(path[start:], glob[1:]) for start in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], glob[0]) and _matches(path[1:], glob[1:])


async def _stored(git_dir: Path) -> Mapping[bytes, bytes]:
    """Return the object of every file of the index."""
    listed = await run_git(["ls-files", "--stage", "-z"], git_dir=git_dir)
    lines = (line.partition(b"\t") for line in listed.stdout.split(b"\0") if line)
    return {path: facts.split(b" ")[1] for facts, _, path in lines}


def _other_bytes(
    files: Path, paths: Mapping[bytes, Transformation], stored: Mapping[bytes, bytes]
) -> Iterator[bytes]:
    for path in paths:
        oid = stored.get(path, b"")
        *folders, name = os.fsdecode(path).split("/")
        with hostile.folder(files, *folders) as folder:
            if folder is None or (descriptor := hostile.open_file(name, folder)) is None:
                continue
            if _object_id(descriptor, len(oid)) != oid:
                yield path


def _object_id(descriptor: int, length: int) -> bytes:
    """Return the name that git gives a file's content (gitformat-pack(5)), or b""."""
    digest = hashlib.sha256() if length == 64 else hashlib.sha1(usedforsecurity=False)
    with suppress(OSError), os.fdopen(descriptor, "rb") as file:
        digest.update(b"blob %d\0" % os.fstat(descriptor).st_size)
        while data := file.read(_PORTION):
            digest.update(data)
        return digest.hexdigest().encode()
    return b""
