"""Ports of tasks, as the gateway shows them: in a browser by a name, or here by a number."""

from __future__ import annotations

import asyncio
import os
import socket
import webbrowser
from collections.abc import Mapping
from typing import NamedTuple

from ctui.errors import InvalidInput, NotFound, Refused
from ctui.gateway.port_client import open_port
from ctui.paths import Paths
from ctui.sandbox.named_ports import named_port
from ctui.tasks.model import Task
from ctui.tasks.network.sealed import is_sealed, label_of

SERVED = "CTUI_SERVED"
"""Variable of a dashboard whose screen is a page of `ctui serve`."""


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
    ports = task.shown_ports or task.ports
    if not ports:
        wake = f'wake it with `ctui task send {task.id} "..."`'
        hint = "start a server in it" if task.state.live else wake
        raise NotFound(f"the task {task.id} listens on no port", hint=hint)
    if len(ports) > 1:
        named = "name one: " + ", ".join(map(task.port_text, ports))
        raise InvalidInput(f"the task {task.id} listens on several ports", hint=named)
    return ports[0]


def browser_port(task: Task, port: int | None) -> int:
    """Return the port that a person means, for a browser; see `chosen_port`.

    Raises:
        Refused: what listens there speaks TLS, as the repository says.
    """
    chosen = chosen_port(task, port)
    if named_port(chosen, task.options.named_ports).tls:
        raise Refused(
            f"port {task.port_text(chosen)} of {task.id} speaks TLS, which is not shown this way",
            hint=f"ctui task forward {task.id} {chosen}",
        )
    return chosen


class Opened(NamedTuple):
    """A port that a browser shows, or can show."""

    address: str
    """Without a key where the browser is here; else one that opens once, within a minute."""
    here: bool


async def open_in_browser(paths: Paths, task: Task, port: int | None) -> Opened:
    """Open a port of a task in the person's browser; only return its address where there is none.

    Raises:
        CtuiError: there is no such port, or nothing of the task runs.
    """
    wanted = browser_port(task, port)
    browser = None if is_elsewhere(os.environ) else await asyncio.to_thread(_browser)
    address = await open_port(paths, label_of(task.id), wanted, elsewhere=browser is None)
    if browser is None:
        return Opened(address, here=False)
    await asyncio.to_thread(browser.open, address)
    return Opened(address.partition("?")[0], here=True)


def _browser() -> webbrowser.BaseBrowser | None:
    """Return the browser of this machine, or None if it has none."""
    try:
        return webbrowser.get()
    except webbrowser.Error:
        return None


def is_elsewhere(environ: Mapping[str, str]) -> bool:
    """Return True where the person's browser is on another machine: by ssh, or by `ctui serve`."""
    screen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    return SERVED in environ or ("SSH_CONNECTION" in environ and not screen)


def forwarding(gate: int) -> str:
    """Return the command that leads a port where the browser is to this machine's."""
    return f"ssh -L {gate}:127.0.0.1:{gate} {socket.gethostname()}"
