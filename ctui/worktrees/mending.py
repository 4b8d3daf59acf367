"""Hints for a worktree whose folder and metadata do not fit, one line each."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from ctui.git.process.pipes import blocking_pipe
from ctui.git.repository.moved import leads_nowhere, move_command, repair_command
from ctui.text import one_line
from ctui.worktrees.identity import named_place
from ctui.worktrees.model import Problem


def what_to_do(problem: Problem, path: Path, metadata: Path) -> str:
    """Return the hint for a problem of a worktree.

    Args:
        problem: by `checked_path` or a survey.
        path: where the worktree is looked for.
        metadata: its folder below `.git/worktrees`.
    """
    common_dir = metadata.parent.parent
    if problem == "missing":
        repair = repair_command(common_dir, Path("ITS_NEW_PLACE"))
        return f"if you moved it: {one_line(repair, 300)}; else git worktree prune forgets it"
    if problem == "moved":
        back = move_command(common_dir, named_place(metadata), path)
        return f"move it back: {one_line(back, 600)}"
    if problem == "unlinked" or leads_nowhere(path, metadata):
        # The repository was moved, and its worktrees still name its old place. With the path of one
        # that has no link git would complain, although it mends it.
        return one_line(repair_command(common_dir, None), 300)
    if problem == "foreign-owner":
        mine = f"chown -hR {os.geteuid()}:{os.getegid()} {shlex.quote(one_line(str(path), 300))}"
        return f"work as its owner, or make it yours: sudo {mine}"
    if problem == "submodules-unchecked":
        return f"look at its submodules: git -C {shlex.quote(one_line(str(path), 300))} submodule"
    if problem == "unreadable" and (pipe := blocking_pipe(path)) is not None:
        return f"git would wait at a pipe for ever: rm {one_line(str(pipe), 300)}"
    return "look at it by hand: git worktree list"
