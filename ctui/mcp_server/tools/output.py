"""A task's journal in portions of plain text, each of which says where the next one begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ctui.client.journal.plain import PlainJournal
from ctui.mcp_server.protocol.pages import ROOM, cut_text, wire_size
from ctui.tasks.journal.archive import FILE_NAME, Entry

if TYPE_CHECKING:
    from ctui.client.client import Client

_MOST_BYTES = 4 << 20
"""Bytes of the journal that are read for one portion."""

_ENTRY_ROOM = ROOM // 4
"""Bytes of one entry: a single one does not hide all others."""


class Output(msgspec.Struct, frozen=True):
    """A portion of what a task said and did."""

    lines: list[str]
    next_offset: int
    """Offset at which the next portion begins."""
    more: bool
    """True if there is more already."""
    over: bool = False
    """True if the turn is over: nothing more comes until the task is told something."""


class _Shown(NamedTuple):
    """An entry as lines, cut if it is long."""

    start: int
    end: int
    lines: list[str]


def read_output(folder: Path, offset: int, tail: int) -> Output:
    """Return the portion from `offset` on, or with `tail` the last lines that fit.

    A missing journal is empty.
    """
    path = folder / FILE_NAME
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Output([], 0, more=False)
    if tail:
        lines = [line for entry in _entries(path, size - _MOST_BYTES) for line in entry.lines]
        return Output(_last(lines, tail), size, more=False)
    shown: list[str] = []
    room, end = ROOM, min(offset, size)
    for entry in _entries(path, end):
        room -= wire_size(entry.lines)
        if shown and room < 0:
            break
        shown += entry.lines
        end = entry.end
        if end - offset > _MOST_BYTES:
            break
    return Output(shown, end, more=end < size)


def read_entry(folder: Path, start: int) -> str:
    """Return the whole text of the entry at this byte; "" if there is none."""
    with suppress(FileNotFoundError), (folder / FILE_NAME).open("rb") as file:
        file.seek(start)
        with suppress(msgspec.DecodeError):
            entry = msgspec.json.decode(file.readline(), type=Entry)
            return "\n".join(PlainJournal().lines(entry))
    return ""


def text_portion(text: str, offset: int) -> Output:
    """Return the portion of a text from a character on; its lines, joined, are that part."""
    length = ROOM // 2
    while wire_size(part := text[offset : offset + length].split("\n")) > ROOM:
        length //= 2
    end = min(offset + length, len(text))
    return Output(part if offset < len(text) else [], end, more=end < len(text))


async def follow_output(client: Client, task_id: str, offset: int, seconds: float) -> None:
    """Wait until there is something to read behind `offset`, but not for longer than that."""
    journal = PlainJournal()
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(seconds),
            aclosing(client.follow(task_id, offset)) as batches,
        ):
            async for batch in batches:
                if any(journal.lines(entry) for entry in batch):
                    return


def _last(lines: list[str], count: int) -> list[str]:
    found: list[str] = []
    room = ROOM
    for line in reversed(lines[-count:]):
        room -= wire_size(line) + 2
        if room < 0:
            break
        found.insert(0, line)
    return found


def _entries(path: Path, start: int) -> Iterator[_Shown]:
    """Yield each whole entry; a torn one at the end is not there yet."""
    decode = msgspec.json.Decoder(Entry).decode
    journal = PlainJournal()
    with path.open("rb") as file:
        if start > 0:
            file.seek(start - 1)
            file.readline()
        begin = file.tell()
        while (line := file.readline()).endswith(b"\n"):
            with suppress(msgspec.DecodeError):
                yield _Shown(begin, file.tell(), _cut(journal.lines(decode(line)), begin))
            begin = file.tell()


def _cut(lines: list[str], start: int) -> list[str]:
    """Return the lines of an entry as far as they fit, and a note of how to read the rest."""
    if wire_size(lines) <= _ENTRY_ROOM:
        return lines
    text = "\n".join(lines)
    longest = _ENTRY_ROOM // 2
    while wire_size(text[:longest].split("\n")) > _ENTRY_ROOM:
        longest //= 2
    return cut_text(text, longest, f"get_task_output with of=entry:{start}").split("\n")
