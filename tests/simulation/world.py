"""A world in memory: sandboxes, the CLI in them, their homes: whatever outlives a driver.

Each call takes a random virtual time, so that calls of a driver and of several front ends meet in
every order. All of it follows from one seed.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Coroutine
from random import Random
from typing import Any

from tests.simulation.sandbox import Sandbox
from tests.simulation.services import SimulatedServices

_CLOCK_JUMPS = 0.05
"""Part of the steps before which it does."""

_SEALED = 0.25
_UNREADABLE = 0.2
"""Part of the worlds in which a task's git directory is."""


class Dead(BaseException):
    """The driver that called was killed."""


class Broken(AssertionError):
    """An invariant does not hold."""


class Generation:
    """One life of a driver."""

    def __init__(self) -> None:
        self.dead = False
        self.steps_left: int | None = None
        """Steps that it still carries out before it dies in one; None lets it live."""

    def dies_in_a_step(self, world: World) -> None:
        """Die when the last step is stored, and nothing of it is carried out."""
        if self.steps_left:
            self.steps_left -= 1
            return
        world.log("the driver dies in a step that is stored")
        self.dead = True
        raise Dead

    def check(self) -> None:
        if self.dead:
            raise Dead


class World:
    """Everything that is not a driver."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.loop = loop
        self.random = Random(seed)  # noqa: S311 - it has to be reproducible
        self.sandboxes: dict[str, Sandbox] = {}
        self.services = SimulatedServices(seed)
        self.environment = "first"
        """Hash of the definition of the environment that tasks wait for."""
        self.sessions: defaultdict[str, set[str]] = defaultdict(set)
        """Messages that each task's CLI has read, as its home keeps them."""
        self.consumed: Counter[str] = Counter()
        self.turns_over: set[str] = set()
        """Messages whose turn is over."""
        self.answers_taken: Counter[tuple[str, int, str]] = Counter()
        self.tool_counts = [0, 0, 1, 2]
        """How many tools a turn uses: one of these."""
        self.engine_up = True
        self.store_locked = False
        self.disk_full = False
        self.flaky = False
        self.space_low = False
        self.engine_full = False
        self.worktree_full = False
        # Apart, so that a seed means the same with and without.
        unreadable = Random(seed ^ 0x817).random()  # noqa: S311 - it has to be reproducible
        self.unreadable = {"one"} if unreadable < _UNREADABLE else set[str]()
        self.snapshot_seconds = 0.0
        """Tasks whose git directory holds what no import reads; it does not heal."""
        self.sealed = Random(seed ^ 0x6A7E).random() < _SEALED  # noqa: S311 - reproducible
        """True if its tasks have the gateway instead of a network."""
        self.open_runs: set[str] = set()
        """Runs that the gateway serves: "<task>/<number>"."""
        self.told_logins: dict[str, bool] = {}
        """Runs whose login the gateway was told, True for one that is only a spare one."""
        self.decided: dict[str, bool] = {}
        """Hosts that were asked for, by the gateway's id -> whether they were allowed."""
        self.stopped: set[str] = set()
        """Tasks that were said to be stopped, and that nobody woke since."""
        self.broken: list[str] = []
        self.steps: list[str] = []
        """What happened, for a person who reads a broken schedule."""
        self._tasks: set[asyncio.Task[Any]] = set()
        self._nudges: dict[str, asyncio.Event] = {}
        self._number = 0
        self._clock_off = 0.0
        # Apart, so that a seed means the same with and without.
        self._clock_random = Random(seed ^ 0xC10C)  # noqa: S311 - as above

    def time(self) -> int:
        return 1_700_000_000_000_000_000 + int((self.loop.time() + self._clock_off) * 1e9)

    def count(self) -> int:
        self._number += 1
        return self._number

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        job = self.loop.create_task(work)
        self._tasks.add(job)
        job.add_done_callback(self._tasks.discard)
        return job

    def owns(self, job: asyncio.Task[Any]) -> bool:
        return job in self._tasks

    def log(self, text: str) -> None:
        self.steps.append(f"{self.loop.time():9.3f} {text}")

    def breaks(self, text: str) -> Broken:
        """Note a broken invariant, whoever catches what is raised."""
        self.log(f"BROKEN: {text}")
        self.broken.append(text)
        return Broken(text)

    async def pause(self) -> None:
        await asyncio.sleep(self.random.choice((0, 0, 0.001, 0.01, 0.1, 0.7)))

    def nudge(self, box: Sandbox) -> None:
        self._nudges.setdefault(box.id, asyncio.Event()).set()

    async def wait_nudge(self, box: Sandbox) -> None:
        event = self._nudges.setdefault(box.id, asyncio.Event())
        await event.wait()
        event.clear()

    # -- faults

    def crash_engine(self) -> None:
        """Kill the engine: every sandbox dies with it."""

        self.engine_up = False
        for box in self.sandboxes.values():
            box.end(255)
        self.services.die()

    def lose_engine(self) -> None:
        """Make the engine unreachable; sandboxes go on."""

        self.engine_up = False
        for box in self.sandboxes.values():
            box.grown.set()

    def maybe_set_clock(self) -> None:
        """Now and then, let the clock of the whole machine jump, mostly back."""
        if self._clock_random.random() < _CLOCK_JUMPS:
            self._clock_off += self._clock_random.choice((-7200.0, -30.0, -0.5, 7200.0))
            self.log(f"the clock is set: {self._clock_off:+}")

    def kill_sandbox(self) -> None:
        running = [box for box in self.sandboxes.values() if box.running]
        if running:
            box = self.random.choice(running)
            self.log(f"{box.id} of {box.task} is killed")
            box.end(137)

    def heal(self) -> None:
        self.engine_up, self.store_locked, self.disk_full = True, False, False
        self.flaky = False
        self.space_low = self.worktree_full = self.engine_full = False

    def running(self, task: str) -> list[Sandbox]:
        return [box for box in self.sandboxes.values() if box.task == task and box.running]
