"""Bounds of an ask, within which it can be shown, kept and sent back whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ctui.claude.protocol import control

_MOST_DEPTH = 100
_MOST_ANSWER = control.MAX_LINE - control.MARGIN
"""Bytes of the input in the line that allows it, beside which there is room for the rest."""

_MOST_ESCAPED = 4 << 20
"""Bytes that cannot become more than `_MOST_ANSWER`, whatever has to be escaped in them."""

_MOST_QUESTIONS = 256 << 10
_MOST_SCHEMA = 64 << 10
_MOST_SCHEMA_DEPTH = 5
MOST_FIELDS = 100


def input_problem(given: Mapping[str, Any]) -> str:
    """Return why a tool's input can be neither shown nor sent back as it is; "" if it can."""
    if _deeper(given, _MOST_DEPTH):
        return f"its input is nested deeper than {_MOST_DEPTH} levels"
    raw = msgspec.json.encode(given)
    if len(raw) > _MOST_ESCAPED and len(control.escaped(raw)) > _MOST_ANSWER:
        return f"its input is larger than the {_MOST_ANSWER >> 20} MB that an answer can carry"
    return ""


def questions_fit(given: Mapping[str, Any]) -> bool:
    """Return False for questions that no person could be asked one after the other."""
    return not input_problem(given) and len(msgspec.json.encode(given)) <= _MOST_QUESTIONS


def schema_problem(schema: Mapping[str, Any]) -> str:
    """Return why a form is none for a person; "" if it is."""
    if _deeper(schema, _MOST_SCHEMA_DEPTH):
        return f"the form is nested deeper than {_MOST_SCHEMA_DEPTH} levels"
    if len(msgspec.json.encode(schema)) > _MOST_SCHEMA:
        return f"the form is larger than {_MOST_SCHEMA >> 10} KB"
    properties = schema.get("properties")
    if isinstance(properties, dict) and len(properties) > MOST_FIELDS:
        return f"the form has more than {MOST_FIELDS} fields"
    return ""


def _deeper(value: object, most: int) -> bool:
    """Return True if objects are nested deeper; a list counts where it lies in another list."""
    level = _inside(value)
    for _ in range(most):
        if not level:
            return False
        level = [item for one in level for item in _inside(one)]
    return bool(level)


def _inside(one: object) -> list[object]:
    """Return the objects and lists in an object or list, with those of its lists as its own."""
    found: list[object] = []
    for item in one.values() if isinstance(one, dict) else one if isinstance(one, list) else ():
        if isinstance(item, dict):
            found.append(item)
        elif isinstance(item, list):
            found += [inner for inner in item if isinstance(inner, dict | list)]
    return found
