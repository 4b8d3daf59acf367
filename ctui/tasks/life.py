"""One run from its container's creation to its end, also when another driver began it."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ctui.claude import control
from ctui.claude.events import is_partial
from ctui.errors import CtuiError, LoginRequired, NotFound, Unavailable
from ctui.sandbox.docker import ContainerState, Engine
from ctui.sandbox.endpoint import Endpoint
from ctui.sandbox.spec import SandboxSpec
from ctui.sandbox.stream import LogLine, follow_log
from ctui.tasks.channel import Channel
from ctui.tasks.conversation import Conversation, Outward
from ctui.tasks.journal import Journal
from ctui.tasks.model import Notice, Run, Task
from ctui.tasks.store import Store, now

_RETRY_SECONDS = 0.5
_DISK_RETRY_SECONDS = 5.0
_TORN_INPUT = "Error parsing streaming input line"
"""What the CLI says before it exits because a line of its input was not JSON."""


class Parts(NamedTuple):
    """What every run needs."""

    store: Store
    engine: Engine
    endpoint: Endpoint


class RunEnd(NamedTuple):
    """How a run ended."""

    exit_code: int | None
    """None when the container was gone before anybody saw its end."""
    out_of_memory: bool
    stderr: Sequence[str]
    login_rejected: bool

    @property
    def torn_input(self) -> bool:
        return any(_TORN_INPUT in line for line in self.stderr)


class Life:
    """One run. `begin` or `adopt` returns when it is over."""

    def __init__(
        self, parts: Parts, task: Task, run: Run, journal: Journal, outward: Outward
    ) -> None:
        self.run = run
        self.created = False
        """Whether there is a container to stop."""
        self._parts = parts
        self._journal = journal
        self._channel = Channel(parts.endpoint, run.container)
        self.conversation = Conversation(task, run, parts.store, self._channel, outward)
        self._seen: Counter[str] = Counter()
        """Lines of each stream that were taken from the engine's log."""

    async def begin(self, spec: SandboxSpec, first_line: bytes) -> RunEnd:
        """Create the container, start the CLI in it and follow it to its end.

        Raises:
            CtuiError: the container cannot be created or started; nothing of it is left.
        """
        engine = self._parts.engine
        self.run.container = await engine.create(spec)
        self.created = True
        self._parts.store.runs.save(self.run)
        try:
            self._use(Channel(self._parts.endpoint, self.run.container))
            await self._channel.open(torn=False)
            self._greet(first_line)
            await engine.start(self.run.container)
        except CtuiError:
            await self._channel.close()
            await engine.remove(self.run.container)
            raise
        self._note("started", f"run {self.run.number} started")
        return await self._to_the_end()

    async def adopt(self, first_line: bytes) -> RunEnd:
        """Take over a run that another driver began: read its whole log, then go on."""
        state = await self._state(self.run.container)
        if state is None:
            return await self._over(None)
        self.run.container = state.id
        self.created = True
        self._parts.store.runs.save(self.run)
        self._use(Channel(self._parts.endpoint, state.id))
        await self._replay()
        if state.running:
            await self._channel.open(torn=True)
            if not self.conversation.relay_started:
                await self._greet_late(first_line)
            self.conversation.caught_up()
        return await self._to_the_end()

    async def stop(self, grace: float) -> None:
        """Ask the CLI to end, then insist. Returns when the container does not run any more."""
        engine, container = self._parts.engine, self.run.container
        try:
            # The CLI closes its transcript on SIGINT; SIGTERM would cut it off.
            await engine.signal(container, "INT")
            await engine.stop(container, grace=grace)
        except NotFound:
            return

    async def detach(self) -> None:
        """Let go of the channel and leave the sandbox running."""
        await self._channel.close()

    def _use(self, channel: Channel) -> None:
        self._channel = channel
        self.conversation.use(channel)

    def _greet(self, first_line: bytes) -> None:
        self._channel.send(first_line)
        self._channel.send(control.initialize(str(uuid.uuid4())))
        self.conversation.flush()

    async def _greet_late(self, first_line: bytes) -> None:
        if not first_line:
            await self._channel.close()
            await self._parts.engine.remove(self.run.container)
            raise LoginRequired("Claude Code has no login here", hint="run `ctui setup`")
        self._greet(first_line)

    async def _replay(self) -> None:
        archived = self._journal.archived(self.run.number)
        async for batch in follow_log(self._parts.endpoint, self.run.container, follow=False):
            lines = [line for line in batch if line.complete]
            self._seen.update(line.stream for line in lines)
            self.conversation.replay(lines)
            await self._archive(_beyond(lines, archived))

    async def _to_the_end(self) -> RunEnd:
        while True:
            try:
                await self._follow()
                state = await self._state(self.run.container)
            except Unavailable:
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            if state is None or not state.running:
                return await self._over(state)

    async def _follow(self) -> None:
        """Read the log from its start, and take what was not taken yet."""
        known = self._seen.copy()
        async for batch in follow_log(self._parts.endpoint, self.run.container):
            lines = [line for line in batch if line.complete and not _counted_down(known, line)]
            if lines:
                self._seen.update(line.stream for line in lines)
                await self._archive(lines)
                self.conversation.take(lines)

    async def _archive(self, lines: Sequence[LogLine]) -> None:
        """A full disk stops the reading, not the task: the engine's log keeps what is not read."""
        while True:
            try:
                self._journal.append(self.run.number, lines)
            except Unavailable as error:
                self.conversation.trouble(f"{error.message}: {error.hint}")
                await asyncio.sleep(_DISK_RETRY_SECONDS)
            else:
                return

    async def _over(self, state: ContainerState | None) -> RunEnd:
        await self._channel.close()
        self.conversation.asks.close()
        self._journal.forget_parts()
        end = RunEnd(
            exit_code=state.exit_code if state else None,
            out_of_memory=bool(state and state.oom_killed),
            stderr=self.conversation.stderr,
            login_rejected=self.conversation.login_rejected,
        )
        code = "unknown" if end.exit_code is None else end.exit_code
        self._note("ended", f"run {self.run.number} ended (exit code {code})")
        self._journal.sync()
        if state is not None:
            await self._parts.engine.remove(state.id)
        self.run.ended, self.run.exit_code = now(), end.exit_code
        self._parts.store.runs.save(self.run)
        return end

    async def _state(self, container: str) -> ContainerState | None:
        try:
            return await self._parts.engine.state(container)
        except NotFound:
            return None

    def _note(self, kind: str, text: str) -> None:
        self._journal.note(self.run.number, now(), Notice(kind=kind, text=text))  # type: ignore[arg-type]


def _beyond(lines: Sequence[LogLine], archived: Counter[str]) -> list[LogLine]:
    """The lines that the archive does not hold yet; `archived` is counted down on the way."""
    new: list[LogLine] = []
    for line in lines:
        if archived[line.stream] <= 0:
            new.append(line)
        elif line.stream == "err" or not is_partial(line.data):
            archived[line.stream] -= 1
    return new


def _counted_down(known: Counter[str], line: LogLine) -> bool:
    if known[line.stream] <= 0:
        return False
    known[line.stream] -= 1
    return True
