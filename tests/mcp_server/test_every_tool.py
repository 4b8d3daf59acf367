"""Every tool, called by the official client in both protocol eras, on real containers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.conftest import ENGINE_WIDE, git
from tests.mcp_server.conftest import scripted
from tests.mcp_server.talking import (
    LEGACY,
    MODERN,
    call,
    refusal,
    talking,
    talking_over_http,
)
from tests.tasks.conftest import Person
from tests.web.conftest import serving

pytestmark = [pytest.mark.engine, ENGINE_WIDE]


class Caller:
    """Calls tools, and remembers which."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.called: set[str] = set()

    async def __call__(self, name: str, /, **arguments: Any) -> Any:
        self.called.add(name)
        return await call(self.client, name, **arguments)


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_every_tool_does_what_it_says(person: Person, mode: str) -> None:
    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        assert "touch executed" in form.message
        return ElicitResult(action="accept", content={"decision": "Allow Once"})

    async with talking(person.repository, person.world.environ, mode, fill) as client:
        await _every_tool(client, person.repository)


@pytest.mark.parametrize("mode", [LEGACY, MODERN])
async def test_over_http_they_do_the_same(person: Person, mode: str) -> None:
    async def fill(form: ElicitRequestFormParams) -> ElicitResult:
        assert "touch executed" in form.message
        return ElicitResult(action="accept", content={"decision": "Allow Once"})

    with serving(person.repository, person.world.environ) as served:
        async with talking_over_http(served.url, served.token, mode, fill) as client:
            await _every_tool(client, person.repository)


async def _every_tool(client: Client, repository: Path) -> None:
    tools = Caller(client)
    listed = {tool.name for tool in (await client.list_tools()).tools}
    await _worktrees(tools, repository)
    await _tasks(tools)
    await _execute(tools)
    await _setup(tools)
    assert tools.called == listed


async def _worktrees(tools: Caller, repository: Path) -> None:
    made = await tools("create_worktree", name="mine", base="HEAD~1")
    assert made["branch"] == "ctui/mine"
    listed = await tools("list_worktree")
    (seen,) = listed["worktrees"]
    assert listed["target"]["commit"] == git(repository, "rev-parse", "HEAD")
    assert (seen["name"], seen["status"], seen["task"]) == ("mine", "clean", None)
    assert await tools("check_worktree_status", name="mine") == seen
    Path(made["path"], "note").write_text("unsaved\n")
    kept = await tools("remove_worktree", names=["mine", "nobody"])
    assert not kept["removed"]
    assert [item["name"] for item in kept["refused"]] == ["mine", "nobody"]
    gone = await tools("remove_worktree", names=["mine"], force=True)
    assert not Path(made["path"]).exists()
    back = await tools("restore_worktree", ids=[gone["removed"][0]["trash_id"]])
    assert back["restored"] == [{"name": "mine", "path": made["path"], "branch": "ctui/mine"}]
    assert Path(made["path"], "note").read_text() == "unsaved\n"
    Path(made["path"], "note").unlink()
    would = await tools("clean_worktree", dry_run=True)
    mine = {"name": "mine", "evidence": seen["evidence"]}
    assert would == {"removed": [], "refused": [], "kept": [mine]}
    would = await tools("clean_worktree", dry_run=True, clean=True)
    assert would == {"removed": [{**mine, "trash_id": None}], "refused": [], "kept": []}
    cleaned = await tools("clean_worktree", clean=True)
    assert cleaned["removed"][0]["trash_id"]
    assert (await tools("list_worktree"))["worktrees"] == []


async def _tasks(tools: Caller) -> None:
    prompt = scripted("say First I look.", "bash touch made", "say Done.")
    given = {"task_id": "first", "isolated": True, "env": {"A": "1"}, "network": "closed"}
    started = await tools("run_task", prompt=prompt, **given)
    assert (started["id"], started["state"]) == ("first", "queued")
    found = await tools("get_task", task_id="first", wait_seconds=40)
    assert found["task"]["state"] == "waiting"
    assert found["task"]["sandbox"]["isolated"]
    assert found["task"]["options"]["env"] == {"A": ""}
    assert found["task"]["network"] == "closed"
    assert not found["over"]
    (ask,) = (await tools("list_asks"))["asks"]
    assert found["asks"] == [ask]
    assert "touch made" in ask["text"]
    assert ask["decisions"] == ["allow", "session", "always", "deny"]
    assert (await tools("list_tasks"))["tasks"][0]["asks"] == 1
    answered = await tools("answer_ask", ask=ask["id"], decision="allow")
    assert answered["state"] in {"answered", "delivered"}
    late = await refusal(tools.client, "answer_ask", ask=ask["id"], decision="deny")
    assert "not pending" in late
    done = await tools("get_task", task_id="first", wait_seconds=40)
    assert done["over"]
    assert done["task"]["result"] == "Done."
    assert Path(done["task"]["worktree"], "made").exists()
    await _output(tools)
    told = await tools("send_message", task_id="first", message=scripted("say x", "hang"))
    assert told["state"] in {"running", "queued"}
    await tools("get_task_output", task_id="first", wait_seconds=1)
    await tools("interrupt_task", task_id="first")
    halted = await tools("get_task", task_id="first", wait_seconds=40)
    assert halted["task"]["problem"] == "the turn was interrupted"
    assert (await tools("stop_task", task_id="first"))["state"] == "ended"


async def _output(tools: Caller) -> None:
    whole = await tools("get_task_output", task_id="first")
    assert whole["over"]
    assert not whole["more"]
    assert "First I look." in "\n".join(whole["lines"])
    assert (await tools("get_task_output", task_id="first", tail=1))["lines"] == whole["lines"][-1:]
    rest = await tools("get_task_output", task_id="first", offset=whole["next_offset"])
    assert rest == {**whole, "lines": []}


async def _execute(tools: Caller) -> None:
    made = await tools("create_worktree", name="place")
    done = await tools(
        "execute_claude",
        prompt=scripted("say I will.", "bash touch executed", "say Executed."),
        workspace_root=made["path"],
    )
    assert (done["success"], done["over"], done["result"]) == (True, True, "Executed.")
    assert done["worktree"] == made["path"]
    assert Path(made["path"], "executed").exists()
    task = await tools("get_task", task_id=done["task_id"])
    assert task["task"]["options"]["model"] == "haiku"


async def _setup(tools: Caller) -> None:
    ready = await tools("setup")
    assert ready["image"].startswith("ctui:")
    assert {check["name"]: check["ok"] for check in ready["checks"]}["image"]
    assert (await tools("init_docker_volume"))["volumes"] == []  # shared caches are off
    homes = {item["task"]: item for item in (await tools("list_docker_volume"))["volumes"]}
    kept = await tools("clean_docker_volume", names=[homes["first"]["name"]])
    assert kept["removed"] == []
    assert "can be resumed" in kept["refused"][0]["reason"]
    gone = await tools("clean_docker_volume", names=[homes["first"]["name"]], force=True)
    assert [item["task"] for item in gone["removed"]] == ["first"]
    left = await tools("list_docker_volume")
    assert homes.keys() - {item["task"] for item in left["volumes"]} == {"first"}
    would = await tools("clean", dry_run=True)
    assert would["dry_run"]
    done = await tools("clean")
    assert not any(item["what"] == "engine" for item in done["kept"])


async def test_several_calls_at_once_are_in_no_others_way(person: Person) -> None:
    async with talking(person.repository, person.world.environ) as client:
        await call(client, "run_task", prompt=scripted("wait gate", "say Done."), task_id="one")
        waiting = asyncio.create_task(call(client, "get_task", task_id="one", wait_seconds=30))
        for _ in range(5):
            assert len((await call(client, "list_tasks"))["tasks"]) == 1
        assert not waiting.done()
        await call(client, "stop_task", task_id="one")
        assert (await waiting)["over"]
