"""Rules of hosts that a person keeps: for all tasks, for those of a repository, or for one."""

from __future__ import annotations

from typing import Literal

import msgspec

Effect = Literal["allow", "deny", "sign"]
"""A host is reached, or not; or it is signed in at by ssh, with the key that the settings name."""


class HostRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that was made by an answer or by `ctui network`."""

    id: int
    repository: str
    """The main repository's `.git` folder; "" for all repositories."""
    task: str
    """The task that it is for; "" for all tasks of the repository."""
    host: str
    """As `rule_of` reads it: a host, with its port where that is not the web's."""
    effect: Effect
    created: int
    """Nanoseconds since the epoch."""

    @property
    def origin(self) -> Literal["person", "repository", "task"]:
        if self.task:
            return "task"
        return "repository" if self.repository else "person"
