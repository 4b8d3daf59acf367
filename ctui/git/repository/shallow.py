"""The end of a shallow clone's history: the commits whose parents were not fetched.

Git keeps them in `.git/shallow` (gitrepository-layout(5)). Another git directory that borrows the
objects needs the same list, or its git looks for parents that are not there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from ctui.files import replace_file_in
from ctui.git import hostile

_NAME = "shallow"


def shallow_commits(common_dir: Path) -> bytes:
    """Return the repository's list, or nothing where its history is complete."""
    with suppress(FileNotFoundError):
        return (common_dir / _NAME).read_bytes()
    return b""


def copy_shallow(common_dir: Path, git_dir: Path) -> None:
    """Give another git directory the list as it is now.

    The other one may be a task's own: no link in it is followed. A person may have deepened the
    clone since the last copy, or made its history complete.

    Raises:
        OSError: it cannot be written.
    """
    commits = shallow_commits(common_dir)
    with hostile.folder(git_dir) as folder:
        if folder is None or hostile.read_file(git_dir, _NAME, limit=len(commits)) == commits:
            return
        if commits:
            replace_file_in(folder, _NAME, commits, mode=0o644, sync=False)
            return
        with suppress(FileNotFoundError):
            os.unlink(_NAME, dir_fd=folder)
