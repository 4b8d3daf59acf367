"""The login that runs get: asked for once, expired before it is used, renewed while it is used."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from ctui.demo.model.script import fenced
from ctui.demo.world import World
from ctui.tasks.model import Task, TaskState
from tests.claude import keyrings
from tests.tasks.conftest import WAIT_SECONDS, Person

pytestmark = pytest.mark.engine

GOOD = "sk-ant-oat01-good-abcdefgh"
REJECTED = "sk-ant-oat01-expired-abcdefgh"
"""The scripted model rejects what has `expired` in it."""


class Owner(Person):
    """A person without a login in the environment."""

    def __init__(self, world: World, repository: Path, folder: Path) -> None:
        environ = {name: value for name, value in world.environ.items() if "API_KEY" not in name}
        self.credentials = folder / ".credentials.json"
        super().__init__(
            world._replace(environ={**environ, "CLAUDE_CONFIG_DIR": str(folder)}), repository
        )

    def keep(self, token: str, seconds: float = 6 * 3600) -> None:
        """What the host's own CLI does when it renews its login."""
        end = int((time.time() + seconds) * 1000)
        tokens = {"accessToken": token, "refreshToken": "sk-ant-ort01-never", "expiresAt": end}
        new = self.credentials.with_name("new")
        new.write_text(json.dumps({"claudeAiOauth": tokens}))
        new.replace(self.credentials)

    async def changes(self, task: str) -> AsyncIterator[Task]:
        """The task as it was and becomes, from before it is made."""
        async with asyncio.timeout(WAIT_SECONDS):
            async for update in self.client.watch():
                if update.task is not None and update.task.id == task:
                    yield update.task


@pytest_asyncio.fixture
async def owner(world: World, repository: Path, tmp_path: Path) -> AsyncIterator[Owner]:
    world.paths.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    (tmp_path / "claude").mkdir()
    made = Owner(world, repository, tmp_path / "claude")
    async with made.client:
        yield made


def run(name: str, *steps: str) -> list[str]:
    return ["run", fenced(*steps), "--task-id", name, "--name", name]


async def test_the_login_of_this_machine_is_enough(owner: Owner) -> None:
    owner.keep(GOOD)
    # The CLI keeps it from its tools, and the kernel from every process beside it.
    look = "bash cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -a CLAUDE_CODE_OAUTH"
    code, said = await owner.ctui(*run("own", look, "say Done."), "--skip-permissions")
    assert code == 0, said
    assert owner.tool_output("own").count("Permission denied") >= 2
    kept = [path for path in owner.world.paths.state.rglob("*") if path.is_file()]
    assert owner.world.paths.state / "login.json" in kept
    for path in kept:
        content = path.read_bytes()
        assert GOOD.encode() not in content, path
        assert b"sk-ant-ort01-never" not in content, path


async def test_an_expired_login_is_said_to_be_and_no_run_begins(owner: Owner) -> None:
    owner.keep(GOOD, seconds=-60)
    code, said = await owner.ctui(*run("late", "say Done."))
    assert code == 1
    assert "Claude Code's own login on this machine has expired" in said
    assert "run `claude` once" in said
    assert "ctui task resume late" in said
    assert owner.store.tasks.get("late").state is TaskState.WAITING
    assert owner.store.runs.of("late") == []
    ours = {"ctui.instance": owner.world.paths.instance, "ctui.task": "late"}
    assert await owner.world.engine.find(ours) == []
    code, said = await owner.ctui("doctor")
    assert "NO  login" in said
    assert "expired" in said
    owner.keep(GOOD)
    code, said = await owner.ctui("task", "resume", "late")
    assert code == 0, said
    assert (await owner.idle("late")).result == "Done."


async def test_a_rejected_login_that_was_renewed_meanwhile_is_retried_once(owner: Owner) -> None:
    owner.keep(REJECTED)
    following = asyncio.create_task(owner.ctui(*run("renewed", "say Done.")))
    async for _ in owner.changes("renewed"):
        if owner.store.runs.of("renewed"):
            break
    owner.keep(GOOD)
    code, said = await following
    assert code == 0, said
    assert "a newer one was found" in said
    task = owner.store.tasks.get("renewed")
    assert (task.result, task.problem) == ("Done.", "")
    assert len(owner.store.runs.of("renewed")) == 1


async def test_after_one_retry_the_person_is_asked(owner: Owner) -> None:
    owner.keep(REJECTED)
    following = asyncio.create_task(owner.ctui(*run("twice", "say Done.")))
    async for task in owner.changes("twice"):
        if owner.store.runs.of("twice"):
            # There is a newer one, and it is no better.
            owner.keep(f"{REJECTED}-again")
        if task.state is TaskState.WAITING:
            break
    code, said = await following
    assert code == 1
    assert "a newer one was found" in said
    assert "Claude rejected the login" in said
    assert len(owner.store.runs.of("twice")) == 1
    owner.keep(GOOD)
    await owner.ctui("task", "resume", "twice")
    assert "Done." in (await owner.idle("twice")).result
    assert len(owner.store.runs.of("twice")) == 2


async def test_a_detached_task_without_a_login_says_what_is_missing(owner: Owner) -> None:
    """Nobody would look: its id is printed, it waits, and it goes on once there is one."""
    owner.keep(GOOD, seconds=-60)
    code, said = await owner.ctui(*run("late", "say Done."), "--detach")
    assert code == 3
    lines = said.splitlines()
    assert "late" in lines
    [line] = [one for one in lines if one.startswith("ctui: ")]
    assert line.startswith("ctui: late waits: Claude Code's own login on this machine has expired")
    assert line.endswith("then `ctui task resume late`)")
    await owner.until("late", lambda now: now.state is TaskState.WAITING)
    owner.keep(GOOD)
    await owner.ctui("task", "resume", "late")
    assert (await owner.idle("late")).result == "Done."


async def test_a_rejected_login_without_a_newer_one_starts_nothing(owner: Owner) -> None:
    owner.keep(REJECTED)
    code, said = await owner.ctui(*run("same", "say Done."))
    assert code == 1
    assert "Claude rejected the login" in said
    assert len(owner.store.runs.of("same")) == 1


async def test_tasks_that_start_at_once_ask_the_keyring_once(owner: Owner, tmp_path: Path) -> None:
    folder = tmp_path / "keyring"
    environ = {
        **owner.world.environ,
        **{
            name: value
            for name, value in keyrings.keyring_environment(folder, keyrings.WORKING).items()
            if name.startswith("PYTHON")
        },
        "CTUI_HOME": owner.world.environ["CTUI_HOME"],
        "KEYRING_SECONDS": "0.5",
    }
    store = "from ctui.claude.login.credentials import *; from ctui.paths import Paths;"
    keyrings.run(
        environ, f"{store} store_credential(Paths.from_environment(), Credential.parse('{GOOD}'))"
    )
    (folder / "asked").unlink()
    person = Person(owner.world._replace(environ=environ), owner.repository)
    names = [f"at-once-{number}" for number in range(5)]
    done = await asyncio.gather(
        *(person.ctui(*run(name, "say Done."), "--detach") for name in names)
    )
    assert [code for code, _ in done] == [0] * 5, done
    for name in names:
        assert (await owner.idle(name)).result == "Done."
    assert len(keyrings.asked(folder)) == 2


async def test_what_was_answered_is_not_said_again_when_a_login_was_missing(owner: Owner) -> None:
    owner.keep(GOOD)
    code, said = await owner.ctui(*run("silent", "say First."))
    assert code == 0, said
    owner.keep(GOOD, seconds=-60)
    # The driver has known it for less than five minutes, but it ends before that.
    record = owner.world.paths.state / "login.json"
    record.unlink()
    await owner.ctui("task", "resume", "silent")
    await owner.until("silent", lambda now: now.state is TaskState.WAITING)
    owner.keep(GOOD)
    await owner.ctui("task", "resume", "silent")
    task = await owner.until("silent", lambda now: now.state is TaskState.IDLE)
    assert (task.turns, task.problem) == (1, "")


async def test_a_keyring_that_hangs_holds_no_task_up_for_long(owner: Owner, tmp_path: Path) -> None:
    environ = {
        **owner.world.environ,
        **{
            name: value
            for name, value in keyrings.keyring_environment(
                tmp_path / "keyring", keyrings.HANGING
            ).items()
            if name.startswith("PYTHON")
        },
    }
    person = Person(owner.world._replace(environ=environ), owner.repository)
    began = time.monotonic()
    done = await asyncio.gather(
        *(person.ctui(*run(f"hangs-{number}", "say Never.")) for number in range(4))
    )
    assert time.monotonic() - began < WAIT_SECONDS / 2
    for code, said in done:
        assert code == 1
        assert "the keyring does not answer within 5 s" in said
        assert "Traceback" not in said
    owner.keep(GOOD)
    assert (await person.ctui("task", "resume", "hangs-0"))[0] == 0
    assert (await owner.idle("hangs-0")).result == "Never."
