"""A task that a person wants: its place, and the options that it gets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ctui.claude.mcp.image_servers import image_servers
from ctui.claude.mcp.mcp_config import check_approval_tool, read_mcp_servers
from ctui.claude.mcp.mcp_secrets import looks_secret
from ctui.claude.mcp.mcp_server import McpServer
from ctui.claude.personal.collect import collect
from ctui.client.tasks.attaching import GivenFile
from ctui.client.tasks.bringing import Include
from ctui.client.tasks.reach import check_hosts, mode_of
from ctui.config import Config, load_config
from ctui.config.variables import person_variables
from ctui.errors import InvalidInput
from ctui.paths import MANAGED, Paths
from ctui.tasks.model import TaskOptions
from ctui.tasks.network.rules import checked_host, policy_of
from ctui.tasks.network.sealed import refuse_owned, seals
from ctui.tasks.secrets.registry import check_given

if TYPE_CHECKING:
    from ctui.worktrees.as_stored import Say


class NewTask(msgspec.Struct, frozen=True, kw_only=True):
    """Work that a person wants done, and its place."""

    prompt: str
    task: str = ""
    """The wanted id; "" is after the worktree."""
    name: str = ""
    """The new worktree's name; "" is after the prompt."""
    base: str = "HEAD"
    worktree: str = ""
    """Name, branch or path of the worktree to work in; "" for a new one."""
    branch: str = ""
    """Branch that is there, or a request (`pr:7`), to work on; in its worktree if it has one."""
    in_checkout: bool = False
    """True to work in the person's own checkout."""
    directory: str = ""
    """The folder of the worktree to start in; "" is its root."""
    options: TaskOptions = TaskOptions()
    mcp_config: tuple[str, ...] = ()
    """Files of MCP servers, beside those of the person's config and stronger than they."""
    servers: dict[str, McpServer] = {}
    """MCP servers of files that a program named, as they were read."""
    mcp: tuple[str, ...] = ()
    """MCP servers of the image that are switched on, beside those of the person's config."""
    trust: bool = False
    detached: bool = True
    env: tuple[str, ...] = ()
    """Variables `K=V`, or `K` for the value that it has here."""
    include: Include = Include()
    """Files that are not committed and come into a new worktree."""
    attach: tuple[str | GivenFile, ...] = ()
    """Paths of files and folders that the prompt comes with, or files that came with the call."""
    env_files: tuple[tuple[str, str], ...] = ()
    """Names and texts of files of variables, in docker's format; weaker than `env`."""


def options_of(paths: Paths, new: NewTask, config: Config, say: Say) -> TaskOptions:
    """Return the options of a new task, with what the settings add; `say` takes notes on them.

    Raises:
        CtuiError: what is wrong with a file, a tool, a variable, a secret or a host.
    """
    options = with_servers(paths, new)
    variables = _variables(new, config, say)
    for line in collect(config.claude, paths.config, MANAGED).left_out:
        say(line)
    options = msgspec.structs.replace(
        options,
        isolated=options.isolated or config.sandbox.isolated,
        filters=config.git.filter_names,
        env=variables,
        secrets=check_given(paths, options.secrets, variables),
        network=options.network or mode_of(config.network),
        allow_hosts=tuple(str(checked_host(host)) for host in options.allow_hosts),
    )
    if seals(options):
        policy_of(config, ())
        refuse_owned((*options.env, *options.secrets))
    check_hosts(options)
    return options


def with_servers(paths: Paths, new: NewTask) -> TaskOptions:
    """Return the task's options with its MCP servers, and with the tool that its asks go to.

    Raises:
        InvalidInput: what is wrong with a file, or with the tool.
    """
    config = load_config(paths)
    claude = config.claude
    files = [paths.config / Path(name).expanduser() for name in _listed(claude.mcp_config)]
    of_image = (*_listed(claude.mcp_servers), *new.mcp)
    servers = {
        **image_servers(of_image, missing_from=_without_servers(config)),
        **read_mcp_servers(files),
        **read_mcp_servers(Path(name).expanduser().absolute() for name in new.mcp_config),
        **new.servers,
    }
    options = new.options
    if options.approval_tool and options.skip_permissions:
        raise InvalidInput(
            "nothing is asked where permissions are skipped, so no tool can approve it",
            hint="leave out --approval-tool-permission or --skip-permissions",
        )
    tool = options.approval_tool or ("" if options.skip_permissions else claude.approval_tool)
    if tool:
        check_approval_tool(tool, servers)
    return msgspec.structs.replace(
        options, mcp_servers=servers, program_servers=tuple(new.servers), approval_tool=tool
    )


def _listed(value: str | tuple[str, ...]) -> list[str]:
    """Return the texts of a setting that may be one or several, without empty ones."""
    return [text for text in ((value,) if isinstance(value, str) else value) if text]


def _without_servers(config: Config) -> str:
    """Return the variant of the image that has no MCP servers; "" where nobody knows."""
    image = config.image
    own = not (image.name or image.base or image.dockerfile)
    return image.variant if own and image.variant != "browser" else ""


def _variables(new: NewTask, config: Config, say: Say) -> dict[str, str]:
    """Return the task's variables; what is worth a word about them is said."""
    settings = config.sandbox.variables
    found, missing = person_variables(new.env, new.env_files, settings, os.environ)
    if missing:
        are = "is" if len(missing) == 1 else "are"
        say(f"{', '.join(missing)} {are} not set here, and so not in the task")
    for name, value in found.items():
        if looks_secret(name, value):
            say(f"{name} looks like a secret: `ctui secret set {name}` and --secret {name} hide it")
    return found
