"""An engine that dies under its tasks, and comes back (S10); each test has an engine of its own."""

from __future__ import annotations

import asyncio

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks.model import Answer, TaskState
from tests.tasks.conftest import Person
from tests.tasks.faults import held, release, sandboxes
from tests.tasks.private_engine import PrivateEngine, needs_engine_of_its_own

pytestmark = [
    pytest.mark.engine,
    pytest.mark.soak,  # its image alone takes most of a minute to copy
    pytest.mark.timeout(600),
    needs_engine_of_its_own,
]


async def test_what_worked_is_taken_up_when_the_engine_is_back(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S10: a tool that ran, an ask that was open and a task in its first turn."""
    person = person_apart
    works = await held(person, "works", "say Works.")
    await person.start("asks", "bash touch asked", "say Asked.")
    ask = await person.asked("asks")
    await person.start("idle", "say Idle.")
    await person.idle("idle")
    engine.kill()
    await person.until("works", lambda now: now.cause == "engine")
    text = "Next.\n" + fenced("say Heard.")
    code, said = await person.ctui("task", "send", "idle", text)
    assert code == 0, said
    code, said = await person.ctui("task", "answer", "asks", "allow", "--ask", str(ask.id))
    assert code == 0, said
    assert "has not taken the answer yet" in said or "did not get the answer" in said
    await asyncio.to_thread(engine.start)
    release(works)
    await person.until("idle", lambda now: now.result == "Heard.")
    again = await person.asked("asks")
    assert again.id != ask.id
    await person.answer(again, Answer("allow"))
    await person.until("asks", lambda now: now.result == "Asked.")
    await person.until("works", lambda now: now.result == "Works.")
    for name in ("works", "asks", "idle"):
        assert len(await sandboxes(person, name)) <= 1


async def test_an_engine_that_is_restarted_stops_nobody_for_good(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S10, beside it: SIGTERM, by which the engine stops its containers in order."""
    person = person_apart
    works = await held(person, "works", "say Works.")
    await asyncio.to_thread(engine.terminate)
    await asyncio.to_thread(engine.start)
    release(works)  # the CLI was told to end, and may have its tool run anew
    task = await person.until("works", lambda now: now.result == "Works." or bool(now.reason))
    assert task.result == "Works.", task


async def test_a_task_that_was_stopped_meanwhile_stays_stopped(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S10, beside it: what the person said while the engine was away counts."""
    person = person_apart
    await held(person, "works", "say Works.")
    await asyncio.to_thread(engine.kill)
    code, said = await person.ctui("task", "stop", "works")
    assert code == 1, said
    assert "engine" in said
    await asyncio.to_thread(engine.start)
    ended = await person.until("works", lambda now: now.state is TaskState.ENDED)
    assert ended.reason == "stopped"
    assert await sandboxes(person, "works", running=False) == []
