"""`ctui task shell` in the sandbox of a real task."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import NamedTuple

import pytest

from ctui.tasks import calls
from ctui.tasks.model import TaskState
from tests import warm
from tests.tasks.conftest import WAIT_SECONDS, Person
from tests.tasks.shell_terminal import Terminal
from tests.warm import COMMAND

pytestmark = pytest.mark.engine


class Done(NamedTuple):
    code: int
    out: bytes
    err: bytes


async def shell(person: Person, *arguments: str, given: bytes = b"") -> Done:
    """Run `ctui task shell one` without a terminal."""
    command = ("task", "shell", "one", *arguments)
    environ = person.world.environ
    return Done(
        *await asyncio.to_thread(warm.run, person.repository, command, environ, given, WAIT_SECONDS)
    )


async def started(person: Person) -> None:
    await person.start("one", "say Ready.")
    await person.idle("one")


async def test_a_command_has_the_tasks_place_and_its_own_streams_and_exit_code(
    person: Person,
) -> None:
    """Part 5: the same user, environment and folder; pipes, streams apart, CMD's exit code."""
    await started(person)
    done = await shell(person, "--", "sh", "-c", "id -u; pwd; echo wrong >&2; exit 7")
    worktree = person.store.tasks.get("one").worktree
    assert done == (7, f"{Path(worktree).stat().st_uid}\n/workspace\n".encode(), b"wrong\n")

    assert (await shell(person, "--", "sh", "-c", "kill -9 $$")).code == 128 + 9
    assert (await shell(person, "--", "sh", "-c", "kill -15 $$")).code == 128 + 15
    missing = await shell(person, "--", "no-such-program")
    assert missing.code in {126, 127}

    given = os.urandom(3 << 20)
    assert await shell(person, "--", "cat", given=given) == (0, given, b"")
    assert await shell(person, given=b"echo from a script\n") == (0, b"from a script\n", b"")
    # A command's own options are not ours.
    assert (await shell(person, "--", "echo", "-t", "--json")).out == b"-t --json\n"

    person.store.variables.save("one", {"GIVEN": "to the task"})
    environment = (await shell(person, "--", "env")).out.decode()
    assert "GIVEN=to the task\n" in environment
    assert "HOME=/home/claude\n" in environment
    assert "GIT_TERMINAL_PROMPT=0\n" in environment
    assert person.world.credential not in environment
    status = (await shell(person, "--", "cat", "/proc/self/status")).out.decode()
    assert "NoNewPrivs:\t1" in status
    assert "CapBnd:\t0000000000000000" in status
    assert "Seccomp:\t2" in status

    await copied_both_ways(person)

    code, said = await person.ctui("top", "--json")
    assert code == 0, said
    [row] = json.loads(said)["tasks"]
    assert row["memory"] > 10 << 20
    assert row["processes"] >= 2
    assert row["worktree"] > 0
    environ = {**person.world.environ, "CTUI_SANDBOX_RUNTIME": "no-such"}
    doctor = Done(
        *await asyncio.to_thread(
            warm.run, person.repository, ("doctor",), environ, b"", WAIT_SECONDS
        )
    )
    assert b"NO  runtime  the engine has no no-such, but" in doctor.out

    wanted = await shell(person, "-t", "--", "true")
    assert wanted.code == 125
    assert b"-t needs a terminal" in wanted.err
    unknown = await asyncio.to_thread(
        warm.run,
        person.repository,
        ("task", "shell", "nobody", "--", "true"),
        person.world.environ,
        b"",
        WAIT_SECONDS,
    )
    assert unknown[0] == 125
    assert unknown[2].count(b"\n") == 1


async def copied_both_ways(person: Person) -> None:
    """Part 5: `ctui task cp` of a folder, a file and what is in a folder."""
    folder = person.world.folder / "files"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/run").write_text("#!/bin/sh\necho ran\n")
    (folder / "deep/run").chmod(0o755)
    (folder / "link").symlink_to("deep/run")

    assert await person.ctui("task", "cp", str(folder), "one:/tmp") == (0, "")
    assert (await shell(person, "--", "/tmp/files/link")).out == b"ran\n"
    back = person.world.folder / "back"
    assert await person.ctui("task", "cp", "one:/tmp/files", str(back)) == (0, "")
    assert (back / "link").readlink() == Path("deep/run")
    assert (back / "deep/run").stat().st_mode & 0o777 == 0o755
    assert await person.ctui("task", "cp", "one:/tmp/files/deep/.", str(back)) == (0, "")
    assert (back / "run").read_text() == "#!/bin/sh\necho ran\n"
    assert await person.ctui("task", "cp", str(back / "run"), "one:renamed") == (0, "")
    worktree = Path(person.store.tasks.get("one").worktree)
    assert (worktree / "renamed").read_text() == "#!/bin/sh\necho ran\n"

    for source, target, said in (
        ("one:missing", ".", "ctui: missing cannot be copied: tar: missing:"),
        (str(back), "one:no/such/x", "ctui: there is no folder for no/such/x in the task"),
        (str(back / "none"), "one:x", "ctui: there is no "),
        (str(back), "one:/etc/x", "ctui: /etc/x cannot be written in the task"),
    ):
        code, told = await person.ctui("task", "cp", source, target)
        assert code == 1, told
        assert told.startswith(said)
        assert told.count("\n") == 1
    assert (await person.ctui("task", "cp", "a", "b"))[0] == 2


async def test_what_a_command_has_started_ends_with_it(person: Person) -> None:
    """Part 5: whoever ends the command ends what runs in the sandbox; an engine would not."""
    await started(person)
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("task", "shell", "one", "--", "sh", "-c", "echo on; sleep 4321 & sleep 4321"),
        cwd=person.repository,
        env=person.world.environ,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), WAIT_SECONDS) == b"on\n"
    process.send_signal(signal.SIGTERM)
    assert await asyncio.wait_for(process.wait(), WAIT_SECONDS) == 128 + signal.SIGTERM
    listed = ("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '")
    left = (await shell(person, "--", *listed)).out
    assert b"sleep 4321" not in left
    assert b"claude" in left


async def test_a_terminal_of_a_stopped_task_outlives_a_message_and_its_driver(
    person: Person,
) -> None:
    """Part 5: resize, ctrl-C; no CLI until a message comes, which starts it in the same sandbox."""
    await started(person)
    await person.client.call(calls.StopTask("one"))
    argv = (*COMMAND, "task", "shell", "one")
    terminal = await Terminal.open(person.repository, person.world.environ, *argv, columns=101)
    try:
        terminal.type("export PS1='pro''mpt> '\n")
        await terminal.shows("prompt> ")
        terminal.type("stty size; echo $TERM; hostname\n")
        await terminal.shows("24 101")
        await terminal.shows("xterm-256color")
        await terminal.shows("-one-2")
        assert person.store.tasks.get("one").state is TaskState.ENDED

        await person.say("one", "say Again.")
        await person.idle("one", turns=2)

        await person.kill_driver()
        terminal.type("trap 'stty size' WINCH; echo s''et\n")
        await terminal.shows("set\r\n")
        terminal.resize(40, 132)
        await terminal.shows("40 132")

        terminal.type("sh -c 'echo be\"\"gun; exec sleep 1000'\n")  # it is what ctrl-C meets
        await terminal.shows("begun\r\n")
        terminal.type("\x03")
        await terminal.shows("^C")
        terminal.type("echo aft''er; exit 5\n")
        await terminal.shows("after\r\n")
        assert await terminal.exit_code() == 5
    finally:
        terminal.close()


async def test_a_key_of_the_dashboard_opens_a_shell(person: Person) -> None:
    """Part 5: `!` gives the terminal to a shell, and the screen comes back behind it."""
    await started(person)
    argv = (*COMMAND, str(person.repository))
    terminal = await Terminal.open(person.repository, person.world.environ, *argv, columns=120)
    try:
        await terminal.shows("WORKTREES")
        terminal.type("\r")
        await terminal.shows("✓ done")
        terminal.type("!")
        await terminal.shows("/workspace$")
        terminal.type("stty size; echo o''n\n")
        await terminal.shows("24 120")
        await terminal.shows("on\r\n")
        terminal.type("exit\n")
        await terminal.shows("✓ done")
        terminal.type("q")
        assert await terminal.exit_code() == 0
    finally:
        terminal.close()


async def test_a_stop_ends_a_shell_in_one_line(person: Person) -> None:
    """Part 5: also of a task whose sandbox was made for the shell alone."""
    await started(person)
    await person.client.call(calls.StopTask("one"))
    argv = (*COMMAND, "task", "shell", "one")
    terminal = await Terminal.open(person.repository, person.world.environ, *argv)
    try:
        terminal.type("echo o''n\n")
        await terminal.shows("on\r\n")
        await person.client.call(calls.StopTask("one"))
        await terminal.shows("has ended with the sandbox of one")
        assert await terminal.exit_code() in {125, 128 + 9}
    finally:
        terminal.close()


async def test_a_shell_has_the_tasks_secrets_and_nobody_else_sees_them(person: Person) -> None:
    """Issue: the same environment as the CLI's; by stdin, so not in argv, inspect or echo."""
    secret = "s3cret-Value-of-it\nand a second line"
    code, said = await person.ctui("secret", "set", "GIVEN_SECRET", "--from-env", "GIVEN_SECRET")
    assert code == 0, said
    environ = {**person.world.environ, "GIVEN_SECRET": secret}
    person.world = person.world._replace(environ=environ)
    login = {"ANTHROPIC_API_KEY": person.world.credential}
    given = calls.Login(login, variables={"GIVEN_SECRET": secret}).environment
    await person.start("one", "say Ready.", secrets=("GIVEN_SECRET",), login=given)
    await person.until("one", lambda task: bool(task.problem) or task.state is TaskState.IDLE)

    show = 'printf %s "$GIVEN_SECRET"; cat; exit 3'
    done = await shell(person, "--", "sh", "-c", show, given=b" and input")
    assert (done.code, done.out) == (3, f"{secret} and input".encode())
    assert done.err == b""
    look = "tr '\\0' ' ' < /proc/$PPID/cmdline; tr '\\0' ' ' < /proc/$$/cmdline"
    assert b"s3cret" not in (await shell(person, "--", "sh", "-c", look)).out
    plain = await shell(person, "--without-secrets", "--", "sh", "-c", "echo ${GIVEN_SECRET-none}")
    assert plain.out == b"none\n"
    missing = await shell(person, "--", "no-such-program")
    assert (missing.code, missing.err) == (127, b"no-such-program: No such file or directory\n")

    terminal = await Terminal.open(
        person.repository, environ, *COMMAND, "task", "shell", "one", "--", "sh", "-i"
    )
    try:
        terminal.type("echo ${#GIVEN_SECRET} $((40+2)); stty -a\n")
        await terminal.shows("$((40+2))")
        assert "s3cret" not in terminal.shown
        await terminal.shows(f"{len(secret)} 42")
        await terminal.shows("icanon")
        terminal.type("exit 4\n")
        assert await terminal.exit_code() == 4
    finally:
        terminal.close()

    person.world = person.world._replace(
        environ={name: value for name, value in environ.items() if name != "GIVEN_SECRET"}
    )
    without = await shell(person, "--", "sh", "-c", "echo ${GIVEN_SECRET-none}")
    assert without.out == b"none\n"
    assert b"* the shell does without it: the secret GIVEN_SECRET" in without.err
