"""Questions of a proof, and the words of its answers."""

from __future__ import annotations

from typing import NamedTuple

from ctui.git.repository import Target
from ctui.text import one_line

PROVEN = frozenset({"merged", "history"})


class Question(NamedTuple):
    """Commit to be judged, with what is known of the beginning of its branch."""

    tip: str
    base: str | None = None
    created_only: bool = False
    stash: bool = False
    """True if it may be a stash, whose staged part counts as well."""


def target_name(target: Target) -> str:
    """Return a target's name as a person calls it, safe to show."""
    ref = target.ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return one_line(ref, 60)
