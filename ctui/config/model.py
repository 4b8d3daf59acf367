"""All settings, with their defaults and the words that explain them.

The descriptions are what `ctui config init` writes and docs/setup.md shows.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

import msgspec
from msgspec import Meta

PermissionMode = Literal["default", "acceptEdits", "plan", "dontAsk"]
"""Permission modes that a task may have; bypassing every question is a separate, explicit option.
"""


Variant = Literal["minimal", "default", "browser"]
"""Variants of the image that ctui makes itself."""


class ImageConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Image of the tasks: ctui's own, or one of the three others."""

    variant: Annotated[
        Variant,
        Meta(description="of ctui's own image: minimal, default, or browser with its MCP servers"),
    ] = "default"
    base: Annotated[
        str, Meta(description="or an image of any kind, on which the CLI and its tools are laid")
    ] = ""
    dockerfile: Annotated[
        str, Meta(description="or your own Dockerfile, built first; its folder is its context")
    ] = ""
    name: Annotated[
        str, Meta(description="or a ready-made image of this ctui, pulled where it is not there")
    ] = ""
    cli_version: Annotated[
        str,
        Meta(
            description="of Claude Code, such as 2.1.300; empty is the one that this ctui was "
            "tested with"
        ),
    ] = ""
    updated: Annotated[
        str,
        Meta(
            description="when `ctui image update` brought its packages up to date; "
            "another time is another image"
        ),
    ] = ""
    ca_file: Annotated[
        str,
        Meta(
            description="certificates that tasks trust, as PEM; CTUI_CA_FILE, NODE_EXTRA_CA_CERTS "
            "and SSL_CERT_FILE count too"
        ),
    ] = ""


class SandboxConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits and network of each task's container."""

    memory: Annotated[str, Meta(description="of each task's container, such as 512m or 4g")] = "4g"
    cpus: Annotated[float, Meta(gt=0, description="cores that it may use")] = 2.0
    pids: Annotated[int, Meta(ge=32, description="processes and threads at once")] = 2048
    tmp: Annotated[str, Meta(description="size of its /tmp, which counts as memory")] = "2g"
    network: Annotated[
        str,
        Meta(
            description="the engine's network that tasks join, made if it is not there; "
            "empty is one that only your tasks are on"
        ),
    ] = ""
    runtime: Annotated[
        str,
        Meta(
            description="the engine's runtime that makes sandboxes, such as runsc (gVisor), kata; "
            "empty is its default"
        ),
    ] = ""
    debugger: Annotated[
        bool,
        Meta(description="let a task's processes trace each other (gdb, strace)"),
    ] = False
    isolated: Annotated[
        bool,
        Meta(
            description="give new tasks only the objects that their first commit reaches, "
            "as `ctui run --isolated`"
        ),
    ] = False
    env: Annotated[
        str | tuple[str, ...],
        Meta(
            description='variables of new tasks, such as ["DEBUG=1", "NPM_TOKEN"]; a name alone '
            "takes the value that it has where the task is started"
        ),
    ] = ()

    shared_folder: Annotated[
        bool,
        Meta(
            description="give the tasks of a repository one folder, /shared: "
            "what one writes there, the others read and may run"
        ),
    ] = False

    @property
    def variables(self) -> tuple[str, ...]:
        return _several(self.env)


NetworkMode = Literal["open", "allow", "closed"]
"""Reach of a task: any public host, those of a list, or the Messages API only."""


class NetworkConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Hosts that tasks reach, all through the gateway."""

    mode: Annotated[
        NetworkMode,
        Meta(
            description="what new tasks reach: open is any public host, allow the package "
            "registries and git hosts that `ctui network show` lists and what you add, closed "
            "nothing but Claude's API"
        ),
    ] = "allow"
    allow: Annotated[
        str | tuple[str, ...],
        Meta(description='hosts beyond the list, such as ["docs.example.org", "*.example.net"]'),
    ] = ()
    deny: Annotated[
        str | tuple[str, ...],
        Meta(description="hosts that no task reaches, whoever allows them"),
    ] = ()
    private: Annotated[
        str | tuple[str, ...],
        Meta(
            description='hosts and ports that are not public, such as ["registry.lan:4873", '
            '"host:5432"]; host is this machine'
        ),
    ] = ()
    gateway: Annotated[
        bool,
        Meta(
            description="seal new tasks behind the gateway; without it they are on the network of "
            "sandbox.network, with your login inside, and are marked unsealed"
        ),
    ] = True
    ports: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="port of this machine on which `ctui task open` shows what tasks serve; "
            "0 shows none",
        ),
    ] = 8899

    @property
    def allowed(self) -> tuple[str, ...]:
        return _several(self.allow)

    @property
    def denied(self) -> tuple[str, ...]:
        return _several(self.deny)

    @property
    def private_hosts(self) -> tuple[str, ...]:
        return _several(self.private)


class ClaudeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Defaults of new tasks."""

    model: Annotated[str, Meta(description="of new tasks; empty is the CLI's own default")] = ""
    permission_mode: Annotated[
        PermissionMode, Meta(description="what new tasks may do without asking")
    ] = "default"
    base_url: Annotated[
        str,
        Meta(description="another address of the Messages API; ANTHROPIC_BASE_URL counts too"),
    ] = ""
    mcp_config: Annotated[
        str | tuple[str, ...],
        Meta(description="files of MCP servers that every task gets; beside this file if relative"),
    ] = ()
    mcp_servers: Annotated[
        str | tuple[str, ...],
        Meta(
            description="MCP servers of the image's variant browser that every task gets: "
            "filesystem, github, playwright, postgres, sqlite; or terminal, of any image"
        ),
    ] = ()
    approval_tool: Annotated[
        str,
        Meta(description="mcp__server__tool: decides on the asks of new tasks instead of you"),
    ] = ""
    login: Annotated[
        str | tuple[str, ...],
        Meta(
            description="name of the login of new tasks (`ctui login`); NAME=FOLDER is for the "
            'repositories in a folder, such as ["home", "work=~/work"]'
        ),
    ] = ()
    memory: Annotated[
        str | tuple[str, ...],
        Meta(description='your own CLAUDE.md for each task, such as "~/.claude/CLAUDE.md"'),
    ] = ()
    skills: Annotated[
        str | tuple[str, ...],
        Meta(description='your own skills for each task: folders such as "~/.claude/skills"'),
    ] = ()
    agents: Annotated[
        str | tuple[str, ...],
        Meta(description="your own agents for each task: folders, or files .md"),
    ] = ()
    commands: Annotated[
        str | tuple[str, ...],
        Meta(description="your own commands for each task: folders, or files .md"),
    ] = ()
    hooks: Annotated[
        str | tuple[str, ...],
        Meta(
            description='your own hooks, run in the sandbox: files with "hooks" such as '
            "~/.claude/settings.json, and folders of what they run"
        ),
    ] = ()
    output_styles: Annotated[
        str | tuple[str, ...],
        Meta(description="your own output styles for each task: folders, or files .md"),
    ] = ()
    output_style: Annotated[
        str, Meta(description="name of the output style of tasks; empty is the CLI's own")
    ] = ""


class WorktreeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names, folders and removal of worktrees."""

    prefix: Annotated[str, Meta(description="what the branches of worktrees begin with")] = "ctui/"
    target: Annotated[
        str,
        Meta(
            description="the branch that worktrees are judged against and land in, such as "
            '"develop" or "upstream/main"; "" and one that is not there: the default branch'
        ),
    ] = ""
    open: Annotated[
        str,
        Meta(
            description='the program that opens one, such as "code {path}"; '
            "else $VISUAL, $EDITOR or a shell"
        ),
    ] = ""
    include_limit: Annotated[
        str,
        Meta(description="bytes that .worktreeinclude or --include may copy into a new worktree"),
    ] = "100m"
    delete_branch: Annotated[
        bool,
        Meta(description="whether removing a worktree removes its branch; a restore brings both"),
    ] = False
    trash_days: Annotated[
        float,
        Meta(ge=0, description="then an entry of the trash is deleted for good; 0 keeps it"),
    ] = 30.0
    trash_gib: Annotated[
        float,
        Meta(ge=0, description="of one repository: beyond it the oldest entries go; 0 is no limit"),
    ] = 0.0


class GitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Exceptions for files that a repository stores otherwise than they lie in a checkout."""

    plaintext: Annotated[
        str | tuple[str, ...],
        Meta(
            description="paths such as conf/*.key that a task may see decrypted where you start it "
            "in your own checkout; what it commits there is still held back"
        ),
    ] = ()
    filters: Annotated[
        str | tuple[str, ...],
        Meta(
            description="your clean filters, such as nbstripout, that hide nothing and run in the "
            "sandboxes of new tasks; their programs must be in the image"
        ),
    ] = ()

    @property
    def plaintext_globs(self) -> tuple[str, ...]:
        return _several(self.plaintext)

    @property
    def filter_names(self) -> tuple[str, ...]:
        return _several(self.filters)


class TaskConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of the driver."""

    idle_minutes: Annotated[
        float, Meta(gt=0, description="then an idle sandbox sleeps; the next message wakes it")
    ] = 15.0
    max_running: Annotated[
        int, Meta(ge=1, description="more tasks than this wait in the queue")
    ] = 16
    resume_at_reset: Annotated[
        bool, Meta(description="go on by itself when a usage limit is reset")
    ] = True
    resume_after_engine: Annotated[
        bool, Meta(description="go on by itself when the engine was away in mid-turn")
    ] = True
    open_asks: Annotated[
        int, Meta(ge=1, description="asks of one run at once; the CLI's further ones are refused")
    ] = 64
    journal: Annotated[
        str, Meta(description="size of a task's journal, or of a run's log; then it is paused")
    ] = "1g"
    home: Annotated[str, Meta(description="size of a task's home; then it is paused")] = "10g"
    worktree: Annotated[str, Meta(description="size of a task's worktree; then it is paused")] = (
        "20g"
    )
    files: Annotated[
        int,
        Meta(
            ge=1,
            description="files in a task's home, or in its worktree beside the repository's; "
            "then it is paused",
        ),
    ] = 100_000
    free_space: Annotated[
        str, Meta(description="what the disks must have left; else all tasks are paused")
    ] = "2g"


class ScreenConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Appearance of the dashboard."""

    theme: Annotated[
        str, Meta(description="ctui-dark, ctui-light, one of Textual's, or your own")
    ] = ""
    bell: Annotated[bool, Meta(description="ring the terminal's bell when a task asks")] = True
    ascii: Annotated[
        bool, Meta(description="show plain ASCII only: no lines, arrows or symbols")
    ] = False


class McpConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits and model of `execute_claude` of `ctui --mcp`."""

    default_model: Annotated[
        str, Meta(description="where the caller names none; empty is claude.model, else haiku")
    ] = ""
    max_execution_seconds: Annotated[
        float,
        Meta(gt=0, description="then the turn is interrupted; waiting for a person does not count"),
    ] = 600.0
    inactivity_timeout_seconds: Annotated[
        float,
        Meta(gt=0, description="a task that says nothing for so long goes on without its caller"),
    ] = 120.0
    permission_timeout_seconds: Annotated[
        float, Meta(gt=0, description="so long a form stays open; then the ask is in the inbox")
    ] = 3600.0


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings with their defaults."""

    image: ImageConfig = ImageConfig()
    sandbox: SandboxConfig = SandboxConfig()
    network: NetworkConfig = NetworkConfig()
    claude: ClaudeConfig = ClaudeConfig()
    worktrees: WorktreeConfig = WorktreeConfig()
    git: GitConfig = GitConfig()
    tasks: TaskConfig = TaskConfig()
    screen: ScreenConfig = ScreenConfig()
    mcp: McpConfig = McpConfig()
    keys: dict[str, str] = {}
    """Ids of bindings with the keys that replace their default, such as `new-task = "ctrl+n"`."""


def _several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one for one in ((value,) if isinstance(value, str) else value) if one)


class Key(NamedTuple):
    """One key of the file."""

    section: str
    name: str
    type: Any
    """Type as msgspec understands it, limits included."""
    default: Any
    about: str

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        """Environment variable that sets the key."""
        return f"CTUI_{self.section}_{self.name}".upper()


def sections() -> dict[str, type[msgspec.Struct]]:
    """Return the sections whose keys are known, in the file's order; `keys` takes any."""
    return {
        field.name: field.type
        for field in msgspec.structs.fields(Config)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
    }


@cache
def known_keys() -> tuple[Key, ...]:
    """Return every key with a fixed name, in the file's order."""
    return tuple(
        Key(section, field.name, field.type, field.default, _about(field.type))
        for section, struct in sections().items()
        for field in msgspec.structs.fields(struct)
    )


def _about(kind: Any) -> str:
    if get_origin(kind) is not Annotated:
        return ""
    return next((meta.description or "" for meta in get_args(kind)[1:] if _described(meta)), "")


def _described(meta: object) -> bool:
    return isinstance(meta, Meta) and meta.description is not None
