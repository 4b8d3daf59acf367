"""`ctui ssh-config`: `ssh TASK.ctui`, sftp and editors that work remotely."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from ctui.cli import context
from ctui.cli.output import report, warn
from ctui.errors import CtuiError, InvalidInput
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.paths import Paths

_FAILED = 255
"""Exit code of ssh for a connection that cannot be made."""


@click.command("ssh-config")
@click.option("--print", "only_print", is_flag=True, help="Print the stanza, and write nothing.")
@click.option("--remove", is_flag=True, help="Take the line, the stanza and the keys away.")
@click.option("--connect", metavar="HOST", hidden=True, help="Be the connection that ssh asks for.")
def command(*, only_print: bool, remove: bool, connect: str | None) -> int:
    """Let `ssh TASK.ctui`, sftp, and editors that work by them, into tasks.

    It prints a stanza for OpenSSH's client, writes it, and includes it in the first line of your
    ~/.ssh/config. There is no port and no password: the connection is a command in the task's
    sandbox, with a key of its own, and neither your agent nor a port of yours is forwarded.
    """
    if connect is not None:
        return _connect(connect)
    from ctui.client.access.ssh_access import (
        remove_config,
        sent_variables,
        stanza,
        user_config,
        write_config,
    )

    if only_print and remove:
        raise click.UsageError("--print and --remove exclude each other.")
    paths, config = context.paths(), user_config()
    if remove:
        there = remove_config(paths, config)
        click.echo(f"removed from {config}" if there else "there was nothing to remove")
        return 0
    click.echo(stanza(paths), nl=False)
    if not only_print:
        write_config(paths, config)
        if names := sent_variables(config):
            shown = one_line(" ".join(names), 200)
            warn(f"* your ssh sends {shown} to tasks too: put SendEnv below `Host * !*.ctui`")
        warn(f"* included in the first line of {config}; `ctui ssh-config --remove` undoes it")
    return 0


def _connect(host: str) -> int:
    """Be the connection: stdin and stdout are sshd's, and what goes wrong is one line."""
    task_id, dot, domain = host.rpartition(".")
    try:
        if not dot or domain != "ctui":
            raise InvalidInput(f"{one_line(host, 80)} is no task: it is TASK.ctui")
        return asyncio.run(_session(context.paths(), task_id))
    except CtuiError as error:
        report(error, as_json=False)
        return _FAILED


async def _session(paths: Paths, task_id: str) -> int:
    from ctui.cli.streams import Streams
    from ctui.client.access.shells import task_commands
    from ctui.client.access.ssh_access import first_line, session_command

    said = first_line(paths)
    async with task_commands(paths, task_id) as commands:
        process = await commands.run(session_command())
        await process.streams.write(said)
        streams = Streams(process, terminal=False, typed=commands.typed, complain=_complain)
        code = await streams.carry()
        if await commands.ended_with_its_sandbox(code):
            warn(f"ctui: the connection has ended with the sandbox of {task_id}")
    return _FAILED if code is None else code


def _complain(data: bytes) -> None:
    """Pass on what sshd says: a hostile process may say it instead."""
    for line in data.decode("utf-8", "replace").splitlines():
        if line.strip():
            warn(one_line(line, 300))
