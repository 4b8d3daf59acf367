"""Messages of a person to a task: what may be said, and its first record."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from ctui.errors import InvalidInput
from ctui.tasks.model import Message

MAX_MESSAGE = 8 << 20
"""Bytes of one message to a task; the CLI takes lines of up to 16 MB."""


def check_text(text: str) -> None:
    """Refuse what cannot be said to a task.

    Raises:
        InvalidInput: it is empty or too long.
    """
    if not text.strip():
        raise InvalidInput("the message is empty", hint="say what the task should do")
    if len(text.encode("utf-8", "replace")) > MAX_MESSAGE:
        raise InvalidInput(
            "the message is longer than 8 MB", hint="put it into a file of the worktree instead"
        )


def new_message(task: str, text: str, created: int, attached: str = "") -> Message:
    """Return a message that nobody has sent before."""
    message = str(uuid.uuid4())
    return Message(id=message, task=task, text=text, created=created, attached=attached)


def is_command(text: str, commands: Collection[str]) -> bool:
    """Return True for a command of the CLI's own, such as `/compact`; it has no echo."""
    return text.startswith("/") and _first_word(text)[1:] in commands


def begins_session(text: str) -> bool:
    """Return True for the command that begins another session of the CLI."""
    return _first_word(text) in {"/clear", "/reset", "/new"}


def _first_word(text: str) -> str:
    return next(iter(text.split(maxsplit=1)), "")
