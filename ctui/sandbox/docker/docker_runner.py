"""The runner that makes sandboxes on a Docker engine."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from ctui.config import ImageConfig
from ctui.errors import Conflict, CtuiError, NotFound
from ctui.sandbox.docker.accounts import account_mounts
from ctui.sandbox.docker.bundle import bundle_mounts
from ctui.sandbox.docker.engine import Engine, EngineInfo
from ctui.sandbox.docker.environment_image import require_environment
from ctui.sandbox.docker.fitness import refuse_unsealable
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.services.beside import Beside
from ctui.sandbox.docker.services.bring_up import bring_up
from ctui.sandbox.docker.services.last_words import Keep
from ctui.sandbox.docker.stream import Stdin, follow_log
from ctui.sandbox.docker.volumes import ensure_own, ensure_shared, shared_kind
from ctui.sandbox.runner import FoundSandbox, LogLine, SandboxState, Seen, Stream
from ctui.sandbox.spec import (
    HOLDER,
    HOME,
    LABEL_INSTANCE,
    LABEL_KEEPS,
    LABEL_RUN,
    LABEL_SERVICE,
    LABEL_TASK,
    LABEL_VOLUME,
    NO_NETWORK,
    SandboxSpec,
)

_PIECE = 1 << 16
"""More bytes than the engine keeps of a line in one piece."""


_LOOK_SECONDS = 1.0
"""Seconds for the engine to say where its folder is."""


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

    def __init__(
        self,
        engine: Engine,
        instance: str,
        accounts: Path | None = None,
        keep_log: Keep | None = None,
    ) -> None:
        """Begin without a sandbox.

        Args:
            engine: that they are on.
            instance: whose they are.
            accounts: folder for the files that name their users, and for the certificates that
                they trust; None leaves the image's.
            keep_log: takes the end of a service's log when the service goes.
        """
        self._engine = engine
        self._instance = instance
        self._accounts = accounts
        self._beside = Beside(engine, instance, keep_log)
        self._last: dict[str, _Last] = {}
        self._known: EngineInfo | None = None
        """Facts about the engine, once it was asked."""

    async def ensure_image(self, config: ImageConfig, environment: str = "") -> str:
        """Return the image's tag; raise Unavailable if it has to be built first.

        Raises:
            Refused: no task could work on this engine.
        """
        await self._info()
        if environment:
            return await require_environment(self._engine, config, self._instance, environment)
        return await require_image(self._engine, config)

    async def ensure_services(self, spec: SandboxSpec) -> None:
        """Start the holder and the services, and wait until they are ready."""
        await bring_up(self._engine, spec)

    async def _info(self) -> EngineInfo:
        if self._known is None:
            self._known = await self._engine.info()
        return self._known

    async def create(self, spec: SandboxSpec) -> str:
        """Make the network, the volumes and the container, and return its id.

        Raises:
            Refused: it has no network, and the engine can give it no socket of the gateway's.
        """
        info = await self._info()
        if info.in_machine and spec.network == NO_NETWORK:
            refuse_unsealable()
        await self._engine.ensure_network(spec.network, {LABEL_INSTANCE: self._instance})
        for mount in (mount for mount in spec.mounts if mount.kind == "volume"):
            if kind := shared_kind(mount):
                of = self._engine, self._instance, spec.image
                await ensure_shared(*of, mount.source, kind)
                continue
            purpose = "home" if mount.target == HOME else "environment"
            labels = {**spec.labels, LABEL_VOLUME: purpose}
            await ensure_own(self._engine, mount.source, labels)
        if self._accounts is not None:
            named = await account_mounts(self._engine, spec, self._accounts)
            trusted = await bundle_mounts(self._engine, spec, self._accounts)
            spec = msgspec.structs.replace(spec, mounts=(*spec.mounts, *named, *trusted))
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
            if not state.labels.get(LABEL_SERVICE):
                await self._engine.signal(sandbox, "INT")
            elif not state.labels.get(LABEL_KEEPS):
                await self._engine.signal(sandbox, "KILL")  # nothing of it is needed again
            await self._engine.stop(sandbox, grace=grace)  # by the signal that its image wants
        except NotFound:
            return

    async def pause(self, sandbox: str) -> None:
        """Freeze a container that runs, and the services beside it."""
        try:
            await self._engine.pause(sandbox)
        except (NotFound, Conflict):
            return
        await self._beside.freeze(sandbox, frozen=True)

    async def unpause(self, sandbox: str) -> None:
        """Let a frozen container go on, and before it the services beside it."""
        try:
            await self._beside.freeze(sandbox, frozen=False)
            await self._engine.unpause(sandbox)
        except (NotFound, Conflict):
            return

    async def remove(self, sandbox: str) -> None:
        """Remove the container and its log, of which a service's end is kept."""
        await self._beside.leaving(sandbox)
        await self._engine.remove(sandbox)
        self._last.pop(sandbox, None)

    async def list_ours(self, task: str = "") -> list[FoundSandbox]:
        """Return the containers of this instance's tasks, or of one task; holders come last."""
        labels = {LABEL_INSTANCE: self._instance, LABEL_TASK: task}
        found = await self._engine.find(labels)
        self._beside.note(found)
        return [
            FoundSandbox(
                id=item.id,
                task=item.labels.get(LABEL_TASK, ""),
                run=_number(item.labels.get(LABEL_RUN, "")),
                running=item.running,
                service=item.labels.get(LABEL_SERVICE, ""),
            )
            for item in sorted(found, key=lambda one: one.labels.get(LABEL_SERVICE) == HOLDER)
            if item.labels.get(LABEL_TASK)  # others of ours are no task's
        ]

    async def free_space(self) -> tuple[int, str] | None:
        """Look at the disk of the engine's folder, if it is on this machine."""
        with suppress(CtuiError, OSError):  # an engine that hangs is no reason to wait
            async with asyncio.timeout(_LOOK_SECONDS):
                root = (await self._info()).root
            if root:
                return (await asyncio.to_thread(shutil.disk_usage, root)).free, root
        return None

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
