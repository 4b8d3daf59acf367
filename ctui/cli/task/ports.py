"""`ctui task open` and `forward`: what a task listens on."""

from __future__ import annotations

import asyncio
import os
import re

import click

from ctui.cli import context
from ctui.cli.output import warn
from ctui.cli.task.task_names import task_argument

_FORWARD = re.compile(r"([0-9]{1,5})(?::([0-9]{1,5}))?")
_LAST_PORT = 65535


@click.command("open")
@task_argument
@click.argument("port", type=click.IntRange(1, _LAST_PORT), required=False)
@click.option("--url", is_flag=True, help="Print the address instead; it opens once, in a minute.")
def open_(task_id: str, port: int | None, *, url: bool) -> None:
    """Open what TASK serves on PORT in a browser: `http://PORT.TASK.localhost:8899`.

    PORT can be left out where it listens on one only. Websockets, events and hot reload work as
    they would here. Nobody else gets in: the address has a key that works once. By ssh, and where
    there is no browser, it is printed; by ssh also how the browser gets there.
    """
    from ctui.client.access.ports import browser_port, open_in_browser
    from ctui.gateway.port_client import open_port
    from ctui.tasks.network.sealed import label_of

    paths = context.paths()
    task = context.store().tasks.get(task_id)
    if url:
        chosen = browser_port(task, port)
        address = asyncio.run(open_port(paths, label_of(task.id), chosen, elsewhere=True))
    else:
        found = asyncio.run(open_in_browser(paths, task, port))
        if found.here:
            warn(f"opened {found.address}")
            return
        warn("no browser here: this opens once, within a minute")
        address = found.address
    click.echo(address)
    if note := _way_there():
        warn(note)


def _way_there() -> str:
    """Return what leads a browser elsewhere to this machine; "" where nothing must."""
    from ctui.client.access.ports import forwarding, is_elsewhere
    from ctui.config import load_config

    config = load_config(context.paths())
    if config.serve.ports_place or not is_elsewhere(os.environ):
        return ""
    return f"where your browser is: {forwarding(config.network.ports)}"


@click.command("forward")
@task_argument
@click.argument("ports", metavar="PORT[:LOCAL]")
def forward(task_id: str, ports: str) -> None:
    """Lead a port of this machine to PORT of TASK until Ctrl-C, for what is no web page.

    LOCAL is a port of 127.0.0.1: the same as PORT by default, and 0 takes one that is free.
    """
    found = _FORWARD.fullmatch(ports)
    if found is None:
        raise click.UsageError("Write PORT or PORT:LOCAL, such as 5432:15432.")
    port, local = int(found[1]), int(found[2] or found[1])
    if not 1 <= port <= _LAST_PORT >= local:
        raise click.UsageError(f"Ports are from 1 to {_LAST_PORT}.")
    asyncio.run(_forward(task_id, port, local))


async def _forward(task_id: str, port: int, local: int) -> None:
    from ctui.client.access.ports import chosen_port
    from ctui.gateway.port_client import forwarded_port
    from ctui.sandbox.named_ports import named_port
    from ctui.tasks.network.sealed import label_of

    task = context.store().tasks.get(task_id)
    label, port = label_of(task.id), chosen_port(task, port)
    scheme = "https://" if named_port(port, task.options.named_ports).tls else ""
    async with forwarded_port(context.paths(), label, port, local) as (address, over):
        click.echo(f"{scheme}{address} leads to port {port} of {task.id} until Ctrl-C")
        await over.wait()
    warn(f"{task.id} serves nothing any more")
