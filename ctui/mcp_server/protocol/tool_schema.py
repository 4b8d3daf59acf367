"""JSON schemas of tools, short enough that all of them together leave a model room to think.

An argument keeps every bound that the server checks. A result keeps its fields with their types;
of what lies deeper it has the names.
"""

from __future__ import annotations

from typing import Any

import msgspec

LONGEST = 4096
"""Characters of a name or path (PATH_MAX); what is longer is none."""

_DEFINITIONS = "#/$defs/{name}"
_NAMES = ("title", "description")
_NULL = {"type": "null"}


def input_schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a tool's arguments."""
    schema, definitions = _schema(struct)
    properties = {name: _argument(part) for name, part in schema["properties"].items()}
    kept = {key: value for key, value in schema.items() if value and key not in _NAMES}
    found = {**kept, "properties": properties, "additionalProperties": False}
    return {**found, "$defs": definitions} if definitions else found


def _argument(part: dict[str, Any]) -> dict[str, Any]:
    """Return an argument without what goes without saying; one that may be null can be left out."""
    if part.get("anyOf", [])[1:] == [_NULL]:
        wanted, _ = part.pop("anyOf")
        part = {**wanted, **part}
    if not part.get("default", True):
        del part["default"]
    for text in (part, part.get("items", {})):
        if text.get("maxLength") == LONGEST:  # no path is longer, and no id
            del text["maxLength"]
    return part


def output_schema(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the schema of a tool's result."""
    schema, definitions = _schema(struct)
    fields = {name: _short(part, definitions) for name, part in schema["properties"].items()}
    return {"type": "object", "properties": fields}


def _schema(struct: type[msgspec.Struct]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schema as an object, as MCP wants it, with the definitions that it refers to."""
    _, definitions = msgspec.json.schema_components([struct], ref_template=_DEFINITIONS)
    schema: dict[str, Any] = dict(definitions.pop(struct.__name__))
    return schema, definitions


def _short(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return what a field is, without what lies in it; a text needs no word."""
    if "$ref" in part:
        meant = definitions[part["$ref"].rpartition("/")[2]]
        if "properties" not in meant:
            return _short(meant, definitions)
        return {"type": "object", "description": ", ".join(meant["properties"])}
    if "anyOf" in part:
        shorts = [_short(one, definitions) for one in part["anyOf"]]
        kinds = [short.pop("type", "string") for short in shorts]
        more = {key: value for short in shorts for key, value in short.items()}
        return more if "string" in kinds else {"type": kinds, **more}
    items = part.get("items")
    inner = _short(items, definitions) if isinstance(items, dict) else {}
    kind = part.get("type", "string")
    return {
        **({} if kind == "string" else {"type": kind}),
        **({"items": inner} if inner else {}),
    }
