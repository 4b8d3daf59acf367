"""The fields of a form that an MCP server of a task wants filled in. Pure.

A form is a flat JSON schema of strings, numbers, booleans and choices (Model Context Protocol,
"Elicitation"). It comes from a task, so whatever has not that shape is a field for a text.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from ctui.claude import fields
from ctui.errors import InvalidInput
from ctui.text import one_line

Kind = Literal["text", "number", "integer", "boolean", "choice", "choices"]

_MOST_FIELDS = 50
_YES_AND_NO = {"yes": True, "no": False}


class FormField(NamedTuple):
    """One thing to fill in."""

    name: str
    about: str
    """Title and description; nothing is sanitised."""
    kind: Kind
    choices: Mapping[str, Any]
    """What a person reads -> the value it stands for."""
    required: bool
    schema: fields.JsonObject

    def value(self, text: str) -> Any:
        """What a typed or chosen text means; None leaves the field out.

        Raises:
            InvalidInput: with what would fit.
        """
        shown = one_line(self.name, 80)
        if not text:
            if "default" in self.schema:
                return self.schema["default"]
            if self.required:
                raise InvalidInput(f"{shown} is needed", hint="write it, or decline")
            return None
        match self.kind:
            case "choice" | "boolean":
                if text not in self.choices:
                    raise InvalidInput(f"{shown} is a choice", hint=" / ".join(self.choices))
                return self.choices[text]
            case "choices":
                return list(self._several(text))
            case "number" | "integer":
                return self._number(text)
        least = fields.integer(self.schema, "minLength")
        most = fields.optional_integer(self.schema, "maxLength")
        if len(text) < least or (most is not None and len(text) > most):
            raise InvalidInput(
                f"{shown} has {len(text)} characters",
                hint=f"at least {least}" if len(text) < least else f"at most {most}",
            )
        return text

    def _number(self, text: str) -> int | float:
        shown = one_line(self.name, 80)
        try:
            number = int(text) if self.kind == "integer" else float(text)
        except ValueError:
            kind = "a whole number" if self.kind == "integer" else "a number"
            raise InvalidInput(f"{shown} is {kind}", hint="write digits only") from None
        least, most = (self.schema.get(key) for key in ("minimum", "maximum"))
        low = isinstance(least, int | float) and number < least
        high = isinstance(most, int | float) and number > most
        if low or high or not math.isfinite(number):
            raise InvalidInput(
                f"{shown} is out of range", hint=f"at least {least}" if low else f"at most {most}"
            )
        return number

    def _several(self, text: str) -> Iterator[Any]:
        """The values of labels written `A, B`; a label may have a comma in it."""
        rest = text
        while rest:
            fitting = [
                label for label in self.choices if rest == label or rest.startswith(f"{label}, ")
            ]
            if not fitting:
                shown = one_line(self.name, 80)
                raise InvalidInput(f"{shown} takes choices", hint=" / ".join(self.choices))
            label = max(fitting, key=len)
            yield self.choices[label]
            rest = rest[len(label) + 2 :]


def form_fields(schema: fields.JsonObject) -> list[FormField]:
    """The fields of a form, in its order; more than 50 are no form for a person."""
    required = fields.texts(schema, "required")
    properties = fields.mapping(schema, "properties")
    return [
        _field(name, inner if isinstance(inner, dict) else {}, required=name in required)
        for name, inner in list(properties.items())[:_MOST_FIELDS]
    ]


def form_content(wanted: list[FormField], answers: Mapping[str, str]) -> dict[str, Any]:
    """What the server gets for texts by field name.

    Raises:
        InvalidInput: a text does not fit, or there is no such field.
    """
    names = [field.name for field in wanted]
    if unknown := [name for name in answers if name not in names]:
        raise InvalidInput(
            f"the form has no field {one_line(unknown[0], 80)!r}",
            hint="its fields are " + ", ".join(one_line(name, 80) for name in names),
        )
    values = {field.name: field.value(answers.get(field.name, "")) for field in wanted}
    return {name: value for name, value in values.items() if value is not None}


def _field(name: str, schema: fields.JsonObject, *, required: bool) -> FormField:
    parts = [fields.text(schema, "title"), fields.text(schema, "description")]
    kind, choices = _kind(schema)
    about = " - ".join(part for part in parts if part)
    return FormField(name, about, kind, choices, required, schema)


def _kind(schema: fields.JsonObject) -> tuple[Kind, Mapping[str, Any]]:
    if choices := _choices(schema):
        return "choice", choices
    match fields.text(schema, "type"):
        case "boolean":
            return "boolean", _YES_AND_NO
        case "integer":
            return "integer", {}
        case "number":
            return "number", {}
        case "array" if choices := _choices(fields.mapping(schema, "items")):
            return "choices", choices
    return "text", {}


def _choices(schema: fields.JsonObject) -> dict[str, Any]:
    values = schema.get("enum")
    if isinstance(values, list):
        names = fields.texts(schema, "enumNames")
        labels = names if len(names) == len(values) else tuple(map(str, values))
        return dict(zip(labels, values, strict=True))
    for key in ("oneOf", "anyOf"):
        named = [item for item in fields.mappings(schema, key) if "const" in item]
        titles = (fields.text(item, "title") or str(item["const"]) for item in named)
        if named:
            return dict(zip(titles, (item["const"] for item in named), strict=True))
    return {}
