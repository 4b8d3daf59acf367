"""Ports of tasks, as the gateway shows them: in a browser by a name, or here by a number."""

from __future__ import annotations

import asyncio
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from ctui import rpc
from ctui.errors import CtuiError, InvalidInput, NotFound, Refused, Unavailable
from ctui.gateway.finding import running
from ctui.gateway.model import ForwardPort, FromGateway, OpenPort, PortAnswer
from ctui.paths import Paths
from ctui.tasks.model import Task
from ctui.tasks.network.sealed import is_sealed, label_of

_SECONDS = 10.0
_decoder = msgspec.json.Decoder(FromGateway)


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


async def open_port(paths: Paths, task: Task, port: int) -> str:
    """Return an address that a browser can open once, within a minute.

    Raises:
        CtuiError: nothing listens there, or nothing of the task runs.
    """
    async with _gateway(paths, task) as (reader, writer):
        return await _asked(reader, writer, OpenPort(1, label_of(task.id), port))


async def open_in_browser(paths: Paths, task: Task, port: int | None) -> str:
    """Open a port of a task in the person's browser; return its address, without the key.

    Raises:
        CtuiError: there is no such port, nothing of the task runs, or no browser.
    """
    address = await open_port(paths, task, chosen_port(task, port))
    try:
        browser = await asyncio.to_thread(webbrowser.get)
    except webbrowser.Error as error:
        raise Unavailable(
            "there is no browser here",
            hint=f"`ctui task open {task.id} {chosen_port(task, port)} --url` prints an address",
        ) from error
    await asyncio.to_thread(browser.open, address)
    return address.partition("?")[0]


@asynccontextmanager
async def forwarded(paths: Paths, task: Task, port: int, local: int) -> AsyncIterator[str]:
    """Lead a port of this machine to a task's for as long as the context lasts; give its address.

    Raises:
        CtuiError: the local port is taken, or nothing of the task runs.
    """
    async with _gateway(paths, task) as (reader, writer):
        yield await _asked(reader, writer, ForwardPort(1, label_of(task.id), port, local))


@asynccontextmanager
async def _gateway(
    paths: Paths, task: Task
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    found = await running(paths)
    if found is None:
        raise Unavailable(
            f"nothing of the task {task.id} runs",
            hint=f'wake it with `ctui task send {task.id} "..."`',
        )
    try:
        yield found
    finally:
        found[1].close()


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wish: OpenPort | ForwardPort
) -> str:
    writer.write(rpc.encode(wish))
    try:
        async with asyncio.timeout(_SECONDS):
            while line := await rpc.read_line(reader):
                answer = _decoder.decode(line)
                if isinstance(answer, PortAnswer):
                    if answer.problem:
                        raise CtuiError(answer.problem, hint=answer.hint)
                    return answer.url
    except TimeoutError as error:
        raise Unavailable("the gateway does not answer", hint="`ctui doctor`") from error
    raise Unavailable("the gateway has gone", hint="try again")
