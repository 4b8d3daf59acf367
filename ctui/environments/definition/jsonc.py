"""JSON with comments and trailing commas, as devcontainer.json is written.

Comments and commas become blanks of the same length, so that a problem keeps its line, and Python's
own parser does the rest.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ctui.errors import InvalidInput
from ctui.text import one_line

_PIECE = re.compile(
    r'"(?:[^"\\]|\\.?)*+"?'  # a text, in which nothing is a comment
    r"|//[^\n]*|/\*.*?(?:\*/|\Z)"  # one that is not closed is one piece too: linear time
    r"|[,\]}]|\s+|[^\s\"/,\]}]+|.",
    re.DOTALL,
)
_NO_TEXT = re.compile(r"[^\n]")


def parse_jsonc(text: str, file: str) -> dict[str, Any]:
    """Return the object that a text holds.

    Args:
        text: of the file.
        file: as the person knows it.

    Raises:
        InvalidInput: with the line that is wrong.
    """
    try:
        value = json.loads(_plain(text.removeprefix("\ufeff")), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        said = one_line(error.msg[:1].lower() + error.msg[1:], 100)
        raise InvalidInput(
            f"{file}:{error.lineno}: is not JSON: {said}", hint="mend that line"
        ) from error
    except (RecursionError, ValueError) as error:
        said = "too deeply nested" if isinstance(error, RecursionError) else one_line(str(error))
        raise InvalidInput(f"{file}: is not JSON that can be read: {said}") from error
    if not isinstance(value, dict):
        raise InvalidInput(f"{file}: holds no object", hint="write { … }")
    return value


def _plain(text: str) -> str:
    """Return the text without comments, and without a comma that stands before a bracket."""
    pieces: list[str] = []
    comma = -1
    for match in _PIECE.finditer(text):
        piece = match.group()
        if piece.startswith("//") or (piece.startswith("/*") and piece[2:].endswith("*/")):
            piece = _NO_TEXT.sub(" ", piece)
        elif piece == ",":
            comma = len(pieces)
        elif piece in {"]", "}"} and comma >= 0:
            pieces[comma] = " "
            comma = -1
        elif not piece.isspace():
            comma = -1
        pieces.append(piece)
    return "".join(pieces)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
