"""Sparse checkouts: those that have only some of the files of their commit.

Which ones is decided by patterns in `info/sparse-checkout` of the checkout's own git directory, and
by settings that may be its own as well (git-sparse-checkout(1)). Index entries of the other files
are marked; git takes their absence for no change.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ctui.files import replace_file
from ctui.git.process.command import run_git
from ctui.small_file import read_small_file

_PATTERNS = "info/sparse-checkout"
_LIMIT = 1 << 22
_ANY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_SETTINGS = ("core.sparseCheckout", "core.sparseCheckoutCone", "index.sparse")


class Sparse(NamedTuple):
    """Patterns and settings of a sparse checkout."""

    patterns: bytes
    settings: dict[str, str]


async def sparse_of(git_dir: Path) -> Sparse | None:
    """Return what makes a checkout sparse, or None if it has all files.

    Args:
        git_dir: the main checkout's, or a linked worktree's metadata.
    """
    try:
        patterns = read_small_file(git_dir / _PATTERNS, _LIMIT)
    except OSError:
        return None
    settings = {name: value for name in _SETTINGS if (value := await _flag(git_dir, name))}
    return Sparse(patterns, settings) if settings.get(_SETTINGS[0]) == "true" else None


async def become_like(metadata: Path, source: Path) -> None:
    """Make a new worktree, which has no files yet, as sparse as another checkout.

    Git itself takes the main checkout's patterns, and older versions none.
    """
    wanted, found = await sparse_of(source), await sparse_of(metadata)
    if wanted == found:
        return
    if wanted is not None:
        (metadata / "info").mkdir(exist_ok=True)
        replace_file(metadata / _PATTERNS, wanted.patterns, mode=None)
    settings = wanted.settings if wanted is not None else {_SETTINGS[0]: "false"}
    if await _flag(metadata, "extensions.worktreeConfig") != "true":
        return  # settings are shared by all checkouts
    for name, value in settings.items():
        if await _flag(metadata, name) != value:
            await run_git(["config", "--worktree", name, value], git_dir=metadata)


async def outside(git_dir: Path, paths: Collection[bytes]) -> set[bytes]:
    """Return which paths the patterns of a sparse checkout leave out.

    Git says it of an index of only these paths, beside a folder without files.
    """
    if not paths:
        return set()
    with tempfile.TemporaryDirectory(prefix="ctui-sparse-") as folder:
        empty = Path(folder) / "files"
        empty.mkdir()
        environment = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        entries = b"".join(b"100644 %s\t%s\0" % (_ANY_BLOB.encode(), path) for path in paths)
        await run_git(
            ["update-index", "-z", "--index-info"],
            git_dir=git_dir,
            env=environment,
            input=entries,
        )
        # A sparse index would have trees that nobody has made.
        await run_git(
            ["sparse-checkout", "reapply"],
            git_dir=git_dir,
            work_tree=empty,
            env=environment,
            config={"index.sparse": "false"},
        )
        return set(await marked(git_dir, environment))


async def marked(git_dir: Path, environment: dict[str, str]) -> list[bytes]:
    """Return the paths whose index entries are marked as left out (skip-worktree)."""
    listed = await run_git(["ls-files", "-t", "-z"], git_dir=git_dir, env=environment)
    return [field[2:] for field in listed.stdout.split(b"\0") if field.startswith(b"S ")]


async def mark_left_out(git_dir: Path, work_tree: Path, index: Path, new: Sequence[bytes]) -> None:
    """Mark entries of an index that are new, lie outside of a sparse checkout, and have no file.

    Args:
        git_dir: of the checkout.
        work_tree: its files.
        index: that is to be its own; entries that it had before keep their marks.
        new: the paths of new entries.
    """
    if not new or await sparse_of(git_dir) is None:
        return
    gone = [path for path in await outside(git_dir, new) if not _exists(work_tree, path)]
    if gone:
        await run_git(
            ["update-index", "--skip-worktree", "-z", "--stdin"],
            git_dir=git_dir,
            work_tree=work_tree,
            env={"GIT_INDEX_FILE": str(index)},
            input=b"".join(path + b"\0" for path in gone),
        )


def _exists(work_tree: Path, path: bytes) -> bool:
    with suppress(OSError, ValueError):
        return os.path.lexists(os.fsencode(work_tree) + b"/" + path)
    return True


async def _flag(git_dir: Path, name: str) -> str:
    said = await run_git(
        ["config", "--type=bool", "--get", name], git_dir=git_dir, check=False, timeout=10
    )
    return said.stdout.decode("utf-8", "replace").strip() if said.exit_code == 0 else ""
