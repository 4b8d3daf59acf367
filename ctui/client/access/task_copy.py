"""Files between the person and a task: as archives, by `tar` in the sandbox, as the task's user."""

from __future__ import annotations

import asyncio
import os
import posixpath
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ctui.client.access.unpack import unpack
from ctui.errors import CtuiError, NotFound
from ctui.text import one_line

if TYPE_CHECKING:
    from ctui.client.access.shells import TaskCommands, TaskProcess

T = TypeVar("T")

_READ_SIZE = 1 << 17
_SAID_BYTES = 4096
_SUMMARY = "Exiting with failure status"
"""Words of tar's last line, which says nothing."""
_PACK = 'cd -- "$1" && exec tar -cf - -- "$2"'
_UNPACK = 'cd -- "$1" && exec tar -xof -'
_KIND = 'if [ -d "$1" ]; then echo d; elif [ -d "$2" ]; then echo n; fi'


class _Said:
    """The end of what a command says on stderr."""

    def __init__(self) -> None:
        self._data = b""

    def add(self, data: bytes) -> None:
        self._data = (self._data + data)[-_SAID_BYTES:]

    def line(self) -> str:
        """Return the last line that says what is wrong."""
        lines = self._data.decode("utf-8", "replace").splitlines()
        told = [line for line in lines if _SUMMARY not in line]
        return one_line(told[-1], 300) if told else "it was broken off"


async def copy_from(
    commands: TaskCommands, path: str, local: Path, say: Callable[[str], None]
) -> None:
    """Copy a file or folder of a task, as `cp -r` would.

    Args:
        commands: the way into its sandbox.
        path: there; relative to the task's folder. `FOLDER/.` is what is in it.
        local: the copy, or a folder that it is put into.
        say: told what is left out.

    Raises:
        CtuiError: what is wrong, in one line; what was written before is there.
    """
    folder, name = _split(path)
    target = _local_target(local, name)
    process = await commands.run(("/bin/sh", "-c", _PACK, "/bin/sh", folder, name))
    await process.streams.end_input()
    said = _Said()
    async with _closing(process):
        read_end, write_end = os.pipe()
        writing = asyncio.create_task(_drain(process, write_end, said))
        try:
            await asyncio.to_thread(_unpack, read_end, name, target, say)
        finally:
            # The thread has closed its end, so that nothing waits for room in the pipe.
            with suppress(OSError):
                await writing
        if await process.streams.exit_code() != 0:
            raise CtuiError(f"{_shown(path)} cannot be copied: {said.line()}")


def _unpack(read_end: int, name: str, target: Path, say: Callable[[str], None]) -> None:
    with os.fdopen(read_end, "rb") as stream:
        unpack(stream, name, target, say)
        while stream.read(_READ_SIZE):
            pass  # what pads the end of an archive


async def _drain(process: TaskProcess, write_end: int, said: _Said) -> None:
    """Pass on stdout, and keep the end of stderr."""
    loop = asyncio.get_running_loop()
    with os.fdopen(write_end, "wb", buffering=0) as pipe:
        while parts := await process.streams.read():
            for stream, data in parts:
                if stream == "err":
                    said.add(data)
                else:
                    await loop.run_in_executor(None, _write_all, pipe.fileno(), data)


def _write_all(number: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(number, view) :]


async def copy_to(
    commands: TaskCommands, local: Path, path: str, say: Callable[[str], None]
) -> None:
    """Copy a file or folder of the person into a task, as `cp -r` would; links stay links.

    Args:
        commands: the way into the sandbox.
        local: what is copied. `FOLDER/.` is what is in it.
        path: the copy there, or a folder that it is put into.
        say: told what is left out.

    Raises:
        CtuiError: what is wrong, in one line.
    """
    source = local.absolute()
    contents = str(local).endswith("/.") or local.name in {"", ".", ".."}
    if not source.exists():
        raise NotFound(f"there is no {one_line(str(local), 200)}")
    folder, name = _split(path)
    match await _output(commands, ("/bin/sh", "-c", _KIND, "/bin/sh", path, folder)):
        case b"d\n":
            folder, name = path, "." if contents else source.name
        case b"n\n" if name != ".":
            pass
        case _:
            raise NotFound(
                f"there is no folder for {_shown(path)} in the task", hint="make it there first"
            )
    process = await commands.run(("/bin/sh", "-c", _UNPACK, "/bin/sh", folder))
    said = _Said()
    async with _closing(process):
        reading = asyncio.create_task(_keep_stderr(process, said))
        await _pack_into(process, source.resolve(), name, say)
        await process.streams.end_input()
        await reading
        if await process.streams.exit_code() != 0:
            raise CtuiError(f"{_shown(path)} cannot be written in the task: {said.line()}")


async def _pack_into(
    process: TaskProcess, source: Path, name: str, say: Callable[[str], None]
) -> None:
    read_end, write_end = os.pipe()
    packing = asyncio.create_task(asyncio.to_thread(_pack, write_end, source, name, say))
    try:
        with os.fdopen(read_end, "rb", buffering=0) as pipe:
            while data := await asyncio.to_thread(pipe.read, _READ_SIZE):
                await process.streams.write(data)
    except OSError:
        pass  # tar has ended, and says why
    finally:
        await packing


def _pack(write_end: int, source: Path, name: str, say: Callable[[str], None]) -> None:
    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        if not (member.isreg() or member.isdir() or member.issym() or member.islnk()):
            say(f"left out {one_line(member.name, 200)}: no file, folder or link")
            return None
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return member

    try:
        with (
            os.fdopen(write_end, "wb") as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive,
        ):
            archive.add(source, arcname=name, filter=kept)
    except BrokenPipeError:
        return  # whoever reads it has ended, and says why
    except RecursionError as error:
        raise CtuiError("the folders are too deep to be copied") from error
    except OSError as error:
        name = one_line(str(error.filename or source), 200)
        raise CtuiError(f"{name} cannot be read: {error.strerror or error}") from error


async def _keep_stderr(process: TaskProcess, said: _Said) -> None:
    while parts := await process.streams.read():
        for stream, data in parts:
            if stream == "err":
                said.add(data)


async def _output(commands: TaskCommands, argv: tuple[str, ...]) -> bytes:
    process = await commands.run(argv)
    async with _closing(process):
        await process.streams.end_input()
        found = b""
        while parts := await process.streams.read():
            found += b"".join(data for stream, data in parts if stream == "out")
    return found[:16]


@asynccontextmanager
async def _closing(process: TaskProcess) -> AsyncIterator[None]:
    """Let go of a command; one that goes wrong here is ended there."""
    try:
        yield
    except BaseException:
        await process.hang_up("TERM")
        raise
    finally:
        process.streams.close()


def _split(path: str) -> tuple[str, str]:
    """Return the folder in which something lies, and its name; "." for all that is in a folder."""
    plain = path.rstrip("/") or "/"
    folder, name = posixpath.split(plain)
    if name in {"", ".", ".."}:
        return plain, "."
    return folder or ".", name


def _local_target(local: Path, name: str) -> Path:
    """Return what the copy is called; what the person names may be a link, and is followed."""
    found = local.resolve()
    if name != "." and found.is_dir():
        return found / name
    if not found.parent.is_dir():
        raise NotFound(f"there is no folder {one_line(str(local.parent), 200)}")
    return found


def _shown(path: str) -> str:
    return one_line(path, 200)
