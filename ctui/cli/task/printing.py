"""A task's journal on a plain terminal, as it grows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import is_partial
from ctui.claude.protocol.silence import SILENT_SECONDS, Silence, silence_text
from ctui.cli.output import json_text, warn
from ctui.client.journal.plain import PlainJournal
from ctui.errors import CtuiError
from ctui.tasks.journal.archive import FILE_NAME, Entry, read_entries
from ctui.tasks.model import TaskState

if TYPE_CHECKING:
    from ctui.client.client import Client


class Turn(NamedTuple):
    """A turn to follow."""

    task: str
    start: int = 0
    """The byte of the journal where printing begins."""
    message: str = ""
    """The id of the message that begins it; "" for a turn that has begun, or begins by itself."""
    echoed: frozenset[str] = frozenset()
    """Messages that were taken before: one that is sent again is not printed."""
    costs_before: Mapping[int, float] = MappingProxyType({})
    """The task's cost when a run began, by the run's number."""


class Printer:
    """Printer of a journal as it grows, which knows how far it came."""

    def __init__(self, client: Client, turn: Turn, *, as_json: bool) -> None:
        self._client = client
        self._turn = turn
        self._as_json = as_json
        self._journal = PlainJournal(turn.echoed, turn.costs_before)
        self._silence = Silence()
        self._silent = 0
        self._printed = 0

    @property
    def failure(self) -> str:
        """Return what was printed of the turn's failure, as one line."""
        return "" if self._as_json else self._journal.failure

    async def follow(self) -> None:
        """Print everything from the start, and go on as it grows."""
        async for batch in self._client.follow(self._turn.task, self._turn.start):
            for entry in batch:
                self._print(entry)

    async def until_ended(self) -> None:
        """Print everything until the task has ended."""
        printing = asyncio.create_task(self.follow())
        try:
            async for update in self._client.watch(self._turn.task):
                if update.removed or (update.task and update.task.state is TaskState.ENDED):
                    break
        finally:
            await cancel(printing)
        self.finish()

    def finish(self) -> None:
        """Print what is in the archive and did not reach us live."""
        archive = self._client.paths.task(self._turn.task) / FILE_NAME
        for number, entry in enumerate(read_entries(archive, self._turn.start)):
            if number >= self._printed:
                self._print(entry)

    async def tell_of_silence(self) -> None:
        """Say it once when the model has said nothing for a while, and when it speaks again."""
        while True:
            await asyncio.sleep(1)
            seconds = self._silence.seconds(time.monotonic())
            if seconds >= SILENT_SECONDS and not self._silent:
                warn(f"* {silence_text(seconds)}")
            self._end_silence(seconds)

    def _end_silence(self, seconds: int) -> None:
        if seconds < self._silent:
            warn(f"* it goes on after {self._silent} s")
        self._silent = seconds if seconds >= SILENT_SECONDS else 0

    def _print(self, entry: Entry) -> None:
        if entry.stream != "out" or not is_partial(entry.line[:64].encode()):
            self._printed += 1
        now = time.monotonic()
        self._silence.feed(decode(entry.line, entry.stream), now)
        if self._silent:
            self._end_silence(self._silence.seconds(now))
        for line in entry_lines(entry, self._journal, as_json=self._as_json):
            click.echo(line)


async def cancel(job: asyncio.Task[Any]) -> None:
    """End a job, and wait for that."""
    job.cancel()
    with suppress(asyncio.CancelledError, CtuiError):
        await job


def entry_lines(entry: Entry, journal: PlainJournal, *, as_json: bool) -> list[str]:
    """Return what is printed for the next line of a journal."""
    if as_json:
        return [json_text(entry.line)] if entry.stream == "out" else []
    return journal.lines(entry)
