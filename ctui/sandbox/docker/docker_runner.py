"""The runner that makes sandboxes on a Docker engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.config import ImageConfig
from ctui.errors import Conflict, NotFound
from ctui.sandbox.docker.accounts import account_mounts
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import require_environment
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import Stdin, follow_log
from ctui.sandbox.runner import FoundSandbox, LogLine, SandboxState, Seen, Stream
from ctui.sandbox.spec import (
    HOME,
    LABEL_INSTANCE,
    LABEL_RUN,
    LABEL_TASK,
    LABEL_VOLUME,
    SandboxSpec,
)

_PIECE = 1 << 16
"""More bytes than the engine keeps of a line in one piece."""


class _Last(NamedTuple):
    """The last line that was read of a log."""

    seen: Seen
    """The offset behind it."""
    time: int
    stream: Stream
    end: bytes
    """Its last bytes."""


class DockerRunner:
    """Sandboxes as containers of one engine; the engine's log is the record of their lines."""

    def __init__(self, engine: Engine, instance: str, accounts: Path | None = None) -> None:
        """Begin without a sandbox.

        Args:
            engine: that they are on.
            instance: whose they are.
            accounts: folder for the files that name their users; None leaves the image's.
        """
        self._engine = engine
        self._instance = instance
        self._accounts = accounts
        self._last: dict[str, _Last] = {}
        self._fits = False
        """True once the engine was asked what it is."""

    async def ensure_image(self, config: ImageConfig, environment: str = "") -> str:
        """Return the image's tag; raise Unavailable if it has to be built first.

        Raises:
            Refused: no task could work on this engine.
        """
        if not self._fits:
            await self._engine.info()
            self._fits = True
        if environment:
            return await require_environment(self._engine, config, self._instance, environment)
        return await require_image(self._engine, config)

    async def create(self, spec: SandboxSpec) -> str:
        """Make the network, the volumes and the container, and return its id."""
        await self._engine.ensure_network(spec.network, {LABEL_INSTANCE: self._instance})
        for mount in spec.mounts:
            if mount.kind == "volume":
                purpose = "home" if mount.target == HOME else "environment"
                labels = {**spec.labels, LABEL_VOLUME: purpose}
                await self._engine.ensure_volume(mount.source, labels)
        if self._accounts is not None:
            named = await account_mounts(self._engine, spec, self._accounts)
            spec = msgspec.structs.replace(spec, mounts=(*spec.mounts, *named))
        return await self._engine.create(spec)

    async def start(self, sandbox: str) -> None:
        """Start the relay in it."""
        await self._engine.start(sandbox)

    async def attach(self, sandbox: str, *, torn: bool) -> Stdin:
        """Open the container's stdin."""
        stdin = await Stdin.open(self._engine.endpoint, sandbox)
        if torn:
            await stdin.terminate_torn_line()
        return stdin

    async def journal(
        self, sandbox: str, after: Seen, *, follow: bool
    ) -> AsyncIterator[list[LogLine]]:
        """Yield the whole lines of the engine's log behind an offset; see `SandboxRunner`.

        The log has no offsets, so it is read from its start and counted; but not where its last
        line was read already.
        """
        if not follow and await self._is_at_end(sandbox, after):
            return
        left, seen = {"out": after.out, "err": after.err}, after
        async for batch in follow_log(self._engine.endpoint, sandbox, follow=follow):
            lines = []
            for line in batch:
                if not line.complete:
                    continue
                if left[line.stream] > 0:
                    left[line.stream] -= 1
                else:
                    lines.append(line)
                    seen = seen.plus(line)
            if lines:
                last = lines[-1]
                self._last[sandbox] = _Last(seen, last.time, last.stream, last.data[-_PIECE:])
                yield lines

    async def _is_at_end(self, sandbox: str, after: Seen) -> bool:
        """Return True where the log's last piece is the end of the line before that offset."""
        last = self._last.get(sandbox)
        if last is None or last.seen != after:
            return False
        log = follow_log(self._engine.endpoint, sandbox, follow=False, tail=1)
        pieces = [line async for batch in log for line in batch]
        return len(pieces) == 1 and (
            pieces[0].complete
            and (pieces[0].time, pieces[0].stream) == (last.time, last.stream)
            and last.end.endswith(pieces[0].data)
        )

    async def state(self, sandbox: str) -> SandboxState | None:
        """Return what the engine says of the container, or None if there is none."""
        try:
            state = await self._engine.state(sandbox)
        except NotFound:
            return None
        return SandboxState(
            id=state.id,
            running=state.running,
            paused=state.status == "paused",
            exit_code=state.exit_code,
            out_of_memory=state.oom_killed,
            started=state.status != "created",
            finished=state.finished,
        )

    async def stop(self, sandbox: str, *, grace: float) -> None:
        """End the CLI by SIGINT, on which it closes its transcript; then insist."""
        try:
            state = await self._engine.state(sandbox)
            if state.status == "paused":
                await self._engine.unpause(sandbox)
            await self._engine.signal(sandbox, "INT")
            await self._engine.stop(sandbox, grace=grace)
        except NotFound:
            return

    async def pause(self, sandbox: str) -> None:
        """Freeze a container that runs."""
        try:
            await self._engine.pause(sandbox)
        except (NotFound, Conflict):
            return

    async def unpause(self, sandbox: str) -> None:
        """Let a frozen container go on."""
        try:
            await self._engine.unpause(sandbox)
        except (NotFound, Conflict):
            return

    async def remove(self, sandbox: str) -> None:
        """Remove the container and its log."""
        await self._engine.remove(sandbox)
        self._last.pop(sandbox, None)

    async def list_ours(self, task: str = "") -> list[FoundSandbox]:
        """Return the containers of this instance's tasks, or of one task."""
        labels = {LABEL_INSTANCE: self._instance, LABEL_TASK: task}
        found = await self._engine.find(labels)
        return [
            FoundSandbox(
                id=item.id,
                task=item.labels.get(LABEL_TASK, ""),
                run=_number(item.labels.get(LABEL_RUN, "")),
                running=item.running,
            )
            for item in found
            if item.labels.get(LABEL_TASK)  # others of ours are no task's
        ]

    async def discard_volumes(self, task: str) -> None:
        """Delete the task's home."""
        labels = {LABEL_INSTANCE: self._instance, LABEL_TASK: task}
        for name in await self._engine.volumes(labels):
            await self._engine.remove_volume(name)

    async def close(self) -> None:
        """Close the connections to the engine."""
        await self._engine.close()


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0
