"""Names of branches and worktrees, made from what a person wrote. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

_LENGTH = 40
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "the",
        "to",
        "of",
        "in",
        "on",
        "for",
        "with",
        "please",
        "can",
        "you",
        "could",
        "i",
        "we",
        "it",
        "is",
    ]
)
_WORDS = 6
_ANY = "task"
RESERVED = frozenset({"", "head", "con", "nul"})


def worktree_name(text: str, taken: Collection[str] = ()) -> str:
    """Return a short name of `a-z 0-9 -` for a folder, a branch and a task, unlike all in `taken`.

    Args:
        text: a name, or a prompt, whose first meaningful words are used.
        taken: names that exist; compared without case, because some file systems do.
    """
    text = next((line for line in text.splitlines() if line.strip()), "")
    ascii_text = (
        unicodedata.normalize("NFKD", text[:500]).encode("ascii", "ignore").decode().lower()
    )
    words = re.findall(r"[a-z0-9]+", ascii_text)
    if len(words) > _WORDS:
        words = [word for word in words if word not in _STOP_WORDS][:_WORDS] or words[:_WORDS]
    name = "-".join(words)[:_LENGTH].strip("-")
    name = _ANY if name in RESERVED else name
    used = {other.lower() for other in taken}
    number, candidate = 1, name
    while candidate in used:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def nameable(text: str) -> bool:
    """Return True if `worktree_name` finds words in the text, instead of falling back to `task`."""
    return worktree_name(text, ()) != _ANY or _ANY in text.lower()


def branch_conflicts(branch: str, existing: Collection[str]) -> bool:
    """Return True if git could not make the branch: it exists, or one is a folder of the other."""
    wanted = branch.lower()
    for other in existing:
        name = other.lower()
        if name == wanted or name.startswith(f"{wanted}/") or wanted.startswith(f"{name}/"):
            return True
    return False
