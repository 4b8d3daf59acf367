"""Forty kills under seven tasks: who works, who answers, who kills, all from one seed."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from random import Random
from typing import TypeVar

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.transcript import Transcript
from ctui.client.client import Client
from ctui.client.connection import driver_pid
from ctui.demo.model.script import fenced
from ctui.errors import Conflict, CtuiError
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, TaskState
from tests.tasks.conftest import Person
from tests.tasks.faults import cli_of, follow_ctui
from tests.tasks.private_engine import PrivateEngine

T = TypeVar("T")

TASKS = tuple(f"task-{number}" for number in range(7))
SPARED = TASKS[:3]
"""Their sandboxes are not hurt before the engine is: what they are told they do exactly once."""
KILLS = {"driver": 20, "front end": 8, "relay": 5, "cli": 6, "engine": 1}
_PAUSE_SECONDS = (0.5, 4.0)
_QUIET_SECONDS = 240.0


class KillSchedule:
    """One world under a schedule of kills."""

    def __init__(self, person: Person, engine: PrivateEngine, seed: int) -> None:
        self.person = person
        self.engine = engine
        self.random = Random(seed)  # noqa: S311 - it has to be reproducible
        self.sent: dict[str, list[str]] = {name: [] for name in TASKS}
        """The word of each message that a driver took, by task."""
        self.killed: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        """What came of the answers that were given."""
        self.hurt: set[str] = set()
        self.live = {name: Transcript() for name in TASKS}
        self._over = False

    async def run(self) -> None:
        """Begin all tasks, kill, and wait until everything that was said is done."""
        for name in TASKS:
            await self.person.start(name, *self._steps(name))
        others = [
            *(asyncio.create_task(self._answer(number)) for number in range(2)),
            *(asyncio.create_task(self._talk(name)) for name in TASKS),
        ]
        readers = [asyncio.create_task(self._read(name)) for name in TASKS]
        await self._kill()
        self._over = True
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                await asyncio.gather(*others)
                await self._until_read()
        except TimeoutError:
            raise AssertionError(f"not at rest: {self._unrest()}") from None
        finally:
            for job in (*others, *readers):
                job.cancel()

    # -- the work

    def _steps(self, name: str) -> tuple[str, ...]:
        word = uuid.uuid4().hex[:12]
        self.sent[name].append(word)
        flood = self.random.choice((0, 400, 4000))
        return (
            "slow 10",
            *((f"flood {flood}",) if flood else ()),
            *(f"bash echo {word} >> heard-{number}" for number in range(self.random.randint(1, 3))),
            f"say Heard {word}.",
        )

    async def _talk(self, name: str) -> None:
        """Say the next thing whenever the task rests; go on with one that ended."""
        while True:
            task = self.person.store.tasks.get(name)
            if task.state is TaskState.ENDED or (task.state is TaskState.IDLE and task.unanswered):
                with suppress(CtuiError):
                    await self.person.client.call(calls.ResumeTask(name))
            elif task.state is TaskState.IDLE and self._over:
                return
            elif task.state is TaskState.IDLE:
                message, text = str(uuid.uuid4()), "Next.\n" + fenced(*self._steps(name))
                call = calls.SendMessage(name, message, text)
                await self._insist(lambda call=call: self.person.client.call(call))  # type: ignore[misc]
            await asyncio.sleep(self.random.uniform(0.2, 1.0))

    async def _answer(self, number: int) -> None:
        """Answer at random what is asked, and in competition with the other one."""
        async with Client(self.person.world.paths, self.person.world.environ) as client:
            while not (self._over and self._at_rest()):
                for ask in self.person.store.asks.list(AskState.PENDING):
                    if self.random.random() < 0.3:
                        continue
                    try:
                        got = await client.call(calls.AnswerAsk(ask.id, Answer("allow")))
                        self.answered[got.state] += 1
                    except Conflict:
                        self.answered["refused"] += 1
                    except CtuiError:
                        self.answered["nobody there"] += 1
                await asyncio.sleep(self.random.uniform(0.05, 0.4) * (number + 1))

    def _at_rest(self) -> bool:
        store = self.person.store
        words = {task.id: task for task in store.tasks.list()}
        return all(task.state is TaskState.IDLE and not task.unanswered for task in words.values())

    def _unrest(self) -> dict[str, object]:
        """Return what is known of the tasks that are not done with what they were told."""
        store, found = self.person.store, dict[str, object]()
        for task in store.tasks.list():
            if task.state is TaskState.IDLE and not task.unanswered and self._is_read(task.id):
                continue
            asks = [(one.id, one.state, one.kind) for one in store.asks.list(task=task.id)[-3:]]
            run, told = store.runs.last(task.id), store.messages.undelivered(task.id)
            found[task.id] = (task.state, task.unanswered, task.problem, asks, run, told)
        return found

    async def _read(self, name: str) -> None:
        """Follow a task's transcript through it all."""
        while True:
            with suppress(CtuiError):
                async with aclosing(self.person.client.follow(name)) as batches:
                    self.live[name] = Transcript()
                    async for batch in batches:
                        for entry in batch:
                            event = decode(entry.line, entry.stream)
                            self.live[name].feed(event, run=entry.run, time=entry.t)
            await asyncio.sleep(0.2)

    async def _until_read(self) -> None:
        while not all(map(self._is_read, TASKS)):  # noqa: ASYNC110
            await asyncio.sleep(0.2)

    def _is_read(self, name: str) -> bool:
        return self._word(name) in str(self.live[name].blocks[-6:])

    def _word(self, name: str) -> str:
        return self.sent[name][-1]

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Repeat a call until somebody takes it: a driver may die before its reply."""
        while True:
            try:
                return await call()
            except CtuiError:
                await asyncio.sleep(0.3)

    # -- the kills

    async def _kill(self) -> None:
        kinds = [kind for kind, count in KILLS.items() if kind != "engine" for _ in range(count)]
        self.random.shuffle(kinds)
        kinds.insert(self.random.randint(25, 35), "engine")
        deeds = {
            "driver": self._kill_driver,
            "front end": self._kill_front_end,
            "relay": self._kill_relay,
            "cli": self._kill_cli,
            "engine": self._kill_engine,
        }
        for kind in kinds:
            await asyncio.sleep(self.random.uniform(*_PAUSE_SECONDS))
            while not await deeds[kind]():  # noqa: ASYNC110
                await asyncio.sleep(0.3)
            self.killed[kind] += 1

    async def _kill_driver(self) -> bool:
        with suppress(CtuiError, ProcessLookupError):
            pid = await driver_pid(self.person.world.paths)
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
                return True
        return False

    async def _kill_front_end(self) -> bool:
        """Kill a command in flight; what it wanted to say may have been said, once."""
        name = self.random.choice(TASKS)
        command = self.random.choice(
            (("task", "list"), ("task", "logs", name, "--follow"), ("task", "show", name))
        )
        process = await follow_ctui(self.person, *command)
        await asyncio.sleep(self.random.uniform(0.2, 1.5))
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
        return True

    async def _box(self) -> tuple[str, str] | None:
        labels = {LABEL_INSTANCE: self.person.world.paths.instance}
        try:
            found = await self.person.world.engine.find(labels)
        except CtuiError:
            return None
        hurt = [(one.labels["ctui.task"], one.id) for one in found if one.running]
        chosen = [one for one in sorted(hurt) if one[0] and one[0] not in SPARED]
        return self.random.choice(chosen) if chosen else None

    async def _kill_relay(self) -> bool:
        """PID 1 of the container, from outside."""
        box = await self._box()
        if box is None:
            return False
        top = self.engine.docker("inspect", "--format", "{{.State.Pid}}", box[1])
        pid = int(top.stdout)
        if pid <= 0:
            return False
        self.hurt.add(box[0])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    async def _kill_cli(self) -> bool:
        box = await self._box()
        if box is None:
            return False
        try:
            pid = cli_of(box[1])
        except (AssertionError, subprocess.CalledProcessError):
            return False
        self.hurt.add(box[0])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return True

    async def _kill_engine(self) -> bool:
        self.hurt.update(TASKS)
        await asyncio.to_thread(self.engine.kill)
        await asyncio.sleep(self.random.uniform(0.5, 5.0))
        await asyncio.to_thread(self.engine.start)
        return True
