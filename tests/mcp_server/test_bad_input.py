"""What no client should send: one clear line each, and the server goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.mcp_server.raw import raw

BIG = "x" * 10_000_000


NO_MESSAGES: list[tuple[bytes, int | None, Any]] = [
    (b"not json", -32700, None),
    (b"", -32700, None),
    (b"{", -32700, None),
    (b"\xff\xfe", -32700, None),
    (b"[" * 100_000, None, None),
    (b"null", -32600, None),
    (b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, None),
    (b'{"jsonrpc":"2.0","id":7,"method":5}', -32600, 7),
    (b'{"jsonrpc":"1.0","id":"seven","method":"ping"}', -32600, "seven"),
    (b'{"jsonrpc":"2.0","id":{},"method":5}', -32600, None),
]


async def test_what_is_no_message_is_answered(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        for line, code, number in NO_MESSAGES:
            await server.send(line)
            reply = await server.reply()
            assert reply["id"] == number, line[:80]
            assert reply["error"]["code"] in ({code} if code else {-32700, -32600}), line[:80]
            await server.works()


async def test_a_line_without_an_end_is_not_kept(repository: Path) -> None:
    async with raw(repository, real=True) as server:
        await server.initialize()
        assert server.process.stdin is not None
        for _ in range(80):
            server.process.stdin.write(b"y" * (1 << 20))
            await server.process.stdin.drain()
        await server.send(b"")
        assert (await server.reply())["error"]["code"] == -32700
        await server.works()
        resident = Path(f"/proc/{server.process.pid}/status").read_text()
        kilobytes = int(resident.split("VmHWM:")[1].split()[0])
        assert kilobytes < 400_000


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("get_task", {"task_id": 5}, "Expected `str`, got `int` - at `$.task_id`"),
    ("get_task", {}, "missing required field `task_id`"),
    ("get_task", {"task_id": "a", "wait_seconds": 51}, "<= 50"),
    ("get_task", {"task_id": "a", "wait_seconds": float("inf")}, "wait_seconds"),
    ("get_task", {"task_id": "a", "tsak": 1}, "unknown field `tsak`"),
    ("get_task", {"task_id": "nobody\u001b[31m"}, "there is no task nobody"),
    ("answer_ask", {"ask": 0}, ">= 1"),
    ("answer_ask", {"ask": 2**70}, "$.ask"),
    ("answer_ask", {"ask": 1, "decision": "ever"}, "Invalid enum value 'ever'"),
    ("run_task", {"prompt": " "}, "the message is empty"),
    ("run_task", {"prompt": "x", "budget": -1}, "> 0"),
    ("run_task", {"prompt": BIG}, "longer than 8 MB"),
    ("run_task", {"prompt": "x", "task_id": "../x"}, "../x"),
    ("run_task", {"prompt": "x", "permission_mode": "bypassPermissions"}, "Invalid enum"),
    ("execute_claude", {"prompt": BIG}, ""),
    ("create_worktree", {"name": BIG}, "length <= 4096"),
    ("create_worktree", {"name": "a", "base": "--upload-pack=x"}, "there is no commit"),
    ("list_worktree", {"repo": "/"}, "is not in a git repository"),
    ("list_worktree", {"repo": ".."}, "leads upwards"),
    ("list_worktree", {"repo": "x" * 5000}, "length <= 4096"),
    ("list_worktree", {"repo": "x" * 4000}, "there is no folder"),
    ("list_worktree", {"repo": "\0"}, "there is no folder"),
    ("check_worktree_status", {"name": "../repository"}, "there is no worktree"),
    ("remove_worktree", {"names": []}, "length >= 1"),
    ("restore_worktree", {"ids": "abc"}, "Expected `array`"),
    ("get_task_output", {"task_id": "a", "offset": -1}, ">= 0"),
    ("send_message", {"task_id": "../../etc/passwd", "message": "x"}, "there is no task"),
]


async def test_wrong_arguments_are_one_line(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        for name, arguments, said in WRONG:
            result = (await server.call(name, arguments))["result"]
            (content,) = result["content"]
            assert result["isError"], (name, said)
            assert said in content["text"], (name, said)
            assert len(content["text"]) < 1300
            assert not set(content["text"]) & set("\n\x1b\0")
        await server.works()


async def test_a_name_is_never_a_path(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        reply = await server.call("create_worktree", {"name": "../../etc"})
        made = Path(reply["result"]["structuredContent"]["path"])
        assert made.name == "etc"
        assert made.parent.parent.name == "worktrees"


async def test_arguments_that_are_no_object_are_refused(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        given: list[Any] = [[], "x", 5]
        for arguments in given:
            assert (await server.call("list_tasks", arguments))["error"]["code"] == -32602
        await server.works()


async def test_an_unknown_tool_and_an_unknown_method_have_their_codes(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        error = (await server.call("format_disk", {}))["error"]
        assert (error["code"], error["message"]) == (-32602, "Unknown tool: format_disk")
        error = (await server.call("x" * 1_000_000, {}))["error"]
        assert len(error["message"]) < 100
        await server.request("no/such", {})
        assert (await server.reply())["error"]["code"] == -32601
        await server.works()


async def test_forged_state_of_a_call_is_refused(repository: Path) -> None:
    async with raw(repository) as server:
        await server.initialize()
        for state in ("{}", "[", '{"task":"../../etc"}', '{"task":1}'):
            given = {"name": "execute_claude", "arguments": {}, "requestState": state}
            await server.request("tools/call", given)
            assert (await server.reply())["result"]["isError"]
        await server.works()


@pytest.mark.parametrize("number", ["null", "{}", "1.5", "[1]", "true"])
async def test_who_asks_with_an_id_that_is_none_is_told_so(repository: Path, number: str) -> None:
    async with raw(repository) as server:
        await server.initialize()
        await server.send(f'{{"jsonrpc":"2.0","id":{number},"method":"ping"}}'.encode())
        assert (await server.reply())["error"]["code"] == -32600
        await server.works()


async def test_what_a_new_worktree_s_filters_are_is_said(repository: Path) -> None:
    git(repository, "config", "filter.crypt.clean", "rev")
    (repository / ".gitattributes").write_text("secret filter=crypt\n")
    (repository / "secret").write_text("plain\n")
    git(repository, "add", ".")
    git(repository, "commit", "-q", "-m", "Secret")
    async with raw(repository) as server:
        await server.initialize()
        reply = await server.call("create_worktree", {"name": "work"})
        said = reply["result"]["structuredContent"]["notes"]
        assert any(
            "files of the filter crypt are in the worktree as they are stored" in s for s in said
        )
