"""What a power cut must not take: a command that was answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator

import pytest

from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState
from tests.simulation.driver_parts import SimulatedStore
from tests.simulation.schedule import Schedule, in_world


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The names of the commands that had no answer yet, at each sync of the store."""
    found: list[set[str]] = []

    def note(_store: SimulatedStore) -> None:
        names = {job.get_name() for job in asyncio.all_tasks()}
        found.append({name for name in names if name.startswith("command ")})

    monkeypatch.setattr(SimulatedStore, "sync", note)
    return found


def test_a_command_is_on_the_disk_before_it_is_answered(synced: list[set[str]]) -> None:
    async def commands(schedule: Schedule) -> None:
        engine = schedule.engine
        schedule.world.tool_counts = [1]
        await _named("command start", schedule.start("one", detached=True))
        await asyncio.sleep(60.0)
        ask = schedule.store.asks.list(AskState.PENDING)[0]
        call = calls.AnswerAsk(ask.id, Answer("allow"))
        await _named("command answer", engine.answer(call))
        await asyncio.sleep(60.0)
        await _named("command send", engine.send(calls.SendMessage("one", "m", "more")))
        await _named("command stop", engine.stop(calls.StopTask("one")))
        await _named("command remove", engine.remove(calls.RemoveTask("one")))
        await _named("command put back", engine.put_back(calls.PutBackTask("one")))

    in_world(1, commands)
    assert synced == [
        {"command start"},
        {"command answer"},
        {"command send"},
        {"command stop"},
        {"command remove"},
        {"command put back"},
    ]


def test_what_a_task_says_is_not_waited_for(synced: list[set[str]]) -> None:
    """A sync takes milliseconds: a task that writes much must not hold up the others."""

    async def work(schedule: Schedule) -> None:
        schedule.world.tool_counts = [0]
        await schedule.start("one", detached=True)
        synced.clear()
        await asyncio.sleep(60.0)
        assert schedule.store.tasks.get("one").turns == 1

    in_world(1, work)
    assert synced == []


async def _named(name: str, command: object) -> None:
    await asyncio.create_task(command, name=name)  # type: ignore[arg-type]
