"""Compare-and-swap of branches, which leaves no lock behind when its process is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from ctui.errors import Conflict
from ctui.file_lock import FileLock
from ctui.git.repository.opening import common_dir_of, open_trusted
from ctui.small_file import read_small_file
from ctui.text import one_line

_NOTE = "ctui-swap.json"
_LOCK_LIMIT = 1 << 10


class _Swap(msgspec.Struct, frozen=True):
    """Note of a branch that is being moved; without a holder, a killed process left its lock."""

    ref: str
    new: str


def compare_and_swap(git_dir: Path, ref: str, old: str, new: str, reason: str) -> None:
    """Move a branch and its reflogs if it is still at `old`.

    This uses libgit2 and not a git process: a process that outlives its killed parent would
    move the branch after the next caller has read it.

    Args:
        git_dir: of the repository, or of the worktree whose HEAD is on the branch.
        ref: its full name.
        old: the full commit id that it must be at.
        new: the full commit id that it is at then.
        reason: for the reflogs.

    Raises:
        Conflict: it is elsewhere, or locked.
    """
    import pygit2

    name = one_line(ref.removeprefix("refs/heads/"))
    try:
        with _noted(common_dir_of(git_dir), _Swap(ref, new)):
            reference = open_trusted(git_dir).references[ref]
            if str(reference.target) != old:
                raise Conflict(f"{name} moved meanwhile", hint="look at it again, then try again")
            # It fails if the ref changed since the line above.
            reference.set_target(new, reason)
    except (KeyError, ValueError, OSError, pygit2.GitError) as error:
        raise Conflict(
            f"{name} cannot be moved: {one_line(str(error), 200)}",
            hint="another git may be at work: try again",
        ) from error


def forget_killed_swap(git_dir: Path) -> None:
    """Remove the lock that a killed process left on a branch, so that git can move it again."""
    lock = FileLock(common_dir_of(git_dir) / _NOTE)
    with suppress(OSError):
        # If another process holds the lock, it is alive and its swap is under way.
        if lock.path.stat().st_size and lock.acquire(0):
            with lock, os.fdopen(lock.fileno(), "r+b", closefd=False) as file:
                _forget(common_dir_of(git_dir), file)


@contextmanager
def _noted(common_dir: Path, swap: _Swap) -> Iterator[None]:
    """Guard one swap at a time by a note that tells the next process if this one was killed."""
    lock = FileLock(common_dir / _NOTE)
    lock.acquire()
    with lock, os.fdopen(lock.fileno(), "r+b", closefd=False) as file:
        _forget(common_dir, file)
        file.write(msgspec.json.encode(swap))
        file.flush()
        os.fsync(file.fileno())
        try:
            yield
        finally:
            file.seek(0)
            file.truncate()


def _forget(common_dir: Path, file: IO[bytes]) -> None:
    """Clear the note of a killed process; a lock of another git, with another commit, is kept."""
    data = file.read(_LOCK_LIMIT)
    with suppress(msgspec.DecodeError, OSError):
        swap = msgspec.json.decode(data, type=_Swap)
        lock = common_dir / f"{swap.ref}.lock"
        if f"{swap.new}\n".encode().startswith(read_small_file(lock, _LOCK_LIMIT)):
            lock.unlink()
    file.seek(0)
    file.truncate()
