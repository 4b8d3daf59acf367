"""Command line, settings and surroundings of a run of the CLI. Pure."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ctui.claude.protocol import fields
from ctui.claude.protocol.control import TOOL_SERVER
from ctui.paths import ATTACHED, WORKSPACE
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

_OUR_TOOLS = f"mcp__{TOOL_SERVER}"
_ATTACHED = f"Read(/{ATTACHED}/**)"
"""Files that the person attached need not be asked for."""

GUARDED = (
    *(f".claude/{name}" for name in ("settings.json", "settings.local.json", "CLAUDE.md")),
    *(
        f".claude/{name}"
        for name in ("rules", "agents", "commands", "skills", "hooks", "workflows")
    ),
    *(f".claude/{name}" for name in ("output-styles", "session-env", ".credentials.json")),
    *(".claude.json", ".mcp.json", "CLAUDE.md", "CLAUDE.local.md"),
    *(".bashrc", ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".inputrc"),
    *(".zshenv", ".zprofile", ".zshrc", ".zlogin", ".config/fish/config.fish"),
)
"""Paths below home that the CLI, or a shell that it starts, reads without being asked."""

_NO_REMOTE_SETTINGS = {".claude/remote-settings.json": "{}"}
"""Settings that an organisation has at Anthropic replace the managed file, and the CLI reads what
it keeps of them here until it has found something. Nothing is something."""

_LOOKING = tuple(f"mcp__terminal__terminal_{what}" for what in ("snapshot", "close"))
"""Tools of terminals that are not asked about; what starts or types something is, as with Bash."""

_TAKEN_OVER = ("hooks", "env")
_RULES = ("allow", "ask", "deny", "additionalDirectories")

_PROJECT_PATH = re.compile(r"^((?:Read|Edit|Write|MultiEdit|NotebookEdit|Glob|Grep)\()/(?!/)")


class HomeFile(msgspec.Struct, frozen=True):
    """A file below the task's home folder."""

    content: str
    mode: int = 0o600


class RunOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Choices that decide how the CLI is started."""

    session: str
    resume: bool
    branch: str
    directory: str = ""
    """Folder below the workspace in which the CLI starts, as long as it is there."""
    model: str = ""
    permission_mode: str = "default"
    skip_permissions: bool = False
    budget: float | None = None
    """US dollars for this process: the CLI counts anew in each."""
    trusted: bool = False
    """True if the repository's own Claude settings count."""
    claude_md: str = ""
    """CLAUDE.md of the base commit."""
    deny_rules: tuple[str, ...] = ()
    """Kept in any case: a project may narrow what a task may do."""
    project_settings: str = ""
    """.claude/settings.json of the base commit; only counts where it is trusted."""
    base_url: str = ""
    home: str = ""
    """The home folder's path inside the container."""
    mcp: bool = False
    """True if the task has MCP servers beside ctui's own."""
    terminals: bool = False
    """True if it has ctui's server of terminals."""
    approval_tool: str = ""
    """The tool that decides on what is asked; empty asks the person."""
    sealed: bool = False
    """True if it reaches named hosts only."""
    memory: str = ""
    """The person's own CLAUDE.md."""
    hooks: Mapping[str, Any] = {}
    """The person's own hooks."""
    output_style: str = ""
    shared: str = ""
    """Folder that it shares with the other tasks of its repository, if it does."""


class TaskHome(msgspec.Struct, frozen=True):
    """Command line, files and environment of a run, all without secrets."""

    arguments: tuple[str, ...]
    files: Mapping[str, HomeFile]
    """Path below the home folder, which the task can write -> file."""
    managed: Mapping[str, str]
    """Path below the CLI's folder of managed settings, which it cannot write -> content."""
    env: Mapping[str, str]
    known: Mapping[str, list[str]]
    """Path of a guarded file at home -> SHA-256 sums of what an earlier ctui wrote there."""


def task_home(options: RunOptions) -> TaskHome:
    """Return command line, settings, home and environment of the CLI, all without secrets."""
    return TaskHome(
        arguments=_arguments(options),
        files=_files(options),
        managed=_managed(options),
        env=_environment(options),
        known=_known(options),
    )


def first_line(
    home: TaskHome,
    credential: Mapping[str, str],
    servers: str = "",
    start_commands: Sequence[str] = (),
) -> bytes:
    """Return the relay's first line, the only place where secrets are.

    Args:
        home: the files, and the CLI's command line.
        credential: the variables.
        servers: content of the CLI's file of MCP servers, written in any case, so that a later
            run does not keep the secrets of an earlier one.
        start_commands: run beside the CLI, once it starts.
    """
    written = {**home.files, _MCP_FILE: HomeFile(servers or _NO_SERVERS)}
    files = {path: {"content": file.content, "mode": file.mode} for path, file in written.items()}
    message = {
        "env": dict(credential),
        "files": files,
        "guard": list(GUARDED),
        "known": dict(home.known),
        "start": list(start_commands),
    }
    return json.dumps(message).encode() + b"\n"


def deny_rules_of(settings: str, folder: str = "") -> tuple[str, ...]:
    """Return `permissions.deny` of a project's settings, so that it means the same in the user's.

    `folder` is the one below the workspace whose settings they are.

    Whatever is not a list of strings says nothing. A path with one leading slash is relative to the
    project in its own file, and to the CLI's home in the user's
    (code.claude.com/docs/en/permissions); so it is made absolute, which is two slashes.
    """
    return tuple(_rules_of(fields.json_object(settings) or {}, "deny", folder))


def _rules_of(settings: Mapping[str, Any], kind: str, folder: str = "") -> list[str]:
    rules = fields.texts(fields.mapping(settings, "permissions"), kind)
    place = f"/{_workspace(folder)}/"
    return [_PROJECT_PATH.sub(lambda match: match[1] + place, rule) for rule in rules]


def _workspace(folder: str) -> str:
    return posixpath.join(WORKSPACE, folder).rstrip("/")


def _arguments(options: RunOptions) -> tuple[str, ...]:
    # Nothing of the user's: that is the home folder, which the task can write while it runs.
    sources = "project" if options.trusted else ""
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
        f"--append-system-prompt={_appended(options)}",
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


def _appended(options: RunOptions) -> str:
    text = _APPENDED_PROMPT.format(branch=one_line(options.branch, 200))
    if options.shared:
        text += f" {options.shared} is a folder that all tasks of this repository read and write."
    return text


def _files(options: RunOptions) -> dict[str, HomeFile]:
    # Without this the CLI takes a project's deny rules and hooks, but not its allow rules.
    said = {"hasTrustDialogAccepted": options.trusted}
    trust = {"projects": {_workspace(folder): said for folder in {"", options.directory}}}
    files = {".claude.json": HomeFile(json.dumps(trust))}
    files.update({path: HomeFile(content) for path, content in _NO_REMOTE_SETTINGS.items()})
    return files


def _managed(options: RunOptions) -> dict[str, str]:
    """Return the managed settings, which nothing that a task can write overrides.

    A trusted project's rules, hooks and environment are those of the base commit, which the person
    saw: its file in the worktree is the task's to change.
    """
    project: Mapping[str, Any] = {}
    if options.trusted:
        project = fields.json_object(options.project_settings) or {}
    rules = {kind: found for kind in _RULES if (found := _rules_of(project, kind))}
    looking = _LOOKING if options.terminals else ()
    rules["allow"] = [_OUR_TOOLS, _ATTACHED, *looking, *rules.get("allow", ())]
    rules["deny"] = list(dict.fromkeys([*options.deny_rules, *rules.get("deny", ())]))
    permissions: dict[str, Any] = dict(rules)
    if not options.skip_permissions:
        permissions["disableBypassPermissionsMode"] = "disable"
    settings: dict[str, Any] = {
        **{key: dict(fields.mapping(project, key)) for key in _TAKEN_OVER if key in project},
        "permissions": permissions,
        "allowManagedHooksOnly": True,
        "allowManagedPermissionRulesOnly": True,
    }
    if options.sealed:
        # It would ask Anthropic whether a host is safe, and cannot: the rules of hosts decide.
        settings["skipWebFetchPreflight"] = True
    if options.hooks:
        theirs = fields.mapping(settings, "hooks")
        settings["hooks"] = {
            event: [*options.hooks.get(event, ()), *theirs.get(event, ())]
            for event in {**options.hooks, **theirs}
        }
    if options.output_style:
        settings["outputStyle"] = options.output_style
    # A trusted workspace's own CLAUDE.md is read from the worktree.
    memory = "" if options.trusted else options.claude_md[:_CLAUDE_MD_LIMIT]
    if options.memory:
        memory = f"{options.memory}\n\n{memory}" if memory else options.memory
    return {"managed-settings.json": json.dumps(settings), "CLAUDE.md": memory}


def _known(options: RunOptions) -> dict[str, list[str]]:
    """Return SHA-256 sums of what ctui wrote into homes before its settings had their own place."""
    settings = {"permissions": {"allow": [_OUR_TOOLS], "deny": list(options.deny_rules)}}
    texts = {
        ".claude/settings.json": [json.dumps(settings)],
        ".claude/CLAUDE.md": ["", options.claude_md[:_CLAUDE_MD_LIMIT]],
    }
    return {
        path: [hashlib.sha256(text.encode()).hexdigest() for text in contents]
        for path, contents in texts.items()
    }


def _environment(options: RunOptions) -> dict[str, str]:
    env = {
        "CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "GIT_TERMINAL_PROMPT": "0",
    }
    if options.mcp:
        # Otherwise the first call to the model has the tools of those that are quick (2.1.197).
        env["MCP_CONNECTION_NONBLOCKING"] = "false"
    if options.base_url:
        env["ANTHROPIC_BASE_URL"] = options.base_url
    return env
