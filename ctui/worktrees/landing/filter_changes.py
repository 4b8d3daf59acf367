"""Landings that change which filter applies to a file, and the filters that may write files.

A filter that applies before and after is the person's for this path, as it is for `git merge`. One
that a task took away would leave plain text to the next `git add`; one that it added would run a
program of the person on what the task chose.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from ctui.errors import Refused, Unavailable
from ctui.git.process.command import filter_settings, run_git
from ctui.git.stored.attributes import LFS, attributes_at, filter_setting
from ctui.git.stored.lfs_objects import is_configured
from ctui.worktrees.landing.commit_diff import EntryChange, named, split_paths

_ATTRIBUTES = b".gitattributes"
_LFS_CONFIG = b".lfsconfig"


async def refuse_filter_changes(
    git_dir: Path, old: str, new: str, changes: Sequence[EntryChange], *, allowed: bool
) -> None:
    """Refuse what would change how a file of the new commit is transformed.

    Args:
        git_dir: of the repository; has both commits.
        old: where the target is.
        new: where it goes.
        changes: every path whose entry differs between them.
        allowed: files may get another filter, and those of Git LFS another server; never may they
            lose theirs.

    Raises:
        Refused: the message names the files.
    """
    paths = [change.path for change in changes if change.new]
    if any(change.path.rpartition(b"/")[2] == _ATTRIBUTES for change in changes):
        listed = await run_git(
            ["ls-tree", "-r", "-z", "--name-only", "--full-tree", new], git_dir=git_dir, timeout=300
        )
        paths = split_paths(listed.stdout)
    before = await attributes_at(git_dir, old, paths)
    after = await attributes_at(git_dir, new, paths)
    different = {path for path in {*before, *after} if before.get(path) != after.get(path)}
    if lost := sorted(different & {*before}):
        # In the checkout they lie as the filter made them, and nothing would transform them back.
        raise Refused(
            f"it takes {before[lost[0]]} from {named(lost)}",
            hint="let the task put .gitattributes back; only you can take a filter away",
        )
    moved = any(change.path == _LFS_CONFIG for change in changes)
    if moved and not allowed and await is_configured(git_dir):
        raise Refused(
            "it changes .lfsconfig, which says where your files of Git LFS are sent",
            hint="look at it there; if that is wanted: --allow-filters",
        )
    configured = await _configured(git_dir, {after[path].filter for path in different})
    found = [path for path in sorted(different) if after[path].filter in configured]
    if found and not allowed:
        raise Refused(
            f"a filter of yours would run for {named(found)}",
            hint="look at .gitattributes there; if that is wanted: --allow-filters",
        )


async def settings_to_blank(
    git_dir: Path, commit: str, paths: Iterable[bytes], *, stored: bool
) -> list[str]:
    """Return the settings that blank every filter but those of these paths.

    Args:
        git_dir: of the checkout.
        commit: whose attributes count.
        paths: the files that are to be written.
        stored: they are to be as the repository stores them; only Git LFS writes files then.

    Raises:
        Unavailable: Git LFS has to write one of them, and is not there.
    """
    rules = await attributes_at(git_dir, commit, paths)
    pointers = sorted(path for path, rule in rules.items() if rule.filter == LFS)
    if pointers and shutil.which("git-lfs") is None and await is_configured(git_dir):
        raise Unavailable(
            f"there is no git-lfs here to write {named(pointers)}", hint="install git-lfs"
        )
    kept = {f"filter.{rule.filter}" for rule in rules.values() if not stored or rule.filter == LFS}
    return [name for name in await filter_settings(git_dir) if name.rpartition(".")[0] not in kept]


async def _configured(git_dir: Path, names: Iterable[str]) -> set[str]:
    settings = ("clean", "smudge", "process")
    return {
        name
        for name in names
        if name and any([await filter_setting(git_dir, name, one) for one in settings])
    }
