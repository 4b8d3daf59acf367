"""What a tool wants to do, as a person says it."""

from __future__ import annotations

_VERBS = {
    "Edit": "edit",
    "Glob": "search",
    "Grep": "search",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Read": "read",
    "WebFetch": "fetch",
    "WebSearch": "search",
    "Write": "write",
}


def wish(tool: str) -> str:
    """`Bash wants to run`; the name is not sanitised."""
    return f"{tool} wants to {_VERBS.get(tool, 'run')}"
