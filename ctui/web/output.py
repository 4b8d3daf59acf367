"""A task's output as `claude -p --output-format stream-json` writes it, from its journal.

The CLI's own lines, one JSON object each, without its dialogue with the driver. Each turn ends with
a line `__CLAUDE_EXIT_CODE_N__`: 0, or 1 for a turn that failed, or what the CLI's process ended
with if it ended in the middle of one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.tasks.journal.archive import Entry, read_entries

_INTERNAL = ('{"type":"control_', '{"type":"system","subtype":"session_state_changed"')
_RESULT = '{"type":"result"'
_SYSTEM = '{"type":"system"'
_ENDED = re.compile(r'\{"kind":"ended",.*\(exit code (\w+)\)')
_BLOCK = 1 << 16
_PIECE = 1 << 18


class Recent(NamedTuple):
    """The end of an output."""

    text: str
    turn_end: int | None
    """End of the last turn, in nanoseconds since the epoch, if that is a part of it."""


class _Result(msgspec.Struct):
    is_error: bool = False


class _Turns:
    """Maker of lines from entries, which knows whether a turn is open."""

    def __init__(self, *, is_open: bool = False) -> None:
        self.ended: int | None = None
        self._open = is_open

    def lines(self, entry: Entry) -> list[str]:
        line = entry.line
        if entry.stream == "ctui":
            found = _ENDED.match(line) if self._open else None
            return [self._end(entry, found.group(1))] if found else []
        if not _shown(entry):
            return []
        if line.startswith(_RESULT):
            return [line, self._end(entry, "1" if _failed(line) else "0")]
        if not line.startswith(_SYSTEM):
            self._open, self.ended = True, None
        return [line]

    def _end(self, entry: Entry, code: str) -> str:
        self._open, self.ended = False, entry.t
        return f"__CLAUDE_EXIT_CODE_{code if code.isdigit() else 1}__"


def recent_output(path: Path, lines: int, limit: int) -> Recent:
    """Return the last `lines` lines, or as many as `limit` bytes of the journal have."""
    start, is_open = _start_of(path, lines, limit)
    turns = _Turns(is_open=is_open)
    found: list[str] = []
    for entry in read_entries(path, start):
        found += turns.lines(entry)
    return Recent("".join(f"{line}\n" for line in found[-lines:]), turns.ended)


def whole_output(path: Path, lines: int | None = None) -> Iterator[bytes]:
    """Yield all lines, or the last ones, in pieces: an output may be larger than the memory.

    Raises:
        Unavailable: the journal cannot be read.
    """
    if lines is None:
        yield from _pieces(path, 0, 0)
        return
    start, _ = _start_of(path, lines)  # its first line decides
    end = path.stat().st_size if path.exists() else 0
    turns = _Turns()
    count = sum(len(turns.lines(entry)) for entry in read_entries(path, start, end))
    yield from _pieces(path, start, max(0, count - lines), end)


def _pieces(path: Path, start: int, skip: int, end: int | None = None) -> Iterator[bytes]:
    turns = _Turns()
    piece: list[bytes] = []
    size = 0
    for entry in read_entries(path, start, end):
        for line in turns.lines(entry):
            if skip:
                skip -= 1
                continue
            piece.append(line.encode("utf-8", "replace") + b"\n")
            size += len(piece[-1])
        if size >= _PIECE:
            yield b"".join(piece)
            piece, size = [], 0
    yield b"".join(piece)


def _start_of(path: Path, lines: int, limit: int | None = None) -> tuple[int, bool]:
    """Return an offset with at least so many lines behind it, and True if a turn is open there."""
    count = size = 0
    start: int | None = None
    for offset, raw in _lines_from_end(path):
        size += len(raw)
        if start is None and limit is not None and count and size > limit:
            start = offset + len(raw)
        try:
            entry = msgspec.json.decode(raw, type=Entry)
        except msgspec.DecodeError:
            continue
        if not _shown(entry):
            if start is not None and entry.stream == "ctui" and _ENDED.match(entry.line):
                return start, False
            continue
        ends_turn = entry.line.startswith(_RESULT)
        decides = not entry.line.startswith(_SYSTEM)
        if start is not None and decides:
            return start, not ends_turn
        count += 2 if ends_turn else 1
        if count >= lines and decides:
            return offset, False
    return start or 0, False


def _lines_from_end(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield each whole line with its offset, the last one first."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return
    with file:
        position = file.seek(0, 2)
        block = _BLOCK
        tail: bytes | None = None
        while position > 0:
            size = min(block, position)
            position -= size
            file.seek(position)
            data = file.read(size)
            if tail is not None:
                data += tail
            else:
                # The driver may be in the middle of writing the last line.
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    continue
            cut = data.find(b"\n") + 1 if position else 0
            tail = data[:cut]
            if cut == len(data):
                block *= 2
                continue
            offset = position + len(data)
            for line in reversed(data[cut:-1].split(b"\n")):
                offset -= len(line) + 1
                yield offset, line + b"\n"


def _shown(entry: Entry) -> bool:
    # What is no JSON object, a process of the task wrote past the CLI.
    line = entry.line
    return entry.stream == "out" and line.startswith("{") and not line.startswith(_INTERNAL)


def _failed(line: str) -> bool:
    try:
        return msgspec.json.decode(line, type=_Result).is_error
    except msgspec.DecodeError:
        return True
