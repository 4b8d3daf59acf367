"""Bare repositories of our own that borrow the objects of another one.

Nothing is written into the person's repository, and none of its attributes, drivers, hooks or
settings counts in here.
"""

from __future__ import annotations

import os
from pathlib import Path

from ctui.git.repository.shallow import copy_shallow

AS_STORED = "* !merge !text !eol !crlf !ident !filter !diff !working-tree-encoding\n"
"""Attributes by which what is stored stays as it is, in merges and in diffs (`info/attributes`
precedes every other place: gitattributes(5))."""

AS_IT_LIES = "* -text !eol -crlf -ident -filter !diff !merge !working-tree-encoding\n"
"""Attributes by which files of a checkout are stored byte for byte."""


def lay_out(
    path: Path, common_dir: Path, objects: list[Path], *, config: str, attributes: str
) -> None:
    """Write a repository that borrows objects, where there is none yet.

    Args:
        path: its folder.
        common_dir: of the repository that it borrows from.
        objects: that repository's `object_directories`.
        config: its settings.
        attributes: `AS_STORED` or `AS_IT_LIES`.

    Raises:
        OSError: it cannot be written.
    """
    for name in ("objects/info", "objects/pack", "refs", "info"):
        (path / name).mkdir(mode=0o700, parents=True, exist_ok=True)
    borrow(path, common_dir, objects)
    (path / "info/attributes").write_text(attributes)
    (path / "config").write_text(config)
    (path / "HEAD").write_text("ref: refs/heads/none\n")


def borrow(path: Path, common_dir: Path, objects: list[Path]) -> None:
    """Let a repository have the objects of another one, wherever they are now."""
    directories = b"".join(os.fsencode(f"{at}\n") for at in objects)
    (path / "objects/info/alternates").write_bytes(directories)
    copy_shallow(common_dir, path)
