"""A front end's own way to the gateway: a port of a task, opened or forwarded.

No driver is needed for it: whoever has the home has the gateway's socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from ctui import __version__, rpc
from ctui.errors import NotFound, Unavailable
from ctui.gateway.model import PROTOCOL, ForwardPort, FromGateway, OpenPort, PortAnswer
from ctui.paths import Paths

_ANSWER_SECONDS = 10.0

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def open_port(paths: Paths, label: str, port: int, *, elsewhere: bool = False) -> str:
    """Return an address of a task's port that a browser can open once, within a minute.

    Args:
        paths: whose gateway.
        label: of the task.
        port: of the task.
        elsewhere: the browser may be on another machine (`serve.ports_domain`).

    Raises:
        NotFound: the task does not run, or nothing listens there.
        Unavailable: there is no gateway, or one of another version.
    """
    async with _connected(paths) as streams:
        return await _asked(streams, OpenPort(1, label, port, elsewhere))


@asynccontextmanager
async def forwarded_port(
    paths: Paths, label: str, port: int, local: int = 0
) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Have a local port lead to a task's, and yield its address and what is set when it ends.

    Raises:
        NotFound: the task does not run, or nothing listens there.
        Unavailable: there is no gateway, one of another version, or the local port is taken.
    """
    async with _connected(paths) as streams:
        address = await _asked(streams, ForwardPort(1, label, port, local))
        over = asyncio.Event()
        watch = asyncio.create_task(_until_end(streams[0], over))
        try:
            yield address, over
        finally:
            watch.cancel()


async def gateway_pid(paths: Paths) -> int | None:
    """Return the process id of the gateway that runs, if one does.

    Raises:
        Unavailable: it does not answer.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(
            str(paths.gateway_socket), limit=rpc.MAX_LINE
        )
    except OSError:
        return None
    try:
        return msgspec.json.decode(await _line(reader), type=rpc.Hello).pid
    finally:
        writer.close()


@asynccontextmanager
async def _connected(paths: Paths) -> AsyncIterator[_Streams]:
    try:
        reader, writer = await asyncio.open_unix_connection(
            str(paths.gateway_socket), limit=rpc.MAX_LINE
        )
    except OSError:
        raise NotFound("no task is running", hint="send one a message, then try again") from None
    try:
        hello = msgspec.json.decode(await _line(reader), type=rpc.Hello)
        if (hello.protocol, hello.version) != (PROTOCOL, __version__):
            raise Unavailable(
                f"the gateway is of ctui {hello.version}, and this is {__version__}",
                hint="any command of tasks replaces it",
            )
        yield reader, writer
    finally:
        writer.close()


async def _asked(streams: _Streams, wish: OpenPort | ForwardPort) -> str:
    reader, writer = streams
    writer.write(rpc.encode(wish))
    answer = msgspec.json.decode(await _line(reader), type=FromGateway)
    if not isinstance(answer, PortAnswer):
        raise Unavailable("the gateway said something else than was asked")
    if answer.problem:
        raise NotFound(answer.problem, hint=answer.hint)
    return answer.url


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await rpc.read_line(reader)
    except TimeoutError:
        line = b""
    if not line:
        raise Unavailable("the gateway does not answer", hint="try again")
    return line


async def _until_end(reader: asyncio.StreamReader, over: asyncio.Event) -> None:
    while await rpc.read_line(reader):
        pass
    over.set()
