"""Changes of gitlinks: the commits of other repositories that a tree names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from ctui.git.process.command import run_git
from ctui.text import one_line, sanitise

if TYPE_CHECKING:
    from pathlib import Path

_SHOWN = 3
_BRIEF = 9


class GitlinkChange(NamedTuple):
    """A submodule that is at another commit, was added or is gone."""

    path: str
    """Sanitised."""
    old: str | None
    new: str | None

    @property
    def text(self) -> str:
        """The change in words."""
        path = one_line(self.path, 80)
        if self.old is None or self.new is None:
            return f"{path} {'is new' if self.old is None else 'is gone'}"
        return f"{path} goes from {self.old[:_BRIEF]} to {self.new[:_BRIEF]}"


async def gitlink_changes(git_dir: Path, old: str, new: str) -> list[GitlinkChange]:
    """Return the gitlinks that are not the same in two commits."""
    output = await run_git(
        ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", "--no-renames", old, new],
        git_dir=git_dir,
    )
    fields = output.stdout.split(b"\0")
    found = []
    for facts, path in zip(fields[::2], fields[1::2], strict=False):
        modes = facts.removeprefix(b":").split(b" ")
        before, after = (mode == b"160000" for mode in modes[:2])
        if before or after:
            text = sanitise(path.decode("utf-8", "replace"))
            commits = (modes[2].decode() if before else None, modes[3].decode() if after else None)
            found.append(GitlinkChange(text, *commits))
    return found


def told(changes: Iterable[GitlinkChange]) -> str:
    """Return the first changes as one line, or "" if there is none."""
    texts = [change.text for change in changes]
    more = f" and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else ""
    return f"submodules: {', '.join(texts[:_SHOWN])}{more}" if texts else ""
