"""Grants: commands that the person allowed for good, in one repository.

A grant allows what was shown and nothing else: one command, letter for letter. The CLI never learns
of it, because a rule of its own lets more through (`timeout 5 X`, `echo code | X` and `X < file`
for `X`, measured with 2.1.197): it asks each time, and the driver answers.
"""

from __future__ import annotations

import re

import msgspec

from ctui.claude import fields
from ctui.tasks.model import Ask, AskKind
from ctui.text import sanitise

_COMMAND = re.compile(r"[!-~](?:[ -~]{0,498}[!-~])?")
"""What a person sees whole, and as it is."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """A remembered permission."""

    id: int
    repository: str
    """The main repository's `.git` folder; all its tasks have the grant."""
    tool: str
    content: str
    """The command."""
    task: str
    """Whose ask was answered with it."""
    created: int
    """Nanoseconds since the epoch."""

    @property
    def words(self) -> str:
        """As a person reads it: `Bash(npm test)`."""
        return f"{self.tool}({self.content})"


class Grantable(msgspec.Struct, frozen=True):
    """What an ask would allow for good."""

    tool: str
    content: str


def grantable(ask: Ask) -> Grantable | None:
    """What `always` would allow; None for what is no plain command of one line.

    The CLI's own suggestions are not asked: they may allow more than the person has seen.
    """
    if ask.kind is not AskKind.PERMISSION or ask.tool != "Bash":
        return None
    command = fields.text(fields.json_object(bytes(ask.input)) or {}, "command")
    return Grantable(ask.tool, command) if _COMMAND.fullmatch(command) else None


def always_words(ask: Ask) -> str:
    """What an answer for good allows, in the person's words; "" if there is none."""
    found = grantable(ask)
    return f"always run `{sanitise(found.content)}` in this repository" if found else ""
