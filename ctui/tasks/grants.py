"""Grants: commands that the person allowed for good, in one repository.

A grant allows what was shown and nothing else: one command, letter for letter. The CLI never learns
of it, because a rule of its own lets more through (`timeout 5 X`, `echo code | X` and `X < file`
for `X`, measured with 2.1.197): it asks each time, and the driver answers.
"""

from __future__ import annotations

import msgspec


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
        """Return it as a person reads it: `Bash(npm test)`."""
        return f"{self.tool}({self.content})"
