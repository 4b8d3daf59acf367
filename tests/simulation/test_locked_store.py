"""Tasks whose store another program has locked: they wait together, and nothing else waits."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ctui.errors import LoginRequired, Unavailable
from ctui.tasks.calls import Login, StartTask, Update
from ctui.tasks.model import TaskState
from ctui.tasks.runs.logins import Logins, Sources
from tests.simulation.driver_parts import SimulatedStore
from tests.simulation.schedule import Schedule, in_world

_TASKS = [f"task-{number}" for number in range(10)]
_LOCKED_SECONDS = 60.0


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


async def _idle(schedule: Schedule) -> None:
    schedule.world.tool_counts = [0]
    for name in _TASKS:
        await schedule.start(name, detached=True)
    await asyncio.sleep(60.0)
    assert {task.state for task in schedule.store.tasks.list()} == {TaskState.IDLE}


def _send_to_all(schedule: Schedule) -> None:
    for name in _TASKS:
        schedule.command(f"send {name}", lambda name=name: schedule.send(name))  # type: ignore[misc]


def test_one_looks_at_the_lock_for_all_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = 0
    real = SimulatedStore.transaction

    @contextmanager
    def counted(self: SimulatedStore) -> Iterator[None]:
        nonlocal tries
        tries += self.world.store_locked
        with real(self):
            yield

    async def ten_tasks_wait(schedule: Schedule) -> None:
        await _idle(schedule)
        schedule.world.store_locked = True
        _send_to_all(schedule)
        await asyncio.sleep(_LOCKED_SECONDS)

    monkeypatch.setattr(SimulatedStore, "transaction", counted)
    in_world(1, ten_tasks_wait)
    assert len(_TASKS) < tries < 4 * _LOCKED_SECONDS + 3 * len(_TASKS)


def test_all_tasks_go_on_as_soon_as_the_lock_is_gone() -> None:
    async def unlock(schedule: Schedule) -> None:
        await _idle(schedule)
        schedule.world.store_locked = True
        _send_to_all(schedule)
        await asyncio.sleep(5.0)
        schedule.world.heal()
        await asyncio.sleep(0.4)
        assert {schedule.store.messages.last(name).text for name in _TASKS} == {"more"}  # type: ignore[union-attr]

    in_world(1, unlock)


@pytest.mark.parametrize(("seconds", "told"), [(0.1, False), (1.0, True)])
def test_a_brief_lock_is_nothing_to_tell_of(
    monkeypatch: pytest.MonkeyPatch, seconds: float, told: bool
) -> None:
    """The command line and the dashboard write as well, for a moment."""
    published: list[Update] = []

    def note(_schedule: Schedule, update: Update) -> None:
        published.append(update)

    async def lock(schedule: Schedule) -> None:
        await _idle(schedule)
        schedule.world.store_locked = True
        _send_to_all(schedule)
        await asyncio.sleep(seconds)
        schedule.world.heal()
        await asyncio.sleep(5.0)

    monkeypatch.setattr(Schedule, "_published", note)
    in_world(1, lock)
    troubles = [update for update in published if update.task and update.task.cause == "store"]
    assert bool(troubles) == told


def test_no_login_is_kept_of_a_start_that_was_refused() -> None:
    """Whoever takes the id next must not run with it."""

    async def start(schedule: Schedule) -> None:
        logins = Logins(Sources(own=_no_login, stored=_no_login))
        schedule.engine._services = schedule.engine._services._replace(logins=logins)
        schedule.world.store_locked = True
        login = Login(environment={"ANTHROPIC_API_KEY": "sk-ant-api03-brought"})
        call = StartTask(
            task="one",
            repository="/repository/.git",
            worktree="/worktrees/one",
            metadata=None,
            branch=None,
            base=None,
            prompt="go",
            login=login,
        )
        with pytest.raises(Unavailable, match="the store cannot be written"):
            await schedule.engine.start(call)
        assert logins._named == {}

    in_world(1, start)


def _no_login(_but: str) -> Any:
    raise LoginRequired("there is no login")


def test_no_step_of_a_driver_waits_for_a_lock() -> None:
    """It would hold up the loop of all tasks, each of them by itself."""

    async def restart(schedule: Schedule) -> None:
        schedule.store._database.execute("PRAGMA busy_timeout = 5000")
        await schedule.kill_driver()
        schedule.start_driver()
        row = schedule.store._database.row("PRAGMA busy_timeout")
        assert row is not None
        assert row[0] == 0

    in_world(1, restart)
