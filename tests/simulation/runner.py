"""The runner that a driver has of the simulated world, and its ways to fail."""

from __future__ import annotations

from collections.abc import AsyncIterator

from ctui.config import ImageConfig
from ctui.errors import Conflict, ExternalFailure, NotFound, RunnerUnavailable
from ctui.sandbox.runner import FoundSandbox, LogLine, SandboxState, Seen
from ctui.sandbox.spec import SandboxSpec
from tests.simulation.sandbox import Sandbox
from tests.simulation.world import Generation, World

_ERRORS = (
    (RunnerUnavailable, "the engine broke off"),
    (ExternalFailure, "the engine says: 500"),
)
"""What a call fails with now and then, although the next one may not."""
PASSING = ("the engine does not answer", "the engine broke off", "the store is locked")
"""Problems that a task must not have any more when they are over."""


class SimulatedInput:
    """A way into a sandbox."""

    def __init__(self, world: World, generation: Generation, box: Sandbox) -> None:
        self._world, self._generation, self._box = world, generation, box
        self._open = True

    async def send(self, *lines: bytes) -> None:
        for line in lines:
            await self._send(line)

    async def _send(self, line: bytes) -> None:
        self._generation.check()
        was_up = self._world.engine_up and self._open and not self._box.removed
        await self._world.pause()
        self._generation.check()
        if was_up and not self._world.engine_up and self._world.random.random() < 0.5:
            self._open = False
            return  # the engine took it, and has lost it
        if not self._world.engine_up or self._box.removed or not self._open:
            raise OSError("broken")
        self._box.hear(line)

    @property
    def broken(self) -> bool:
        return not self._open

    def close(self) -> None:
        self._open = False


class SimulatedRunner:
    """The runner that one driver has of the world."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def call(self) -> None:
        self._generation.check()  # who is dead draws no lots
        await self._world.pause()
        self._generation.check()
        if not self._world.engine_up:
            raise RunnerUnavailable("the engine does not answer")
        if self._world.flaky and self._world.random.random() < 0.2:
            kind, text = self._world.random.choice(_ERRORS)
            raise kind(text)

    async def ensure_image(self, config: ImageConfig, environment: str = "") -> str:
        del config, environment
        await self.call()
        return "image"

    async def ensure_services(self, spec: SandboxSpec) -> None:
        await self._world.services.ensure(self, self._world, spec)

    async def create(self, spec: SandboxSpec) -> str:
        await self.call()
        if any(b.spec.name == spec.name and not b.removed for b in self._world.sandboxes.values()):
            raise Conflict(f"there is a sandbox {spec.name}")
        box = Sandbox(self._world, spec)
        self._world.sandboxes[box.id] = box
        return box.id

    async def start(self, sandbox: str) -> None:
        await self.call()
        box = self._box(sandbox)
        same = [b for b in self._world.sandboxes.values() if b.running]
        if any(other.worktree == box.worktree for other in same):
            raise self._world.breaks(f"two sandboxes on {box.worktree}")
        if box.task in self._world.stopped:
            raise self._world.breaks(f"{box.task} was said to be stopped, and starts")
        self._world.services.check_before(self._world, box.spec)
        self._world.log(f"{box.id} of {box.task} starts")
        box.start()

    async def attach(self, sandbox: str, *, torn: bool) -> SimulatedInput:
        del torn
        await self.call()
        return SimulatedInput(self._world, self._generation, self._box(sandbox))

    async def journal(
        self, sandbox: str, after: Seen, *, follow: bool
    ) -> AsyncIterator[list[LogLine]]:
        await self.call()
        box, position, seen = self._box(sandbox), 0, Seen()
        while True:
            self._generation.check()
            if not self._world.engine_up:
                raise RunnerUnavailable("the engine broke off")
            batch = []
            end = min(len(box.log), position + self._world.random.choice((1, 2, 50)))
            for line in box.log[position:end]:
                seen = seen.plus(line)
                if getattr(seen, line.stream) > getattr(after, line.stream):
                    batch.append(line)
            position = end
            if batch:
                yield batch
                await self._world.pause()
            elif position < len(box.log):
                continue
            elif not follow or not box.running:
                return
            else:
                box.grown.clear()
                await box.grown.wait()

    async def state(self, sandbox: str) -> SandboxState | None:
        await self.call()
        named = (b for b in self._world.sandboxes.values() if b.spec.name == sandbox)
        found = self._world.sandboxes.get(sandbox) or next(named, None)
        if found is None or found.removed:
            return None
        return SandboxState(
            found.id, found.running, found.exit_code, found.paused, started=found.started
        )

    async def stop(self, sandbox: str, *, grace: float) -> None:
        del grace
        await self.call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].end(0)
        elif sandbox in self._world.services.all:
            self._world.services.all[sandbox].running = False

    async def pause(self, sandbox: str) -> None:
        await self.call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].freeze()

    async def unpause(self, sandbox: str) -> None:
        await self.call()
        if sandbox in self._world.sandboxes:
            self._world.sandboxes[sandbox].thaw()

    async def remove(self, sandbox: str) -> None:
        await self.call()
        for box in self._world.sandboxes.values():
            if sandbox in {box.id, box.spec.name} and not box.removed:
                box.end(137)
                box.removed = True
        if (service := self._world.services.all.get(sandbox)) is not None:
            service.running, service.removed = False, True

    async def list_ours(self, task: str = "") -> list[FoundSandbox]:
        await self.call()
        boxes = [
            FoundSandbox(box.id, box.task, box.run, box.running)
            for box in self._world.sandboxes.values()
            if not box.removed and task in {"", box.task}
        ]
        return [*boxes, *(one.found() for one in self._world.services.left(task))]

    async def free_space(self) -> tuple[int, str] | None:
        self._generation.check()
        return (0, "/engine") if self._world.engine_full else None

    async def discard_volumes(self, task: str) -> None:
        await self.call()
        self._world.sessions.pop(task, None)

    async def close(self) -> None: ...

    def _box(self, sandbox: str) -> Sandbox:
        box = self._world.sandboxes.get(sandbox)
        if box is None or box.removed:
            raise NotFound(f"no sandbox {sandbox}")
        return box
