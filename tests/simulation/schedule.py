"""One schedule: a seed decides what front ends say, what fails, and in which order it all meets."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ctui.claude.login.credentials import Credential, Redactor
from ctui.config import Config
from ctui.errors import CtuiError, StoreLocked, Unavailable
from ctui.paths import WORKSPACE
from ctui.sandbox.spec import Mount
from ctui.tasks import calls
from ctui.tasks.calls import Login, Update
from ctui.tasks.disk_usage import Usage
from ctui.tasks.engine import TaskEngine
from ctui.tasks.journal.archive import FILE_NAME, Journal, read_entries
from ctui.tasks.mailbox.ports import Account, Provided, Services
from ctui.tasks.model import Answer, Ask, AskState, Run, Task, TaskOptions, TaskState, WorkState
from ctui.tasks.store import Store
from tests.simulation.virtual_loop import VirtualLoop
from tests.simulation.world import PASSING, Broken, Dead, Generation, SimulatedRunner, World

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


class _Workspace:
    """Files that are always there, and never change."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def provide(self, task: Task, managed: Mapping[str, str]) -> Provided:
        del managed
        self._generation.check()
        await self._world.pause()
        self._generation.check()
        return Provided((Mount(task.worktree, WORKSPACE),), 1000, 1000)

    async def is_trusted(self, task: Task) -> bool:
        del task
        return False

    async def base_file(self, task: Task, path: str) -> str:
        del task, path
        return ""

    async def collect(self, task: Task) -> WorkState | None:
        self._generation.check()
        await self._world.pause()
        self._generation.check()
        if task.id in self._world.unreadable:
            raise ValueError("the git directory cannot be read")
        return None

    async def refresh(self, task: Task) -> None:
        del task
        self._generation.check()
        await self._world.pause()
        self._generation.check()

    async def trouble(self, task: Task) -> str:
        del task
        return ""

    async def discard(self, task: Task) -> None:
        del task
        self._generation.check()
        await self._world.pause()
        self._generation.check()

    async def usage(self, task: Task, files: int) -> Usage:
        del task
        self._generation.check()
        return Usage(files=files + 1 if self._world.worktree_full else 0)

    async def free_space(self, task: Task) -> tuple[int, str]:
        self._generation.check()
        return 0 if self._world.space_low else 1 << 40, task.worktree


class _Logins:
    """A login that is always there."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    def remember(self, task: str, login: Login) -> None: ...

    def accepted(self, task: str) -> None: ...

    def forget(self, task: str) -> None: ...

    def variable(self, task: str) -> str:
        del task
        return ""

    async def of(self, task: Task, *, needed: bool) -> Account:
        del task, needed
        self._generation.check()
        await self._world.pause()
        self._generation.check()
        return Account(Credential("api-key", "sk-test"))

    async def another(self, task: Task) -> bool:
        del task
        return False


class _Archive(Journal):
    """An archive on a disk that can be full."""

    def __init__(self, folder: Path, world: World) -> None:
        super().__init__(folder, Redactor(()))
        self._world = world

    def append(self, run: int, lines: Any) -> None:
        if self._world.disk_full:
            raise Unavailable("the disk is full")
        super().append(run, lines)


class _Journals:
    """Archives in a folder, as the driver has them."""

    def __init__(self, world: World, folder: Path, generation: Generation) -> None:
        self._world, self._folder, self._generation = world, folder, generation
        self._open: dict[str, Journal] = {}

    def of(self, task_id: str) -> Journal:
        self._generation.check()
        if task_id not in self._open:
            self._open[task_id] = _Archive(self._folder / task_id, self._world)
        return self._open[task_id]

    async def archived(self, run: Run) -> Counter[str]:
        await self._world.pause()
        return self.of(run.task).archived(run.number)

    async def sync(self, task_id: str) -> None:
        del task_id
        self._generation.check()
        await self._world.pause()
        self._generation.check()

    def keep(self, task: Task) -> None:
        del task
        self._generation.check()

    def close(self, task_id: str) -> None:
        if (journal := self._open.pop(task_id, None)) is not None:
            journal.close()

    def rest(self, task_id: str) -> None:
        self.close(task_id)

    def close_all(self) -> None:
        for task_id in list(self._open):
            self.close(task_id)


class SimulatedStore(Store):
    """The real store in memory, which can be locked, and is closed to drivers that are dead."""

    world: World
    generation: Generation

    def wipe(self) -> None:
        """Forget everything: making the tables anew for each schedule would take longer."""
        with super().transaction():
            for table in ("messages", "asks", "runs", "tasks", "sqlite_sequence"):
                self._database.execute(f"DELETE FROM {table}")  # noqa: S608 - constants

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.generation.check()
        if self.world.store_locked:
            raise StoreLocked("the store is locked")
        with super().transaction():
            yield
        if self.generation.steps_left is not None and not self._database._depth:
            self.generation.dies_in_a_step(self.world)


@cache
def _store() -> SimulatedStore:
    return SimulatedStore(":memory:")


class Schedule:
    """One world, its drivers one after the other, and the front ends that talk to them."""

    def __init__(self, loop: VirtualLoop, seed: int, folder: Path) -> None:
        self.world = World(loop, seed)
        self.random = self.world.random
        self.folder = folder
        self.store = _store()
        self.store.wipe()
        self.store.world = self.world
        self.accepted: dict[str, tuple[str, int]] = {}
        """Messages that a driver said it took -> their task, and how often it was hurt before."""
        self.hurt: Counter[str] = Counter()
        """How often somebody stopped or removed each task."""
        self.to_be_stopped: set[str] = set()
        """Tasks of which was said that they are stopped as soon as the engine answers."""
        self.removed: set[str] = set()
        self._deeds = {**_DEEDS, **_LIMITS} if seed % 4 == 0 else _DEEDS
        self._woken: dict[str, int] = {}
        self._commands: set[asyncio.Task[None]] = set()
        self.start_driver()

    # -- drivers

    def start_driver(self) -> None:
        self.world.log("driver starts")
        self.generation = self.store.generation = Generation()
        self.journals = _Journals(self.world, self.folder, self.generation)
        services = Services(
            store=self.store,
            runner=SimulatedRunner(self.world, self.generation),
            workspace=_Workspace(self.world, self.generation),
            logins=_Logins(self.world, self.generation),
            journals=self.journals,
            instance="0123456789abcdef",
            config=Config,
            publish=self._published,
            now=self.world.time,
        )
        self.engine = TaskEngine(services, set())
        self.engine.adopt()

    async def kill_driver(self) -> None:
        """End a driver at once: nothing of it does anything any more."""
        self.world.log("driver is killed")
        self.generation.dead = True
        current = asyncio.current_task()
        for job in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name):
            if job in self._commands or not (job is current or self.world.owns(job)):
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
        self._commands.add(job)
        job.add_done_callback(self._commands.discard)

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
            options=TaskOptions(**options),
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
        self.world.stopped.add(task)

    def _published(self, update: Update) -> None:
        if update.task is not None:
            self.world.log(f"  {update.task.id} is {update.task.state} {update.task.problem[:60]}")

    def _check_busy(self, task: Task, why: str) -> None:
        if task.state is TaskState.IDLE or (task.state is TaskState.ENDED and not task.problem):
            raise self.world.breaks(
                f"{why}, and it is {task.state} before the turn of that message"
            )

    # -- the schedule

    def _start(self, task: str) -> None:
        options = self._options()
        self.command(f"start {task}", lambda: self.start(task, **options))

    async def run(self) -> None:
        """Do random things, then let the world heal, and look at what is left."""
        for task in TASKS:
            self._start(task)
        for _ in range(self.random.randint(3, _STEPS)):
            await asyncio.sleep(self.random.choice((0, 0.01, 0.3, 2.0, 30.0)))
            await self._something()
        await self._heal()
        self._check_end()
        await self._check_restart()

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
            if not pending and not self._commands and self._quiet():
                break
        await asyncio.sleep(20.0)  # what is idle may be about to end

    def _quiet(self) -> bool:
        live = {TaskState.QUEUED, TaskState.STARTING, TaskState.RUNNING, TaskState.WAITING}
        return not any(task.state in live for task in self.store.tasks.list())

    def _check_end(self) -> None:
        tasks = self.store.tasks.list()
        for task in tasks:
            running = self.world.running(task.id)
            if task.state.live:
                raise self.world.breaks(f"{task.id} is {task.state} for ever: {task.problem!r}")
            passing = task.problem.startswith(PASSING)
            if passing or (task.state is TaskState.IDLE and task.cause in {"engine", "store"}):
                raise self.world.breaks(f"{task.id} says for ever that {task.problem!r}")
            if task.id in self.to_be_stopped and task.state is not TaskState.ENDED:
                raise self.world.breaks(f"{task.id} was to be stopped, and is {task.state}")
            if task.state is TaskState.ENDED and running:
                raise self.world.breaks(f"{task.id} has ended, and {running[0].id} runs")
            self._check_journal(task.id)
        for task_id in self.removed - {task.id for task in tasks}:
            if self.world.running(task_id):
                raise self.world.breaks(f"{task_id} was removed, and has a sandbox")
        self._check_words()
        if self._commands:
            raise self.world.breaks("a command was never answered")

    def _check_words(self) -> None:
        """What was said was heard once, or somebody was told that it was not."""
        for message, (task_id, before) in self.accepted.items():
            count = self.world.consumed[message]
            if count > 1:
                raise self.world.breaks(f"{message} was read {count} times")
            told = self.hurt[task_id] > before or self.store.tasks.get(task_id).failed
            if count == 0 and not told:
                raise self.world.breaks(f"{message} to {task_id} was accepted, and never read")
        if stuck := self.store.asks.list(AskState.PENDING, AskState.ANSWERED):
            ask = stuck[0]
            raise self.world.breaks(f"ask {ask.id} of {ask.task} is {ask.state} for ever")
        for (task_id, run, request), count in self.world.answers_taken.items():
            if count > 1:
                raise self.world.breaks(f"{request} of {task_id}, run {run}, was answered twice")

    def _check_journal(self, task_id: str) -> None:
        """The archive has every line of every run once, in order."""
        kept: dict[int, list[str]] = {}
        for entry in read_entries(self.folder / task_id / FILE_NAME):
            if entry.stream == "out":
                kept.setdefault(entry.run, []).append(entry.line)
        for box in self.world.sandboxes.values():
            if box.task != task_id or not box.started:
                continue
            said = [line.data.decode() for line in box.log if line.stream == "out"]
            if kept.get(box.run, []) != said:
                raise self.world.breaks(
                    f"the archive of {task_id} run {box.run} has {len(kept.get(box.run, []))} "
                    f"lines, and the CLI said {len(said)}"
                )

    async def _check_restart(self) -> None:
        """A driver that starts in a quiet world changes nothing."""
        before = {task.id: (task.state, task.reason) for task in self.store.tasks.list()}
        await self.kill_driver()
        self.start_driver()
        await asyncio.sleep(30.0)
        after = {task.id: (task.state, task.reason) for task in self.store.tasks.list()}
        if before != after:
            raise self.world.breaks(f"a restarted driver makes {after} of {before}")


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
    loop.set_exception_handler(lambda _, context: failures.append(_failure(context)))
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
    except BaseException as error:
        steps = "\n".join(schedule.world.steps) if schedule else ""
        raise Broken(f"seed {seed}: {error!r}\n{steps}") from error
    finally:
        _end(loop)
        gc.enable()
        gc.collect()  # dead tasks would slow down what asks for all tasks
        shutil.rmtree(folder, ignore_errors=True)


@cache
def _freeze() -> None:
    """Spare the collector what was there before the first schedule."""
    gc.collect()
    gc.freeze()


@contextmanager
def mistakes() -> Iterator[list[str]]:
    """Collect what the tasks' loops log as mistakes of this program: none is expected."""
    made: list[str] = []
    handler = _Collector(made)
    logger = logging.getLogger("ctui.tasks")
    logger.addHandler(handler)
    try:
        yield made
    finally:
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, made: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._made = made

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info is None or not isinstance(record.exc_info[1], Dead):
            self._made.append(self.format(record))


def _end(loop: VirtualLoop) -> None:
    rest = asyncio.all_tasks(loop)
    for job in rest:
        job.cancel()
    loop.set_exception_handler(lambda *_: None)
    if rest:
        loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


def _failure(context: dict[str, Any]) -> BaseException:
    found = context.get("exception")
    return found if isinstance(found, BaseException) else AssertionError(context["message"])


def _memory() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
