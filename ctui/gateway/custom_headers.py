"""Headers that a company's gateway wants, as ANTHROPIC_CUSTOM_HEADERS has them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ctui.errors import InvalidInput

CUSTOM_HEADERS = "ANTHROPIC_CUSTOM_HEADERS"
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
"""A token (RFC 9110, 5.6.2)."""
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]{0,8190}[\x21-\x7e])?")
_OF_THE_CONNECTION = {"host", "connection", "content-length", "transfer-encoding", "upgrade", "te"}
_MOST = 50


def custom_headers(text: str) -> tuple[tuple[str, str], ...]:
    """Return the headers of a text with a `Name: value` in each line; the CLI reads it so, too.

    Raises:
        InvalidInput: a line is none. The message has its number and nothing of its value.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        if not (colon and _NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise InvalidInput(
                f"line {number} of ANTHROPIC_CUSTOM_HEADERS is no header",
                hint="write `Name: value`, one in each line",
            )
        if name.lower() in _OF_THE_CONNECTION:
            raise InvalidInput(f"ANTHROPIC_CUSTOM_HEADERS cannot set {name}", hint="leave it out")
        found.append((name, value))
    if len(found) > _MOST:
        raise InvalidInput(f"ANTHROPIC_CUSTOM_HEADERS has more than {_MOST} headers")
    return tuple(found)


def custom_headers_text(headers: Iterable[tuple[str, str]]) -> str:
    """Return the text that `custom_headers` reads as these headers."""
    return "\n".join(f"{name}: {value}" for name, value in headers)
