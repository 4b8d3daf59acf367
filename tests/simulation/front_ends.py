"""A driver of the simulated world, the next one after its death, and front ends that talk to it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ctui.config import Config
from ctui.errors import CtuiError, Unavailable
from ctui.tasks import calls
from ctui.tasks.calls import Update
from ctui.tasks.engine import TaskEngine
from ctui.tasks.mailbox.ports import Services
from ctui.tasks.model import Answer, Ask, AskState, Task, TaskOptions, TaskState
from tests.simulation.driver_parts import (
    SimulatedEnvironments,
    SimulatedJournals,
    SimulatedLogins,
    SimulatedNetwork,
    SimulatedWorkspace,
    simulated_store,
)
from tests.simulation.runner import SimulatedRunner
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.world import Dead, Generation, World

_CONFIG = Config()


class FrontEnds:
    """One world, its drivers one after the other, and what front ends were told by them."""

    def __init__(self, loop: VirtualLoop, seed: int, folder: Path) -> None:
        self.world = World(loop, seed)
        self.random = self.world.random
        self.folder = folder
        self.store = simulated_store()
        self.store.wipe()
        self.store.world = self.world
        self.accepted: dict[str, tuple[str, int]] = {}
        """Messages that a driver said it took -> their task, and how often it was hurt before."""
        self.hurt: Counter[str] = Counter()
        """How often somebody stopped or removed each task."""
        self.to_be_stopped: set[str] = set()
        """Tasks of which was said that they are stopped as soon as the engine answers."""
        self.removed: set[str] = set()
        self._woken: dict[str, int] = {}
        self.commands: set[asyncio.Task[None]] = set()
        """Those that have no answer yet."""
        self.start_driver()

    # -- drivers

    def start_driver(self) -> None:
        self.world.log("driver starts")
        self.generation = self.store.generation = Generation()
        self.journals = SimulatedJournals(self.world, self.folder, self.generation)
        services = Services(
            store=self.store,
            runner=SimulatedRunner(self.world, self.generation),
            workspace=SimulatedWorkspace(self.world, self.generation),
            logins=SimulatedLogins(self.world, self.generation),
            journals=self.journals,
            network=SimulatedNetwork(self.world, self.generation),
            instance="0123456789abcdef",
            config=lambda: _CONFIG,
            publish=self._published,
            now=self.world.time,
            environments=SimulatedEnvironments(self.world, self.generation),
        )
        self.engine = TaskEngine(services, set())
        self.engine.adopt()

    async def kill_driver(self) -> None:
        """End a driver at once: nothing of it does anything any more."""
        self.world.log("driver is killed")
        self.generation.dead = True
        current = asyncio.current_task()
        for job in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name):
            if job in self.commands or not (job is current or self.world.owns(job)):
                job.cancel()
        await asyncio.sleep(0)
        self.journals.close_all()

    # -- front ends

    def command(self, name: str, work: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """Give a command, and note what came of it. It dies with its driver."""

        async def run() -> None:
            try:
                await work()
                self.world.log(f"{name}: done")
            except CtuiError as error:
                self.world.log(f"{name}: {error.message}")
            except (Dead, asyncio.CancelledError):
                self.world.log(f"{name}: the driver died")

        self.world.log(f"{name} …")
        job = self.world.spawn(run())
        self.commands.add(job)
        job.add_done_callback(self.commands.discard)

    async def start(
        self,
        task: str,
        *,
        detached: bool | None = None,
        config: Config | None = None,
        **options: Any,
    ) -> None:
        call = calls.StartTask(
            task=task,
            repository="/repository/.git",
            worktree=f"/worktrees/{task}",
            metadata=None,
            branch=None,
            base=None,
            prompt="go",
            detached=self.random.random() < 0.7 if detached is None else detached,
            options=TaskOptions(network="allow" if self.world.sealed else "", **options),
            config=config,
        )
        before = self.hurt[task]
        await self.engine.start(call)
        for message in self.store.messages.of(task):
            self.accepted.setdefault(message.id, (task, before))

    def _options(self) -> dict[str, Any]:
        return {
            "unattended": self.random.random() < 0.1,
            "timeout": self.random.choice((None, None, None, 5)),
        }

    async def send(self, task: str) -> None:
        message = f"message-{self.world.count()}"
        self._wake(task)
        before = self.hurt[task]
        await self.engine.send(calls.SendMessage(task, message, "more"))
        self.accepted[message] = (task, before)
        state = self.store.tasks.get(task, removed=True)
        if message not in self.world.turns_over and self.hurt[task] == before:
            self._check_busy(state, f"send to {task} was accepted")

    async def stop(self, task: str) -> None:
        self.hurt[task] += 1
        with self._promise(task):
            await self.engine.stop(calls.StopTask(task))
        self._said_stopped(task)

    async def remove(self, task: str) -> None:
        self.hurt[task] += 1
        purge = self.random.random() < 0.5
        with self._promise(task):
            await self.engine.remove(calls.RemoveTask(task, purge=purge))
        self.removed.add(task)
        self._said_stopped(task)

    async def resume(self, task: str) -> None:
        self._wake(task)
        await self.engine.resume(calls.ResumeTask(task))

    async def put_back(self, task: str) -> None:
        await self.engine.put_back(calls.PutBackTask(task))
        self.removed.discard(task)

    async def interrupt(self, task: str) -> None:
        await self.engine.interrupt(calls.InterruptTask(task))

    async def answer(self, ask: Ask) -> None:
        decision = self.random.choice(("allow", "deny"))
        answered = await self.engine.answer(calls.AnswerAsk(ask.id, Answer(decision)))  # type: ignore[arg-type]
        taken = self.world.answers_taken[(ask.task, ask.run, ask.request)]
        if answered.state is AskState.DELIVERED and taken != 1:
            raise self.world.breaks(
                f"ask {ask.id} was said to be delivered, and was taken {taken} times"
            )

    def _wake(self, task: str) -> None:
        self.world.stopped.discard(task)
        self.to_be_stopped.discard(task)

    @contextmanager
    def _promise(self, task: str) -> Iterator[None]:
        """Note whether somebody was told that the task is stopped later."""
        try:
            yield
        except Unavailable as error:
            if "has not confirmed" in error.message and not self._woken.get(task):
                self.to_be_stopped.add(task)
            raise

    def _said_stopped(self, task: str) -> None:
        if self._woken.get(task):
            return
        running = self.world.running(task)
        if running:
            raise self.world.breaks(f"{task} was said to be stopped, and {running[0].id} runs")
        if left := self.world.services.left(task):
            raise self.world.breaks(f"{task} was said to be stopped, and has {left[0].name}")
        self.world.stopped.add(task)

    def _published(self, update: Update) -> None:
        if update.task is not None:
            self.world.log(f"  {update.task.id} is {update.task.state} {update.task.problem[:60]}")

    def _check_busy(self, task: Task, why: str) -> None:
        if task.state is TaskState.IDLE or (task.state is TaskState.ENDED and not task.problem):
            raise self.world.breaks(
                f"{why}, and it is {task.state} before the turn of that message"
            )
