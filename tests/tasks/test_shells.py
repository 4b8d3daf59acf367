"""The shell of a task's last command, which the driver's own is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ctui.claude.login.credentials import Credential
from ctui.claude.task_home import RunOptions, task_home
from ctui.client.tasks.caller import login
from ctui.git.private.private import create_private
from ctui.git.process import version
from ctui.git.repository.repository import open_repository
from ctui.paths import Paths
from ctui.tasks.calls import Login, SendMessage
from ctui.tasks.mailbox.ports import Account
from ctui.tasks.model import Task
from ctui.tasks.runs.launch import first_line_of
from ctui.tasks.runs.logins import Logins, Sources
from ctui.tasks.store import Store
from ctui.tasks.workspace import LocalWorkspace
from tests.conftest import git

SECRET = "http://person:hunter2@proxy.example:3128"


def _logins() -> Logins:
    found = Credential("api-key", "sk-driver")
    return Logins(Sources(own=lambda _: Account(found), stored=lambda _: found))


def _task(repository: Path, name: str) -> Task:
    return Task(
        id=name,
        repository=str(repository / ".git"),
        worktree=str(repository),
        metadata=None,
        branch="main",
        base=git(repository, "rev-parse", "HEAD"),
        session="s",
        prompt="go",
    )


REAL = os.environ["PATH"]


def _wrapper(folder: Path, log: Path) -> str:
    """Return a path whose git notes the agent that it was given."""
    folder.mkdir()
    program = folder / "git"
    program.write_text(
        f'#!/bin/sh\necho "{folder.name} $SSH_AUTH_SOCK $HTTPS_PROXY" >> {log}\n'
        f'PATH="{REAL}"\nexec git "$@"\n'
    )
    program.chmod(0o755)
    return f"{folder}:{REAL}"


@pytest.fixture
def found_anew() -> Iterator[None]:
    """Let git be looked for in the test's own path."""
    version.executable.cache_clear()
    yield
    version.executable.cache_clear()


@pytest.mark.usefixtures("found_anew")
async def test_git_of_a_task_is_that_of_its_last_command(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G21: the driver kept the PATH of who started it, days ago."""
    log = tmp_path / "log"
    paths = Paths(*(tmp_path / name for name in Paths._fields))
    monkeypatch.setenv("PATH", _wrapper(tmp_path / "driver", log))
    monkeypatch.setenv("HTTPS_PROXY", "http://driver")
    logins, store = _logins(), Store(":memory:")
    workspace = LocalWorkspace(paths, store, logins.shell)
    tasks = {name: _task(repository, name) for name in ("one", "two")}
    for task in tasks.values():
        paths.task(task.id).mkdir(parents=True)
        await create_private(
            open_repository(repository),
            None,
            paths.task(task.id),
            task.branch,
            task.base,
            (os.getuid(), os.getgid()),
        )
    shell = {"PATH": _wrapper(tmp_path / "person", log), "SSH_AUTH_SOCK": "/agent"}
    logins.remember("one", Login(caller=shell))

    async def used(task: Task) -> set[str]:
        log.write_text("")
        # As the task would have made it.
        tree = git(repository, "rev-parse", "HEAD^{tree}")
        commit = git(repository, "commit-tree", tree, "-p", "HEAD", "-m", os.urandom(4).hex())
        (paths.task(task.id) / "git" / "refs" / "heads" / "side").write_text(f"{commit}\n")
        log.write_text("")
        assert (await workspace.collect(task)) is not None
        await workspace.base_file(task, "hello.txt")
        return set(log.read_text().splitlines())

    assert await used(tasks["one"]) == {"person /agent "}
    # Another task's command changes nothing for this one, and this one's nothing for the driver.
    assert {line.split()[0] for line in await used(tasks["two"])} == {"driver"}
    logins.remember("one", Login(caller={**shell, "SSH_AUTH_SOCK": "/newer"}))
    assert await used(tasks["one"]) == {"person /newer "}
    # A command that brings nothing, such as one of an older ctui, takes nothing away.
    logins.remember("one", Login())
    assert await used(tasks["one"]) == {"person /newer "}
    logins.forget("one")
    assert {line.split()[0] for line in await used(tasks["one"])} == {"driver"}
    store.close()


async def test_the_proxies_of_a_sandbox_are_those_of_the_last_command(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G21: of a driver without a proxy, and of one with another."""
    logins, task = _logins(), _task(repository, "one")
    home = task_home(RunOptions(session="s", resume=False, branch="main"))

    async def proxy() -> bytes:
        return first_line_of(home, await logins.of(task, needed=True), {}, task)

    monkeypatch.setenv("HTTPS_PROXY", "http://driver.example")
    assert b"driver.example" in await proxy()
    logins.remember("one", Login(caller={"PATH": "/bin", "https_proxy": SECRET}))
    assert SECRET.encode() in await proxy()
    logins.remember("one", Login(caller={"PATH": "/bin"}))
    assert b"driver.example" not in await proxy()


def test_what_travels_is_short_and_is_in_no_log(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G21: a proxy's address can hold a password."""
    monkeypatch.setenv("HTTPS_PROXY", SECRET)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/agent")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "other")
    found = login(paths)
    assert (found.caller["HTTPS_PROXY"], found.caller["SSH_AUTH_SOCK"]) == (SECRET, "/agent")
    assert found.caller["PATH"] == os.environ["PATH"]
    assert "AWS_SECRET_ACCESS_KEY" not in found.caller
    call = SendMessage("one", "id", "hello", found)
    assert "hunter2" not in repr(call)
    assert b"hunter2" in msgspec.json.encode(call)
