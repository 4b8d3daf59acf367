"""Sources of a Dockerfile: files of its context, and addresses that the engine would fetch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from ctui.errors import Refused
from ctui.text import one_line

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_WORDS = re.compile(r"^\s*(?:ONBUILD\s+)?(COPY|ADD)\s+(.*)$", re.IGNORECASE | re.DOTALL)
_FETCHED = re.compile(r"://|^[\w.-]+@.*:|[$\"'\\`]")
"""Address, or a word that is another one when quotes and variables are taken out of it."""


class Copy(NamedTuple):
    """One COPY or ADD of files of the context."""

    instruction: str
    sources: tuple[str, ...]


def copies(text: str) -> list[Copy]:
    """Return every COPY and ADD that takes something of the context.

    Builders do not agree about a line that ends with two signs of escape, so it is read both ways.
    """
    found = []
    for line in (*_instructions(text, twice=False), *_instructions(text, twice=True)):
        match = _WORDS.match(line)
        if match is None:
            continue
        instruction = match[1].upper()
        flags, names = _words(match[2])
        if instruction == "COPY" and any(flag.startswith("--from=") for flag in flags):
            continue
        copy = Copy(instruction, tuple(names[:-1]))
        if copy not in found:
            found.append(copy)
    return found


def refuse_fetching(text: str, file: str) -> None:
    """Refuse an ADD of an address: the engine would fetch it from where the host is.

    Raises:
        Refused: with the source.
    """
    for copy in copies(text):
        for source in copy.sources if copy.instruction == "ADD" else ():
            if _FETCHED.search(source):
                raise Refused(
                    f"{file}: ADD {one_line(source, 60)} would be fetched outside of the seal",
                    hint="use RUN curl, or COPY for files of the repository",
                )


def _instructions(text: str, *, twice: bool) -> Iterator[str]:
    """Yield each instruction as one line, cut as the engine's parser cuts it.

    Args:
        text: of the Dockerfile.
        twice: True where two signs of escape at the end go on with the line too.
    """
    # Lines end with a newline and nothing else, however Python would cut them.
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    escape = re.escape(_escape(lines))
    goes_on = re.compile(rf"{'' if twice else f'(?<!{escape})'}{escape}[ \t]*$")
    waiting = ""
    for line in lines:
        if line.lstrip().startswith("#") or (waiting and not line.strip()):
            continue  # comments and empty lines do not end an instruction
        if goes_on.search(line):
            waiting += goes_on.sub("", line)
            continue
        yield waiting + line
        waiting = ""
    if waiting:
        yield waiting


def _escape(lines: list[str]) -> str:
    """Return the sign of escape: directives stand before everything else, comments too."""
    for line in lines:
        directive = _DIRECTIVE.match(line.lstrip())
        if directive is None:
            break
        if directive[1].lower() == "escape":
            return directive[2]
    return "\\"


def _words(rest: str) -> tuple[list[str], list[str]]:
    """Return an instruction's flags, and its other words."""
    flags = []
    while found := re.match(r"\s*(--\S*)\s+", rest):
        flags.append(found[1])
        rest = rest[found.end() :]
    if rest.lstrip().startswith("["):
        try:
            listed = json.loads(rest)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
            return flags, listed
    return flags, rest.split()
