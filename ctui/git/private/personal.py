"""Settings and ignored files of the person's that a task has in its private git directory.

None of them names a program, a host or a file.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from ctui.git import hostile
from ctui.git.commits.identity import Unknown, identity, name_and_address
from ctui.git.process.caller import environ
from ctui.git.process.command import run_git
from ctui.small_file import read_small_file

_KEYS = ("core.autocrlf", "core.eol", "init.defaultbranch")
_FALLBACK = ("Claude Code", "claude@localhost")
_EXCLUDES_LIMIT = 1 << 20
_BOM = b"\xef\xbb\xbf"


async def personal_settings(git_dir: Path, work_tree: Path | None) -> dict[str, str]:
    """Return the settings that a task gets: who commits, and how lines end.

    Args:
        git_dir: of the task's worktree, as the person has it.
        work_tree: its files.
    """
    found = await _identity(git_dir, work_tree)
    pattern = f"^({'|'.join(key.replace('.', '[.]') for key in _KEYS)})$"
    output = await run_git(
        ["config", "-z", "--get-regexp", pattern],
        git_dir=git_dir,
        work_tree=work_tree,
        blanked=(),
        check=False,
    )
    for entry in output.stdout.decode("utf-8", "surrogateescape").split("\0"):
        key, assigned, value = entry.partition("\n")
        if key in _KEYS:
            # A key without a value is true (git-config(1)).
            found[key] = value if assigned else "true"
    return {key: value for key, value in found.items() if value.isprintable()}


async def _identity(git_dir: Path, work_tree: Path | None) -> dict[str, str]:
    try:
        who = await identity(git_dir, work_tree)
    except Unknown:
        author = committer = None
    else:
        author, committer = name_and_address(who.author), name_and_address(who.committer)
    author = author or _FALLBACK
    found = {"user.name": author[0], "user.email": author[1]}
    if committer not in {None, author}:
        found |= {"committer.name": committer[0], "committer.email": committer[1]}
    return found


async def ignored(git_dir: Path, common_dir: Path, work_tree: Path | None) -> bytes:
    """Return the patterns of files that the person's git ignores there, beside `.gitignore`s.

    They are one file for a task, its `info/exclude`: of two patterns the later one decides, so the
    person's file for all repositories comes before that of this one (gitignore(5)).

    Args:
        git_dir: of the task's worktree, as the person has it.
        common_dir: of the repository.
        work_tree: the worktree's files.
    """
    person = environ()
    output = await run_git(
        ["config", "--type=path", "-z", "--get", "core.excludesFile"],
        git_dir=git_dir,
        work_tree=work_tree,
        blanked=(),
        check=False,
    )
    home = person.get("HOME", "")
    name = os.fsdecode(output.stdout.partition(b"\0")[0])
    if output.exit_code:
        settings = person.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
        name = f"{settings}/git/ignore" if settings else ""
    return await asyncio.to_thread(_joined, name, common_dir / "info" / "exclude", work_tree)


def _joined(name: str, repositorys: Path, work_tree: Path | None) -> bytes:
    parts = [_read(Path(name), work_tree) if name else b"", _read(repositorys, None)]
    # Git leaves out a mark of the byte order only at the beginning of a file.
    lines = [part.removeprefix(_BOM) for part in parts]
    return b"".join(part if part.endswith(b"\n") else part + b"\n" for part in lines if part)


def _read(path: Path, work_tree: Path | None) -> bytes:
    """Return a file of patterns; from among the worktree's files only if no link leads to it."""
    if work_tree is not None and (not path.is_absolute() or path.is_relative_to(work_tree)):
        inner = PurePosixPath(os.path.relpath(work_tree / path, work_tree))
        if ".." in inner.parts:
            return b""
        return hostile.read_file(work_tree, *inner.parts, limit=_EXCLUDES_LIMIT) or b""
    with suppress(OSError):
        return read_small_file(path, _EXCLUDES_LIMIT)
    return b""
