"""The way into one sandbox: whole lines, in order, by one writer, each until its echo was seen.

The CLI echoes what it took (`--replay-user-messages`), so the echo is the receipt. What has none
is written again when the relay dropped something, when the engine's connection broke, and by the
driver that takes over after a crash: the CLI ignores what it took already.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from ctui.errors import Conflict, CtuiError
from ctui.sandbox.runner import SandboxInput, SandboxRunner
from ctui.tasks.session.greeting import RELAY_GREETED

_RETRY_SECONDS = 0.5
_QUEUE_LIMIT = 5_000
_PORTION_BYTES = 1 << 16
"""Bytes of the lines that are written at once: a flood of replies is few writes."""
_DROPPABLE_LINES = 1_000
_DROPPABLE_BYTES = 4 << 20
"""Limits of the droppable lines that are kept until their echo; the CLI never waits for so many."""


class Channel:
    """Lines to one sandbox."""

    def __init__(self, runner: SandboxRunner, sandbox: str) -> None:
        self._runner = runner
        self.sandbox = sandbox
        self._controls: deque[bytes] = deque()
        self._queue: deque[bytes] = deque()
        self._unseen: dict[str, bytes] = {}
        self._droppable: dict[str, int] = {}
        """Sizes of those of them that need not be kept, by their keys."""
        self._droppable_size = 0
        self._again = False
        self._wake = asyncio.Event()
        self._input: SandboxInput | None = None
        self._writer: asyncio.Task[None] | None = None
        self._broken = False

    async def open(self, *, torn: bool) -> None:
        """Connect. `torn` says that another writer may have left half a line behind.

        Raises:
            CtuiError: the runner does not answer, or the sandbox is gone.
        """
        try:
            self._input = await self._runner.attach(self.sandbox, torn=torn)
        except Conflict:
            if not torn:
                raise
            # It is frozen. What is sent arrives when it goes on.
        self._writer = asyncio.create_task(self._write(), name=f"stdin of {self.sandbox[:12]}")

    def send(self, line: bytes, *, key: str = "", droppable: bool = False) -> None:
        """Put a whole line into the queue. With a key it is kept until `seen(key)`.

        A reply that the task's own request caused is `droppable`, or has no key: of those only the
        last are kept, and none is taken where too many wait.
        """
        if key in self._unseen:
            return
        if len(self._queue) >= _QUEUE_LIMIT and (droppable or not key):
            return  # a flood of requests: the CLI waits for none of these replies
        if key:
            self._unseen[key] = line
        if key and droppable:
            self._droppable[key] = len(line)
            self._droppable_size += len(line)
            self._drop_oldest()
        self._queue.append(line)
        self._wake.set()

    def control(self, line: bytes) -> None:
        """Send a request of the driver's own before all that waits. It is never dropped."""
        self._controls.append(line)
        self._wake.set()

    def _drop_oldest(self) -> None:
        kept = self._droppable
        while len(kept) > _DROPPABLE_LINES or self._droppable_size > _DROPPABLE_BYTES:
            self.seen(next(iter(kept)))

    def seen(self, key: str) -> None:
        """Forget a line: the CLI's echo of it is in the journal."""
        self._unseen.pop(key, None)
        self._droppable_size -= self._droppable.pop(key, 0)
        if key == RELAY_GREETED:
            self._wake.set()

    def renew(self) -> None:
        """Connect anew: the runner was away, and may have lost what it took."""
        self._broken = True
        self._wake.set()

    def renew_if_broken(self) -> None:
        """Connect anew where the runner ended the connection: no line was sent since, to fail."""
        if self._input is not None and self._input.broken:
            self.renew()

    def send_unseen_again(self) -> None:
        """Send again what has no echo: the relay dropped a line, or the runner lost one."""
        # Once for all that were dropped so far: a flood of such lines must not fill the queue.
        self._again = True
        self._wake.set()

    def _put_unseen_first(self) -> None:
        """Put unseen lines before what waits: the relay drops what precedes its first line."""
        queued = set(self._queue)
        missing = [line for line in self._unseen.values() if line not in queued]
        self._queue.extendleft(reversed(missing))

    def drop(self) -> None:
        """Let go of the connection without waiting for that."""
        if self._writer is not None:
            self._writer.cancel()
        if self._input is not None:
            self._input.close()

    async def close(self) -> None:
        """Let go of the connection; the sandbox's stdin stays open."""
        if self._writer is not None:
            self._writer.cancel()
            with suppress(asyncio.CancelledError):
                await self._writer
        if self._input is not None:
            self._input.close()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self._broken:
                await self._reconnect()
            while self._again or self._next():
                if self._again:
                    self._again = False
                    self._put_unseen_first()
                    continue
                queue = self._next()
                lines = self._portion(queue)
                try:
                    await self._connected().send(*lines)
                except (OSError, CtuiError):
                    queue.extendleft(reversed(lines))
                    await self._reconnect()

    def _next(self) -> deque[bytes]:
        """Return the queue whose first line is next; what precedes the greeting would be lost."""
        greeted = RELAY_GREETED not in self._unseen
        return self._controls if self._controls and greeted else self._queue

    def _portion(self, queue: deque[bytes]) -> list[bytes]:
        """Take what is written at once: a request of the driver's own, or many lines."""
        lines = [queue.popleft()]
        size = len(lines[0])
        while queue is self._queue and queue and (size := size + len(queue[0])) <= _PORTION_BYTES:
            lines.append(queue.popleft())
        return lines

    def _connected(self) -> SandboxInput:
        if self._input is None:
            raise CtuiError("the channel is not open")
        return self._input

    async def _reconnect(self) -> None:
        """Try until the runner answers; whoever follows the journal ends this with the run."""
        while True:
            if self._input is not None:
                self._input.close()
            try:
                self._input = await self._runner.attach(self.sandbox, torn=True)
            except (OSError, CtuiError):
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._broken = False
                self.send_unseen_again()
                return
