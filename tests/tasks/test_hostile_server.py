"""An MCP server inside the task that means harm: the real CLI, a real container."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctui.claude.mcp_servers import McpServer
from ctui.tasks import calls
from ctui.tasks.model import Answer, AskState, TaskState
from tests.conftest import git
from tests.tasks.conftest import Person

pytestmark = pytest.mark.engine

_MB = 1 << 20


@pytest.fixture
def repository(repository: Path) -> Path:
    """With the server, so that a task's container has it."""
    server = Path(__file__).parent / "hostile_server.py"
    (repository / server.name).write_text(server.read_text())
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Add a server")
    return repository


async def test_a_hostile_server_is_bounded_and_another_task_goes_on(person: Person) -> None:
    """T27: huge schemas and output, escapes, a flood of forms, zombies, noise."""
    args = ("-I", "/workspace/hostile_server.py")
    servers = {"harm": McpServer(command="python3", args=args)}
    await person.start("harmed", "tool mcp__harm__harm {}", "say Done.", mcp_servers=servers)
    ask = await person.asked("harmed")
    assert ask.tool == "mcp__harm__harm"
    await person.answer(ask, Answer("allow"))
    await person.start("other", "say Fine.")
    assert (await person.idle("other")).result == "Fine."
    code, said = await person.ctui("task", "show", "harmed")
    assert code == 0
    assert "\x1b" not in said
    assert len(person.store.asks.list(AskState.PENDING, task="harmed")) <= 64
    task = await person.client.call(calls.StopTask("harmed"))
    assert task.state is TaskState.ENDED
    code, said = await person.ctui("task", "logs", "harmed")
    assert code == 0
    assert "\x1b" not in said
    assert "\u202e" not in said
    journal = person.world.paths.task("harmed") / "journal.jsonl"
    assert journal.stat().st_size < 64 * _MB
