"""What the server says of itself: names, schemas, annotations, documents, settings."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest
from mcp_types import Tool

from ctui.config import McpConfig
from ctui.mcp_server.registry import TOOLS
from ctui.mcp_server.tools.output import read_output
from ctui.mcp_server.tools.settings import OLD_PREFIX, settings
from ctui.paths import Paths
from ctui.tasks.journal.archive import FILE_NAME
from tests.mcp_server.raw import raw

DOCS = Path(__file__).parents[2] / "docs"

NAMES = {
    *("setup", "create_worktree", "list_worktree", "remove_worktree", "clean_worktree"),
    *("check_worktree_status", "restore_worktree", "init_docker_volume", "list_docker_volume"),
    *("clean_docker_volume", "run_task", "clean", "execute_claude", "list_tasks", "get_task"),
    *("get_task_output", "send_message", "interrupt_task", "stop_task", "list_asks"),
    "answer_ask",
}
"""Prompts and permissions out there name them."""


@pytest.fixture(params=sorted(TOOLS))
def tool(request: pytest.FixtureRequest) -> Tool:
    return TOOLS[request.param].wire()


def test_the_names_are_those_that_prompts_know() -> None:
    assert set(TOOLS) == NAMES


def test_the_document_has_every_tool_once_and_no_other() -> None:
    table = (DOCS / "mcp.md").read_text().split("## Tools")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(rows) == sorted(NAMES)


def test_the_document_has_every_argument_of_execute_claude() -> None:
    table = (DOCS / "mcp.md").read_text().split("## `execute_claude`")[1].split("## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert rows == list(TOOLS["execute_claude"].takes.__struct_fields__)


def test_a_tool_describes_itself_and_every_argument(tool: Tool) -> None:
    assert tool.description
    assert len(tool.description) > 30
    assert "Args" not in tool.description
    jsonschema.Draft202012Validator.check_schema(tool.input_schema)
    jsonschema.Draft202012Validator.check_schema(tool.output_schema or {})
    assert tool.input_schema["type"] == "object"
    assert (tool.output_schema or {})["type"] == "object"
    assert tool.input_schema["additionalProperties"] is False
    for name, schema in tool.input_schema["properties"].items():
        inner = [schema, *schema.get("anyOf", [])]
        assert any(part.get("description") for part in inner), name


def test_what_only_reads_says_so_and_what_deletes_says_so() -> None:
    def hinted(hint: str) -> set[str]:
        return {name for name, tool in TOOLS.items() if getattr(tool.annotations, hint)}

    reading = {"list_worktree", "check_worktree_status", "list_docker_volume", "list_tasks"}
    assert hinted("read_only_hint") == reading | {"get_task", "get_task_output", "list_asks"}
    removing = {"remove_worktree", "clean_worktree", "clean_docker_volume", "clean"}
    working = {"run_task", "execute_claude", "send_message"}
    assert hinted("destructive_hint") == removing | working
    assert hinted("open_world_hint") == working
    assert all(tool.annotations.read_only_hint is not None for tool in TOOLS.values())


async def test_initialize_loads_nothing_that_only_tools_need(repository: Path) -> None:
    async with raw(repository, real=True) as server:
        await server.initialize()
        maps = Path(f"/proc/{server.process.pid}/maps").read_text()
        assert "pydantic_core" in maps
        assert not re.search(r"pygit2|_sqlite3|libgit2", maps)


async def test_the_list_is_the_commands(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        await server.call("create_worktree", {"name": "one"})
        listed = (await server.call("list_worktree", {}))["result"]["structuredContent"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "ctui", "worktree", "list"),
        *("--json", "--repo", str(repository)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert json.loads(output) == listed


def test_old_names_of_settings_count_where_the_new_ones_are_not(paths: Paths) -> None:
    paths.config.mkdir(parents=True)
    paths.config_file.write_text("[mcp]\nmax_execution_seconds = 1\n")
    names = [field.name.upper() for field in msgspec.structs.fields(McpConfig)]
    text = (DOCS / "mcp.md").read_text()
    assert all(f"`{OLD_PREFIX}{name}`" in text for name in names)
    assert all(f"`CTUI_MCP_{name}`" in text for name in names)
    assert settings(paths, {}).mcp.max_execution_seconds == 1
    old = {"MCP_CLAUDE_MAX_EXECUTION_SECONDS": "2", "MCP_CLAUDE_SOCKET_RETRY_ATTEMPTS": "5"}
    assert settings(paths, old).mcp.max_execution_seconds == 2
    both = {**old, "CTUI_MCP_MAX_EXECUTION_SECONDS": "3"}
    assert settings(paths, both).mcp.max_execution_seconds == 3


def test_a_journal_is_read_in_portions_that_leave_nothing_out(tmp_path: Path) -> None:
    texts = [f"line {number} " + "x" * 900 for number in range(300)]
    entries = [{"t": n, "run": 1, "stream": "err", "line": text} for n, text in enumerate(texts)]
    path = tmp_path / FILE_NAME
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries) + '{"t": 1, "torn')
    shown: list[str] = []
    offset, portions = 0, 0
    while True:
        portion = read_output(tmp_path, offset, 0)
        if not portion.lines:
            break
        shown += portion.lines
        offset, portions = portion.next_offset, portions + 1
    assert shown == [f"! {text}" for text in texts]
    assert portions > 3
    assert read_output(tmp_path, 10**9, 0).lines == []
    assert read_output(tmp_path, 5, 0).lines[0].startswith("! line 1 ")
    assert read_output(tmp_path, 0, 2).lines == shown[-2:]
    assert read_output(tmp_path / "nothing", 0, 0).lines == []
