"""Sources of a Dockerfile: files of its context, and addresses that the engine would fetch."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ctui.errors import Refused
from ctui.text import one_line

_DIRECTIVE = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.+?)\s*$")
_WORDS = re.compile(r"^\s*(?:ONBUILD\s+)?(COPY|ADD)\s+(.*)$", re.IGNORECASE | re.DOTALL)
_FETCHED = re.compile(r"://|^[\w.-]+@.*:|[$\"'\\`]")
"""Address, or a word that is another one when quotes and variables are taken out of it."""
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}$]*))?\})")
_QUOTED = re.compile(r"^([\"'])([^\"'\\]*)\1$")
_UNKNOWN = re.compile(r"[^\w./:@+\[\]-]|^$", re.ASCII)
"""Signs that no name of an image has: it is not what the engine makes of it."""


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


def bases(text: str, arguments: Mapping[str, str], target: str = "") -> list[str]:
    """Return the images that the stages of a Dockerfile begin with.

    Args:
        text: of the Dockerfile.
        arguments: of the build.
        target: the stage that is built, behind which nothing counts; the last one if it is empty.

    Raises:
        Refused: one is written so that it cannot be known beforehand.
    """
    found: dict[str, None] = {}
    for twice in (False, True):
        for number, (image, name) in enumerate(_stages(text, arguments, twice=twice)):
            if image:
                found[image] = None
            if target and target.lower() in {name, str(number)}:
                break
    return list(found)


def _stages(text: str, arguments: Mapping[str, str], *, twice: bool) -> Iterator[tuple[str, str]]:
    """Yield the image that each stage begins with, "" for another stage, and the stage's name."""
    known: dict[str, str] = {}
    names = {"scratch"}
    begun = False

    def put(written: str) -> str:
        plain = _QUOTED.sub(r"\2", written)
        return _VARIABLE.sub(lambda one: known.get(one[1] or one[2], "") or one[3] or "", plain)

    for line in _instructions(text, twice=twice):
        instruction, *words = line.split() or [""]
        if instruction.upper() == "ARG" and not begun:
            for word in words:
                name, _, default = word.partition("=")
                known[name] = arguments.get(name, put(default))
        elif instruction.upper() == "FROM":
            begun = True
            image, *named = [word for word in words if not word.startswith("--")] or [""]
            image, name = put(image), "".join(named[1:2]).lower()
            if _UNKNOWN.search(image):
                raise Refused(
                    f"FROM {one_line(image, 60)}: which image that is shows only when it is built",
                    hint="name it plainly, or by ${ARGUMENT}",
                )
            yield "" if image.lower() in names else image, name
            names.add(name)


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
