"""A task's journal, read from its end: what is shown first must not wait for what lies far back.

A portion begins behind the end of a turn, where the fold needs to know next to nothing of what was
before. Each further portion is four times as large as all before, so that reading back to the very
start costs little more than reading it once.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.claude.protocol import events, fields
from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.transcript import Transcript
from ctui.tasks.journal.archive import Entry, read_entries
from ctui.tasks.model import Message

FIRST_PORTION = 256 << 10
"""Bytes; some hundred events, many screens."""

_GROWTH = 4
_LONGEST_TURN = 16 << 20
"""Bytes that are searched for the end of a turn; a longer turn is entered somewhere in it."""

_TURN_END = rb'"stream":"out","line":"{\"type\":\"result\"'


class Past(NamedTuple):
    """The archived part of a journal, from `start` to `end` (bytes), folded."""

    transcript: Transcript
    start: int
    end: int

    @property
    def complete(self) -> bool:
        return self.start == 0


def read_past(path: Path, *, size: int = FIRST_PORTION, messages: Collection[Message] = ()) -> Past:
    """Fold about the last `size` bytes of an archive; a missing one is empty.

    Args:
        path: of the archive.
        size: bytes, about.
        messages: of the task: those that were delivered before the portion begins are not shown in
            it, although one that was sent again may be echoed there once more.
    """
    try:
        end = path.stat().st_size
    except FileNotFoundError:
        return Past(Transcript(), 0, 0)
    end = _last_line_end(path, end)
    start, transcript = _beginning(path, end, size, messages)
    for entry in read_entries(path, start, end):
        transcript.feed(decode(entry.line, entry.stream), run=entry.run, time=entry.t)
    return Past(transcript, start, end)


def larger(past: Past) -> int:
    """Return the size (bytes) of a portion that shows more than this one."""
    return (past.end - past.start) * _GROWTH + FIRST_PORTION


def _beginning(
    path: Path, end: int, size: int, messages: Collection[Message]
) -> tuple[int, Transcript]:
    """Return where to begin so that about `size` bytes are read, with the transcript from there."""
    while size < end:
        # One that is closer to the end would leave too little to show.
        found = _first_turn_end(path, end - size, end - size // _GROWTH)
        if found is not None:
            return found[0], _behind(found[1], messages)
        if size >= _LONGEST_TURN:
            return _next_line(path, end - size), Transcript()
        size *= _GROWTH
    return 0, Transcript()


def _first_turn_end(path: Path, start: int, limit: int) -> tuple[int, Entry] | None:
    with path.open("rb") as file:
        file.seek(start)
        file.readline()
        for line in file:
            if file.tell() >= limit:
                return None
            if _TURN_END in line[:200]:
                return file.tell(), msgspec.json.decode(line, type=Entry)
    return None


def _behind(entry: Entry, messages: Collection[Message]) -> Transcript:
    event = decode(entry.line, entry.stream)
    if not isinstance(event, events.Result):
        return Transcript()
    session = fields.text(fields.json_object(entry.line) or {}, "session_id")
    echoed = [message.id for message in messages if (message.delivered or entry.t + 1) <= entry.t]
    return Transcript.behind(event, run=entry.run, session=session, echoed=echoed)


def _next_line(path: Path, offset: int) -> int:
    with path.open("rb") as file:
        file.seek(offset)
        file.readline()
        return file.tell()


def _last_line_end(path: Path, end: int) -> int:
    """Return the offset behind the last whole line: the driver may be in the middle of writing."""
    with path.open("rb") as file:
        position = end
        while position > 0:
            start = max(0, position - (1 << 16))
            file.seek(start)
            found = file.read(position - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            position = start
    return 0
