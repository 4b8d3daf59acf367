"""A task's turn as it goes on: its state, what it asks, and what it does."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from time import monotonic

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.summary import progress
from ctui.client.client import Client
from ctui.client.journal.plain import turn_over
from ctui.errors import Conflict, CtuiError
from ctui.tasks.model import Ask, AskState, Task, TaskState


class Turn:
    """Watch over one task; `watch` and `listen` go on until they are cancelled."""

    def __init__(self, client: Client, task: Task) -> None:
        """Begin with nothing watched.

        Args:
            client: gives two streams.
            task: as the driver returned it when the turn began.
        """
        self.task = task
        self.pending: dict[int, Ask] = {}
        self.doing = ""
        """Last thing that the task did, such as `📖 Read: src/main.py`."""
        self.heard = monotonic()
        """Time of `monotonic` at which it said anything last."""
        self._client = client
        self._news = asyncio.Event()

    @property
    def over(self) -> bool:
        return turn_over(self.task) and not self.pending

    @property
    def asking(self) -> bool:
        """Return True if it waits for an answer; that an ask is there is known a moment before."""
        return bool(self.pending) and self.task.state is TaskState.WAITING

    async def watch(self) -> None:
        """Keep the task and its asks up to date.

        Raises:
            Conflict: the task was removed.
        """
        async with aclosing(self._client.watch(self.task.id)) as updates:
            async for update in updates:
                if update.removed:
                    raise Conflict(f"the task {self.task.id} was removed meanwhile")
                if update.task is not None:
                    self.task = update.task
                if update.ask is not None:
                    self._see(update.ask)
                self._tell()

    async def listen(self, start: int) -> None:
        """Keep `doing` up to date, from a byte of the journal on."""
        async with aclosing(self._client.follow(self.task.id, start)) as batches:
            async for batch in batches:
                self.heard = monotonic()
                for entry in batch:
                    text = progress(decode(entry.line)) if entry.stream == "out" else ""
                    if text:
                        self.doing = text
                        self._tell()

    async def news(self, seconds: float) -> None:
        """Wait until something changes, but not for longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._news.wait()

    async def needs_person(self, seconds: float) -> None:
        """Wait until the turn is over or it asks something, but not for longer than that."""
        watching = asyncio.create_task(self.watch())
        watching.add_done_callback(lambda _: self._tell())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not (self.over or self.asking or watching.done()):
                        await self._news.wait()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError, CtuiError):  # whoever looks next sees why
                await watching

    async def answered(self, ask: Ask) -> None:
        """Wait until an ask needs nobody any more."""
        while ask.id in self.pending:
            await self._news.wait()

    def _tell(self) -> None:
        """Wake everybody who waits; whoever waits from now on waits for the next change."""
        self._news.set()
        self._news = asyncio.Event()

    def _see(self, ask: Ask) -> None:
        if ask.state is AskState.PENDING:
            self.pending[ask.id] = ask
        else:
            self.pending.pop(ask.id, None)
