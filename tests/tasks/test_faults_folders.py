"""Folders, disks and homes that fail under real tasks."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from ctui.claude.protocol.events import is_partial
from ctui.demo.model.script import fenced
from ctui.demo.world import demo_world
from ctui.sandbox.docker.stream import follow_log
from ctui.tasks import calls
from ctui.tasks.journal.archive import FILE_NAME
from ctui.tasks.model import Answer, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person
from tests.tasks.faults import cli_of, fill, held, kill_driver, release, run, sandboxes

pytestmark = [pytest.mark.engine, pytest.mark.soak]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a file system")


@pytest.mark.parametrize("what", ["worktree", "git directory", "link"])
async def test_a_folder_that_goes_while_a_turn_runs_is_said_and_left(
    person: Person, what: str
) -> None:
    """S13: at the turn's end at the latest, on the task, with a command that leads out."""
    task = await held(person, "one", "say Done.")
    worktree = Path(task.worktree)
    release(task)
    await person.idle("one")
    match what:
        case "worktree":
            shutil.rmtree(worktree)
        case "git directory":
            shutil.rmtree(person.world.paths.task("one") / "git")
        case "link":
            (worktree / ".git").unlink()
    await person.say("one", "say Again.")
    said = await person.until("one", lambda now: bool(now.problem))
    assert what.rpartition(" ")[2] in said.problem
    assert "ctui task remove --force one" in said.problem
    code, shown = await person.ctui("task", "show", "one")
    assert code == 0, shown
    assert said.problem.split(":")[0] in shown
    code, shown = await person.ctui("task", "remove", "--force", "one")
    assert code == 0, shown
    assert await sandboxes(person, "one", running=False) == []
    assert git(person.repository, "branch", "--list", "ctui/one").endswith("ctui/one")
    await person.start("two", "say Two.")
    await person.idle("two")


async def test_a_link_that_is_mended_as_the_line_says_works_again(person: Person) -> None:
    """S13, beside it: the other way out."""
    task = await person.start("one", "say First.")
    await person.idle("one")
    (Path(task.worktree) / ".git").unlink()
    await person.say("one", "say Second.")
    said = await person.until("one", lambda now: bool(now.problem))
    command = said.problem.partition("`")[2].partition("`")[0]
    assert command.startswith("git -C ")
    run(*command.split())
    await person.say("one", "say Third.")
    await person.until("one", lambda now: now.result == "Third." and not now.problem)
    await person.idle("one", turns=3)


async def test_a_paused_sandbox_is_said_and_resumed(person: Person) -> None:
    """S13: `send --wait` says why nothing comes, and the command that it names goes on."""
    await person.start("one", "say First.")
    await person.idle("one")
    await person.world.engine.pause(person.store.runs.of("one")[0].container)
    await person.say("one", "say Second.")
    said = await person.until("one", lambda now: "paused" in now.problem)
    assert "ctui task resume one" in said.problem
    code, told = await person.ctui("task", "resume", "one", "--wait")
    assert code == 0, told
    done = await person.until("one", lambda now: now.turns == 2 and now.state is TaskState.IDLE)
    assert (done.result, done.problem) == ("Second.", "")


async def test_a_task_is_adopted_although_its_worktree_is_gone(person: Person) -> None:
    """S13, S20: what runs is adopted as it is, what is missing is said, and it can be removed."""
    task = await held(person, "one", "say Done.")
    await kill_driver(person)
    shutil.rmtree(task.worktree)
    await person.client.connect()
    said = await person.until("one", lambda now: bool(now.problem))
    assert "is gone" in said.problem
    code, told = await person.ctui("task", "remove", "--force", "one")
    assert code == 0, told
    assert await sandboxes(person, "one", running=False) == []


async def test_a_cli_that_stands_still_is_stopped_and_goes_on(person: Person) -> None:
    """S13, beside it: SIGSTOP to the CLI; the engine says that all is well."""
    task = await held(person, "one", "say Done.")
    os.kill(cli_of(person.store.runs.of("one")[0].container), signal.SIGSTOP)
    code, said = await person.ctui("task", "stop", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []
    release(task)
    text = "Next.\n" + fenced("say On.")
    code, said = await person.ctui("task", "send", "one", text, "--wait")
    assert code == 0, said
    assert "On." in said


@pytest.mark.parametrize("how", ["removed", "replaced", "folder removed"])
async def test_a_journal_that_is_taken_away_under_its_run_is_whole_again(
    person: Person, how: str
) -> None:
    """S21: nothing is written to where nobody will ever read it."""
    task = await held(person, "one", "say Done.")
    journal = person.world.paths.task("one") / FILE_NAME
    before = journal.read_bytes()
    match how:
        case "removed":
            journal.unlink()
        case "replaced":
            journal.unlink()
            journal.write_text("mine\n")
        case _:
            shutil.rmtree(journal.parent)
    release(task)
    await person.idle("one")
    after = journal.read_bytes()
    assert after.startswith(before)
    assert sum(event["type"] == "result" for event in person.events("one")) == 1


async def test_a_journal_that_power_failed_under_is_read_and_goes_on(person: Person) -> None:
    """S18, beside it: a block of NUL bytes at its end, as a file system leaves it."""
    await person.start("one", "say First.")
    await person.idle("one")
    await person.client.call(calls.StopTask("one"))
    await kill_driver(person)
    journal = person.world.paths.task("one") / FILE_NAME
    whole = journal.read_bytes()
    journal.write_bytes(whole + bytes(4096))
    code, said = await person.ctui("task", "logs", "one")
    assert (code, "First." in said) == (0, True), said
    await person.say("one", "say Second.")
    await person.idle("one", turns=2)
    assert journal.read_bytes().startswith(whole)
    assert b"\0" not in journal.read_bytes()


# -- a home on a disk of its own


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", str(place))
    yield place
    run("umount", "-l", str(place))


@pytest_asyncio.fixture
async def small_person(
    small_disk: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Person]:
    """A person whose home is on it."""
    monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    async with demo_world() as world:
        world.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The disk is to be full, and not only below the floor at which tasks are paused.
        settings = world.paths.config_file.read_text()
        world.paths.config_file.write_text(f'{settings}\n[tasks]\nfree_space = "0"\n')
        person = Person(world, repository)
        async with person.client:
            yield person


@needs_root
async def test_nothing_is_lost_on_a_disk_that_was_full(
    small_person: Person, small_disk: Path
) -> None:
    """S18: filled while a turn runs, freed later; its ask appears, and its journal is whole."""
    person = small_person
    task = await held(person, "one", "flood 30000", "ask Which? | One | A: a | B: b", "say Done.")
    filler = fill(small_disk)
    watch = asyncio.create_task(person.until("one", lambda now: now.cause == "store"))
    release(task)
    assert (await watch).problem
    filler.unlink()
    ask = await person.asked("one")
    await person.answer(ask, Answer("allow", text="A"))
    done = await person.idle("one")
    assert (done.result, done.problem) == ("Done.", "")
    await _journal_is_the_log(person, "one")


@needs_root
async def test_a_run_that_ends_on_a_full_disk_is_over(
    small_person: Person, small_disk: Path
) -> None:
    """S18, beside it: the container dies meanwhile, and so does the driver."""
    person = small_person
    await held(person, "one")
    watch = asyncio.create_task(person.until("one", lambda now: now.cause == "store"))
    filler = fill(small_disk)
    await person.world.engine.signal(_box(person), "KILL")
    await watch
    await kill_driver(person)
    code, said = await person.ctui("task", "list")
    assert code == 0 or "full" in said or "cannot be" in said, said
    assert "Traceback" not in said
    filler.unlink()
    await person.client.connect()
    ended = await person.until("one", lambda now: now.state is TaskState.ENDED)
    assert "goes on with it" in ended.problem


@needs_root
async def test_a_state_folder_that_turns_read_only_is_said(small_person: Person) -> None:
    """S18, beside it: under a driver that runs; what it holds open goes on."""
    person = small_person
    task = await held(person, "one", "say Done.")
    state = person.world.paths.state
    run("mount", "--bind", str(state), str(state))
    try:
        run("mount", "-o", "remount,bind,ro", str(state))
        code, said = await person.ctui("run", "--detach", "--name", "two", "go")
        assert code == 1, said
        assert "Traceback" not in said
        assert len(said.strip().splitlines()) <= 2, said
    finally:
        run("umount", "-l", str(state))
    release(task)
    assert (await person.idle("one")).result == "Done."


def _box(person: Person) -> str:
    return person.store.runs.of("one")[0].container


async def _journal_is_the_log(person: Person, task: str) -> None:
    log = [
        line
        async for batch in follow_log(person.world.engine.endpoint, _box(person), follow=False)
        for line in batch
    ]
    kept = [entry for entry in person.journal(task) if entry.stream != "ctui"]
    for stream in ("out", "err"):
        whole = [
            line.data.decode()
            for line in log
            if line.stream == stream and (stream == "err" or not is_partial(line.data))
        ]
        assert [entry.line for entry in kept if entry.stream == stream] == whole
