"""Drivers, sandboxes and stores that fail under real tasks: nothing lost, nobody deceived.

Rows that have their tests elsewhere: S5, S17, S22 in tests/client/test_repair.py, S6 in
tests/client, S14 in tests/cli/test_hung_engine.py, S16, S19, S21, S23 in test_following.py.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from ctui.client.client import Client
from ctui.client.connection import driver_pid
from ctui.demo.model.script import fenced
from ctui.tasks import calls
from ctui.tasks.model import AskState, TaskState
from ctui.tasks.runs.launch import home_volume
from tests.tasks.conftest import Person
from tests.tasks.faults import (
    follow_ctui,
    held,
    kill_driver,
    release,
    sandboxes,
    until,
)

pytestmark = [pytest.mark.engine, pytest.mark.soak]


async def older_driver(person: Person) -> asyncio.subprocess.Process:
    """Start a driver that says it is of an older version."""
    code = (
        "import ctui; ctui.__version__ = '0.0.1'\n"
        "import sys; sys.argv = ['driver', '--ready', '1']\n"
        "from ctui.tasks.driver.process import main; sys.exit(main())"
    )
    older = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", code, env=person.world.environ, stdout=asyncio.subprocess.PIPE
    )
    assert older.stdout is not None
    assert await older.stdout.readline() == b"ready\n"
    return older


async def test_stop_reaches_what_the_next_driver_adopts(person: Person) -> None:
    """S1: said to be stopped when no sandbox is left; then it goes on in one sandbox."""
    await held(person, "one")
    await kill_driver(person)
    code, said = await person.ctui("task", "stop", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []
    assert person.store.tasks.get("one").reason == "stopped"
    await person.say("one", "say On.")
    assert (await person.idle("one")).result == "On."
    assert len(await sandboxes(person, "one", running=False)) == 1


@pytest.mark.parametrize("state", ["asks", "idle", "paused"])
async def test_stop_of_what_is_adopted_in_every_state(person: Person, state: str) -> None:
    """S1, beside it: with an ask open, between two turns, and frozen."""
    await person.start("one", *(("bash touch a",) if state == "asks" else ()), "say Done.")
    if state == "asks":
        await person.asked("one")
    else:
        await person.idle("one")
    if state == "paused":
        await person.world.engine.pause(person.store.runs.of("one")[0].container)
    await kill_driver(person)
    code, said = await person.ctui("task", "stop", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []
    assert person.store.asks.list(AskState.PENDING, AskState.ANSWERED) == []
    assert (await person.ctui("task", "show", "one"))[1].count("ended (stopped)") == 1


async def test_removed_while_it_is_adopted_and_nothing_is_bricked(person: Person) -> None:
    """S1, S2: the worktree moves when nobody writes into it; later drivers start as ever."""
    task = await held(person, "one")
    await kill_driver(person)
    code, said = await person.ctui("task", "remove", "--force", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []
    assert not Path(task.worktree).exists()
    await kill_driver(person)
    code, said = await person.ctui("task", "list")
    assert code == 0, said
    await person.start("two", "say Two.")
    await person.idle("two")
    assert "there is no task" not in person.world.paths.driver_log.read_text()


@pytest.mark.parametrize("command", ["stop", "remove"])
async def test_the_first_command_of_a_new_version(person: Person, command: str) -> None:
    """S15: the older driver hands over, and what it left is stopped like what runs."""
    older = await older_driver(person)
    await held(person, "one")
    force = ("--force", "--purge") if command == "remove" else ()
    code, said = await person.ctui("task", command, *force, "one")
    assert code == 0, said
    await older.wait()
    assert await sandboxes(person, "one", running=False) == []
    if command == "remove":
        homes = await person.world.engine.volumes({"ctui.task": "one"})
        assert home_volume(person.world.paths.instance, "one") not in homes


async def test_a_message_is_the_first_command_of_a_new_version(person: Person) -> None:
    """S15, beside it: the turn that the older driver began goes on, and the message is heard."""
    older = await older_driver(person)
    task = await held(person, "one", "say First.")
    code, said = await person.ctui("task", "send", "one", "Next.\n" + fenced("say Second."))
    assert code == 0, said
    await older.wait()
    release(task)
    done = await person.until("one", lambda now: "Second." in now.result)
    assert done.problem == ""
    assert len(await sandboxes(person, "one")) == 1


async def test_a_container_that_is_removed_in_its_first_turn_goes_on(person: Person) -> None:
    """S3: `docker rm -f`; the hint that is given is true."""
    await held(person, "one")
    await person.world.engine.remove(person.store.runs.of("one")[0].container)
    lost = await person.until("one", lambda now: now.state is TaskState.ENDED)
    assert "ctui task resume one" in lost.problem
    release(lost)
    code, said = await person.ctui("task", "resume", "one", "--wait")
    assert code == 0, said
    assert person.store.tasks.get("one").state is TaskState.IDLE


async def test_a_home_that_is_removed_is_begun_anew(person: Person) -> None:
    """S3, beside it: the CLI's own record of the conversation is gone for good."""
    await person.start("one", "say First.")
    await person.idle("one")
    await person.client.call(calls.StopTask("one"))
    await person.world.engine.remove_volume(home_volume(person.world.paths.instance, "one"))
    await person.say("one", "say Second.")
    assert (await person.idle("one", turns=2)).result == "Second."


async def test_a_socket_that_is_taken_away_is_made_anew(person: Person) -> None:
    """S4: with its folder too; the task goes on with the same driver, and nobody else may speak."""
    task = await held(person, "one", "say Done.")
    pid = await driver_pid(person.world.paths)
    socket = person.world.paths.driver_socket
    for folder_too in (False, True):
        socket.unlink()
        if folder_too:
            socket.parent.rmdir()
        await until(socket.exists, "the socket is made anew")
        assert await driver_pid(person.world.paths) == pid
        assert socket.stat().st_mode & 0o777 == 0o600
        assert socket.parent.stat().st_mode & 0o777 == 0o700
    code, said = await person.ctui("task", "list")
    assert code == 0, said
    release(task)
    assert (await person.idle("one")).result == "Done."


async def test_a_file_in_the_socket_s_place_gives_way(person: Person) -> None:
    """S4, beside it: a cleaner, or another program, leaves something of its own there."""
    await held(person, "one")
    socket = person.world.paths.driver_socket
    pid = await driver_pid(person.world.paths)
    socket.unlink()
    socket.write_text("in the way")
    await until(socket.is_socket, "the socket is made anew")
    assert await driver_pid(person.world.paths) == pid


async def test_a_driver_that_stands_still_is_named_and_what_it_had_goes_on(
    person: Person,
) -> None:
    """S4, beside it: SIGSTOP; each command says so in time, and how to go on."""
    task = await held(person, "one", "say Done.")
    pid = await driver_pid(person.world.paths)
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        text = "Next.\n" + fenced("say Second.")
        code, said = await person.ctui("task", "send", "one", text)
        assert code != 0
        assert f"kill -9 {pid}" in said
    finally:
        os.kill(pid, signal.SIGKILL)
    code, said = await person.ctui("task", "send", "one", text)
    assert code == 0, said
    release(task)
    await person.until("one", lambda now: "Second." in now.result)


async def test_a_message_right_at_the_end_of_an_attached_run_is_heard(person: Person) -> None:
    """S12: the run is being ended when it comes; the task is woken."""
    prompt = "Go.\n" + fenced("say First.")
    run = await follow_ctui(person, "run", "--name", "end", prompt)
    assert run.stdout is not None
    seen = b""
    async with asyncio.timeout(60):
        while b"done" not in seen:
            line = await run.stdout.readline()
            assert line, seen
            seen += line if line.startswith("✓".encode()) else b""
    text = "Next.\n" + fenced("say Second.")
    code, said = await person.ctui("task", "send", "end", text, "--wait")
    assert code == 0, said
    assert "Second." in said
    await run.communicate()


async def test_a_message_while_a_stop_is_under_way_is_heard_or_refused(person: Person) -> None:
    """S12, beside it: whoever is told that it was sent is answered."""
    await person.start("one", "say First.")
    await person.idle("one")
    runs = person.store.runs
    async with Client(person.world.paths, person.world.environ) as other:
        stopping = asyncio.create_task(other.call(calls.StopTask("one")))
        await until(lambda: runs.of("one")[0].intent == "stopped", "it is being stopped")
        message = await person.say("one", "say Second.")
        await stopping
    assert (await person.idle("one", turns=2)).result == "Second."
    assert sum(event.get("uuid") == message for event in person.events("one")) == 1


async def test_a_turn_that_ends_while_the_store_is_locked_is_caught_up_with(
    person: Person,
) -> None:
    """S11: said meanwhile; nobody has to kill the driver."""
    task = await held(person, "one", "bash touch more", "say Done.")
    watch = asyncio.create_task(person.until("one", lambda now: now.cause == "store"))
    lock = sqlite3.connect(person.world.paths.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    release(task)
    assert "locked" in (await watch).problem
    lock.execute("ROLLBACK")
    lock.close()
    done = await person.idle("one")
    assert (done.result, done.problem) == ("Done.", "")
    lines = [event["type"] for event in person.events("one")]
    assert lines.count("result") == 1


async def test_a_command_that_the_locked_store_does_not_take_says_so(person: Person) -> None:
    """S11, beside it: it is refused in time, and the driver is as good as before."""
    await person.start("one", "say First.")
    await person.idle("one")
    lock = sqlite3.connect(person.world.paths.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    text = "Next.\n" + fenced("say Second.")
    code, said = await person.ctui("task", "send", "one", text)
    assert code == 1, said
    assert "the store" in said
    lock.execute("ROLLBACK")
    lock.close()
    code, said = await person.ctui("task", "send", "one", text, "--wait")
    assert code == 0, said
    assert person.store.tasks.get("one").turns == 2


async def test_a_driver_that_dies_while_the_store_is_locked(person: Person) -> None:
    """S11, beside it: the next one reads what the store never saw."""
    task = await held(person, "one", "say Done.")
    watch = asyncio.create_task(person.until("one", lambda now: now.cause == "store"))
    lock = sqlite3.connect(person.world.paths.database, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    release(task)
    await watch
    await kill_driver(person)
    lock.execute("ROLLBACK")
    lock.close()
    await person.client.connect()
    assert (await person.idle("one")).result == "Done."
    assert sum(event["type"] == "result" for event in person.events("one")) == 1


@pytest.mark.parametrize("what", ["outdated", "removed"])
async def test_what_runs_is_adopted_without_its_image(person: Person, what: str) -> None:
    """S20: an upgrade asks for another image; what runs needs none, and can be removed."""
    task = await held(person, "one", "say Done.")
    await kill_driver(person)
    config = person.world.paths.config_file
    if what == "outdated":
        config.write_text(config.read_text() + '\n[image]\nbase = "none.invalid/nothing:1"\n')
    else:
        config.write_text(config.read_text() + '\n[image]\ndockerfile = "/nonexistent/file"\n')
    code, said = await person.ctui("task", "list")
    assert code == 0, said
    release(task)
    done = await person.idle("one")
    assert (done.result, done.problem) == ("Done.", "")
    assert len(await sandboxes(person, "one", running=False)) == 1
    await person.say("one", "say On.")
    await person.until("one", lambda now: now.result == "On.")
    code, said = await person.ctui("task", "remove", "--force", "one")
    assert code == 0, said
    assert await sandboxes(person, "one", running=False) == []


async def test_queued_tasks_that_no_driver_works_on_are_begun_by_a_look(person: Person) -> None:
    """S19, beside it: not only what runs, also what waits for a place."""
    config = person.world.paths.config_file
    config.write_text(config.read_text() + "\n[tasks]\nmax_running = 1\n")
    first = await held(person, "first", "say First.")
    for name in ("second", "third"):
        await person.start(name, f"say {name}.")
    await kill_driver(person)
    code, said = await person.ctui("task", "list")
    assert code == 0, said
    assert "no driver runs, and 3 tasks wait" in said
    release(first)
    for name in ("first", "second", "third"):
        await person.until(name, lambda now: now.turns == 1 and now.state is TaskState.IDLE)
        assert len(person.store.runs.of(name)) == 1
