"""The files of a commit, written for a set-up as the repository stores them: no filter runs."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from ctui.environments.definition.commit_files import LINK, CommitFiles
from ctui.errors import Refused
from ctui.text import one_line

_LIMIT = 4 << 30
_FSCK = "git fsck"


def write_files(files: CommitFiles, folder: Path, uid: int, gid: int) -> None:
    """Write all files of a commit into a new folder that belongs to the task's user.

    Every folder is made here, so a crafted tree cannot lead out of it by a link of its own.

    Raises:
        Refused: the commit is too large, or has a name that no file may have.
        FileExistsError: the folder exists, or a crafted tree has a name twice.
    """
    own = os.geteuid() == 0

    def give(path: Path) -> None:
        if own:
            os.lchown(path, uid, gid)

    folder.mkdir(mode=0o700)
    give(folder)
    made = {PurePosixPath()}
    left = _LIMIT
    for file in files.below(""):
        path = PurePosixPath(file.path)
        if any(part in {"..", "."} or part.lower() == ".git" for part in file.path.split("/")):
            raise Refused(f"the commit has a file {one_line(file.path)}", hint=_FSCK)
        for parent in reversed(path.parents):
            if parent not in made:
                (folder / parent).mkdir(mode=0o755)
                give(folder / parent)
                made.add(parent)
        left -= file.blob.size
        if left < 0:
            raise Refused(f"the commit has more than {_LIMIT >> 30} GiB", hint="use an image")
        target = folder / path
        content = bytes(file.blob.data)
        if file.mode == LINK:
            if not content or b"\0" in content:
                raise Refused(f"the commit has a link {one_line(file.path)} to nothing", hint=_FSCK)
            target.symlink_to(os.fsdecode(content))
        else:
            with target.open("xb") as opened:
                opened.write(content)
            target.chmod(0o755 if file.mode & 0o100 else 0o644)
        give(target)
