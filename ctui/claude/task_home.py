"""What a run of the CLI is given: its command line, its settings and its surroundings. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

import msgspec

from ctui.claude import fields
from ctui.claude.control import TOOL_SERVER
from ctui.paths import WORKSPACE
from ctui.text import one_line

_APPENDED_PROMPT = (
    "You work in a sandbox of ctui. /workspace is a git worktree of its own, on the branch "
    "{branch}; other branches can be read. There is no remote and you cannot push: commit your "
    "work, and the person reviews, merges and pushes it. Use mcp__ctui__ask_user when you need a "
    "decision that only the person can make, and mcp__ctui__notify_user to tell them something."
)

_MCP_FILE = ".claude/mcp.json"
_NO_SERVERS = '{"mcpServers": {}}'

_CLAUDE_MD_LIMIT = 1 << 20
"""Characters; the model could not take more in anyway."""

_LEAST_BUDGET = 0.0001
"""US dollars: the CLI does not start with a budget of zero, and this ends its first turn."""

_PROJECT_PATH = re.compile(r"^((?:Read|Edit|Write|MultiEdit|NotebookEdit|Glob|Grep)\()/(?!/)")


class HomeFile(msgspec.Struct, frozen=True):
    """A file below the task's home folder."""

    content: str
    mode: int = 0o600


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What decides how the CLI is started."""

    session: str
    resume: bool
    branch: str
    model: str = ""
    permission_mode: str = "default"
    skip_permissions: bool = False
    budget: float | None = None
    """US dollars for this process: the CLI counts anew in each."""
    trusted: bool = False
    """Whether the repository's own Claude settings count."""
    claude_md: str = ""
    """CLAUDE.md of the base commit."""
    deny_rules: tuple[str, ...] = ()
    """Kept in any case: a project may narrow what a task may do."""
    base_url: str = ""
    home: str = ""
    """The home folder's path inside the container."""
    mcp: bool = False
    """Whether the task has MCP servers beside ctui's own."""
    approval_tool: str = ""
    """The tool that decides on what is asked; empty asks the person."""


class TaskHome(msgspec.Struct, frozen=True):
    """The result."""

    arguments: tuple[str, ...]
    files: Mapping[str, HomeFile]
    env: Mapping[str, str]


def task_home(options: RunOptions) -> TaskHome:
    """The CLI's command line, the files of its home and its environment, all without secrets."""
    return TaskHome(_arguments(options), _files(options), _environment(options))


def first_line(home: TaskHome, credential: Mapping[str, str], servers: str = "") -> bytes:
    """The relay's first line: the only place where secrets are.

    `servers` is the content of the CLI's file of MCP servers, written in any case, so that a later
    run does not keep the secrets of an earlier one.
    """
    written = {**home.files, _MCP_FILE: HomeFile(servers or _NO_SERVERS)}
    files = {path: {"content": file.content, "mode": file.mode} for path, file in written.items()}
    return json.dumps({"env": dict(credential), "files": files}).encode() + b"\n"


def deny_rules_of(settings: str) -> tuple[str, ...]:
    """`permissions.deny` of a project's settings, so that it means the same in the user's.

    Whatever is not a list of strings says nothing. A path with one leading slash is relative to the
    project in its own file, and to the CLI's home in the user's
    (code.claude.com/docs/en/permissions); so it is made absolute, which is two slashes.
    """
    permissions = fields.mapping(fields.json_object(settings) or {}, "permissions")
    return tuple(
        _PROJECT_PATH.sub(rf"\g<1>/{WORKSPACE}/", rule)
        for rule in fields.texts(permissions, "deny")
    )


def _arguments(options: RunOptions) -> tuple[str, ...]:
    sources = "user,project" if options.trusted else "user"
    arguments = [
        "/usr/local/bin/claude",  # not the one that a toolchain may have first on its path
        "--input-format=stream-json",
        "--output-format=stream-json",
        "--verbose",
        f"--permission-prompt-tool={options.approval_tool or 'stdio'}",
        "--replay-user-messages",
        "--include-partial-messages",
        "--strict-mcp-config",
        f"--setting-sources={sources}",
        f"{'--resume' if options.resume else '--session-id'}={options.session}",
        f"--append-system-prompt={_APPENDED_PROMPT.format(branch=one_line(options.branch, 200))}",
    ]
    if options.skip_permissions:
        arguments.append("--dangerously-skip-permissions")
    else:
        arguments.append(f"--permission-mode={options.permission_mode}")
    if options.mcp:
        arguments.append(f"--mcp-config={options.home}/{_MCP_FILE}")
    if options.model:
        arguments.append(f"--model={options.model}")
    if options.budget is not None:
        arguments.append(f"--max-budget-usd={max(options.budget, _LEAST_BUDGET):.4f}")
    return tuple(arguments)


def _files(options: RunOptions) -> dict[str, HomeFile]:
    allowed = [f"mcp__{TOOL_SERVER}"]
    settings = {"permissions": {"allow": allowed, "deny": list(options.deny_rules)}}
    files = {".claude/settings.json": HomeFile(json.dumps(settings))}
    # A trusted workspace's own CLAUDE.md is read from the worktree; written in any case, so that
    # a later run does not keep the text of an earlier one.
    memory = "" if options.trusted else options.claude_md[:_CLAUDE_MD_LIMIT]
    files[".claude/CLAUDE.md"] = HomeFile(memory)
    # Without this the CLI takes a project's deny rules and hooks, but not its allow rules.
    trust = {"projects": {WORKSPACE: {"hasTrustDialogAccepted": options.trusted}}}
    files[".claude.json"] = HomeFile(json.dumps(trust))
    return files


def _environment(options: RunOptions) -> dict[str, str]:
    env = {
        "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if options.base_url:
        env["ANTHROPIC_BASE_URL"] = options.base_url
    return env
