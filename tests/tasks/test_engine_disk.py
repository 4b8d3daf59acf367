"""An engine whose disk is full: images, homes and logs are there, and nothing of ctui's own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from ctui.config import ImageConfig
from ctui.sandbox.docker.image import image_tag
from ctui.tasks.model import Answer, TaskState
from tests.tasks.conftest import WAIT_SECONDS, Person
from tests.tasks.faults import fill, held, release, sandboxes
from tests.tasks.private_engine import PrivateEngine, needs_engine_of_its_own, private_engine

pytestmark = [
    pytest.mark.engine,
    pytest.mark.soak,  # as in test_engine_killed.py
    pytest.mark.timeout(600),
    needs_engine_of_its_own,
]


@pytest_asyncio.fixture
async def engine(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PrivateEngine]:
    """Run an engine with a disk of its own, on which little is left beside the image of tasks."""
    with (
        TemporaryDirectory(prefix="ctui-engine-") as folder,
        private_engine(Path(folder) / "engine", disk="3g") as made,
    ):
        await asyncio.to_thread(made.load, image_tag(ImageConfig()))
        monkeypatch.setenv("DOCKER_HOST", made.host)
        yield made


def allow(person: Person, free_space: str) -> None:
    """Set the floor of free space."""
    file = person.world.paths.config_file
    lines = file.read_text().split("[tasks]")[0]
    file.write_text(f'{lines}[tasks]\nfree_space = "{free_space}"\n')


async def nothing_left(person: Person, task: str) -> None:
    """Wait until the engine has no sandbox of an ended task."""
    async with asyncio.timeout(WAIT_SECONDS):
        while await sandboxes(person, task, running=False):  # noqa: ASYNC110 - the engine's
            await asyncio.sleep(0.1)


async def test_what_works_is_paused_before_the_engine_s_disk_is_full(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S18, beside it: its log would lose lines; the task goes on when there is space again."""
    person = person_apart
    allow(person, "200m")
    task = await held(person, "one", "say Done.")
    filler = fill(engine.data, leave=100 << 20)
    found = await person.until("one", lambda now: now.paused == "space")
    assert f"the disk of {engine.data} has less than 200m left" in found.problem
    release(task)
    filler.unlink()
    done = await person.idle("one")
    assert (done.result, done.problem, done.paused) == ("Done.", "", "")


async def test_what_a_full_disk_cut_off_is_said_and_goes_on(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S18, beside it: its log ends in half a record, behind which the engine reads nothing."""
    person = person_apart
    allow(person, "0")
    task = await held(person, "one", "flood 30000", "ask Which? | One | A: a | B: b", "say Done.")
    filler = fill(engine.data)
    release(task)
    # The engine tries twenty thousand times to read the rest.
    ended = await person.until("one", lambda now: now.state is TaskState.ENDED, seconds=240)
    assert "cannot read its log" in ended.problem
    assert "`ctui task resume one` goes on with it" in ended.problem
    await nothing_left(person, "one")
    filler.unlink()
    code, said = await person.ctui("task", "resume", "one")
    assert code == 0, said
    await person.answer(await person.asked("one"), Answer("allow", text="A"))
    await person.until("one", lambda now: now.result == "Done.")


async def test_nothing_begins_on_a_full_disk_and_what_runs_can_be_stopped(
    engine: PrivateEngine, person_apart: Person
) -> None:
    """S17, S18, beside them: what is full is said, also by `doctor`; then all is well again."""
    person = person_apart
    allow(person, "0")
    await held(person, "one")
    filler = fill(engine.data)
    await person.start("two", "say Two.")
    ended = await person.until("two", lambda now: now.state is TaskState.ENDED)
    assert ended.problem == "the engine's disk is full: free some space: `docker system df`"
    await nothing_left(person, "two")
    code, said = await person.ctui("doctor")
    assert code == 1, said
    assert f"its disk has 0 B left ({engine.data})" in said
    code, said = await person.ctui("task", "stop", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []
    filler.unlink()
    code, said = await person.ctui("task", "resume", "two", "--wait")
    assert code == 0, said
    assert "Two." in said
