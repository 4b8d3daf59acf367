"""Limits of what a task takes of the disks: it is frozen, asks, and goes on when that is mended."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ctui.errors import Conflict
from ctui.tasks import calls
from ctui.tasks.model import Task, TaskState
from tests.tasks.conftest import Person

pytestmark = [pytest.mark.engine, pytest.mark.soak]

_PATIENCE = 120.0
"""Seconds until a run is looked at, also on a busy machine."""


def allow(person: Person, **limits: str) -> None:
    """Write these limits into the person's settings."""
    file = person.world.paths.config_file
    lines = file.read_text().split("[tasks]")[0] if file.exists() else ""
    file.parent.mkdir(parents=True, exist_ok=True)
    settings = "\n".join(f'{name} = "{value}"' for name, value in limits.items())
    file.write_text(f"{lines}[tasks]\n{settings}\n")


async def paused(person: Person, task: str, which: str) -> Task:
    """Wait until the task is paused because of that limit, and its sandbox frozen."""
    found = None
    async with asyncio.timeout(_PATIENCE):
        async for update in person.client.watch(task):
            if update.task is not None and update.task.paused == which:
                found = update.task
                break
    assert found is not None
    assert (found.state, found.cause) == (TaskState.WAITING, "budget")
    await frozen(person, task)
    return found


async def frozen(person: Person, task: str) -> None:
    container = person.store.runs.of(task)[-1].container
    async with asyncio.timeout(20):
        while (await person.world.engine.state(container)).status != "paused":  # noqa: ASYNC110 - the engine's, which tells nobody
            await asyncio.sleep(0.05)


async def sandboxes(person: Person, task: str) -> int:
    found = await person.world.engine.find(
        {"ctui.instance": person.world.paths.instance, "ctui.task": task}
    )
    return len(found)


async def test_a_task_that_says_too_much_is_paused_until_the_limit_is_raised(
    person: Person,
) -> None:
    """T5: bytes of the journal."""
    allow(person, journal="1m")
    await person.start("loud", "flood 3000000", "bash touch made", "say Done.")
    found = await paused(person, "loud", "journal")
    assert "tasks.journal" in found.problem
    assert "`ctui task resume loud`" in found.problem
    assert "waiting (paused: journal)" in (await person.ctui("task", "list"))[1]
    code, said = await person.ctui("task", "resume", "loud")
    assert code == 1
    assert "tasks.journal" in said
    assert len(said.splitlines()) == 1
    allow(person, journal="1g")
    assert (await person.ctui("task", "resume", "loud"))[0] == 0
    ask = await person.asked("loud")
    assert (await person.ctui("task", "answer", "loud", "allow"))[0] == 0
    done = await person.idle("loud")
    assert (done.result, done.problem, done.paused) == ("Done.", "", "")
    assert person.store.asks.get(ask.id).state == "delivered"


async def test_a_worktree_that_grows_too_large_pauses_its_task(person: Person) -> None:
    """T5: bytes of the worktree; it goes on when there are less."""
    allow(person, worktree="1m")
    task = await person.start(
        "large", "bash head -c 3000000 /dev/urandom > big", "say Done.", skip_permissions=True
    )
    found = await paused(person, "large", "worktree")
    assert "tasks.worktree" in found.problem
    with pytest.raises(Conflict, match=r"tasks\.worktree"):
        await person.client.call(calls.ResumeTask("large"))
    (Path(task.worktree) / "big").unlink()
    await person.client.call(calls.ResumeTask("large"))
    assert (await person.idle("large")).problem == ""


async def test_a_home_that_grows_too_large_pauses_its_task_also_for_the_next_driver(
    person: Person,
) -> None:
    """T5: bytes of the home, and a neighbour: `kill -9` of the driver, then a stop."""
    allow(person, home="1m")
    await person.start(
        "homely", "bash head -c 3000000 /dev/urandom > ~/big", "say Done.", skip_permissions=True
    )
    found = await paused(person, "homely", "home")
    assert "tasks.home" in found.problem
    await person.kill_driver()
    again = await paused(person, "homely", "home")
    assert again.problem == found.problem
    await person.say("homely", "say More.")
    with pytest.raises(Conflict, match=r"tasks\.home"):
        await person.client.call(calls.ResumeTask("homely"))
    allow(person, home="1g")
    await person.client.call(calls.ResumeTask("homely"))
    assert (await person.idle("homely", turns=2)).result == "More."
    allow(person, home="1m")
    await person.client.call(calls.StopTask("homely"))
    assert await sandboxes(person, "homely") == 0


async def test_a_disk_that_is_nearly_full_pauses_what_works_and_lets_it_go_on(
    person: Person,
) -> None:
    """T5: the floor of free space."""
    allow(person, free_space="900t")
    await person.start("crowded", "bash touch made", "say Done.", skip_permissions=True)
    found = await paused(person, "crowded", "space")
    assert "tasks.free_space" in found.problem
    await person.kill_driver()
    await paused(person, "crowded", "space")
    with pytest.raises(Conflict, match=r"tasks\.free_space"):
        await person.client.call(calls.ResumeTask("crowded"))
    allow(person, free_space="1m")
    assert (await person.idle("crowded")).result == "Done."


@pytest.mark.parametrize("how", ["stop", "remove"])
async def test_a_paused_task_can_be_ended(person: Person, how: str) -> None:
    """T5: a neighbour: what is frozen does not hold up its end."""
    allow(person, journal="100k")
    await person.start("frozen", "flood 300000", "bash touch made", "say Never.")
    await paused(person, "frozen", "journal")
    keep = ["--keep-worktree"] if how == "remove" else []
    assert (await person.ctui("task", how, "frozen", *keep))[0] == 0
    assert await sandboxes(person, "frozen") == 0


async def test_nobody_answers_for_an_unattended_task_so_it_ends(person: Person) -> None:
    """T5: a neighbour: over a limit, an unattended task has failed, with the budget's exit code."""
    allow(person, journal="100k")
    await person.start(
        "alone", "flood 300000", "bash sleep 60", skip_permissions=True, unattended=True
    )
    found = await person.until("alone", lambda now: now.state is TaskState.ENDED)
    assert (found.reason, found.cause, found.paused) == ("failed", "budget", "")
    assert "tasks.journal" in found.problem
