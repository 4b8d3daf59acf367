"""JSON with the line of every value, for messages that say where something is wrong."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, NamedTuple

from ctui.errors import InvalidInput

Path = tuple[str | int, ...]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class Document(NamedTuple):
    """A parsed text and where its parts are."""

    value: Any
    lines: dict[Path, int]
    """The path of each value -> the line of its key, or of itself in a list; from 1."""


def parse(text: str) -> Document:
    """Parse JSON; the same key twice in an object is an error too.

    Raises:
        InvalidInput: it is no JSON; the message ends with the line.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
        lines: dict[Path, int] = {}
        for path, line in _places(text):
            if path in lines:
                raise InvalidInput(f"{dotted(path)} is there twice (line {line})")
            lines[path] = line
    except json.JSONDecodeError as error:
        raise InvalidInput(f"it is not JSON: {error.msg} (line {error.lineno})") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("it is not JSON that can be read") from error
    return Document(value, lines)


def dotted(path: Path) -> str:
    """Return a path as `mcpServers.github.args[0]`; `the file` if it is empty."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


class _Open:
    """An object or list that is not closed yet."""

    def __init__(self, path: Path, *, listing: bool) -> None:
        self.path = path
        self.listing = listing
        self.part: str | int | None = 0 if listing else None
        """Of the value that comes next; None where a key does."""

    def next(self) -> None:
        """Step over a comma: to the next item of a list, or to the next key of an object."""
        self.part = self.part + 1 if isinstance(self.part, int) else None


def _places(text: str) -> Iterator[tuple[Path, int]]:
    """Yield path and line of every value of a text that is JSON."""
    breaks = [match.start() for match in re.finditer("\n", text)]
    stack: list[_Open] = []
    for match in _TOKEN.finditer(text):
        piece, line = match.group(), bisect_right(breaks, match.start()) + 1
        top = stack[-1] if stack else None
        if piece in "}]":
            stack.pop()
        elif piece == "," and top is not None:
            top.next()
        elif top is not None and top.part is None:
            top.part = json.loads(piece)
            yield (*top.path, top.part), line
        elif piece != ":":
            path = () if top is None or top.part is None else (*top.path, top.part)
            if top is None or top.listing:
                yield path, line
            if piece in "{[":
                stack.append(_Open(path, listing=piece == "["))


def _refuse_constant(_name: str) -> None:
    raise ValueError
