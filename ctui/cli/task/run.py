"""`ctui run`: start a task, and follow it to the end of its turn."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from ctui.cli import context
from ctui.cli.bringing import ask_of, bringing_options, include_of
from ctui.cli.login_input import complete_login
from ctui.cli.output import json_option, print_json, read_stdin, repo_option, show_progress, warn
from ctui.cli.task.attach_option import attach_option
from ctui.cli.task.durations import unattended_options
from ctui.cli.task.exit_codes import DONE, NEEDS_INPUT
from ctui.cli.task.variables import env_file_texts, variable_options
from ctui.config.task_sections import NetworkMode, PermissionMode
from ctui.errors import InvalidInput

if TYPE_CHECKING:
    from ctui.client.client import Client
    from ctui.client.tasks.tasks import Started
    from ctui.git.repository.repository import Repository
    from ctui.paths import Paths
    from ctui.tasks.model import Task, TaskReach


def _no_gpus() -> None:
    raise click.UsageError(
        "A task gets no GPU: its driver is the host's, and no sandbox bounds that"
    )


@click.command("run")
@click.argument("prompt")
@repo_option
@click.option("--task-id", default="", help="The task's id.  [default: after the worktree]")
@click.option("--name", default="", help="The worktree's name.  [default: after the prompt]")
@click.option("--worktree", default="", help="Work in this worktree instead of a new one.")
@click.option("--workspace-dir", is_flag=True, help="Work in the checkout itself.")
@click.option("--base", default="HEAD", show_default=True, help="Where the worktree begins.")
@click.option(
    "--from-pr",
    type=click.IntRange(1),
    metavar="N",
    help="Work on the branch of this pull request, by gh.",
)
@click.option("--model", default="", help="The model.")
@click.option(
    "--permission-mode",
    type=click.Choice(get_args(PermissionMode)),
    help="What the task may do without asking.",
)
@click.option(
    "--skip-permissions",
    is_flag=True,
    help="Run every tool unasked: the container is the limit. Questions and plans still wait.",
)
@click.option(
    "--budget",
    type=click.FloatRange(0, 1e6, min_open=True),
    callback=lambda _context, _option, value: _number(value),
    help="US dollars at most.",
)
@click.option(
    "--mcp-config",
    multiple=True,
    metavar="FILE",
    help="Give the task the MCP servers of this file; may be repeated.",
)
@click.option(
    "--mcp",
    multiple=True,
    metavar="NAME",
    help="Switch on an MCP server of the image: filesystem, github, playwright, postgres or "
    "sqlite; or terminal: interactive programs that the task drives. May be repeated.",
)
@click.option(
    "--approval-tool-permission",
    default="",
    metavar="mcp__SERVER__TOOL",
    help="This tool decides on what the task asks, and not the inbox.",
)
@click.option(
    "--login",
    default="",
    metavar="NAME",
    shell_complete=complete_login,
    help="Use this login in all of its runs (`ctui login`).",
)
@click.option(
    "--trust",
    is_flag=True,
    help="Trust this repository's own Claude settings in this task only.",
)
@click.option(
    "--isolated",
    is_flag=True,
    help="Give it no other commits than those its worktree begins with: no stash, no other branch.",
)
@click.option(
    "--network",
    type=click.Choice(get_args(NetworkMode)),
    help="What it reaches: any public host, those of `ctui network show`, or Claude's API only.",
)
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST",
    help="Let it reach HOST, *.DOMAIN or HOST:PORT without asking. May be repeated.",
)
@click.option(
    "--no-gateway",
    is_flag=True,
    help="Run it unsealed: on the engine's network, with your login inside.",
)
@click.option(
    "--gpus",
    hidden=True,
    expose_value=False,
    callback=lambda _context, _option, value: _no_gpus() if value else None,
)
@click.option(
    "--env-image",
    default="",
    metavar="IMAGE",
    help="Run in this image, whatever the repository says.",
)
@attach_option
@variable_options
@bringing_options
@unattended_options
@click.option("--detach", is_flag=True, help="Return at once; the task goes on.")
@json_option
def command(**options: Any) -> int:
    """Start a task with PROMPT (`-` reads it from stdin) and follow it to the end of its turn.

    With --json stdout has the CLI's own lines, and stderr the task's id and what it asks.
    Ctrl-C stops the task; `ctui task resume` goes on with it. Without a terminal, what is asked
    waits for an answer from elsewhere, unless the task is --unattended.

    Exit code 0: done. 1: failed or denied. 2: wrong usage. 3: it needs an answer, a login, or
    consent to its environment. 4: the budget or the time is spent. 130: interrupted.
    """
    if options["prompt"] == "-":
        options["prompt"] = read_stdin()
    if not options["prompt"].strip():
        raise InvalidInput("the prompt is empty", hint="say what the task should do")
    options["env_files"] = env_file_texts(options["env_files"])
    return asyncio.run(_run(options))


def _network_of(options: dict[str, Any]) -> TaskReach | Literal[""]:
    """Return the network that was chosen, or "" for that of the settings."""
    if options["no_gateway"] and options["network"]:
        raise click.UsageError("--no-gateway and --network exclude each other")
    chosen: NetworkMode | None = options["network"]
    return "unsealed" if options["no_gateway"] else chosen or ""


async def _run(options: dict[str, Any]) -> int:
    import msgspec

    from ctui.cli.task.follow import follow_turn
    from ctui.cli.task.printing import Turn
    from ctui.client.client import Client
    from ctui.client.tasks.trust import trust_note

    async with Client(context.paths()) as client:
        repository = context.repository(options["repo"])
        await client.connect()
        task, notes = await _start(client, repository, options)
        if note := await asyncio.to_thread(trust_note, client.paths, repository, task):
            notes = [*notes, note]
        for note in notes:
            warn(f"* {note}")
        if options["detach"]:
            missing = await asyncio.to_thread(_missing_login, client.paths, task)
            if missing:
                warn(f"ctui: {missing}")
                notes = [*notes, missing]
            if options["as_json"]:
                print_json({**msgspec.to_builtins(task), "notes": notes})
            else:
                click.echo(task.id)
            return NEEDS_INPUT if missing else DONE
        warn(f"task {task.id} in {task.worktree}")
        return await follow_turn(client, Turn(task.id), as_json=options["as_json"])


def _missing_login(paths: Paths, task: Task) -> str:
    """Return a line where a task that nobody follows waits for a login, and for nobody's word."""
    from ctui.client.health.health import login_check

    if task.options.login or task.options.platform is not None:
        return ""
    check = login_check(paths)
    again = f"`ctui task resume {task.id}`"
    return "" if check.ok else f"{task.id} waits: {check.found} ({check.mend}, then {again})"


def _number(value: float | None) -> float | None:
    if value is not None and math.isnan(value):
        raise click.BadParameter("nan is no number of dollars")
    return value


async def _start(client: Client, repository: Repository, options: dict[str, Any]) -> Started:
    from ctui.cli.environment_wish import wish_of
    from ctui.client.tasks.directory import directory_of
    from ctui.client.tasks.new_task import NewTask
    from ctui.client.tasks.tasks import start_task
    from ctui.config import load_config
    from ctui.tasks.model import TaskOptions
    from ctui.worktrees.layout import settings_folder

    config = load_config(context.paths(), repository=settings_folder(repository))
    new = NewTask(
        prompt=options["prompt"],
        task=options["task_id"],
        name=options["name"],
        base=options["base"],
        worktree=options["worktree"],
        branch=f"pr:{options['from_pr']}" if options["from_pr"] else "",
        in_checkout=options["workspace_dir"],
        directory=directory_of(repository, Path(options["repo"]).absolute()),
        options=TaskOptions(
            model=options["model"] or config.claude.model,
            permission_mode=options["permission_mode"] or config.claude.permission_mode,
            skip_permissions=options["skip_permissions"],
            budget=options["budget"],
            approval_tool=options["approval_tool_permission"],
            unattended=options["unattended"],
            timeout=options["timeout"],
            isolated=options["isolated"],
            network=_network_of(options),
            allow_hosts=options["allow_hosts"],
            secrets=options["secrets"],
            login=options["login"],
        ),
        mcp_config=options["mcp_config"],
        mcp=options["mcp"],
        trust=options["trust"],
        detached=options["detach"],
        env=options["env"],
        env_files=options["env_files"],
        attach=options["attach"],
        include=include_of(options),
    )
    may_ask = not (options["unattended"] or options["detach"] or options["as_json"])
    ask = ask_of(may_ask=may_ask)
    wish = wish_of(
        options["env_image"], yes=options["yes"], may_ask=may_ask, later=options["detach"]
    )
    return await start_task(client, repository, new, progress=show_progress, ask=ask, wish=wish)
