"""The choices of a form's field: what a person reads of each, and which of them a text names. Pure.

Titles and values come from a task: titles may be equal, empty or full of control characters, and
values any JSON. What was chosen has to be what was seen, so each choice gets a label of its own.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable
from typing import Any

import msgspec

from ctui.text import sanitise

_MOST_PARTS = 200


def labelled(named: Iterable[tuple[str | None, Any]]) -> dict[str, Any]:
    """Titles with their values -> labels with them: sanitised, not empty, no two the same."""
    found: dict[str, Any] = {}
    taken: Counter[str] = Counter()
    for title, value in named:
        first = _plain(title or "") or _written(value)
        label = first
        while label in found:
            taken[first] += 1
            label = f"{first} ({taken[first] + 1})"
        found[label] = value
    return found


def same(one: object, other: object) -> bool:
    """Whether two JSON values are the same and no lists or objects; in Python True is 1 as well."""
    if isinstance(one, list | dict):
        return False
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def listed(text: str) -> list[str] | None:
    """The labels of a JSON list; None if the text is none."""
    try:
        return msgspec.json.decode(text, type=list[str])
    except (ValueError, RecursionError):
        return None


def readings(text: str, labels: Container[str]) -> list[list[str]]:
    """What `A, B` can mean, where a label may have a comma in it: at most two of the ways."""
    parts = text.split(", ")
    if len(parts) > _MOST_PARTS:
        return []
    ways: list[list[list[str]]] = [[] for _ in parts]
    ways.append([[]])
    for start in reversed(range(len(parts))):
        for end in range(start + 1, len(parts) + 1):
            if ways[end] and (label := ", ".join(parts[start:end])) in labels:
                ways[start] += [[label, *rest] for rest in ways[end]]
        del ways[start][2:]
    return ways[0]


def _written(value: object) -> str:
    """A value as a person reads it; what cannot be read as it is, as JSON."""
    if isinstance(value, str) and value and _plain(value) == value:
        return value
    try:
        text = json.dumps(value, ensure_ascii=False)
        return text if _plain(text) == text else json.dumps(value)
    except (ValueError, RecursionError):
        return type(value).__name__


def _plain(text: str) -> str:
    return " ".join(sanitise(text).split())
