"""A container's log as lines, and its stdin, straight from the engine.

The docker SDK's `logs()` loses which stream a piece came from, and an attached stdout reader that
stalls would stall the container; the log has neither fault. Frames: 8 bytes of header (stream,
three zeros, big-endian length) and a payload of at most about 16 KB; with `timestamps=1` every
frame begins with an RFC 3339 time and a space. docs.docker.com/reference/api/engine, "Attach".
Stream 3 is the engine's own: it says what it could not read, and not when.
"""

from __future__ import annotations

import asyncio
from calendar import timegm
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from time import strptime
from typing import Literal

from ctui.errors import RunnerUnavailable
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.transport import Connection, connect, request
from ctui.sandbox.runner import LogDamaged, LogLine, Stream
from ctui.text import one_line

FrameStream = Stream | Literal["engine"]
"""Whose a frame is; what the engine says of itself is none of the container's output."""

_STREAMS: dict[int, FrameStream] = {2: "err", 3: "engine"}
_FAILURE_WIDTH = 200
_READ_SIZE = 1 << 18
_HEAD_LIMIT = 1 << 16
"""Bytes of the line before a chunk."""
MAX_LINE = 64 << 20
"""Bytes of one line; a longer one comes as an incomplete line, and its rest is dropped."""


async def follow_log(
    endpoint: Endpoint, container: str, *, follow: bool = True, tail: int | None = None
) -> AsyncGenerator[list[LogLine]]:
    """Yield the log's lines, in batches as they come.

    With `follow` it ends when the container stops, else at the present end. It begins with the
    log's start, or with the last `tail` of the engine's pieces, of which a long line has several.

    Raises:
        NotFound: there is no such container.
        LogDamaged: the engine cannot read the rest; it comes behind what could be read.
        Unavailable: the engine does not answer, or broke off.
    """
    connection = await connect(endpoint)
    try:
        query = {"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "1" if follow else "0"}
        query |= {} if tail is None else {"tail": str(tail)}
        response = await request(connection, "GET", f"/containers/{container}/logs", query)
        chunked = response.headers.get("transfer-encoding") == "chunked"
        frames, lines = Frames(), _Lines()
        async for data in body(connection.reader, chunked=chunked):
            if batch := lines.feed(frames.feed(data)):
                yield batch
            if lines.failure:
                raise LogDamaged(f"the engine cannot read its log: {lines.failure}")
        if rest := lines.rest():
            yield rest
    finally:
        connection.close()


class Stdin:
    """The way into a container. Closing it leaves the container's stdin open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, endpoint: Endpoint, container: str) -> Stdin:
        """Attach to the stdin of a created or running container.

        Raises:
            NotFound, Unavailable: as `follow_log`.
        """
        connection = await connect(endpoint)
        query = {"stream": "1", "stdin": "1"}
        path = f"/containers/{container}/attach"
        try:
            await request(connection, "POST", path, query, upgrade=True)
        except BaseException:  # cancelled or not: nobody else would close it
            connection.close()
            raise
        return cls(connection)

    async def send(self, *lines: bytes) -> None:
        """Write whole lines at once; returns when they left this process.

        Raises:
            OSError: the connection broke; how much of them arrived is unknown.
        """
        ended = (line if line.endswith(b"\n") else line + b"\n" for line in lines)
        self._connection.writer.write(b"".join(ended))
        await self._connection.writer.drain()

    @property
    def broken(self) -> bool:
        """Return True if the engine has ended the connection, and may have lost what it took."""
        reader = self._connection.reader
        return reader.at_eof() or reader.exception() is not None

    async def terminate_torn_line(self) -> None:
        """End what an earlier writer may have left without a newline. Does nothing otherwise."""
        await self.send(b"\n")

    def close(self) -> None:
        self._connection.close()


class Chunks:
    """Splitter of a chunked body: bytes in, the content of all chunks among them out at once.

    The engine sends a chunk for each line, so a flood comes in far more chunks than reads.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._left = 0
        """Bytes that the chunk at hand still has."""
        self.ended = False
        """True behind the chunk of size 0; a connection that closes without it was cut."""
        self.broken = False

    def feed(self, data: bytes) -> bytes:
        data = self._rest + data
        content: list[bytes] = []
        position = 0
        while not (self.ended or self.broken):
            if self._left:
                content.append(data[position : position + self._left])
                position += len(content[-1])
                self._left -= len(content[-1])
            end = data.find(b"\n", position)
            if self._left or end < 0:
                break
            # The first line end after a chunk is the chunk's own.
            if head := data[position:end].strip():
                self._head(head)
            position = end + 1
        self._rest = data[position:]
        self.broken |= len(self._rest) > _HEAD_LIMIT
        return b"".join(content)

    def _head(self, head: bytes) -> None:
        try:
            self._left = int(head.split(b";")[0], 16)
        except ValueError:
            self.broken = True
        else:
            self.ended, self.broken = self._left == 0, self._left < 0


class Frames:
    """Splitter of bytes into whole frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[FrameStream, bytes]]:
        data = self._rest + data if self._rest else data
        position, size = 0, len(data)
        while size - position >= 8:
            end = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
            if end > size:
                break
            yield _STREAMS.get(data[position], "out"), data[position + 8 : end]
            position = end
        self._rest = data[position:]


class _Lines:
    """Splitter of frames into lines, for stdout and stderr apart."""

    def __init__(self) -> None:
        self._parts: dict[Stream, list[bytes]] = {"out": [], "err": []}
        self._sizes: dict[Stream, int] = {"out": 0, "err": 0}
        self._time: dict[Stream, int] = {"out": 0, "err": 0}
        self._clock = Clock()
        self.failure = ""
        """Words of the engine, behind which it has no more lines."""

    def feed(self, frames: Iterator[tuple[FrameStream, bytes]]) -> list[LogLine]:
        batch: list[LogLine] = []
        for stream, frame in frames:
            if stream == "engine":
                self.failure = one_line(frame.decode("utf-8", "replace"), _FAILURE_WIDTH)
                break
            stamp, _, payload = frame.partition(b" ")
            time = self._time[stream] = self._clock.read(stamp)
            *ended, rest = payload.split(b"\n")
            batch.extend([self._line(stream, piece, time) for piece in ended])
            if rest:
                self._keep(stream, rest)
        return batch

    def rest(self) -> list[LogLine]:
        """Return the text of each stream that has no newline at the end of the log."""
        left: list[Stream] = [stream for stream in ("out", "err") if self._parts[stream]]
        return [
            LogLine(self._time[stream], stream, b"".join(self._parts[stream]), complete=False)
            for stream in left
        ]

    def _keep(self, stream: Stream, piece: bytes) -> None:
        self._sizes[stream] += len(piece)
        if self._sizes[stream] <= MAX_LINE:
            self._parts[stream].append(piece)

    def _line(self, stream: Stream, piece: bytes, time: int) -> LogLine:
        if not self._parts[stream]:
            return LogLine(time, stream, piece)
        self._keep(stream, piece)
        data = b"".join(self._parts[stream])
        whole = self._sizes[stream] <= MAX_LINE
        self._parts[stream], self._sizes[stream] = [], 0
        return LogLine(time, stream, data, complete=whole)


class Clock:
    """Parser of RFC 3339 times that parses a second once, not for every line in it."""

    def __init__(self) -> None:
        self._second = b""
        self._base = 0

    def read(self, stamp: bytes) -> int:
        """Return the nanoseconds since the epoch of e.g. `2026-01-02T03:04:05.123456789Z`, or 0."""
        second, fraction = stamp[:19], stamp[20:].rstrip(b"Z")
        if second != self._second:
            try:
                self._base = timegm(strptime(second.decode(), "%Y-%m-%dT%H:%M:%S")) * 1_000_000_000
            except ValueError:
                return 0
            self._second = second
        return self._base + int(fraction.ljust(9, b"0")[:9]) if fraction.isdigit() else self._base


async def body(reader: asyncio.StreamReader, *, chunked: bool) -> AsyncIterator[bytes]:
    chunks = Chunks()
    try:
        while data := await reader.read(_READ_SIZE):
            yield chunks.feed(data) if chunked else data
            if chunks.ended:
                return
            if chunks.broken:
                break
    except OSError as error:
        raise RunnerUnavailable("the Docker engine broke off", hint="is it restarting?") from error
    if chunked:
        raise RunnerUnavailable("the Docker engine broke off", hint="is it restarting?")
