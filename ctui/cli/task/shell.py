"""`ctui task shell`: a shell, or one command, in the sandbox of a task."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import report, warn
from ctui.cli.task.task_names import task_argument
from ctui.errors import CtuiError, InvalidInput

if TYPE_CHECKING:
    from ctui.paths import Paths
    from ctui.tasks.model import Task

OWN_FAILURE = 125
"""Exit code of what is no failure of the command itself."""


@click.command("shell")
@click.option("-t", "terminal", flag_value="yes", help="Give it a terminal in any case.")
@click.option("-T", "terminal", flag_value="no", help="Give it pipes, and no terminal.")
@click.option("--without-secrets", is_flag=True, help="Leave out what `--secret` gave the task.")
@task_argument
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def shell(
    task_id: str, command: tuple[str, ...], terminal: str | None, *, without_secrets: bool
) -> int:
    """Run a shell in the sandbox of a task, or the command behind `--`.

    It has the user, the environment, the folder and the network of the task's Claude Code, its
    variables and secrets too, but no login. It gets a terminal where stdin and stdout are one;
    otherwise stdin is piped, and stdout and stderr stay apart. The exit code is the command's
    (128 + n after a signal), and 125 where ctui itself failed. A task that sleeps or ended gets its
    sandbox, without Claude Code, until the shell ends.
    """
    try:
        wanted = _wants_terminal(terminal)
        return asyncio.run(
            _shell(context.paths(), task_id, command, wanted, secrets=not without_secrets)
        )
    except CtuiError as error:
        report(error, as_json=False)
        return OWN_FAILURE


def _wants_terminal(chosen: str | None) -> bool:
    from ctui.cli.streams import is_terminal

    if chosen == "yes" and not is_terminal():
        raise InvalidInput("-t needs a terminal here", hint="stdin and stdout must be one")
    return chosen == "yes" or (chosen is None and is_terminal())


async def _shell(
    paths: Paths, task_id: str, command: tuple[str, ...], terminal: bool, *, secrets: bool
) -> int:
    from ctui.cli.streams import Streams, terminal_size
    from ctui.client.access.shells import SHELL, task_commands

    async with task_commands(paths, task_id) as commands:
        size = terminal_size() if terminal else None
        given = await _secrets(paths, commands.task) if secrets else {}
        process = await commands.run(command or SHELL, terminal=size, secrets=given)
        code = await Streams(process, terminal=terminal, typed=commands.typed).carry()
        if await commands.ended_with_its_sandbox(code):
            hint = f"`ctui task show {task_id}` tells why"
            warn(f"ctui: the shell has ended with the sandbox of {task_id} ({hint})")
    return OWN_FAILURE if code is None else code


async def _secrets(paths: Paths, task: Task) -> dict[str, str]:
    """Return the values of the task's secrets; one that cannot be had is said, and left out."""
    if not task.options.secrets:
        return {}
    from ctui.client.access.secrets_of_shells import secrets_of

    found = await secrets_of(paths, task, os.environ)
    if found.problem is not None:
        warn(f"* the shell does without it: {found.problem.one_line()}")
    return found.variables
