"""Git's own lock of an index, held by us: other gits stay out, and ours knows it after a crash."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path


class IndexLock:
    """`index.lock` of one git directory, with a mark in it that says whose it is."""

    def __init__(self, git_dir: Path, mark: bytes) -> None:
        """Nothing is locked yet.

        Args:
            git_dir: of a checkout or worktree.
            mark: what tells this use of the lock from every other; a few bytes.
        """
        self.path = git_dir / "index.lock"
        self._index = git_dir / "index"
        self._marked = git_dir / "index.lock.ctui"
        self._mark = mark

    def take(self) -> bool:
        """Lock, unless somebody else has. The mark comes with the lock, so that it is ours at once.

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
        """Whether it is locked with this mark, by this process or by one that was killed."""
        with suppress(OSError):
            return self.path.read_bytes() == self._mark
        return False

    def release(self) -> None:
        """Unlock if it is ours, and forget what a kill in the middle of `take` left."""
        if self.held:
            self.path.unlink()
        self._marked.unlink(missing_ok=True)

    def copy_index(self, copy: Path) -> None:
        """A copy to become the next index; none where there is no index yet.

        With its time: git compares it with the files' to know which of them it must read again
        (racy-git(7)).
        """
        copy.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            shutil.copy2(self._index, copy)
