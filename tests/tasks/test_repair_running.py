"""A store that is lost while tasks run: they are found again by their sandboxes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ctui.file_lock import FileLock
from ctui.sandbox.docker.volumes import find_volumes
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK
from ctui.tasks import calls
from ctui.tasks.journal.task_file import write_task_file
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine


def lose_store(person: Person) -> None:
    person.let_go_of_stores()
    lock = FileLock(person.world.paths.driver_lock)
    lock.acquire()  # the driver that was killed is gone then
    with lock:
        _empty(person.world.paths.database)


def _empty(database: Path) -> None:
    for end in ("-wal", "-shm"):
        database.with_name(database.name + end).unlink(missing_ok=True)
    database.write_bytes(b"")


async def test_what_runs_goes_on_after_its_store_was_lost(person: Person) -> None:
    """S5: a task with a record, and one of which there is a sandbox and nothing else."""
    paths, engine = person.world.paths, person.world.engine
    for name in ("works", "alone"):
        await person.start(name, "bash touch made", "say Done.")
        write_task_file(paths.task(name), person.store.tasks.get(name))
        await person.asked(name)
    await person.kill_driver()
    lose_store(person)
    shutil.rmtree(paths.task("alone"))
    homes = {one.name for one in await find_volumes(engine, paths.instance)}
    before = {one.id for one in await engine.find({LABEL_INSTANCE: paths.instance})}

    code, said = await person.ctui("clean", "--force")
    assert code == 1, said
    assert "is empty, but there are journals" in said
    code, said = await person.ctui("doctor", "--repair")
    assert "adopted task works (running)" in said
    assert "adopted task alone (running)" in said
    assert "NO  s" not in said
    assert {one.name for one in await find_volumes(engine, paths.instance)} == homes
    assert {one.id for one in await engine.find({LABEL_INSTANCE: paths.instance})} == before

    works = person.store.tasks.get("works")
    alone = person.store.tasks.get("alone")
    assert Path(alone.worktree).name == "alone"
    assert alone.branch is not None
    assert alone.branch.endswith("/alone")
    assert works.session != alone.session
    for name in ("works", "alone"):
        ask = await person.asked(name)
        assert ask.title
    await person.client.call(calls.StopTask("works"))
    await person.client.call(calls.StopTask("alone"))
    assert [one for one in await engine.find({LABEL_TASK: "works"}) if one.running] == []
    assert [one for one in await engine.find({LABEL_TASK: "alone"}) if one.running] == []


async def test_a_sandbox_of_a_removed_task_is_said_and_adopted(person: Person) -> None:
    """S1, S2: a task that left the list while its container goes on comes back with `--repair`."""
    await person.start("left", "bash touch made", "say Done.")
    await person.asked("left")
    await person.kill_driver()
    store = person.store
    [run] = store.runs.of("left")
    run.ended, run.exit_code = 1, 0
    store.runs.save(run)
    store.tasks.mark_removed("left")
    store.close()
    code, said = await person.ctui("doctor")
    assert code == 1
    assert "no task knows what runs in ctui-" in said
    assert "ctui doctor --repair" in said
    code, said = await person.ctui("doctor", "--repair")
    assert "adopted task left (running)" in said
    assert "no task knows" not in said
    await person.asked("left")
    await person.client.call(calls.StopTask("left"))


async def test_no_clean_up_takes_the_conversation_of_a_lost_task(person: Person) -> None:
    """S5: also where the store is whole, and only this task is not in it."""
    paths, engine = person.world.paths, person.world.engine
    await person.start("lost", "say Done.")
    await person.idle("lost")
    await person.client.call(calls.StopTask("lost"))
    await person.kill_driver()
    store = person.store
    store.tasks.forget("lost")
    store.close()
    homes = {one.name for one in await find_volumes(engine, paths.instance)}
    for command in (("clean", "--force"), ("volume", "clean", "--force")):
        _, said = await person.ctui(*command)
        assert "the store has lost its task" in said
        assert "ctui doctor --repair" in said
    assert {one.name for one in await find_volumes(engine, paths.instance)} == homes
    _, said = await person.ctui("doctor")
    assert "the store has lost tasks whose folders are there: lost" in said
    await person.ctui("doctor", "--repair")
    await person.say("lost", "say Again.")
    assert (await person.idle("lost", turns=2)).result == "Again."
