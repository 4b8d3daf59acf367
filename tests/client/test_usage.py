"""Resources of tasks, as `ctui top` shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctui.cli.task.top import _cells, _show
from ctui.client.access.usage import TaskUsage, UsageWatch
from ctui.paths import Paths
from ctui.sandbox.commands import Command, SandboxProcess, Usage
from ctui.sandbox.docker.services.naming import service_name
from ctui.sandbox.services import Service
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Run, Task, TaskOptions, TaskState
from ctui.tasks.store import Store


class Machine:
    """A place with two sandboxes, of which one is gone when it is looked at again."""

    def __init__(self) -> None:
        self.cpu = 0
        self.there = {"box-one", "box-two"}
        self.asked: set[str] = set()

    async def run(self, sandbox: str, command: Command) -> SandboxProcess:
        raise NotImplementedError

    async def is_running(self, sandbox: str) -> bool:
        raise NotImplementedError

    async def usage(self, sandbox: str) -> Usage | None:
        self.asked.add(sandbox)
        if sandbox not in self.there:
            return None
        self.cpu += 10**15  # more than any processor has done meanwhile
        return Usage(self.cpu, 100 << 20, 4 << 30, 12, 4096)


def _task(
    paths: Paths,
    folder: Path,
    name: str,
    *,
    ended: int | None,
    services: tuple[Service, ...] = (),
) -> None:
    store = Store(paths.database)
    store.tasks.add(
        Task(
            id=name,
            repository="/r/.git",
            worktree=str(folder / name),
            metadata=None,
            branch=None,
            base="b",
            session="s",
            prompt="p",
            options=TaskOptions(services=services),
            state=TaskState.IDLE,
        )
    )
    store.runs.add(Run(task=name, number=1, container=f"box-{name}", ended=ended))
    store.close()


async def test_each_task_and_their_sum_and_one_that_vanishes(paths: Paths, tmp_path: Path) -> None:
    """Part 6: one line each and a total; a task that goes meanwhile takes nothing."""
    paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.state.chmod(0o700)
    for name, ended in (("one", None), ("two", None), ("asleep", 1)):
        _task(paths, tmp_path, name, ended=ended)
        (tmp_path / name).mkdir()
        paths.task(name).mkdir(parents=True)
    (tmp_path / "one/file").write_bytes(b"x" * 100_000)
    said = [
        ("err", '{"ctui_relay": "home", "bytes": 7, "files": 1}'),
        ("err", '{"ctui_relay": "home", "bytes": 4321, "files": 1}'),
        ("err", '| {"ctui_relay": "home", "bytes": 1, "files": 1}'),
        ("out", json.dumps({"text": '"stream":"err","line":"{\\"ctui_relay": "home"'})),
    ]
    lines = [
        json.dumps({"t": 1, "run": 1, "stream": stream, "line": line}, separators=(",", ":"))
        for stream, line in said
    ]
    (paths.task("one") / FILE_NAME).write_text("\n".join(lines) + "\n")

    machine = Machine()
    watch = UsageWatch(paths, machine)
    await watch.look()
    machine.there.remove("box-two")
    found = await watch.look()
    one, two, asleep = (
        next(row for row in found.tasks if row.task == name) for name in ("one", "two", "asleep")
    )
    assert (one.memory, one.processes, one.layer, one.home) == (100 << 20, 12, 4096, 4321)
    assert one.cpu is not None
    assert one.cpu > 0
    assert one.worktree is not None
    assert one.worktree >= 100_000
    assert (two.cpu, two.memory, asleep.memory) == (None, None, None)
    assert (found.total.memory, found.total.processes, found.total.home) == (100 << 20, 12, 4321)
    assert found.budgets.worktree == 20 << 30


async def test_services_stand_below_their_task_and_are_in_the_total(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that is not there takes nothing; those of a task that sleeps are not looked for."""
    paths.state.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths.state.chmod(0o700)
    services = (Service(name="db", image="x"), Service(name="late", image="x"))
    for name, ended in (("one", None), ("asleep", 1)):
        _task(paths, tmp_path, name, ended=ended, services=services)
        (tmp_path / name).mkdir()
    machine = Machine()
    machine.there.add(service_name(paths.instance, "one", "db"))
    watch = UsageWatch(paths, machine)
    await watch.look()
    found = await watch.look()
    one = next(row for row in found.tasks if row.task == "one")
    db, late = one.services
    assert (db.service, db.memory, db.processes, db.layer) == ("db", 100 << 20, 12, 4096)
    assert db.cpu is not None
    assert (late.service, late.memory, late.cpu) == ("late", None, None)
    assert service_name(paths.instance, "asleep", "db") not in machine.asked
    assert (found.total.memory, found.total.processes, found.total.layer) == (200 << 20, 24, 8192)
    assert found.total.cpu == pytest.approx((one.cpu or 0) + db.cpu, abs=0.2)
    _show(found)
    lines = capsys.readouterr().out.splitlines()
    below = next(number for number, line in enumerate(lines) if line.startswith("one ")) + 1
    assert lines[below].split()[:2] == ["db", "service"]
    assert lines[below].startswith("  db ")


def test_what_is_near_its_limit_is_marked() -> None:
    """Part 6: disk budgets are shown where they matter."""
    from ctui.client.access.usage import Budgets

    budgets = Budgets(worktree=1000, home=1000, journal=1000)
    row = TaskUsage(task="one", state="idle", worktree=950, home=800, journal=None)
    assert _cells(row, ("one", "idle"), budgets)[5:] == ["950 B!", "800 B", "-", "-"]
