"""Sources of a Dockerfile: files of its context, and addresses that the engine would fetch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from ctui.errors import Refused
from ctui.text import one_line

_ESCAPE = re.compile(r"^#\s*escape\s*=\s*(\S)\s*$", re.IGNORECASE)
_WORDS = re.compile(r"^\s*(?:ONBUILD\s+)?(COPY|ADD)\s+(.*)$", re.IGNORECASE | re.DOTALL)
_FETCHED = re.compile(r"://|^git@|\$")


class Copy(NamedTuple):
    """One COPY or ADD of files of the context."""

    instruction: str
    sources: tuple[str, ...]


def copies(text: str) -> list[Copy]:
    """Return every COPY and ADD that takes something of the context."""
    found = []
    for line in _instructions(text):
        match = _WORDS.match(line)
        if match is None:
            continue
        words = _words(match[2])
        if any(word.startswith("--from=") for word in words):
            continue
        names = [word for word in words if not word.startswith("--")]
        found.append(Copy(match[1].upper(), tuple(names[:-1])))
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


def _instructions(text: str) -> Iterator[str]:
    lines = text.splitlines()
    escape = "\\"
    for line in lines:
        if found := _ESCAPE.match(line):
            escape = found[1]
        elif not line.startswith("#"):
            break
    waiting = ""
    for line in lines:
        if line.lstrip().startswith("#"):
            continue
        if line.rstrip().endswith(escape):
            waiting += line.rstrip()[: -len(escape)] + " "
            continue
        yield waiting + line
        waiting = ""
    if waiting:
        yield waiting


def _words(rest: str) -> list[str]:
    flags = []
    while found := re.match(r"\s*(--\S+)\s+", rest):
        flags.append(found[1])
        rest = rest[found.end() :]
    if rest.lstrip().startswith("["):
        try:
            listed = json.loads(rest)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(word, str) for word in listed):
            return flags + listed
    return flags + rest.split()
