"""Starting a background process, which forks away and says one line once it serves."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ctui import rpc
from ctui.daemon.life import BUSY, READY
from ctui.errors import Unavailable
from ctui.reaping import reap

_START_SECONDS = 30.0


async def start(module: str, name: str, log: Path, environ: Mapping[str, str]) -> str:
    """Start `python -P -m MODULE --ready FD`, and return its first word: `READY` or `BUSY`.

    Args:
        module: the process's.
        name: what messages call it.
        log: file that its last words go to.
        environ: all of its environment.

    Raises:
        Unavailable: it does not start, or dies on the way.
        CtuiError: what it said that is wrong.
    """
    read_end, write_end = os.pipe()
    try:
        log_file = _open_log(log)
        try:
            # -P: the folder that we happen to be in may hold a module of any name.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", module, "--ready", str(write_end)),
                cwd="/",
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=log_file,
                pass_fds=(write_end,),
            )
        finally:
            os.close(log_file)
        # It forks at once: the daemon is nobody's child, and outlives its starter.
        await reap(process)
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    try:
        async with asyncio.timeout(_START_SECONDS):
            said = await _read_all(read_end)
    except TimeoutError as error:
        raise Unavailable(f"the {name} does not start", hint=f"see {log}") from error
    if said.startswith("{"):
        raise rpc.error_of(msgspec.json.decode(said, type=rpc.Failure))
    if said.strip() not in {READY, BUSY}:
        raise Unavailable(f"the {name} died at its start", hint=f"see {log}")
    return said.strip()


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare two."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


async def _read_all(descriptor: int) -> str:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb")
    )
    try:
        return (await reader.read()).decode("utf-8", "replace")
    finally:
        transport.close()


def _open_log(path: Path) -> int:
    try:
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}",
            hint="free some space, or name another folder with CTUI_STATE_DIR",
        ) from error
