"""Settings of what a task runs in: its image, sandbox, network, CLI and files."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ctui.host_port import with_port

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
        return several(self.env)


NetworkMode = Literal["open", "allow", "closed"]
"""Reach of a task: any public host, those of a list, or the Messages API only."""


class PrivateAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A port of a host that is not public, as `[[network.private]]` names it."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65535)]

    def __str__(self) -> str:
        return with_port(self.host, self.port)


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
        str | tuple[str | PrivateAddress, ...],
        Meta(
            description='hosts and ports that are not public, such as ["registry.lan:4873", '
            '"host:5432"], or [[network.private]] with host and port; host is this machine'
        ),
    ] = ()
    offer: Annotated[
        str | tuple[str, ...],
        Meta(
            description="hosts that whoever starts a task by HTTP or MCP may allow it, such as "
            '["*.example.net"]; it may choose no wider mode than yours'
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
        return several(self.allow)

    @property
    def denied(self) -> tuple[str, ...]:
        return several(self.deny)

    @property
    def offered(self) -> tuple[str, ...]:
        return several(self.offer)

    @property
    def private_hosts(self) -> tuple[str, ...]:
        """Each as `HOST:PORT`, however it was written."""
        listed = (self.private,) if isinstance(self.private, str) else self.private
        return several(tuple(map(str, listed)))


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


def several(value: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts of a setting that may be one or several, without empty ones."""
    return tuple(one for one in ((value,) if isinstance(value, str) else value) if one)
