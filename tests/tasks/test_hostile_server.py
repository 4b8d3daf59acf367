"""T27: an MCP server that means harm, with the real CLI in a real container."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from ctui.demo.model.script import fenced
from ctui.tasks import calls
from ctui.tasks.model import AskState, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

SERVER = Path(__file__).with_name("hostile_server.py")
_MOST_ASKS = 64
"""Open asks that a run may have, by default."""
_CONTROLS = {"\x1b", "\x07", "\u202e"}


@pytest.fixture
def repository(repository: Path) -> Path:
    """With the server, so that a task's container has it."""
    (repository / "server.py").write_text(SERVER.read_text())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add a server")
    return repository


async def test_a_server_that_floods_forms_is_bounded_and_can_be_stopped(
    person: Person, tmp_path: Path
) -> None:
    """T27: huge schemas, endless output, floods of forms, escapes; another task goes on."""
    servers = {"evil": {"command": "python3", "args": ["-I", "/workspace/server.py"]}}
    (tmp_path / "mcp.json").write_text(json.dumps({"mcpServers": servers}))
    code, said = await person.ctui(
        *("run", fenced("tool mcp__evil__attack {}", "say Done."), "--detach"),
        *("--task-id", "attacked", "--mcp-config", str(tmp_path / "mcp.json")),
        *("--skip-permissions",),
    )
    assert code == 0, said
    async with asyncio.timeout(110):
        while not person.store.asks.list(AskState.PENDING, task="attacked"):
            assert person.store.tasks.get("attacked").state is not TaskState.ENDED
            await asyncio.sleep(0.1)
    await person.start("other", "bash echo one", "say Done.", skip_permissions=True)
    assert (await person.idle("other")).result == "Done."
    asks = person.store.asks.list(AskState.PENDING, task="attacked")
    assert len(asks) <= _MOST_ASKS
    code, shown = await person.ctui("task", "show", "attacked")
    assert (code, "evil" in shown) == (0, True)
    assert not set(shown) & _CONTROLS
    await person.client.call(calls.StopTask("attacked"))
    assert person.store.tasks.get("attacked").state is TaskState.ENDED
    assert person.store.asks.list(AskState.PENDING, AskState.ANSWERED, task="attacked") == []
    for command in (["task", "show", "attacked"], ["task", "logs", "attacked"], ["task", "list"]):
        code, shown = await person.ctui(*command)
        assert code == 0, shown
        assert not set(shown) & _CONTROLS, command
