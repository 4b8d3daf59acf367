"""Git's own lock of an index, taken by ctui and recognised as ctui's after a crash."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


class IndexLock:
    """The file `index.lock` of one git directory, with a mark in it that tells its owner."""

    def __init__(self, git_dir: Path, mark: bytes) -> None:
        """Prepare the lock without taking it.

        Args:
            git_dir: of a checkout or worktree.
            mark: what tells this use of the lock from every other; a few bytes.
        """
        self.path = git_dir / "index.lock"
        self._index = git_dir / "index"
        self._marked = git_dir / "index.lock.ctui"
        self._mark = mark

    def take(self) -> bool:
        """Take the lock with its mark in one step, and return False if somebody else holds it.

        Raises:
            OSError: the folder cannot be written.
        """
        self._marked.write_bytes(self._mark)
        try:
            os.link(self._marked, self.path)
        except FileExistsError:
            return False
        finally:
            self._marked.unlink()
        return True

    @property
    def held(self) -> bool:
        """True if it is locked with this mark, by this process or by one that was killed."""
        with suppress(OSError):
            return self.path.read_bytes() == self._mark
        return False

    def release(self) -> None:
        """Release the lock if it has our mark, and remove what a killed `take` left."""
        if self.held:
            self.path.unlink()
        self._marked.unlink(missing_ok=True)

    def copy_index(self, copy: Path) -> None:
        """Copy the index to become the next one; make no copy if there is no index yet.

        The copy keeps the index's time, which git compares with the files' times to know
        which of them it must read again (racy-git(7)).
        """
        copy.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(self._index, copy)
