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
    """Return the values by labels made of their titles: sanitised, not empty, no two the same."""
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
    """Return True for equal JSON values that are no lists or objects; True does not equal 1."""
    if isinstance(one, list | dict):
        return False
    return isinstance(one, bool) is isinstance(other, bool) and one == other


def listed(text: str) -> list[str] | None:
    """Return the labels of a JSON list, or None if the text is none."""
    try:
        return msgspec.json.decode(text, type=list[str])
    except (ValueError, RecursionError):
        return None


def readings(text: str, labels: Container[str]) -> list[list[str]]:
    """Return at most two ways to read `A, B`, where a label may have a comma in it."""
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
    """Return a value as a person reads it, or as JSON if it cannot be shown as it is."""
    if isinstance(value, str) and value and _plain(value) == value:
        return value
    try:
        text = json.dumps(value, ensure_ascii=False)
        return text if _plain(text) == text else json.dumps(value)
    except (ValueError, RecursionError):
        return type(value).__name__


def _plain(text: str) -> str:
    return " ".join(sanitise(text).split())
