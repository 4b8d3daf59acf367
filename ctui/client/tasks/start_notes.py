"""Notes of what a new task will not find, with the option that changes it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ctui.client.health.commit_health import commit_notes
from ctui.errors import CtuiError
from ctui.git.process.command import run_git, status_arguments
from ctui.git.repository.partial import completing_command
from ctui.git.stored.attributes import transformed_files
from ctui.git.submodules.submodules import module_sources, submodules_of
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.client.tasks.new_task import NewTask
    from ctui.git.repository.repository import Repository

_TEXT_LIMIT = 1 << 20
_SECONDS = 10
_IMPORT = re.compile(r"(?:^|(?<=\s))@([~\w-]*[/.][\w./-]*\w)")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_SHOWN = 3


async def start_notes(
    repository: Repository,
    new: NewTask,
    base: str | None,
    *,
    trusted: bool,
    folder: Path | None = None,
) -> list[str]:
    """Return what to say once where a task begins, one sanitised line each.

    Args:
        repository: where it works.
        new: what was wanted.
        base: the commit that it begins with, if that is known.
        trusted: the repository's own Claude settings count.
        folder: where it works, which may have been given ignored files; None for nowhere yet.
    """
    notes = [] if trusted or base is None else await _imports(repository, base)
    notes += await commit_notes(repository)
    if base is not None and not new.worktree:
        notes += await _empty_submodules(repository, base)
    if command := completing_command(repository):
        notes.append(f"a partial clone: a task cannot fetch what is missing ({command} completes)")
    work_tree = repository.work_tree
    if new.in_checkout or new.worktree or work_tree is None:
        return notes
    changes = new.include.changes
    return [*notes, *await _uncommitted(repository, work_tree, folder, brought=changes)]


async def _imports(repository: Repository, base: str) -> list[str]:
    """Return a note of what CLAUDE.md imports, which a task without trust does not read.

    It is then given as a text; the CLI follows `@path` only in a worktree.
    """
    said = await _git(repository, ["cat-file", "blob", f"{base}:CLAUDE.md"])
    text = _CODE.sub("", said[:_TEXT_LIMIT].decode("utf-8", "replace"))
    found = list(dict.fromkeys(match[1] for match in _IMPORT.finditer(text)))
    if not found:
        return []
    return [f"CLAUDE.md imports {_some(found, '@')}, which is only read with --trust"]


async def _empty_submodules(repository: Repository, base: str) -> list[str]:
    """Return a note of submodules whose commit no repository here has: they are empty."""
    sources = module_sources(repository.common_dir, repository.here)
    try:
        found = await submodules_of(repository.common_dir, base, sources)
    except CtuiError:
        return []
    empty = [module.path for module in found if module.source is None]
    if not empty:
        return []
    update = "git submodule update --init --recursive"
    return [f"submodules without their commit here, so empty: {_some(empty)} (`{update}` first)"]


async def _uncommitted(
    repository: Repository, work_tree: Path, folder: Path | None, *, brought: bool
) -> list[str]:
    said = await _git(repository, status_arguments("--ignored=matching"), work_tree)
    entries = said.decode("utf-8", "replace").split("\0")
    changed = [] if brought else list(_names(entries, "12u?"))
    if changed:
        # Without its filter git takes an encrypted file for a changed one.
        others = {os.fsdecode(path) for path in await _transformed(repository)}
        changed = [name for name in changed if name not in others]
    ignored = [
        name
        for name in _names(entries, "!")
        if name.startswith(".env")
        and "/" not in name
        and not (folder is not None and (folder / name).exists())
    ]
    notes: list[str] = []
    if changed:
        notes.append(
            f"not committed, so not in the new worktree: {_some(changed)} "
            "(commit first; --with-changes brings it, --workspace-dir works in the checkout itself)"
        )
    if ignored:
        notes.append(
            f"ignored by git, so not in the new worktree: {_some(ignored)} "
            "(--include NAME copies what the task needs)"
        )
    return notes


async def _transformed(repository: Repository) -> Collection[bytes]:
    try:
        return await transformed_files(repository.common_dir)
    except CtuiError:
        return ()


def _names(entries: list[str], kinds: str) -> Iterator[str]:
    """Yield the paths of a porcelain v2 status, of the wanted kinds."""
    fields = {"1": 8, "2": 9, "u": 10, "?": 1, "!": 1}
    skip = False
    for entry in entries:
        if skip or entry[:1] not in fields:
            skip = False
            continue
        skip = entry[0] == "2"  # the name that it had before comes behind it
        if entry[0] in kinds:
            yield entry.split(" ", fields[entry[0]])[-1]


def _some(names: list[str], mark: str = "") -> str:
    shown = ", ".join(f"{mark}{one_line(name, 60)}" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


async def _git(repository: Repository, args: list[str], work_tree: Path | None = None) -> bytes:
    """Return git's output, or nothing where it fails: a note is no reason to fail."""
    try:
        done = await run_git(
            args,
            git_dir=repository.common_dir,
            work_tree=work_tree,
            timeout=_SECONDS,
            check=False,
        )
    except CtuiError:
        return b""
    return b"" if done.exit_code else done.stdout
