"""Moving a branch only if it is where it is believed to be."""

from __future__ import annotations

from pathlib import Path

from ctui.errors import Conflict
from ctui.git.repository import open_trusted
from ctui.text import one_line


def compare_and_swap(git_dir: Path, ref: str, old: str, new: str, reason: str) -> None:
    """Move a branch, and the reflogs with it, if it is still at `old`.

    By libgit2 and not by a process of its own: one that outlives its killed parent would move the
    branch after the next call has looked where it is.

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
        reference = open_trusted(git_dir).references[ref]
        if str(reference.target) != old:
            raise Conflict(f"{name} moved meanwhile", hint="look at it again, then try again")
        # This fails where it was changed since the line above.
        reference.set_target(new, reason)
    except (KeyError, ValueError, OSError, pygit2.GitError) as error:
        raise Conflict(
            f"{name} cannot be moved: {one_line(str(error), 200)}",
            hint="another git may be at work: try again",
        ) from error
