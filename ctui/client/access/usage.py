"""Resources that tasks take: processors, memory, processes, and the disk."""

from __future__ import annotations

import asyncio
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ctui.client.worktrees.worktrees import open_store
from ctui.config import load_config, parse_size
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.docker.services.naming import service_name
from ctui.tasks.disk_usage import measure
from ctui.tasks.journal.archive import FILE_NAME

if TYPE_CHECKING:
    from ctui.paths import Paths
    from ctui.sandbox.commands import SandboxCommands, Usage
    from ctui.tasks.model import Run, Task

_FIRST_SECONDS = 0.5
"""Between the two looks at the processors that the first figures need."""
_DISK_SECONDS = 15.0
"""A worktree is not measured more often than that."""
_ENTRIES = 300_000
_TAIL = 4 << 20
_HOME = re.compile(
    rb'"stream":"err","line":"\{\\"ctui_relay\\": ?\\"home\\", ?\\"bytes\\": ?(\d{1,18})'
)
"""The relay's line in a journal, of which the last one counts."""


class _Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Resources of one container; None is what it does not take, or what is not known."""

    cpu: float | None = None
    """Percent of one processor."""
    memory: int | None = None
    memory_limit: int | None = None
    processes: int | None = None
    layer: int | None = None
    """Bytes that it wrote over its image."""


class ServiceUsage(_Taken, frozen=True, kw_only=True):
    """Resources of one service beside a task."""

    service: str


class TaskUsage(_Taken, frozen=True, kw_only=True):
    """Resources of one task: its sandbox, its folders, and its services apart."""

    task: str
    state: str
    worktree: int | None = None
    """Bytes, with the task's own git directory."""
    home: int | None = None
    """Bytes, as its sandbox said last."""
    journal: int | None = None
    services: tuple[ServiceUsage, ...] = ()


class Budgets(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of each task, in bytes; one that is beyond them is paused."""

    worktree: int
    home: int
    journal: int


class Top(msgspec.Struct, frozen=True, kw_only=True):
    """All tasks of the list, their sum, and their limits."""

    tasks: list[TaskUsage]
    total: TaskUsage
    budgets: Budgets


class UsageWatch:
    """Looks at what tasks take, one after the other: processors are counted from look to look."""

    def __init__(self, paths: Paths, commands: SandboxCommands | None = None) -> None:
        self._paths = paths
        self._commands = commands or DockerCommands(resolve_endpoint())
        self._cpu: dict[str, tuple[float, int]] = {}
        self._disk: dict[str, tuple[float, int]] = {}

    async def first(self) -> Top:
        """Look twice, a moment apart."""
        await self.look()
        await asyncio.sleep(_FIRST_SECONDS)
        return await self.look()

    async def look(self) -> Top:
        """Return what the tasks take now; one that vanishes meanwhile takes nothing.

        Raises:
            CtuiError: the store or the settings cannot be read, or no engine answers.
        """
        with open_store(self._paths) as store:
            tasks = [(task, store.runs.last(task.id)) for task in store.tasks.list()]
        limits = load_config(self._paths).tasks
        rows = await asyncio.gather(*(self._row(task, run) for task, run in tasks))
        return Top(
            tasks=list(rows),
            total=_total(rows),
            budgets=Budgets(
                worktree=parse_size(limits.worktree),
                home=parse_size(limits.home),
                journal=parse_size(limits.journal),
            ),
        )

    async def _row(self, task: Task, run: Run | None) -> TaskUsage:
        folder = self._paths.task(task.id)
        taken: dict[str, Any] = {}
        services: list[ServiceUsage] = []
        if run is not None and run.ended is None:
            instance, names = self._paths.instance, [one.name for one in task.options.services]
            boxes = [service_name(instance, task.id, name) for name in names]
            taken, *beside = await asyncio.gather(*map(self._taken, (run.container, *boxes)))
            both = zip(names, beside, strict=True)
            services = [ServiceUsage(service=name, **one) for name, one in both]
        journal = folder / FILE_NAME
        worktree, home, written = await asyncio.gather(
            asyncio.to_thread(self._worktree, task.id, Path(task.worktree), folder),
            asyncio.to_thread(_home, journal),
            asyncio.to_thread(_size, journal),
        )
        return TaskUsage(
            task=task.id,
            state=str(task.state),
            worktree=worktree,
            home=home,
            journal=written,
            services=tuple(services),
            **taken,
        )

    async def _taken(self, container: str) -> dict[str, Any]:
        """Return the fields that all containers have; none where it is gone."""
        used = await self._commands.usage(container)
        percent = self._percent(container, used)
        if used is None:
            return {}
        return {
            "cpu": percent,
            "memory": used.memory,
            "memory_limit": used.memory_limit,
            "processes": used.processes,
            "layer": used.layer,
        }

    def _percent(self, container: str, used: Usage | None) -> float | None:
        if used is None:
            self._cpu.pop(container, None)
            return None
        now = time.monotonic()
        before = self._cpu.get(container)
        self._cpu[container] = (now, used.cpu)
        if before is None or used.cpu < before[1] or now <= before[0]:
            return None
        return round((used.cpu - before[1]) / (now - before[0]) / 1e7, 1)

    def _worktree(self, task: str, worktree: Path, folder: Path) -> int:
        known = self._disk.get(task)
        if known is not None and time.monotonic() - known[0] < _DISK_SECONDS:
            return known[1]
        found = measure(worktree, folder / "git", folder / "modules", entries=_ENTRIES).bytes
        self._disk[task] = (time.monotonic(), found)
        return found


def _home(journal: Path) -> int | None:
    """Return what the sandbox said of the home last, or None."""
    try:
        with journal.open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
            found = _HOME.findall(file.read(_TAIL))
    except OSError:
        return None
    return int(found[-1]) if found else None


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _total(rows: list[TaskUsage]) -> TaskUsage:
    every = [*rows, *(one for row in rows for one in row.services)]

    def added(name: str) -> Any:
        values = [value for row in every if (value := getattr(row, name, None)) is not None]
        return sum(values) if values else None

    cpus = [row.cpu for row in every if row.cpu is not None]
    names = ("memory", "processes", "worktree", "home", "layer", "journal")
    return TaskUsage(
        task="all",
        state="",
        cpu=round(sum(cpus), 1) if cpus else None,
        **{name: added(name) for name in names},
    )
