"""Variables of a compose file (docs.docker.com/reference/compose-file/interpolation).

Their values are those of the `.env` beside the compose file in the commit, and nothing else: a
repository does not read the person's environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ctui.errors import InvalidInput
from ctui.text import one_line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPERATOR = re.compile(r":?[-?+]")
_DEPTH = 8
_LONGEST = 1 << 15


class Interpolation:
    """Puts variables in, and notes those that have no value."""

    def __init__(self, values: Mapping[str, str], file: str) -> None:
        self._values = values
        self._file = file
        self.missing: dict[str, None] = {}
        """Names without a value, of which the default counts, or nothing."""

    def put(self, value: Any) -> Any:
        """Return a value with the variables in its texts put in; keys stay as they are.

        Raises:
            InvalidInput: a variable is written wrongly, or has to have a value and has none.
        """
        if isinstance(value, str):
            return self._text(value, 0)
        if isinstance(value, list):
            return [self.put(one) for one in value]
        if isinstance(value, dict):
            return {key: self.put(one) for key, one in value.items()}
        return value

    def _text(self, text: str, depth: int) -> str:
        if "$" not in text:
            return text
        if depth > _DEPTH:
            raise self._wrong(text)
        said, position = [], 0
        while (sign := text.find("$", position)) >= 0:
            said.append(text[position:sign])
            value, position = self._variable(text, sign + 1, depth)
            said.append(value)
        whole = "".join((*said, text[position:]))
        if len(whole) > _LONGEST:
            raise InvalidInput(f"{self._file}: a value is longer than {_LONGEST >> 10} KB")
        return whole

    def _variable(self, text: str, start: int, depth: int) -> tuple[str, int]:
        """Return the value of what stands behind a sign, and where that ends."""
        if text.startswith("$", start):
            return "$", start + 1
        if plain := _NAME.match(text, start):
            return self._value(plain[0]), plain.end()
        name = _NAME.match(text, start + 1) if text.startswith("{", start) else None
        end = _closing(text, start)
        if name is None or end is None:
            raise self._wrong(text)
        operator = _OPERATOR.match(text, name.end())
        if operator is None:
            if name.end() != end:
                raise self._wrong(text)
            return self._value(name[0]), end + 1
        return self._chosen(name[0], operator[0], text[operator.end() : end], depth), end + 1

    def _chosen(self, name: str, operator: str, word: str, depth: int) -> str:
        """Return a variable's value, or what stands for it."""
        value = self._values.get(name)
        given = bool(value) if operator.startswith(":") else value is not None
        if operator.endswith("+"):
            return self._text(word, depth + 1) if given else ""
        if given:
            return value or ""
        if operator.endswith("?"):
            raise InvalidInput(
                f"{self._file}: ${{{name}}} has no value ({one_line(word, 80)})",
                hint="give it one in the .env beside it, and commit that",
            )
        self.missing[name] = None
        return self._text(word, depth + 1)

    def _value(self, name: str) -> str:
        if name not in self._values:
            self.missing[name] = None
        return self._values.get(name, "")

    def _wrong(self, text: str) -> InvalidInput:
        return InvalidInput(
            f"{self._file}: {one_line(text, 60)!r} has a variable that cannot be read",
            hint="write ${NAME}, or $$ for the sign itself",
        )


def _closing(text: str, start: int) -> int | None:
    """Return the place of the brace that closes the one at `start`, or None."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "{":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if not depth:
                return place
    return None
