"""Line numbers of the keys in a TOML text, which the standard parser does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"""(?:""?)?'  # up to two more quotes belong to the text (TOML 1.0)
    r"|'''(?:[^']|'(?!''))*'''(?:''?)?"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
    r"|\#[^\n]*"
    r"|[\[\]{}=,.\n]"
    r"|[^\s\[\]{}=,.\#\"']+",
    re.DOTALL,
)

Path = tuple[str, ...]

_DEPTH = 3
"""Parts of a key that are told apart; no setting has a deeper key."""


class _Statement(NamedTuple):
    """One statement: its tokens up to the value, and the line in which it begins."""

    line: int
    tokens: list[str]


def lines_of(text: str) -> dict[Path, int]:
    """Return keys and tables with their first line, counted from 1. The text must be valid TOML.

    A key inside an inline table is missing; its parent is there.
    """
    found: dict[Path, int] = {}
    table: Path = ()
    for line, tokens in _statements(text):
        if tokens[0] == "[":
            table = _parts(word for word in tokens if word not in {"[", "]"})
            key: Path = ()
        else:
            key = _parts(iter(tokens[: tokens.index("=")] if "=" in tokens else tokens))
        path = (*table, *key)[:_DEPTH]
        for length in range(1, len(path) + 1):
            found.setdefault(path[:length], line)
    return found


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """Return the line of a key, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _statements(text: str) -> Iterator[_Statement]:
    line, depth = 1, 0
    begun: _Statement | None = None
    for match in _TOKEN.finditer(text):
        word = match.group()
        if word == "\n" and depth == 0:
            if begun is not None:
                yield begun
            begun = None
        elif word != "\n" and word[0] != "#":
            begun = begun or _Statement(line, [])
            begun.tokens.append(word)
            # The brackets of a table's header do not open a value that spans lines.
            if "=" in begun.tokens:
                depth += (word in {"[", "{"}) - (word in {"]", "}"})
        line += word.count("\n")
    if begun is not None:
        yield begun


def _parts(tokens: Iterator[str]) -> Path:
    return tuple(_plain(word) for word in tokens if word != ".")


def _plain(word: str) -> str:
    if word[0] not in "\"'":
        return word
    try:
        return str(tomllib.loads(f"key = {word}")["key"])
    except tomllib.TOMLDecodeError:
        return word
