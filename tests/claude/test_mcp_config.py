"""Files of MCP servers: what is right is taken, and what is wrong is named with its line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.claude.mcp import json_lines
from ctui.claude.mcp.image_servers import IMAGE_SERVERS, image_servers
from ctui.claude.mcp.mcp_config import check_approval_tool, parse_mcp_servers, read_mcp_servers
from ctui.claude.mcp.mcp_server import McpServer
from ctui.claude.mcp.mcp_servers import resolve_servers, variables_of
from ctui.errors import InvalidInput, LoginRequired

GITHUB = {
    "type": "http",
    "url": "https://example.org/mcp?tenant=${TENANT:-main}",
    "headers": {"Authorization": "Bearer ${GITHUB_TOKEN}", "X-Team": "blue"},
}
FILES: dict[str, Any] = {
    "command": "npx",
    "args": ["-y", "@acme/files", "--root=/workspace"],
    "env": {"API_KEY": "${keyring:files}", "LOG_LEVEL": "debug"},
}


def text(**servers: object) -> str:
    return json.dumps({"mcpServers": servers}, indent=1)


def parse(content: str) -> dict[str, McpServer]:
    return parse_mcp_servers(content, "mcp.json")


def refusal(content: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        parse(content)
    assert caught.value.hint
    return caught.value


def test_all_three_types_are_taken_as_claude_code_writes_them() -> None:
    servers = parse(text(github=GITHUB, files=FILES, old={"type": "sse", "url": "http://a.b/sse"}))
    assert servers["github"].headers["X-Team"] == "blue"
    assert servers["files"] == McpServer(
        command="npx", args=("-y", "@acme/files", "--root=/workspace"), env=FILES["env"]
    )
    assert servers["old"].type == "sse"
    assert parse('{"mcpServers": {}}') == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            '{\n "mcpServers": {\n  "github": {\n   "command": 7}}}',
            "mcpServers.github.command: expected str, got int (line 4)",
        ),
        (
            '{"mcpServers": {"a": {"command": "x",\n"args": ["1",\n\n2]}}}',
            "mcpServers.a.args[1]: expected str, got int (line 4)",
        ),
        (
            '{"mcpServers": {"a": {"command": "x",\n"env": {"A": true}}}}',
            "mcpServers.a.env.A: expected str, got bool (line 2)",
        ),
        ('{"mcpServers": {"a":\nnull}}', "mcpServers.a: expected object, got null (line 1)"),
        ("[]", "the file: expected object, got list (line 1)"),
        ("{}", "the file: mcpServers is missing (line 1)"),
        ('{"mcpServers": []}', "mcpServers: expected object, got list (line 1)"),
        ('{"mcpServers": {},\n"servers": {}}', "servers: is not known (line 2)"),
        ('{"mcpServers": {"a": {}}}', "mcpServers.a: command is missing (line 1)"),
        ('{"mcpServers": {"a": {"command": " "}}}', "a.command: is empty (line 1)"),
        ('{"mcpServers": {"a": {"url": "https://x/"}}}', "mcpServers.a: type is missing (line 1)"),
        ('{"mcpServers": {"a": {"type": "http"}}}', "mcpServers.a: url is missing (line 1)"),
        (
            '{"mcpServers": {"a": {"type":\n"ws", "url": "wss://x/"}}}',
            "mcpServers.a.type: expected stdio, http or sse, got 'ws' (line 1)",
        ),
        (
            '{"mcpServers": {"a": {"type": "http", "url": "x.org"}}}',
            "mcpServers.a.url: is no web address (line 1)",
        ),
        ('{"mcpServers": {"a": {"type": "http", "url": "https://[x"}}}', "is no web address"),
        (
            '{"mcpServers": {"a": {"type": "sse", "url": "https://x/",\n"headrs": {}}}}',
            "mcpServers.a.headrs: is not known in a server of type sse (line 2)",
        ),
        (
            '{"mcpServers": {"a": {"command": "x", "headers": {}}}}',
            "headers: is not known in a server of type stdio",
        ),
        ('{"mcpServers": {"a b": {"command": "x"}}}', "mcpServers.a b: is no name for a server"),
        ('{"mcpServers": {"a__b": {"command": "x"}}}', "is no name for a server"),
        ('{"mcpServers": {"ctui": {"command": "x"}}}', "is no name for a server"),
        ('{"mcpServers": {"a": {"command": "x", "env": {"A-B": "c"}}}}', "is no name for that"),
        (
            '{"mcpServers": {"a": {"type": "http", "url": "https://x/", "headers": {"A:": "b"}}}}',
            "is no name for that",
        ),
        (
            '{"mcpServers": {"a": {"type":"sse","url":"http://x/","headers":{"A":"b\\r\\nC: d"}}}}',
            "has control characters in it",
        ),
        ('{"mcpServers": {"a": {"command": "x"},\n"a": {"command": "y"}}}', "twice (line 2)"),
        ('{"mcpServers": {"a": {"command": "x", "env": {"A": "${1}"}}}}', "is no reference"),
        ('{"mcpServers": {"a": {"command": "x", "env": {"A": "${B"}}}}', "does not end"),
        ('{"mcpServers": {"a": {"command": "x", "args": ["${B}"]}}}', "on a command line"),
        ('{"mcpServers"\n}', "it is not JSON: Expecting ':' delimiter (line 2)"),
        ("", "it is not JSON"),
        ("NaN", "it is not JSON"),
        ('{"mcpServers": {"a": {"command": "\\ud800"}}}', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_wrong_is_named_with_its_path_and_line(content: str, complaint: str) -> None:
    error = refusal(content)
    assert error.message.startswith("mcp.json: ")
    assert complaint in error.message


@pytest.mark.parametrize(
    ("server", "path"),
    [
        ({"command": "x", "env": {"GITHUB_TOKEN": "abcdefgh"}}, "env.GITHUB_TOKEN"),
        ({"command": "x", "env": {"PASSWORD": "correct-horse"}}, "env.PASSWORD"),
        ({"command": "x", "env": {"AUTH": "a1b2c3d4e5f6a7b8"}}, "env.AUTH"),
        ({"command": "x", "env": {"A": "ghp_abcdefghijklmnop"}}, "env.A"),
        ({"command": "x", "env": {"TOKEN": "${TOKEN:-abcdefgh1}"}}, "env.TOKEN"),
        ({"command": "x", "args": ["--api-key", "abcdefgh1"]}, "args[1]"),
        ({"command": "x", "args": ["--token=abcdefgh1"]}, "args[0]"),
        ({"command": "x", "args": ["sk-ant-api03-abcdefghijk"]}, "args[0]"),
        (
            {"type": "http", "url": "https://x/", "headers": {"Authorization": "Bearer abcdefgh"}},
            "headers.Authorization",
        ),
        ({"type": "http", "url": "https://x/", "headers": {"X-Api-Key": "abcdefgh"}}, "X-Api-Key"),
        ({"type": "http", "url": "https://me:abcdefgh@x/"}, "url"),
        ({"type": "http", "url": "https://x/?a=b&token=abcdefgh"}, "url"),
    ],
)
def test_a_secret_is_refused_and_how_to_write_it_is_said(server: Any, path: str) -> None:
    error = refusal(text(a=server))
    assert f"{path}: looks like a secret (line " in error.message
    assert "${" in error.hint or "env" in error.hint
    assert "abcdefgh" not in error.message + error.hint


@pytest.mark.parametrize(
    "server",
    [
        {"command": "x", "env": {"TOKEN": "${TOKEN}", "AUTH_TYPE": "oauth-client-credentials"}},
        {"command": "x", "env": {"KEY_FILE": "/run/secrets/key1", "TOKEN_URL": "https://a.b/c1"}},
        {"command": "x", "env": {"SORT_KEY": "name"}, "args": ["--keyspace=production1"]},
        {"type": "http", "url": "https://x/${PATH_SECRET}", "headers": {"Cookie": "a=${B}"}},
    ],
)
def test_what_only_sounds_like_a_secret_is_taken(server: Any) -> None:
    assert len(parse(text(a=server))) == 1


def test_files_are_read_together_and_a_name_belongs_to_one(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(text(github=GITHUB))
    two.write_text(text(files=FILES))
    assert list(read_mcp_servers([one, two])) == ["github", "files"]
    two.write_text(text(github=GITHUB))
    with pytest.raises(InvalidInput, match=r"github is in .*one.json and in .*two.json"):
        read_mcp_servers([one, two])


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "latin").write_bytes(b'{"mcpServers": {"\xe9": {}}}')
    (tmp_path / "huge").write_bytes(b" " * (1 << 19))
    for name, complaint in (
        ("missing", "No such file"),
        ("fifo", "no regular file"),
        ("huge", "larger than"),
        ("latin", "not UTF-8"),
    ):
        with pytest.raises(InvalidInput, match=complaint) as caught:
            read_mcp_servers([tmp_path / name])
        assert str(tmp_path / name) in caught.value.message


def test_references_are_filled_in_and_what_was_filled_in_is_told() -> None:
    servers = parse(text(github=GITHUB, files=FILES))
    assert variables_of(servers) == {"GITHUB_TOKEN", "TENANT"}
    kept = {"mcp:files": "from-the-keyring"}
    resolved = resolve_servers(servers, {"GITHUB_TOKEN": "from-outside"}, kept.get)
    assert set(resolved.secrets) == {"from-outside", "from-the-keyring"}
    assert "from" not in repr(resolved)
    assert json.loads(resolved.content) == {
        "mcpServers": {
            "github": {
                "type": "http",
                "url": "https://example.org/mcp?tenant=main",
                "headers": {"Authorization": "Bearer from-outside", "X-Team": "blue"},
            },
            "files": {
                "type": "stdio",
                "command": "npx",
                "args": FILES["args"],
                "env": {"API_KEY": "from-the-keyring", "LOG_LEVEL": "debug"},
            },
        }
    }


@pytest.mark.parametrize(
    ("environ", "kept", "left", "complaint"),
    [
        ({}, {"mcp:files": "abc"}, "files", "MCP server github: GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": ""}, {"mcp:files": "abc"}, "files", "GITHUB_TOKEN is not set"),
        (
            {"GITHUB_TOKEN": "abc"},
            {},
            "github",
            "MCP server files: the keyring has no mcp:files",
        ),
    ],
)
def test_a_server_without_its_secret_is_left_out_and_named(
    environ: dict[str, str], kept: dict[str, str], left: str, complaint: str
) -> None:
    """Part 1: an unset variable skips its server with a note, and stops no task."""
    servers = parse(text(github=GITHUB, files=FILES))
    resolved = resolve_servers(servers, environ, kept.get)
    assert list(json.loads(resolved.content)["mcpServers"]) == [left]
    (said,) = resolved.skipped
    assert complaint in said
    assert "so it is left out: " in said


def test_a_secret_that_cannot_be_used_is_named() -> None:
    servers = parse(text(github=GITHUB, files=FILES))
    with pytest.raises(LoginRequired, match="control characters") as caught:
        resolve_servers(servers, {"GITHUB_TOKEN": "abc\nX: y"}, {"mcp:files": "abc"}.get)
    assert caught.value.hint


def test_the_image_s_servers_are_switched_on_by_name() -> None:
    """Part 1: those that need a secret have a reference to it, like any other."""
    assert list(image_servers(["filesystem", "postgres"])) == ["filesystem", "postgres"]
    assert variables_of(image_servers(IMAGE_SERVERS)) == {
        "DATABASE_URL",
        "GITHUB_PERSONAL_ACCESS_TOKEN",
        "SQLITE_DATABASE",
    }
    with pytest.raises(InvalidInput, match="no MCP server playright") as caught:
        image_servers(["playright"])
    assert caught.value.hint == "did you mean playwright?"
    with pytest.raises(InvalidInput, match="the image's variant default has no MCP servers"):
        image_servers(["github"], missing_from="default")


@pytest.mark.parametrize(
    "tool", ["", "approve", "mcp__a", "mcp__a__", "mcp____b", "mcp__a__b c", "Bash", "mcp__a__b\n"]
)
def test_an_approval_tool_has_one_form(tool: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_approval_tool(tool, {"a": McpServer()})
    assert "mcp__<server>__<tool>" in caught.value.hint


def test_an_approval_tool_belongs_to_a_server_of_the_task() -> None:
    check_approval_tool("mcp__a__b", {"a": McpServer()})
    check_approval_tool("mcp__a_b-c__d__e", {"a_b-c": McpServer()})
    with pytest.raises(InvalidInput, match=r"no MCP server b: it has a$"):
        check_approval_tool("mcp__b__c", {"a": McpServer()})
    with pytest.raises(InvalidInput, match=r"no MCP server b: it has none$"):
        check_approval_tool("mcp__b__c", {})
    with pytest.raises(InvalidInput, match="approve nothing"):
        check_approval_tool("mcp__ctui__ask_user", {})


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=JSON, indent=st.sampled_from([None, 0, 1]), ascii_only=st.booleans())
def test_every_value_has_a_line_and_it_is_the_right_one(
    value: Any, indent: int | None, *, ascii_only: bool
) -> None:
    content = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    document = json_lines.parse(content)
    assert set(document.lines) == set(paths_of(document.value, ()))
    lines = content.split("\n")
    for path, line in document.lines.items():
        if path and isinstance(path[-1], str):
            assert json.dumps(path[-1], ensure_ascii=ascii_only) in lines[line - 1]


def paths_of(value: Any, path: json_lines.Path) -> list[json_lines.Path]:
    found = [path]
    if isinstance(value, dict):
        for key, inner in value.items():
            found += paths_of(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            found += paths_of(inner, (*path, number))
    return found
