"""A task's archive as bytes, while it grows: for whoever passes lines on without reading them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ctui import rpc
from ctui.client.connection import connect
from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.tasks import calls
from ctui.tasks.journal.archive import FILE_NAME

_READ_SIZE = 1 << 18
_RECONNECT_SECONDS = 0.2


class Chunk(NamedTuple):
    """Whole lines of an archive, and the byte where they begin."""

    start: int
    data: bytes

    @property
    def end(self) -> int:
        return self.start + len(self.data)


async def growth(
    paths: Paths, task: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Chunk]:
    """Yield what the archive gets from now on, without gap or repetition, also across drivers.

    The first chunk is empty and says where that is. Parts of open blocks are left out.

    Raises:
        NotFound: there is no such task.
        Unavailable: no driver can be started.
    """
    path = paths.task(task) / FILE_NAME
    position: int | None = None
    while True:
        connection = await connect(paths, environ)
        try:
            end = (await connection.call(calls.Follow(task))).offset
            if position is None:
                position = end
                yield Chunk(position, b"")
            async for item in _items(connection.reader, end):
                async for chunk in _chunks(path, position, item):
                    position = chunk.end
                    yield chunk
        except (OSError, Unavailable):
            await asyncio.sleep(_RECONNECT_SECONDS)
        finally:
            connection.close()


def read_lines(path: Path, start: int, end: int, size: int = _READ_SIZE) -> bytes:
    """Return about `size` bytes of whole lines between two offsets; at least one if there is any.

    Raises:
        Unavailable: the archive cannot be read.
    """
    if start >= end:
        return b""
    try:
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(min(size, end - start))
            cut = data.rfind(b"\n") + 1
            return data[:cut] if cut else data + file.readline()
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror}") from error


async def _items(reader: asyncio.StreamReader, end: int) -> AsyncIterator[int | bytes]:
    """Yield the offset up to which the disk is read, then what `_Frames` makes of the stream."""
    yield end
    frames = _Frames()
    while data := await reader.read(_READ_SIZE):
        for item in frames.take(data):
            yield item


async def _chunks(path: Path, position: int, item: int | bytes) -> AsyncIterator[Chunk]:
    """Yield the chunk itself, or what the disk has up to an offset."""
    if isinstance(item, bytes):
        yield Chunk(position, item)
        return
    while data := await asyncio.to_thread(read_lines, path, position, item):
        yield Chunk(position, data)
        position += len(data)


class _Frames:
    """A follower's stream, cut into archived lines and offsets up to which the disk is read."""

    def __init__(self) -> None:
        self._rest = b""

    def take(self, data: bytes) -> Iterator[int | bytes]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        archived: list[bytes] = []
        for line in lines:
            kind = line[:1]
            if kind == rpc.Frame.ARCHIVED:
                archived.append(line[1:] + b"\n")
            elif kind == rpc.Frame.SKIP:
                if archived:
                    yield b"".join(archived)
                    archived = []
                yield int(line[1:])
        if archived:
            yield b"".join(archived)
