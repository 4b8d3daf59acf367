"""Questions that a proof is asked, and the answers that prove."""

from __future__ import annotations

from typing import NamedTuple

PROVEN = frozenset({"merged", "history"})


class Question(NamedTuple):
    """Commit to be judged, with what is known of the beginning of its branch."""

    tip: str
    base: str | None = None
    created_only: bool = False
    stash: bool = False
    """True if it may be a stash, whose staged part counts as well."""
    outlook: bool = True
    """True if the answer is to say what landing it would bring."""
