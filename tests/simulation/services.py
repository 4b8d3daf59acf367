"""Services in memory: a holder and what joins it, which may never be ready, or die."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from ctui.errors import ExternalFailure
from ctui.sandbox.runner import FoundSandbox
from ctui.sandbox.services import Service
from ctui.sandbox.spec import HOLDER, LABEL_RUN, LABEL_TASK, SandboxSpec

if TYPE_CHECKING:
    from tests.simulation.runner import SimulatedRunner
    from tests.simulation.world import World

SERVICES = (Service(name="db", image="image"), Service(name="queue", image="image", after=("db",)))


class SimulatedService:
    """A container beside a sandbox."""

    def __init__(self, spec: SandboxSpec, name: str, number: int) -> None:
        self.id = f"service-{number}"
        self.task = spec.labels[LABEL_TASK]
        self.run = int(spec.labels[LABEL_RUN])
        self.name = name
        self.running = True
        self.removed = False

    def found(self) -> FoundSandbox:
        return FoundSandbox(self.id, self.task, self.run, self.running, self.name)


class SimulatedServices:
    """Whatever stands beside the sandboxes of a world."""

    def __init__(self, seed: int) -> None:
        # Apart, so that a seed means the same with and without.
        self._random = Random(seed ^ 0x5E41)  # noqa: S311 - it has to be reproducible
        self.all: dict[str, SimulatedService] = {}
        self.never_ready = 0.15
        self.dies = 0.2
        """Part of the services that end while the sandbox runs; no run depends on that."""

    def left(self, task: str = "") -> list[SimulatedService]:
        """Return what is there, running or not, of a task or of all."""
        return [one for one in self.all.values() if not one.removed and task in {"", one.task}]

    def die(self) -> None:
        """End all of them, as an engine's death does; their containers stay."""
        for one in self.left():
            one.running = False

    async def ensure(self, runner: SimulatedRunner, world: World, spec: SandboxSpec) -> None:
        """Make a holder and the services of a spec, one after the other."""
        await runner.call()
        task = spec.labels[LABEL_TASK]
        for old in self.left(task):
            old.running, old.removed = False, True
        for name in (HOLDER, *(one.name for one in spec.services)):
            await runner.call()
            if world.running(task):
                raise world.breaks(f"services of {task} are started under its sandbox")
            if task in world.stopped:
                raise world.breaks(f"{task} was said to be stopped, and its {name} starts")
            one = SimulatedService(spec, name, len(self.all))
            self.all[one.id] = one
            world.log(f"{one.id} of {task} is its {name}")
            await runner.call()
            if name != HOLDER and self._random.random() < self.never_ready:
                raise ExternalFailure(f"the service {name} was not ready within 60 seconds")
            one.running &= name == HOLDER or self._random.random() > self.dies

    def check_before(self, world: World, spec: SandboxSpec) -> None:
        """Raise Broken unless everything that a sandbox needs is beside it when it starts."""
        there = {one.name for one in self.left(spec.labels[LABEL_TASK])}
        missing = {HOLDER, *(one.name for one in spec.services)} - there
        if spec.services and missing:
            raise world.breaks(f"{spec.name} starts without {sorted(missing)}")
