"""One task's journal, from its archive into a transcript, then live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import closing, suppress
from time import monotonic

from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.silence import Silence
from ctui.claude.transcript.ledger import Changes
from ctui.claude.transcript.transcript import Transcript
from ctui.client.client import Client
from ctui.client.journal.history import FIRST_PORTION, Past, larger, read_past
from ctui.errors import CtuiError, NotFound
from ctui.paths import Paths
from ctui.tasks.journal.archive import FILE_NAME, Entry
from ctui.tasks.model import Message

_AT_ONCE = 64
"""Lines that are folded before the screen gets its turn; some milliseconds."""


def read_task(paths: Paths, task: str, size: int) -> Past:
    """Return the end of a task's journal, and what the person said that the CLI has not taken.

    Args:
        paths: where the journal and the store are.
        task: whose.
        size: bytes of the journal, about.
    """
    # First: a message that is taken meanwhile has its echo in the journal.
    messages = _messages(paths, task)
    past = read_past(paths.task(task) / FILE_NAME, size=size, messages=messages)
    for message in messages:
        if message.delivered is None:
            past.transcript.expect(message.id, message.text, time=message.created)
    return past


def _messages(paths: Paths, task: str) -> list[Message]:
    from ctui.tasks.store import Store

    try:
        with closing(Store(paths.database)) as store:
            return store.messages.of(task)
    except CtuiError:
        return []  # the journal can still be read


class Feed:
    """Follower of a task, until closed. All callbacks run on the loop that it was opened on."""

    def __init__(
        self,
        client: Client,
        task: str,
        replaced: Callable[[Transcript], None],
        changed: Callable[[Changes], None],
    ) -> None:
        """Prepare a feed that has read nothing yet.

        Args:
            client: the way to the driver.
            task: whose journal.
            replaced: gets a new transcript: the first one, and each that begins earlier.
            changed: gets what a line did to the present one.
        """
        self.transcript = Transcript()
        self._silence = Silence()
        self._client = client
        self._task = task
        self._replaced = replaced
        self._changed = changed
        self._past: Past | None = None
        self._following: asyncio.Task[None] | None = None
        self._loading = False

    async def open(self) -> None:
        """Show the journal's end, and follow it from there."""
        await self._load(FIRST_PORTION)

    async def load_earlier(self) -> None:
        """Begin further in front, if there is more and nobody is at it already."""
        if self._past is None or self._past.complete or self._loading:
            return
        await self._load(larger(self._past))

    async def close(self) -> None:
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following

    def silent_seconds(self) -> int:
        """Return for how long the model has said nothing although it is its turn."""
        return self._silence.seconds(monotonic())

    def expect(self, uuid: str, text: str, time: int) -> None:
        """Show what the person just said, until the CLI takes it."""
        self._changed(self.transcript.expect(uuid, text, time=time))

    async def _load(self, size: int) -> None:
        self._loading = True
        try:
            # Folding is work for the processor: in a thread, keys still get their turn.
            past = await asyncio.to_thread(read_task, self._client.paths, self._task, size)
            await self.close()
            self._past, self.transcript = past, past.transcript
            self._replaced(past.transcript)
            self._following = asyncio.create_task(self._follow(past.end))
        finally:
            self._loading = False

    async def _follow(self, start: int) -> None:
        with suppress(NotFound):  # it was purged
            async for batch in self._client.follow(self._task, start):
                for first in range(0, len(batch), _AT_ONCE):
                    self._take(batch[first : first + _AT_ONCE])
                    await asyncio.sleep(0)

    def _take(self, entries: list[Entry]) -> None:
        for entry in entries:
            event = decode(entry.line, entry.stream)
            self._silence.feed(event, monotonic())
            changes = self.transcript.feed(event, run=entry.run, time=entry.t)
            if changes:
                self._changed(changes)
