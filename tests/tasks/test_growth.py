"""Ten minutes of sixteen tasks: what a turn leaves behind is in the journals, and nowhere else."""

from __future__ import annotations

import asyncio
import time
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.client.lock_holder import holder
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Task, TaskState
from tests.tasks.conftest import Person
from tests.tui.tmux import Terminal

pytestmark = [pytest.mark.engine, pytest.mark.soak, pytest.mark.timeout(1800)]

TASKS = tuple(f"task-{number:02}" for number in range(16))
_WARM_SECONDS = 120.0
"""Until caches are full, pools have their threads, and the screen has what it keeps."""
_SECONDS = 600.0
_LOOK_SECONDS = 10.0
_PATIENCE = 300.0
"""For one turn beside fifteen others, on a machine that has other work too."""
_MORE_BYTES = {"driver": 4_000_000, "gateway": 4_000_000, "dashboard": 40_000_000}
"""That a process may have at the end; the dashboard keeps rows that it showed lately."""
_MORE_DESCRIPTORS = 8
"""Of hundreds of turns: connections that happen to be open whenever one looks."""
_PRIVATE = ("Private_Clean:", "Private_Dirty:")


class Size(NamedTuple):
    """What a process has."""

    memory: int
    """Bytes that it shares with no other."""
    descriptors: int
    threads: int


class Moment(NamedTuple):
    """How large everything is."""

    turns: int
    journals: int
    """Bytes."""
    sizes: dict[str, Size]


class Work:
    """The same turn again and again, in every task, before a screen."""

    def __init__(self, person: Person, terminal: Terminal) -> None:
        self.person = person
        self.terminal = terminal
        self.turns = 0

    async def begin(self) -> None:
        for name in TASKS:
            await self.person.start(name, "say Ready.", skip_permissions=True)
        for name in TASKS:
            await self._rests(name, 1)
        self.terminal.start(str(self.person.repository))
        await self.terminal.until(TASKS[0])

    async def turns_of(self, name: str) -> None:
        """Let a task have one turn after the other, for as long as somebody waits for this."""
        for number in count(2):
            await self.person.say(name, "bash seq 50", "flood 4000", "say Done.")
            await self._rests(name, number)
            self.turns += 1

    async def _rests(self, name: str, turns: int) -> None:
        def seen(task: Task) -> bool:
            return task.turns >= turns and task.state is TaskState.IDLE

        await self.person.until(name, seen, seconds=_PATIENCE)

    def moment(self) -> Moment:
        paths = self.person.world.paths
        pids = {
            "driver": holder(paths.driver_lock),
            "gateway": holder(paths.gateway_lock),
            "dashboard": self.terminal.pid(),
        }
        journals = sum((paths.task(name) / FILE_NAME).stat().st_size for name in TASKS)
        return Moment(
            self.turns, journals, {name: size_of(pid) for name, pid in pids.items() if pid}
        )


def size_of(pid: int) -> Size:
    proc = Path(f"/proc/{pid}")
    lines = (proc / "smaps_rollup").read_text().splitlines()
    memory = sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(_PRIVATE))
    return Size(memory, len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir())))


def least(moments: list[Moment]) -> dict[str, Size]:
    """Return the least that each process had of each: what comes and goes is no growth."""
    found = {}
    for name in moments[0].sizes:
        sizes = [moment.sizes[name] for moment in moments]
        found[name] = Size(*(min(values) for values in zip(*sizes, strict=True)))
    return found


async def test_nothing_grows_but_the_journals(
    person: Person, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Memory, descriptors and threads of all processes stay; a turn adds what turns always add."""
    terminal = Terminal(tmp_path, person.world.environ, (160, 50))
    work = Work(person, terminal)
    moments = []
    with closing(terminal):
        async with asyncio.TaskGroup() as jobs:
            await work.begin()
            working = [jobs.create_task(work.turns_of(name)) for name in TASKS]
            await asyncio.sleep(_WARM_SECONDS)
            end = time.monotonic() + _SECONDS
            while time.monotonic() < end:
                moments.append(work.moment())
                with capsys.disabled():
                    print(moments[-1], flush=True)  # noqa: T201 - ten minutes are long
                await asyncio.sleep(_LOOK_SECONDS)
            for job in working:
                job.cancel()
        terminal.press("q")
        await terminal.until_over()
    third = len(moments) // 3
    before, after = least(moments[:third]), least(moments[-third:])
    for name, size in after.items():
        had = before[name]
        assert size.memory <= had.memory + _MORE_BYTES[name], (name, before, after)
        assert size.descriptors <= had.descriptors + _MORE_DESCRIPTORS, (name, before, after)
        assert size.threads <= had.threads + 1, (name, before, after)
    assert moments[-1].turns - moments[0].turns > 10 * _MORE_DESCRIPTORS
    early, late = (
        (there.journals - here.journals) / (there.turns - here.turns)
        for here, there in ((moments[0], moments[third]), (moments[-third], moments[-1]))
    )
    assert late <= early * 1.1
