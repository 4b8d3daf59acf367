"""A tool's input as lines: what it does first, in the form in which a person reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ctui.tasks.asks.lines import INDENT, file_lines, flat, text_lines


def input_lines(tool: str, given: Mapping[str, Any]) -> Iterator[str]:
    """Yield all of an input, sanitised; what has not the expected shape as it is."""
    rest = dict(given)
    match tool:
        case "Bash":
            yield from text_lines(_taken(rest, "command"))
        case "Write":
            yield flat(_taken(rest, "file_path"))
            yield from (f"+ {line}" for line in file_lines(_taken(rest, "content")))
        case "Edit":
            yield flat(_taken(rest, "file_path"))
            yield from _change(rest)
            yield from _where(rest)
        case "MultiEdit":
            yield flat(_taken(rest, "file_path"))
            edits = rest.get("edits")
            if isinstance(edits, list) and all(isinstance(edit, dict) for edit in edits):
                for edit in rest.pop("edits"):
                    left = dict(edit)
                    yield from _change(left)
                    yield from _where(left)
                    yield from _members(left)
    yield from _members(rest)


def _members(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        first, *more = text_lines(shown) or [""]
        yield f"{flat(key)}: {first}"
        yield from (INDENT + line for line in more)


def _change(edit: dict[str, Any]) -> Iterator[str]:
    old, new = _taken(edit, "old_string"), _taken(edit, "new_string")
    # That only one of them ends a line is a part of the change.
    alike = not (old and new) or old.endswith("\n") == new.endswith("\n")
    rows = file_lines if alike else text_lines
    yield from (f"- {line}" for line in rows(old))
    yield from (f"+ {line}" for line in rows(new))


def _where(edit: dict[str, Any]) -> Iterator[str]:
    """Say that a change is made wherever it fits; once is what everybody expects."""
    if isinstance(every := edit.get("replace_all"), bool):
        del edit["replace_all"]
        if every:
            yield "wherever it occurs in the file"


def _taken(values: dict[str, Any], key: str) -> str:
    """Take a text out and return it; anything else stays, to be shown as it is."""
    value = values.get(key)
    if not isinstance(value, str):
        return ""
    del values[key]
    return value
