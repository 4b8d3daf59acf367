"""The real Claude Code CLI as the client: a scripted model drives it, and it drives ctui.

The CLI comes out of the tasks' image and runs on the host, with a home of its own. It asks whoever
runs it to fill in a form, as it does in an editor that embeds it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from ctui.config import ImageConfig
from ctui.git.repository.repository import open_repository
from ctui.sandbox.docker.image import image_tag
from ctui.tasks.model import AskState
from ctui.worktrees.create import folder_of
from tests.mcp_server.conftest import scripted
from tests.mcp_server.talking import command
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

_SECONDS = 90.0


@pytest.fixture(scope="session")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The CLI's binary."""
    path = tmp_path_factory.mktemp("cli") / "claude"
    made = subprocess.run(
        ["docker", "create", image_tag(ImageConfig())], capture_output=True, text=True, check=True
    )
    container = made.stdout.strip()
    try:
        copy = ["docker", "cp", "--quiet", f"{container}:/usr/local/bin/claude", str(path)]
        subprocess.run(copy, check=True)
    finally:
        remove = ["docker", "rm", container]
        subprocess.run(remove, check=True, stdout=subprocess.DEVNULL)
    use_loader_of_host(path)
    return path


def use_loader_of_host(program: Path) -> None:
    """Let a program of the image's tree name this machine's loader again; see docker/tree."""
    found = re.search(rb"/lib(?:64)?/ld-linux[\w.-]*\.so\.\d", Path(sys.executable).read_bytes())
    assert found is not None
    ours, trees = found[0] + b"\0", b"/ctui/tree/ld.so".ljust(len(found[0]) + 1, b"\0")
    content = program.read_bytes()
    assert content.count(trees) == 1
    program.chmod(0o755)
    program.write_bytes(content.replace(trees, ours))


@pytest_asyncio.fixture
async def model() -> AsyncIterator[str]:
    """The address of a scripted model on the host."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ctui.demo.model", "--port", "0"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    try:
        yield next(word for word in line.split() if word.startswith("http://"))
    finally:
        process.terminate()
        await process.communicate()


async def test_claude_code_starts_a_task_answers_its_ask_and_cleans_up(
    person: Person, claude: Path, model: str, tmp_path: Path
) -> None:
    repository = open_repository(person.repository)
    worktree = folder_of(person.world.paths.worktrees, repository) / "work"
    inner = scripted("bash echo hello > made", "say Made it.")
    work = {"prompt": inner, "workspace_root": str(worktree)}
    prompt = scripted(
        'tool mcp__ctui__create_worktree {"name": "work"}',
        f"tool mcp__ctui__execute_claude {json.dumps(work)}",
        "say It said {result}",
        'tool mcp__ctui__check_worktree_status {"name": "work"}',
        'tool mcp__ctui__stop_task {"task_id": "work"}',
        'tool mcp__ctui__remove_worktree {"names": ["work"], "force": true}',
        "say Cleaned up.",
    )
    program, *arguments = command(person.repository)
    server = {"command": program, "args": arguments, "env": dict(person.world.environ)}
    host = _Host(
        await asyncio.create_subprocess_exec(
            *(str(claude), "--input-format", "stream-json", "--output-format", "stream-json"),
            *("--verbose", "--permission-prompt-tool", "stdio", "--setting-sources", "user"),
            *("--strict-mcp-config", "--mcp-config", json.dumps({"mcpServers": {"ctui": server}})),
            *("--allowedTools", "mcp__ctui", "--model", "opus"),
            cwd=tmp_path,
            env={
                **os.environ,
                "HOME": str(tmp_path),
                "ANTHROPIC_BASE_URL": model,
                "ANTHROPIC_API_KEY": "sk-ant-scripted",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=1 << 24,
        )
    )
    async with asyncio.timeout(_SECONDS):
        result = await host.turn(prompt)
        await host.end()
    assert (result["is_error"], result["result"]) == (False, "Cleaned up.")
    (form,) = host.forms
    assert "echo hello > made" in form["message"]
    assert form["requested_schema"]["properties"]["decision"]["enum"][-1] == "Deny"
    executed, status, stopped, removed = host.results[1:5]
    assert (executed["success"], executed["result"]) == (True, "Made it.")
    assert status["changes"]["untracked"] == 1
    assert stopped["state"] == "ended"
    assert removed["removed"][0]["name"] == "work"
    assert not worktree.exists()
    (ask,) = person.store.asks.list(*AskState)
    assert ask.state is AskState.DELIVERED


class _Host:
    """What embeds the CLI: sends the prompt, and fills in forms."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.forms: list[dict[str, Any]] = []
        self.results: list[Any] = []
        """What the tools gave back, as the model reads it."""
        self._process = process

    async def turn(self, prompt: str) -> dict[str, Any]:
        """Its result."""
        await self._connected()
        message = {"role": "user", "content": prompt}
        self._send({"type": "user", "message": message, "parent_tool_use_id": None})
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            event = json.loads(line)
            match event["type"]:
                case "control_request":
                    self._answer(event["request_id"], event["request"])
                case "user":
                    self._take(event["message"]["content"])
                case "result":
                    return dict(event)
        raise AssertionError("the CLI ended")

    async def _connected(self) -> None:
        """Wait until the CLI has the server: it does not wait for one that starts slowly."""
        assert self._process.stdout is not None
        asked = {"type": "control_request", "request_id": "status"}
        self._send({**asked, "request": {"subtype": "mcp_status"}})
        async for line in self._process.stdout:
            event = json.loads(line)
            if event["type"] != "control_response":
                continue
            servers = event["response"]["response"]["mcpServers"]
            if all(server["status"] == "connected" for server in servers):
                return
            assert all(server["status"] in {"pending", "connected"} for server in servers), servers
            await asyncio.sleep(0.1)
            self._send({**asked, "request": {"subtype": "mcp_status"}})

    async def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.communicate()

    def _answer(self, number: str, request: dict[str, Any]) -> None:
        assert request["subtype"] == "elicitation", request
        self.forms.append(request)
        answer = {"action": "accept", "content": {"decision": "Allow Once"}}
        response = {"subtype": "success", "request_id": number, "response": answer}
        self._send({"type": "control_response", "response": response})

    def _take(self, content: Any) -> None:
        for item in content if isinstance(content, list) else []:
            if item["type"] == "tool_result":
                assert not item.get("is_error"), item
                text = item["content"]
                self.results.append(json.loads(text if isinstance(text, str) else text[0]["text"]))

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
