"""The uid that a task runs as: the owner of its worktree, and never root."""

from __future__ import annotations

import os
from pathlib import Path

from ctui.errors import Refused

TASK_UID = 70_731
"""The owner of root's worktrees.

Above what adduser, useradd and systemd's dynamic users give out (all below 65536), and below where
subordinate ids begin (100000, login.defs(5)), so that no process of the host runs as it.
"""


def task_owner(worktree: Path) -> tuple[int, int]:
    """Return uid and gid of a worktree's owner.

    Raises:
        Refused: it is root, whose tasks would be root in their container.
    """
    status = worktree.stat()
    if status.st_uid == 0:
        raise Refused(
            f"{worktree} belongs to root, and no task runs as root",
            hint="let ctui make a worktree of another owner, or give this one to its tasks: "
            f"chown -hR {TASK_UID}:{TASK_UID} {worktree}",
        )
    return status.st_uid, status.st_gid


def give_to_tasks(worktree: Path) -> None:
    """As root, give a worktree that ctui just created to the dedicated uid. Follows no link."""
    if os.geteuid() != 0:
        return
    os.lchown(worktree, TASK_UID, TASK_UID)
    for folder, names, files in os.walk(worktree):
        for name in (*names, *files):
            os.lchown(Path(folder) / name, TASK_UID, TASK_UID)
