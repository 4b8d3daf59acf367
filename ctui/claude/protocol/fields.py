"""Readers of JSON that nobody vouches for: a wrong type is an absent value, never an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec

JsonObject = Mapping[str, Any]

_EMPTY: JsonObject = {}
_LARGEST = 10**15
"""Beyond it no count, price or time of ours lies, and a float still holds every integer."""


def json_object(line: str | bytes) -> dict[str, Any] | None:
    """Return the JSON object that a line holds, or None if it holds anything else.

    A lone surrogate becomes U+FFFD. JavaScript writes one, as an escape, wherever it cut a string
    in the middle of a character, and a strict decoder would lose the whole line with it.
    """
    try:
        value = msgspec.json.decode(line)
    except (ValueError, RecursionError):
        value = _with_lone_surrogates(line)
    return value if isinstance(value, dict) else None


def text(value: JsonObject, key: str) -> str:
    """Return a string, also where a number stands for one; else ""."""
    found = value.get(key)
    if isinstance(found, str):
        return found
    return str(number(value, key)) if isinstance(found, int | float) else ""


def number(value: JsonObject, key: str) -> float:
    """Return a number, also where a numeric string stands for one; else 0."""
    found = value.get(key)
    if isinstance(found, str):
        try:
            found = float(found[:32])
        except ValueError:
            return 0
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0
    return found if -_LARGEST < found < _LARGEST else 0


def integer(value: JsonObject, key: str) -> int:
    return int(number(value, key))


def optional_integer(value: JsonObject, key: str) -> int | None:
    """Return an integer, or None where nothing usable stands: 0 may be a real exit status."""
    found = value.get(key)
    usable = isinstance(found, int | float | str) and not isinstance(found, bool)
    return integer(value, key) if usable else None


def mapping(value: JsonObject, key: str) -> JsonObject:
    found = value.get(key)
    return found if isinstance(found, dict) else _EMPTY


def mappings(value: JsonObject, key: str) -> list[JsonObject]:
    """Return the objects of a list; whatever else is in it is left out."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def texts(value: JsonObject, key: str) -> tuple[str, ...]:
    """Return the strings of a list; whatever else is in it is left out."""
    found = value.get(key)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()


def _with_lone_surrogates(line: str | bytes) -> object:
    if isinstance(line, bytes):
        line = line.decode("utf-8", "replace")
    try:
        plain = json.dumps(json.loads(line), ensure_ascii=False, allow_nan=False)
        return msgspec.json.decode(
            plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
    except (ValueError, RecursionError):
        return None
