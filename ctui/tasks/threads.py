"""Comments on what a task changed: threads of a person's words and a task's answers."""

from __future__ import annotations

from typing import Literal

import msgspec

from ctui.errors import InvalidInput

Side = Literal["old", "new"]

MOST_TEXT = 10_000
"""Characters of one comment or answer."""
MOST_QUOTED = 200
"""Lines that one comment can be on."""
MOST_REMARKS = 50
"""Comments and answers of one thread."""


class Remark(msgspec.Struct, frozen=True):
    """Words in a thread; not sanitised."""

    id: int
    author: Literal["person", "task"]
    task: str
    """The task that said it, or that was told it; "" while nobody was."""
    text: str
    created: int
    """Time in nanoseconds since the epoch, as all times here."""
    sent: int | None = None
    """Time at which a task was told; None for what waits, and for what a task said."""


class Thread(msgspec.Struct, frozen=True):
    """A comment on lines of a file, and what was said to it; texts are not sanitised."""

    id: int
    """The number by which it is called, also by a task."""
    worktree: str
    """The worktree's folder."""
    path: str
    """In the worktree, as `worktrees.review.comparison.name_of` writes it."""
    side: Side
    """The lines are those before or after the change."""
    first: int
    """Number of the first line, from 1."""
    quote: tuple[str, ...]
    """The lines as they were."""
    commit: str
    """Commit that the worktree was at."""
    created: int
    resolved: int | None = None
    """Time at which the person closed it."""
    remarks: tuple[Remark, ...] = ()
    """Oldest first."""

    @property
    def last(self) -> int:
        """Return the number of its last line."""
        return self.first + max(0, len(self.quote) - 1)

    @property
    def place(self) -> str:
        """Return its file and lines, such as `src/app.py:41-43`; not sanitised."""
        until = f"-{self.last}" if self.last > self.first else ""
        return f"{self.path}:{self.first}{until}"

    @property
    def unsent(self) -> tuple[Remark, ...]:
        """Return what no task was told yet."""
        return tuple(one for one in self.remarks if one.author == "person" and one.sent is None)

    @property
    def answered(self) -> bool:
        """Return True if a task had the last word."""
        return bool(self.remarks) and self.remarks[-1].author == "task"


def check_remark(text: str) -> str:
    """Return words for a thread, without blanks around them.

    Raises:
        InvalidInput: there are none, or too many.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("the comment is empty", hint="say what is to be changed")
    if len(text) > MOST_TEXT:
        raise InvalidInput(
            f"the comment is longer than {MOST_TEXT:,} characters", hint="say it in fewer words"
        )
    return text
