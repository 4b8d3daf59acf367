"""A task's journal in portions of plain text, each of which says where the next one begins."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.client.plain import PlainJournal
from ctui.tasks.journal import FILE_NAME, Entry

if TYPE_CHECKING:
    from ctui.client import Client

_MOST_CHARACTERS = 60_000
"""Of one portion: more than a model should read at once."""

_MOST_BYTES = 4 << 20
"""Of the journal, read for one portion."""


class Output(msgspec.Struct, frozen=True):
    """A portion of what a task said and did."""

    lines: list[str]
    next_offset: int
    """Where the next portion begins."""
    more: bool
    """Whether there is more already."""
    over: bool = False
    """Whether the turn is over: nothing more comes until the task is told something."""


def read_output(folder: Path, offset: int, tail: int) -> Output:
    """The portion from `offset` on, or with `tail` the last lines; a missing journal is empty."""
    path = folder / FILE_NAME
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return Output([], 0, more=False)
    if tail:
        lines = [line for _, found in _entries(path, max(0, size - _MOST_BYTES)) for line in found]
        return Output(lines[-tail:], size, more=False)
    shown: list[str] = []
    length, end = 0, min(offset, size)
    for after, found in _entries(path, end):
        shown += found
        length += sum(map(len, found))
        end = after
        if length > _MOST_CHARACTERS or end - offset > _MOST_BYTES:
            break
    return Output(shown, end, more=end < size)


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


def _entries(path: Path, start: int) -> Iterator[tuple[int, list[str]]]:
    """Where each whole entry ends, and its lines; a torn one at the end is not there yet."""
    decode = msgspec.json.Decoder(Entry).decode
    journal = PlainJournal()
    with path.open("rb") as file:
        if start:
            file.seek(start - 1)
            file.readline()
        while (line := file.readline()).endswith(b"\n"):
            with suppress(msgspec.DecodeError):
                yield file.tell(), journal.lines(decode(line))
