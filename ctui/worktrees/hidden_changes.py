"""Changes that `git status` was told not to report: assume-unchanged and skip-worktree."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from ctui.git.process.command import IGNORE_SUBMODULES, run_git

_FLAGGED = tuple(
    re.compile(mode + rb"(?<=\0\0..).{32}[\x40-\xff]", re.DOTALL)
    for mode in (rb"\x81[\xa4\xed]", rb"\xa0\0")
)
"""An entry's mode, then owner, size and object id, then flags whose first two bits are assume-valid
and extended (gitformat-index(5)). An entry with a flag always looks so; other bytes hardly ever,
because of the two zeros that a mode begins with. A pattern begins with the rare bytes, and the
zeros are looked for behind them, which is found several times as fast."""

_ENTRIES = re.compile(
    rb"DIRC\0\0\0[\x02\x03].{4}"
    rb"(?:.{26}[\x81\xa0][\xa4\xed\0].{32}[\0-\x3f].[^\0]*+\0{1,8}+(?!\0))*+",
    re.DOTALL,
)
"""Its beginning, and of each entry times and place, mode, 32 bytes as above, flags, and a name that
ends with one to eight zeros. It stops at a submodule, at a flag, and at zeros instead of times,
which could not be told from the end of the name before."""

_EXTENSION = re.compile(rb"[A-Z]{4}")
_CHECKSUM = 20


def is_plain(index: bytes) -> bool:
    """Return True if an index is sure to have nothing but files and links without flags.

    That is said of nearly every index, in a third of the time that a search for flags and
    submodules takes.
    """
    found = _ENTRIES.match(index)
    at = found.end() if found else 0
    end = len(index) - _CHECKSUM
    while at < end and _EXTENSION.match(index, at):
        at += 8 + int.from_bytes(index[at + 4 : at + 8])
    return at == end


async def hidden_changes(
    metadata: Path, path: Path, index: bytes, blanked: Iterable[str] | None = None
) -> int:
    """Return the number of files that differ from the index without git reporting it.

    Files that a sparse checkout left out are no changes.

    Args:
        metadata: the worktree's folder in the repository.
        path: its files.
        index: the content of its index.
        blanked: the repository's `filter_settings`, where they are known.

    Raises:
        CtuiError: git failed.
    """
    if not any(flagged.search(index) for flagged in _FLAGGED) and not is_split(metadata):
        return 0
    output = await run_git(["ls-files", "-v", "-z"], git_dir=metadata, nice=True)
    flagged = [
        line[2:] for line in output.stdout.split(b"\0") if line[:1].islower() or line[:1] == b"S"
    ]
    there = [name for name in flagged if os.path.lexists(path / os.fsdecode(name))]
    if not there:
        return 0
    import shutil
    import tempfile

    names = b"".join(name + b"\0" for name in there)
    with tempfile.TemporaryDirectory(prefix="ctui-index-") as folder:
        copy = Path(folder) / "index"
        shutil.copy2(metadata / "index", copy)
        ask = partial(
            run_git,
            git_dir=metadata,
            work_tree=path,
            env={"GIT_INDEX_FILE": str(copy)},
            nice=True,
            blanked=blanked,
        )
        for flag in ("--no-assume-unchanged", "--no-skip-worktree"):
            await ask(["update-index", flag, "-z", "--stdin"], input=names)
        await ask(["update-index", "-q", "--refresh"], check=False)  # reads what may be the same
        differing = await ask(["diff-files", IGNORE_SUBMODULES, "--name-only", "-z"])
    return len({*differing.stdout.split(b"\0")} & {*there})


def is_split(metadata: Path) -> bool:
    """Return True if a part of the index may be in another file (gitformat-index(5))."""
    return any(name.startswith("sharedindex.") for name in os.listdir(metadata))  # noqa: PTH208 - names only
