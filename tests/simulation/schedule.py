"""One schedule: a seed decides what front ends say, what fails, and in which order it all meets."""

from __future__ import annotations

import asyncio
import gc
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

from ctui.tasks.model import Ask, AskState, TaskState
from tests.simulation.end_checks import check_end, check_restart
from tests.simulation.front_ends import FrontEnds
from tests.simulation.mistakes import mistakes
from tests.simulation.services import SERVICES
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.world import Broken, Dead

TASKS = ("one", "two")
_STEPS = 14
_DEEDS = {
    "send": 6,
    "answer": 8,
    "stop": 4,
    "resume": 3,
    "interrupt": 2,
    "remove": 1,
    "driver": 5,
    "driver and command": 3,
    "driver in a step": 4,
    "engine crashes": 1,
    "engine away": 2,
    "sandbox killed": 2,
    "store locked": 2,
    "disk full": 1,
    "runner flaky": 2,
    "put back": 1,
    "all is well": 6,
}
"""What can happen next -> how often it does, beside the others."""
_LIMITS = {"space low": 3, "worktree full": 3, "resume": 6}
"""What can happen beside that in every fourth schedule, where limits are exceeded."""
_LONG = 600.0
"""Virtual seconds after which a world without faults must be quiet."""


class Schedule(FrontEnds):
    """What happens in one world: what people say, what fails, and how it heals."""

    def __init__(self, loop: VirtualLoop, seed: int, folder: Path) -> None:
        super().__init__(loop, seed, folder)
        self._deeds = {**_DEEDS, **_LIMITS} if seed % 4 == 0 else _DEEDS
        self._services = SERVICES if seed % 3 == 1 else ()

    def _start(self, task: str) -> None:
        options = {**self._options(), "services": self._services}
        self.command(f"start {task}", lambda: self.start(task, **options))

    async def run(self) -> None:
        """Do random things, then let the world heal, and look at what is left."""
        for task in TASKS:
            self._start(task)
        for _ in range(self.random.randint(3, _STEPS)):
            await asyncio.sleep(self.random.choice((0, 0.01, 0.3, 2.0, 30.0)))
            await self._something()
        await self._heal()
        check_end(self)
        await check_restart(self)

    async def _something(self) -> None:
        self.world.maybe_set_clock()
        names, weights = zip(*self._deeds.items(), strict=True)
        task = self.random.choice(TASKS)
        name = self.random.choices(names, weights)[0]
        if name in {"send", "stop", "resume", "interrupt", "remove", "put back"}:
            self._tell(name, task)
        elif name == "answer":
            for ask in self.store.asks.list(AskState.PENDING)[:1]:
                self._answer(ask)
        elif name in {"driver", "driver and command"}:
            await self.kill_driver()
            self.start_driver()
            if name != "driver":
                self._tell(self.random.choice(("stop", "send")), task)
        elif name == "driver in a step":
            self.generation.steps_left = self.random.choice((0, 0, 1, 2, 5))
            self._tell(self.random.choice(("stop", "send", "resume", "interrupt")), task)
            await asyncio.sleep(self.random.choice((0.01, 0.3, 2.0)))
            await self.kill_driver()
            self.start_driver()
        else:
            self._harm(name)

    def _tell(self, name: str, task: str) -> None:
        if name not in {"interrupt", "put back"}:
            self._woken[task] = int(name in {"send", "resume"})
        work = {
            "send": self.send,
            "stop": self.stop,
            "resume": self.resume,
            "interrupt": self.interrupt,
            "remove": self.remove,
            "put back": self.put_back,
        }[name]
        self.command(f"{name} {task}", lambda: work(task))

    def _answer(self, ask: Ask) -> None:
        self.command(f"answer {ask.id}", lambda: self.answer(ask))

    def _harm(self, name: str) -> None:
        world = self.world
        world.log(name)
        match name:
            case "engine crashes":
                world.crash_engine()
            case "engine away":
                world.lose_engine()
            case "sandbox killed":
                world.kill_sandbox()
            case "store locked":
                world.store_locked = True
            case "disk full":
                world.disk_full = True
            case "runner flaky":
                world.flaky = True
            case "space low":
                world.space_low = True
            case "worktree full":
                world.worktree_full = True
            case _:
                world.heal()

    async def _heal(self) -> None:
        """Mend everything, and answer what is asked until nothing happens any more."""
        self.world.log("the world heals")
        self.world.heal()
        until = self.world.loop.time() + _LONG
        while self.world.loop.time() < until:
            await asyncio.sleep(20.0)
            pending = self.store.asks.list(AskState.PENDING)
            for ask in pending:
                self._answer(ask)
            for task in self.store.tasks.list():
                if task.paused not in {"", "space"}:
                    self._tell("resume", task.id)
            if not pending and not self.commands and self._quiet():
                break
        await asyncio.sleep(20.0)  # what is idle may be about to end

    def _quiet(self) -> bool:
        live = {TaskState.QUEUED, TaskState.STARTING, TaskState.RUNNING, TaskState.WAITING}
        return not any(task.state in live for task in self.store.tasks.list())


def run_schedule(seed: int) -> None:
    """Run one schedule. Raises Broken, with everything that happened, if an invariant breaks."""
    in_world(seed, lambda schedule: schedule.run())


def in_world(seed: int, work: Callable[[Schedule], Coroutine[Any, Any, None]]) -> None:
    """Do something in a world of its own.

    Raises Broken, with everything that happened, if an invariant breaks or ctui makes a mistake.
    """
    loop = VirtualLoop()
    folder = Path(tempfile.mkdtemp(prefix="ctui-simulation-", dir=_memory()))
    failures: list[BaseException] = []
    loop.set_exception_handler(lambda _, context: failures.extend(_failures(context)))
    schedule: Schedule | None = None

    async def everything() -> None:
        nonlocal schedule
        schedule = Schedule(loop, seed, folder)
        await work(schedule)

    _freeze()
    gc.disable()  # it would look at everything again and again, and a schedule is short
    try:
        asyncio.set_event_loop(loop)
        with mistakes() as made:
            loop.run_until_complete(everything())
        if schedule is not None and schedule.world.broken:
            raise Broken(schedule.world.broken[0])
        if made:
            raise Broken(f"ctui made a mistake: {made[0]}")
        if failures:
            raise Broken(f"what failed was told to nobody: {failures[0]!r}")
    except BaseException as error:
        steps = "\n".join(schedule.world.steps) if schedule else ""
        raise Broken(f"seed {seed}: {error!r}\n{steps}") from error
    finally:
        _end(loop)
        if schedule is not None:
            schedule.journals.close_all()  # a million schedules would run out of descriptors
        gc.enable()
        gc.collect()  # dead tasks would slow down what asks for all tasks
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _freeze() -> None:
    """Spare the collector what was there before the first schedule."""
    gc.collect()
    gc.freeze()


def _end(loop: VirtualLoop) -> None:
    rest = asyncio.all_tasks(loop)
    for job in rest:
        job.cancel()
    loop.set_exception_handler(lambda *_: None)
    if rest:
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


def _failures(context: dict[str, Any]) -> list[BaseException]:
    """Return what nobody waits for the end of has raised, but for the end of its driver."""
    found = context.get("exception") or AssertionError(context["message"])
    return [] if isinstance(found, Dead) else [found]


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
