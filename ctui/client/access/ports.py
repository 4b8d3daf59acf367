"""Ports of tasks, as the gateway shows them: in a browser by a name, or here by a number."""

from __future__ import annotations

import asyncio
import webbrowser

from ctui.errors import InvalidInput, NotFound, Refused, Unavailable
from ctui.gateway.port_client import open_port
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.network.sealed import is_sealed, label_of


def chosen_port(task: Task, port: int | None) -> int:
    """Return the port that a person means: the one that they say, or the only one that there is.

    Raises:
        Refused: the task is not behind the gateway.
        NotFound: it listens on nothing.
        InvalidInput: it listens on several.
    """
    if not is_sealed(task):
        raise Refused(
            f"the task {task.id} is unsealed, and its ports are not shown",
            hint="start it anew without --no-gateway",
        )
    if port is not None:
        return port
    if not task.ports:
        wake = f'wake it with `ctui task send {task.id} "..."`'
        hint = "start a server in it" if task.state.live else wake
        raise NotFound(f"the task {task.id} listens on no port", hint=hint)
    if len(task.ports) > 1:
        named = "name one: " + ", ".join(map(str, task.ports))
        raise InvalidInput(f"the task {task.id} listens on several ports", hint=named)
    return task.ports[0]


async def open_in_browser(paths: Paths, task: Task, port: int | None) -> str:
    """Open a port of a task in the person's browser; return its address, without the key.

    Raises:
        CtuiError: there is no such port, nothing of the task runs, or no browser.
    """
    address = await open_port(paths, label_of(task.id), chosen_port(task, port))
    try:
        browser = await asyncio.to_thread(webbrowser.get)
    except webbrowser.Error as error:
        raise Unavailable(
            "there is no browser here",
            hint=f"`ctui task open {task.id} {chosen_port(task, port)} --url` prints an address",
        ) from error
    await asyncio.to_thread(browser.open, address)
    return address.partition("?")[0]
