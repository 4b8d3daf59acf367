"""Hunks of a patch that git wrote, as bytes: whatever is in the files is hostile."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

Mark = Literal[" ", "-", "+"]

MOST_LINES = 20_000
"""Lines of one file that are kept; of the rest only their number."""

_FILE = b"diff --git "
_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)")
_MARKS: dict[int, Mark] = {ord(" "): " ", ord("-"): "-", ord("+"): "+"}
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPED = {
    b"a": b"\a",
    b"b": b"\b",
    b"t": b"\t",
    b"n": b"\n",
    b"v": b"\v",
    b"f": b"\f",
    b"r": b"\r",
    b'"': b'"',
    b"\\": b"\\",
}


class HunkLine(NamedTuple):
    """A line with its mark: there before, there after, or both."""

    mark: Mark
    text: bytes
    """Without its line feed."""
    ended: bool = True
    """False for the end of a file that has no line feed there."""


class Hunk(NamedTuple):
    """A piece of a file around changes."""

    old_start: int
    """Number of its first line before the change; of the line above it where it has none."""
    new_start: int
    heading: bytes
    """Line that git takes for the head of the function that it is in."""
    lines: Sequence[HunkLine]


class Patch(NamedTuple):
    """Changes within one file."""

    hunks: tuple[Hunk, ...] = ()
    binary: bool = False
    left_out: int = 0
    """Lines that were too many to be kept."""


def parse_patches(data: bytes) -> dict[bytes, Patch]:
    """Return the patches of files by path, as `git diff-tree -p --no-renames` writes them.

    What is no patch is skipped. A path whose kind changed comes in two parts, which are joined.
    """
    lines = data.split(b"\n")
    found: dict[bytes, Patch] = {}
    place = 0
    while place < len(lines):
        if not lines[place].startswith(_FILE):
            place += 1
            continue
        path = path_of(lines[place])
        patch, place = _parse_file(lines, place + 1)
        before = found.get(path)
        if before is not None:
            patch = Patch(
                before.hunks + patch.hunks,
                before.binary or patch.binary,
                before.left_out + patch.left_out,
            )
        found[path] = patch
    return found


def parse_patch(data: bytes) -> Patch:
    """Return the only patch of an output, whatever it is called there."""
    return next(iter(parse_patches(data).values()), Patch())


def path_of(line: bytes) -> bytes:
    """Return the path that a line `diff --git a/P b/P` names twice."""
    both = line.removeprefix(_FILE)
    name = both[: (len(both) - 1) // 2]
    if name.startswith(b'"') and name.endswith(b'"'):
        name = _ESCAPE.sub(_unescaped, name[1:-1])
    return name.removeprefix(b"a/")


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return _ESCAPED[code] if code in _ESCAPED else bytes([int(code, 8)])


def _parse_file(lines: list[bytes], place: int) -> tuple[Patch, int]:
    """Parse what is below the first line of a file; return it and where the next one may begin."""
    hunks: list[Hunk] = []
    binary, room, left_out = False, MOST_LINES, 0
    while place < len(lines) and not lines[place].startswith(_FILE):
        match = _HUNK.fullmatch(lines[place])
        binary = binary or lines[place].startswith((b"Binary files ", b"GIT binary patch"))
        place += 1
        if match is None:
            continue
        counts = [1 if match[group] is None else int(match[group]) for group in (2, 4)]
        # The counts say how far it goes: a line within may look like the head of the next file.
        body, more, place = _parse_body(lines, place, *counts, room=room)
        left_out += more
        room -= len(body)
        if body:
            hunks.append(Hunk(int(match[1]), int(match[3]), match[5], body))
    return Patch(tuple(hunks), binary, left_out), place


def _parse_body(
    lines: list[bytes], place: int, old: int, new: int, *, room: int
) -> tuple[list[HunkLine], int, int]:
    """Return the lines of a hunk, as many as there is room for; the number of others; its end."""
    body: list[HunkLine] = []
    left_out = 0
    while place < len(lines):
        line = lines[place]
        if line.startswith(b"\\"):
            if body and not left_out:
                body[-1] = body[-1]._replace(ended=False)
        elif old > 0 or new > 0:
            # A setting of the person's has git leave out the blank of an empty line.
            mark = _MARKS.get(line[0]) if line else " "
            if mark is None:
                break
            old -= mark != "+"
            new -= mark != "-"
            if len(body) < room:
                body.append(HunkLine(mark, line[1:]))
            else:
                left_out += 1
        else:
            break
        place += 1
    return body, left_out, place
