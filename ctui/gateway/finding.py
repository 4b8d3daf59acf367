"""Finding the gateway of a home: at its socket, else by starting it; one of this version."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from ctui import __version__, rpc
from ctui.daemon.life import BUSY
from ctui.daemon.starting import start, version_numbers
from ctui.errors import Refused, Unavailable
from ctui.gateway.model import PROTOCOL, Leave
from ctui.paths import Paths, private_folder

_ANSWER_SECONDS = 10.0
"""For the gateway's first word, and for it to listen once it has its lock."""
_BUSY_SECONDS = 0.5
"""After which it is tried to start one again, where another one had the lock."""
_POLL_SECONDS = 0.02
_REPLACEMENTS = 3

_SECRET = ("ANTHROPIC_", "CLAUDE_", "AWS_", "GOOGLE_")
"""Variables that the gateway's environment need not have: logins come over its socket."""


async def connected(
    paths: Paths, environ: Mapping[str, str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the gateway of these folders, which is started if need be.

    Args:
        paths: whose gateway.
        environ: of one that is started, less any login.

    Raises:
        Unavailable: it does not start, or does not answer; the message says why.
        Refused: it belongs to a newer ctui.
    """
    for _ in range(_REPLACEMENTS):
        found = await _try_socket(paths) or await _started(paths, environ)
        try:
            if await _same_version(paths, *found):
                return found
        except BaseException:  # whatever it was: nobody else would close it
            found[1].close()
            raise
        found[1].close()
    raise Unavailable(
        "a gateway of another version does not go away", hint=f"see {paths.gateway_log}"
    )


async def _try_socket(paths: Paths) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    try:
        return await asyncio.open_unix_connection(str(paths.gateway_socket), limit=rpc.MAX_LINE)
    except OSError:
        return None


async def _started(
    paths: Paths, environ: Mapping[str, str]
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Start one, or wait for the one that has the lock and does not listen yet."""
    private_folder(paths.state)
    environ = {k: v for k, v in environ.items() if not k.startswith(_SECRET)}
    environ |= paths.environment()
    deadline = time.monotonic() + _ANSWER_SECONDS
    while True:
        said = await start("ctui.gateway.process", "gateway", paths.gateway_log, environ)
        again = time.monotonic() + (_BUSY_SECONDS if said == BUSY else _ANSWER_SECONDS)
        while time.monotonic() < again:
            if (found := await _try_socket(paths)) is not None:
                return found
            await asyncio.sleep(_POLL_SECONDS)
        if time.monotonic() >= deadline:
            raise Unavailable(
                f"a process holds {paths.gateway_lock} and does not answer",
                hint=f"end it; see {paths.gateway_log}",
            )


async def _same_version(
    paths: Paths, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Return True if the gateway has our version; have an older one leave."""
    if await _is_ours(paths, reader, writer):
        return True
    await _have_leave(reader, writer)
    return False


async def _is_ours(
    paths: Paths, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
) -> bool:
    """Return True if the gateway has our version, and False for an older or a dead one."""
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            line = await rpc.read_line(reader)
    except TimeoutError:
        raise Unavailable(
            "the gateway does not answer", hint=f"end it; see {paths.gateway_log}"
        ) from None
    if not line:
        return False
    try:
        hello = msgspec.json.decode(line, type=rpc.Hello)
    except msgspec.DecodeError:
        raise Unavailable("something that is no gateway answers at its socket") from None
    theirs, ours = version_numbers(hello.version), version_numbers(__version__)
    if (hello.protocol, theirs) > (PROTOCOL, ours):
        raise Refused(
            f"a gateway of ctui {hello.version} runs, and this is {__version__}",
            hint="use the newer ctui; your tasks go on",
        )
    return (hello.protocol, hello.version) == (PROTOCOL, __version__)


async def end_gateway(paths: Paths) -> None:
    """Have the gateway of these folders end, if one runs; calls that are under way end first."""
    found = await _try_socket(paths)
    if found is None:
        return
    try:
        await _have_leave(*found)
    finally:
        found[1].close()


async def _have_leave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.write(rpc.encode(Leave()))
        while await rpc.read_line(reader):
            pass
