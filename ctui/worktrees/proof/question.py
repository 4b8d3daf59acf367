"""Questions that a proof is asked, and the answers that prove."""

from __future__ import annotations

from typing import NamedTuple

PROVEN = frozenset({"merged", "history"})

MERGE_TREE_VERSION = (2, 38)
"""First version of git with `git merge-tree --write-tree`, on which answers depend."""


class Question(NamedTuple):
    """Commit to be judged, with what is known of the beginning of its branch."""

    tip: str
    base: str | None = None
    created_only: bool = False
    stash: bool = False
    """True if it may be a stash, whose staged part counts as well."""
    outlook: bool = True
    """True if the answer is to say what landing it would bring."""
