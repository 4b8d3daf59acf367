"""The fields of a form that an MCP server of a task wants filled in. Pure.

A form is a flat JSON schema of strings, numbers, booleans and choices (Model Context Protocol,
"Elicitation"). It comes from a task, so whatever has not that shape is a field for a text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

from ctui.claude.protocol import fields
from ctui.errors import InvalidInput
from ctui.tasks.asks.form_choices import labelled, listed, readings, same
from ctui.tasks.asks.limits import MOST_FIELDS
from ctui.text import one_line

Kind = Literal["text", "number", "integer", "boolean", "choice", "choices"]

LEFT_OUT: Final = object()
"""The value of a field that is not sent; None is a value like any other."""

_MOST_DEFAULTS = 50
_HINT_WIDTH = 300
_LARGEST_INTEGER = 2**53 - 1
"""The CLI is JavaScript: a larger one would arrive as another number."""

_YES_AND_NO = {"yes": True, "no": False}


class FormField(NamedTuple):
    """One thing to fill in."""

    name: str
    about: str
    """Title and description; nothing is sanitised."""
    kind: Kind
    choices: Mapping[str, Any]
    """Labels, sanitised and each different -> the values they stand for."""
    required: bool
    schema: fields.JsonObject

    @property
    def optional(self) -> bool:
        """Return True if nothing has to be written."""
        return not self.required or self._default is not LEFT_OUT

    @property
    def hidden(self) -> bool:
        """Return True if the server says that the value is not to be seen."""
        secret = fields.text(self.schema, "format").lower() == "password"
        return secret or self.schema.get("writeOnly") is True

    @property
    def default_text(self) -> str:
        """Return what an empty answer sends, as a person reads it; "" if that is nothing."""
        if (default := self._default) is LEFT_OUT:
            return ""
        if self.kind == "choices":
            return ", ".join(map(self._label, default)) or "none of them"
        return self._label(default)

    def value(self, text: str) -> Any:
        """Return the value that a typed or chosen text means, or `LEFT_OUT`.

        Several choices are a JSON list of their labels, or `A, B` where that has one meaning.

        Raises:
            InvalidInput: with what would fit.
        """
        if not text:
            if not self.optional:
                raise self._problem("is needed", "write it, or decline")
            return self._default
        match self.kind:
            case "choice" | "boolean":
                return self._choice(text)
            case "choices":
                return [self.choices[label] for label in self._several(text)]
            case "number" | "integer":
                return self._number(text)
        if hint := self._length_hint(text):
            raise self._problem(f"has {len(text)} characters", hint)
        return text

    @property
    def _default(self) -> Any:
        """Return the schema's default, or `LEFT_OUT` if the person could not have given it."""
        if "default" not in self.schema or not self._fits(self.schema["default"]):
            return LEFT_OUT
        return self.schema["default"]

    def _fits(self, value: object) -> bool:
        match self.kind:
            case "boolean":
                return isinstance(value, bool)
            case "choice":
                return self._is_choice(value)
            case "choices":
                if not isinstance(value, list) or len(value) > _MOST_DEFAULTS:
                    return False
                return all(self._is_choice(item) for item in value)
            case "text":
                return isinstance(value, str) and not self._length_hint(value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        whole = isinstance(value, int) or self.kind == "number"
        return whole and not self._range_hint(value)

    def _is_choice(self, value: object) -> bool:
        return any(same(value, other) for other in self.choices.values())

    def _label(self, value: object) -> str:
        found = (label for label, other in self.choices.items() if same(value, other))
        return next(found, None) or next(iter(labelled([(None, value)])))

    def _choice(self, text: str) -> Any:
        if text in self.choices:
            return self.choices[text]
        if any(same(text, value) for value in self.choices.values()):
            return text
        raise self._problem("is a choice", " / ".join(self.choices))

    def _several(self, text: str) -> list[str]:
        labels = listed(text)
        if labels is not None and all(label in self.choices for label in labels):
            return list(dict.fromkeys(labels))
        match readings(text, self.choices):
            case [only]:
                return list(dict.fromkeys(only))
            case []:
                raise self._problem("takes choices", " / ".join(self.choices))
        raise self._problem("can be read in two ways", 'write a JSON list: ["A", "B"]')

    def _number(self, text: str) -> int | float:
        try:
            number = int(text) if self.kind == "integer" else float(text)
        except ValueError:
            kind = "a whole number" if self.kind == "integer" else "a number"
            raise self._problem(f"is {kind}", "write digits only") from None
        if hint := self._range_hint(number):
            raise self._problem("is out of range", hint)
        return number

    def _range_hint(self, number: float) -> str:
        """Return a hint for a number that is out of range; "" if it is not."""
        least, most = self._bound("minimum"), self._bound("maximum")
        if least is not None and number < least:
            return f"at least {least}"
        if most is not None and number > most:
            return f"at most {most}"
        if isinstance(number, int):
            return "" if abs(number) <= _LARGEST_INTEGER else "it has too many digits"
        return "" if math.isfinite(number) else "it has to be finite"

    def _bound(self, key: str) -> float | None:
        value = self.schema.get(key)
        usable = isinstance(value, int | float) and not isinstance(value, bool)
        return value if usable else None

    def _length_hint(self, text: str) -> str:
        """Return a hint for a text that is too short or too long; "" if it is neither."""
        least = fields.integer(self.schema, "minLength")
        most = fields.optional_integer(self.schema, "maxLength")
        if len(text) < least:
            return f"at least {least}"
        return f"at most {most}" if most is not None and len(text) > most else ""

    def _problem(self, what: str, hint: str) -> InvalidInput:
        shown = one_line(self.name, 80)
        return InvalidInput(f"{shown} {what}", hint=one_line(hint, _HINT_WIDTH))


def form_fields(schema: fields.JsonObject) -> list[FormField]:
    """Return the fields of a form, in its order."""
    required = fields.texts(schema, "required")
    properties = fields.mapping(schema, "properties")
    return [
        _field(name, inner if isinstance(inner, dict) else {}, required=name in required)
        for name, inner in list(properties.items())[:MOST_FIELDS]
    ]


def form_content(wanted: list[FormField], answers: Mapping[str, str]) -> dict[str, Any]:
    """Return the form's content for the server, from texts by field name.

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
    return {name: value for name, value in values.items() if value is not LEFT_OUT}


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
        titles = names if len(names) == len(values) else (None,) * len(values)
        return labelled(zip(titles, values, strict=True))
    for key in ("oneOf", "anyOf"):
        named = [item for item in fields.mappings(schema, key) if "const" in item]
        if named:
            return labelled((fields.text(item, "title"), item["const"]) for item in named)
    return {}
