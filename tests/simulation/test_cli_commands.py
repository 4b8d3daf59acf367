"""Commands of the CLI's own, which have no echo: the end of their turn is their receipt."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests.simulation.hostile_lines import written
from tests.simulation.hostile_world import quiet, result_line, said, settled, state_line
from tests.simulation.sandbox import Sandbox
from tests.simulation.schedule import Schedule, in_world
from tests.simulation.world import World

_COMMANDS = {"slash_commands": ["compact", "cost"], "session_id": "", "permissionMode": "default"}
_INIT = {"type": "system", "subtype": "init", **_COMMANDS}


@pytest.fixture(autouse=True)
def _deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests write the turns of commands themselves."""
    hear = Sandbox.hear

    def without_commands(self: Sandbox, line: bytes) -> None:
        if b'"/co' not in line:
            hear(self, line)

    monkeypatch.setattr(Sandbox, "hear", without_commands)


async def _known(schedule: Schedule) -> Sandbox:
    """Return the sandbox of a task that is idle, and whose commands are known."""
    box = await quiet(schedule)
    await said(schedule, box, _INIT)
    return box


async def _tell(schedule: Schedule, name: str, text: str) -> None:
    await schedule.engine.send(calls.SendMessage("one", name, text))
    await asyncio.sleep(5.0)


def _waiting(schedule: Schedule) -> list[str]:
    return [message.id for message in schedule.store.messages.undelivered("one")]


def _echo(message: str, text: str) -> dict[str, Any]:
    told = {"role": "user", "content": text}
    return {"type": "user", "uuid": message, "isReplay": True, "message": told}


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_command_is_taken_whatever_the_clock_of_the_engine_says(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    async def work(schedule: Schedule) -> None:
        box = await _known(schedule)
        await _tell(schedule, "id-1", "/compact")
        time = World.time
        with monkeypatch.context() as patch:
            patch.setattr(World, "time", lambda self: time(self) + int(seconds * 1e9))
            await said(schedule, box, state_line("running"))
            assert _waiting(schedule) == ["id-1"]
            await said(schedule, box, result_line(), state_line("idle"))
        assert _waiting(schedule) == []
        await settled(schedule, "one", TaskState.IDLE)

    in_world(11, work)


def test_a_command_is_not_taken_by_the_turn_that_it_waits_for() -> None:
    """The CLI gives each a result of its own, and says `running` only before the first."""

    async def work(schedule: Schedule) -> None:
        box = await _known(schedule)
        await said(schedule, box, state_line("running"))
        await _tell(schedule, "id-1", "/compact")
        await _tell(schedule, "id-2", "/cost")
        await said(schedule, box, result_line())
        assert _waiting(schedule) == ["id-1", "id-2"]
        await said(schedule, box, result_line())
        assert _waiting(schedule) == ["id-2"]
        await said(schedule, box, result_line(), state_line("idle"))
        assert _waiting(schedule) == []
        await settled(schedule, "one", TaskState.IDLE)

    in_world(11, work)


def test_a_command_is_not_taken_by_the_turn_of_what_was_said_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def work(schedule: Schedule) -> None:
        box = await _known(schedule)
        monkeypatch.setattr(schedule.world, "nudge", lambda _box: None)  # its CLI reads nothing
        await _tell(schedule, "id-1", "hello")
        await _tell(schedule, "id-2", "/compact")
        await said(schedule, box, state_line("running"), _echo("id-1", "hello"), result_line())
        assert _waiting(schedule) == ["id-2"]
        await said(schedule, box, result_line(), state_line("idle"))
        assert _waiting(schedule) == []

    in_world(11, work)


@pytest.mark.parametrize("begun", [False, True])
def test_a_command_is_taken_although_its_driver_dies(begun: bool) -> None:
    """Whether the next driver finds the turn under way or over, it knows when it was said."""

    async def work(schedule: Schedule) -> None:
        box = await _known(schedule)
        await _tell(schedule, "id-1", "/compact")
        if begun:
            await said(schedule, box, state_line("running"))
        await schedule.kill_driver()
        if not begun:
            box.forge(written(state_line("running")))
            box.forge(written(result_line()))
            box.forge(written(state_line("idle")))
        schedule.start_driver()
        await asyncio.sleep(20.0)
        if begun:
            await said(schedule, box, result_line(), state_line("idle"))
        assert _waiting(schedule) == []
        await settled(schedule, "one", TaskState.IDLE)

    in_world(11, work)
