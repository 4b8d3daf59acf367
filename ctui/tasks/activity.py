"""Summary of what a task does and has done: plain data that its driver keeps as lines come.

Front ends show it in a row, so that nobody has to read a journal to know how a task is.
"""

from __future__ import annotations

import msgspec

from ctui.claude.protocol.todos import Todo, progress, step_now


class Note(msgspec.Struct, frozen=True):
    """Something that a task told the person by `notify_user`."""

    at: int
    text: str
    """The message in one sanitised line; the journal has all of it."""
    urgent: bool = False


class Activity(msgspec.Struct, frozen=True, kw_only=True):
    """Summary of a task: the call that runs, its to-do list, and its last turn."""

    call: str = ""
    """The tool call that runs, such as `Bash: npm test`; "" while none does."""
    since: int = 0
    """Begin of that call."""
    todos: tuple[Todo, ...] = ()
    """Its own to-do list."""
    notes: tuple[Note, ...] = ()
    """The last things that it told the person."""
    began: int = 0
    """Begin of its last turn; 0 before it had one."""
    rested: int = 0
    """Time at which it came to rest last: its turn was over, or failed."""
    committed: int = 0
    """Time at which the last of its commits came home."""

    @property
    def doing(self) -> str:
        """Return what goes on in a line: the step of the list with its place, else the call.

        "" where neither is known: the model thinks.
        """
        now = step_now(self.todos)
        return progress(self.todos) if now is not None else self.call
