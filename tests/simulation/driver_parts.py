"""What a driver is given in the simulated world: its store, files, logins and archives."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ctui.claude.login.credentials import Credential
from ctui.claude.personal.collect import ManagedFile
from ctui.config import Config
from ctui.errors import StoreLocked, Unavailable
from ctui.paths import WORKSPACE
from ctui.redaction.redactor import Redactor
from ctui.sandbox.spec import Mount
from ctui.tasks.calls import Login
from ctui.tasks.disk_usage import Usage
from ctui.tasks.journal.archive import Journal
from ctui.tasks.mailbox.ports import (
    Account,
    BuiltEnvironment,
    ConsentMissing,
    ConsentQuestion,
    Provided,
)
from ctui.tasks.model import Message, Run, Task, WorkState
from ctui.tasks.network.sealed import SealedRun
from ctui.tasks.store import Store
from ctui.tasks.turn import TurnFiles
from tests.simulation.services import SERVICES
from tests.simulation.world import Generation, World


class SimulatedNetwork:
    """The gateway that one driver has of the world: it outlives the driver."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def open(self, run: SealedRun) -> None:
        await self._call()
        self._world.open_runs.add(run.access.run)
        if run.login is not None:
            self._world.told_logins[run.access.run] = run.login.spare

    async def close(self, task: str) -> None:
        if not self._world.sealed:
            return
        await self._call()
        mine = {run for run in self._world.open_runs if run.partition("/")[0] == task}
        self._world.open_runs -= mine

    async def close_others(self, at_work: Container[str]) -> None:
        self._generation.check()
        left = {run for run in self._world.open_runs if run.partition("/")[0] not in at_work}
        self._world.open_runs -= left

    async def lend(self, name: str, repository: str) -> Path:
        del name, repository
        await self._call()
        return Path("/nonexistent")

    def decide(self, request: str, *, allow: bool) -> None:
        self._generation.check()
        self._world.decided[request] = allow

    def rules_changed(self) -> None:
        self._generation.check()

    async def _call(self) -> None:
        self._generation.check()
        await self._world.pause()
        self._generation.check()


class SimulatedWorkspace:
    """Files that are always there, and never change."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def provide(self, task: Task, managed: Mapping[str, ManagedFile]) -> Provided:
        del managed
        self._generation.check()
        await self._world.pause()
        self._generation.check()
        return Provided((Mount(task.worktree, WORKSPACE),), 1000, 1000)

    async def attach(self, task_id: str, text: str, staged: str) -> tuple[str, str]:
        del task_id
        return text, staged

    def media(self, task: Task, message: Message) -> Sequence[dict[str, Any]]:
        del task, message
        return ()

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

    async def snapshot(self, task: Task, turn: int, *, at_end: bool) -> TurnFiles:
        self._generation.check()
        await self._world.pause()
        self._generation.check()
        if task.id in self._world.unreadable:
            raise ValueError("the files cannot be read")
        await asyncio.sleep(self._world.snapshot_seconds)
        self._generation.check()
        return TurnFiles(turn=turn, at_end=at_end, snapshot=f"{task.id}/{turn}")

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


class SimulatedEnvironments:
    """An environment whose definition can change, and which takes its time to be built."""

    def __init__(self, world: World, generation: Generation) -> None:
        self._world, self._generation = world, generation

    async def provide(
        self, task: Task, config: Config, agreed: Collection[str], say: Callable[[str], None]
    ) -> BuiltEnvironment:
        del task, config
        self._generation.check()
        wanted = self._world.environment
        if wanted not in agreed:
            raise ConsentMissing(ConsentQuestion("it", ".ctui.toml", wanted, f"runs: {wanted}"))
        say("1/1 it is built")
        await self._world.pause()
        self._generation.check()
        return BuiltEnvironment(wanted, {"/data": "data"}, services=SERVICES)


class SimulatedLogins:
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


class SimulatedJournals:
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


_WIPED = ("messages", "asks", "runs", "turns", "tasks", "remarks", "threads", "sqlite_sequence")


class SimulatedStore(Store):
    """The real store in memory, which can be locked, and is closed to drivers that are dead."""

    world: World
    generation: Generation

    def wipe(self) -> None:
        """Forget everything: making the tables anew for each schedule would take longer."""
        with super().transaction():
            for table in _WIPED:
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
def simulated_store() -> SimulatedStore:
    return SimulatedStore(":memory:")
