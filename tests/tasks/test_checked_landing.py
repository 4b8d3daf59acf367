"""Checked landings on a real engine: what was checked is what lands, or nothing has moved."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from ctui.client.cleaning.prune import prune_everything
from ctui.client.landing.records import LandingRecords
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.worktrees.landing.kept_commit import PREFIX
from tests.conftest import git
from tests.environments.test_choice import put
from tests.tasks.conftest import WAIT_SECONDS, Person
from tests.warm import COMMAND
from tests.worktrees.landing import commit_file, snapshot

pytestmark = pytest.mark.engine

GATE = "echo be''gun; until test -e go; do sleep 0.05; done"
"""A check that goes on when somebody writes `go` into its workspace."""


async def work(person: Person, name: str = "work") -> Path:
    """Make a worktree with a commit."""
    git(person.repository, "config", "user.name", "Ada")
    git(person.repository, "config", "user.email", "ada@example.org")
    code, said = await person.ctui("worktree", "create", name, "--json")
    assert code == 0, said
    path = Path(json.loads(said)["path"])
    commit_file(path, f"{name}.txt", "new\n")
    return path


class Command:
    """`ctui worktree land NAME --check-command …` while it runs, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def until(self, text: str) -> str:
        """Return the first line of its output that has the text."""
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_SECONDS):
            async for line in self.process.stdout:
                if text in line.decode():
                    return line.decode()
        raise AssertionError(f"it ended without {text!r}")

    async def ended(self) -> int:
        async with asyncio.timeout(WAIT_SECONDS):
            await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


class Begin(Protocol):
    async def __call__(self, name: str, check: str) -> Command: ...


@pytest.fixture
async def begin(person: Person) -> AsyncIterator[Begin]:
    begun: list[Command] = []

    async def start(name: str, check: str) -> Command:
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND, "worktree", "land", name, "--check-command", check),
            cwd=person.repository,
            env=person.world.environ,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        begun.append(Command(process))
        return begun[-1]

    yield start
    for command in begun:
        with suppress(ProcessLookupError):
            command.process.kill()
        await command.ended()


def workspaces(person: Person) -> list[Path]:
    return sorted((person.world.paths.data / "environments").glob("check-*/workspace"))


async def containers(person: Person) -> list[str]:
    labels = {LABEL_INSTANCE: person.world.paths.instance, LABEL_ENVIRONMENT: ""}
    return [one.name for one in await person.world.engine.find(labels)]


async def nothing_left(person: Person) -> bool:
    locks = list(person.world.paths.state.glob("environments/check-*"))
    return (await containers(person), workspaces(person), locks) == ([], [], [])


def tickets(person: Person) -> list[Path]:
    return list(person.world.paths.state.glob("landings/queues/*/*.ticket"))


@pytest.fixture
async def unmoved(person: Person) -> AsyncIterator[None]:
    """Nothing of the target and its checkout is another after the test."""
    await work(person)
    index = person.repository / ".git" / "index"
    before = snapshot(person.repository), index.read_bytes()
    yield
    assert (snapshot(person.repository), index.read_bytes()) == before


async def test_exactly_what_was_checked_is_landed(person: Person) -> None:
    """In a sealed copy: neither a login nor a network of the host's is in it."""
    await work(person)
    commit_file(person.repository, "theirs.txt", "of the target\n")
    look = (
        "cat work.txt theirs.txt; echo uid=$(id -u); ls /sys/class/net; env; test ! -e .git; "
        "touch left; printf '\\033[31mred\\033[0m\\n' >&2; ls /var/run/docker.sock /root || true"
    )
    code, said = await person.ctui("worktree", "land", "work", "--check-command", look, "--json")
    assert code == 0, said
    record: dict[str, Any] = json.loads(said[said.index("\n{\n") :])
    check = record["check"]
    assert (check["command"], check["exit"]) == (look, 0)
    assert check["tree"] == git(person.repository, "rev-parse", "main^{tree}")
    assert record["after"] == git(person.repository, "rev-parse", "main")
    assert (person.repository / "work.txt").read_text() == "new\n"
    assert git(person.repository, "status", "--porcelain") == ""
    log = Path(check["log"])
    printed = log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600
    assert "new\nof the target\n" in printed
    assert "uid=0\n" not in printed
    assert "\nlo\n" in printed
    assert "eth0" not in printed
    assert "\nred\n" in printed
    assert person.world.credential not in printed
    assert "ANTHROPIC" not in printed
    assert await nothing_left(person)
    assert tickets(person) == []
    [kept] = LandingRecords(person.world.paths).all()
    assert (kept.outcome, kept.check.tree) == ("landed", check["tree"])
    code, said = await person.ctui("worktree", "landings")
    assert (code, "landed" in said) == (0, True)


@pytest.mark.usefixtures("unmoved")
async def test_a_check_that_fails_or_takes_too_long_moves_nothing(person: Person) -> None:
    land = ("worktree", "land", "work", "--json", "--check-command")
    code, said = await person.ctui(*land, "echo why; exit 7")
    assert code == 1, said
    failed = json.loads(said[said.index("\n{\n") :])
    assert failed["error"] == "the check failed (exit code 7)"
    assert failed["check"]["exit"] == 7
    assert Path(failed["check"]["log"]).read_text() == "why\n"
    with person.world.paths.config_file.open("a") as config:
        config.write('\n[landing]\ntimeout = "2s"\n')
    code, said = await person.ctui(*land, "echo begun; sleep 1000 & wait")
    assert code == 4, said
    late = json.loads(said[said.index("\n{\n") :])
    assert late["error"] == "the check was stopped after 2s (landing.timeout)"
    assert late["check"]["exit"] is None
    outcomes = [one.outcome for one in LandingRecords(person.world.paths).all()]
    assert outcomes == ["timed out", "failed"]
    assert await nothing_left(person)


@pytest.mark.usefixtures("unmoved")
async def test_an_interrupted_check_moves_nothing_and_leaves_nothing(
    person: Person, begin: Begin
) -> None:
    command = await begin("work", GATE)
    await command.until("begun")
    await prune_everything(person.world.paths)
    assert len(await containers(person)) == 2
    assert len(workspaces(person)) == 1
    command.process.send_signal(signal.SIGINT)
    assert await command.ended() == 130
    assert await nothing_left(person)
    assert [one.outcome for one in LandingRecords(person.world.paths).all()] == ["interrupted"]


async def test_where_the_target_moved_it_is_checked_again(person: Person, begin: Begin) -> None:
    await work(person)
    command = await begin("work", f"test -e moved || {{ {GATE}; }}; test -e work.txt")
    await command.until("begun")
    commit_file(person.repository, "moved", "by somebody else\n")
    moved = git(person.repository, "rev-parse", "main")
    (workspaces(person)[0] / "go").touch()
    assert "once more" in await command.until("moved meanwhile")
    assert await command.ended() == 0
    assert git(person.repository, "rev-parse", "main^1") == moved
    last, first = LandingRecords(person.world.paths).all()
    assert (first.outcome, last.outcome, last.before) == ("passed", "landed", moved)
    assert last.check.tree == git(person.repository, "rev-parse", "main^{tree}")


async def test_a_reader_that_goes_away_ends_no_check(person: Person) -> None:
    """And what failed is no success because nobody reads it any more."""
    await work(person)
    for check, code in (("seq 100000; exit 1", 1), ("seq 100000", 0)):
        land = f"{shlex.join(COMMAND)} worktree land work --check-command '{check}'"
        process = await asyncio.create_subprocess_exec(
            *("bash", "-o", "pipefail", "-c", f"{land} 2>/dev/null | head -1"),
            cwd=person.repository,
            env=person.world.environ,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await asyncio.wait_for(process.communicate(), WAIT_SECONDS)
        assert (process.returncode, said) == (code, b"1\n")
        assert (person.repository / "work.txt").exists() is (code == 0)
        log = LandingRecords(person.world.paths).all()[0].check.log
        assert Path(log).read_text().endswith("\n100000\n")


async def test_of_two_that_are_queued_the_first_fails_and_the_second_lands(
    person: Person, begin: Begin
) -> None:
    await work(person, "one")
    await work(person, "two")
    first = await begin("one", f"{GATE}; exit 1")
    await first.until("begun")
    second = await begin("two", "test ! -e one.txt && test -e two.txt")
    assert "landing of one in main" in await second.until("waits for")
    (workspaces(person)[0] / "go").touch()
    assert await first.ended() == 1
    assert await second.ended() == 0
    assert not (person.repository / "one.txt").exists()
    assert (person.repository / "two.txt").exists()


async def test_a_killed_landing_has_moved_nothing_and_the_next_one_sweeps(
    person: Person, begin: Begin
) -> None:
    await work(person)
    index = person.repository / ".git" / "index"

    def now() -> tuple[object, ...]:
        refs = git(person.repository, "for-each-ref").splitlines()
        moved = [line for line in refs if PREFIX not in line]
        return moved, index.read_bytes(), git(person.repository, "status", "--porcelain")

    before = now()
    for sweep in ("clean", "land"):
        command = await begin("work", GATE)
        await command.until("begun")
        command.process.kill()
        await command.ended()
        assert now() == before
        assert len(await containers(person)) == 2
        if sweep == "clean":
            await prune_everything(person.world.paths)
        else:
            code, said = await person.ctui("worktree", "land", "work", "--check-command", "true")
            assert code == 0, said
        assert await nothing_left(person)
    assert (person.repository / "work.txt").exists()
    assert tickets(person) == []
    assert git(person.repository, "for-each-ref", "refs/ctui") == ""


async def test_a_check_of_the_person_has_the_secrets_that_they_name(person: Person) -> None:
    """And one that the repository names has none."""
    value = "s3cret-Value-of-it"
    person.world = person.world._replace(environ={**person.world.environ, "GIVEN": value})
    code, said = await person.ctui("secret", "set", "GIVEN", "--from-env", "GIVEN")
    assert code == 0, said
    check = '[landing]\ncheck = "test -z ${GIVEN-} && echo none"\n'
    commit_file(person.repository, ".ctui.toml", check)
    await work(person, "one")
    await work(person, "two")
    config = person.world.paths.config_file
    settings = config.read_text()
    config.write_text(f'{settings}\n[landing]\nsecrets = ["GIVEN"]\n')
    show = "echo is $GIVEN; echo ${#GIVEN}; tr '\\0' ' ' < /proc/$$/cmdline; cat"
    code, said = await person.ctui("worktree", "land", "one", "--check-command", show)
    assert code == 0, said
    log = Path(LandingRecords(person.world.paths).all()[0].check.log).read_text()
    assert log.startswith(f"is [redacted]\n{len(value)}\n")
    assert value not in log + said
    code, said = await person.ctui("worktree", "land", "two", "--check")
    assert (code, "\nnone\n" in said) == (0, True), said
    config.write_text(f'{settings}\n[landing]\nsecrets = ["MISSING"]\n')
    await work(person, "three")
    code, said = await person.ctui("worktree", "land", "three", "--check-command", "true")
    assert (code, "there is no secret MISSING" in said) == (1, True), said


async def test_it_is_checked_in_the_environment_of_what_would_be_landed(person: Person) -> None:
    """With what that carries; the check is that of the target, not what the branch says."""
    table = '[environment]\nsetup = "mkdir node_modules && echo carried > node_modules/file"\n'
    check = '[landing]\ncheck = "cat node_modules/file && test $(cat work.txt) = new"\n'
    put(person.repository, {".ctui.toml": table + check, ".gitignore": "node_modules\n"})
    path = await work(person)
    put(path, {".ctui.toml": f'{table}[landing]\ncheck = "exit 5"\n'})
    code, said = await person.ctui("worktree", "land", "work", "--check")
    assert code == 3, said
    assert "ctui env build --base" in said
    code, said = await person.ctui("env", "build", "--yes", seconds=120)
    assert code == 0, said
    code, said = await person.ctui("worktree", "land", "work", "--check")
    assert code == 0, said
    assert "\ncarried\n" in said
    assert await nothing_left(person)
    assert git(person.repository, "rev-parse", "main^2") == git(path, "rev-parse", "HEAD")
