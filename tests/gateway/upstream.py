"""A server in the API's place: it keeps what it was asked, and answers as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import h11

Pairs = list[tuple[bytes, bytes]]


@dataclass
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: Pairs
    body: bytes

    def header(self, name: str) -> str | None:
        values = [value.decode() for key, value in self.headers if key.decode().lower() == name]
        assert len(values) < 2, f"{name} came twice"
        return values[0] if values else None


class Reply:
    """What a test answers with, as slowly and as badly as it likes."""

    def __init__(self, writer: asyncio.StreamWriter, http: h11.Connection) -> None:
        self._writer = writer
        self._http = http

    async def head(self, status: int = 200, headers: Pairs | None = None) -> None:
        await self._send(h11.Response(status_code=status, headers=headers or []))

    async def part(self, data: bytes) -> None:
        await self._send(h11.Data(data))

    async def end(self) -> None:
        await self._send(h11.EndOfMessage())

    async def whole(self, status: int, body: bytes, headers: Pairs | None = None) -> None:
        length = (b"content-length", str(len(body)).encode())
        await self.head(status, [*(headers or []), length])
        await self.part(body)
        await self.end()

    def cut(self) -> None:
        self._writer.transport.abort()

    async def _send(self, event: h11.Event) -> None:
        data = self._http.send(event)
        assert data is not None
        self._writer.write(data)
        await self._writer.drain()


Answerer = Callable[[Seen, Reply], Awaitable[None]]


@dataclass
class Upstream:
    """The server: its address, and the requests that came."""

    url: str
    answer: Answerer
    seen: list[Seen] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client goes away."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            http = h11.Connection(h11.SERVER)
            # One request a connection.
            if (seen := await self._request(reader, http)) is not None:
                self.seen.append(seen)
                work = asyncio.ensure_future(self.answer(seen, Reply(writer, http)))
                watch = asyncio.ensure_future(reader.read(1))
                await asyncio.wait((work, watch), return_when=asyncio.FIRST_COMPLETED)
                watch.cancel()
                if not work.done():
                    work.cancel()
                    self.gone.set()
                [ended] = await asyncio.gather(work, return_exceptions=True)
                if isinstance(ended, ConnectionError):
                    self.gone.set()
        writer.close()

    async def _request(self, reader: asyncio.StreamReader, http: h11.Connection) -> Seen | None:
        request, body = None, b""
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                http.receive_data(await reader.read(1 << 16))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and request is not None:
                method, target = request.method.decode(), request.target.decode()
                return Seen(method, target, list(request.headers.raw_items()), body)
            else:
                return None


@asynccontextmanager
async def upstream(answer: Answerer) -> AsyncIterator[Upstream]:
    made = Upstream("", answer)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield made


def sse(*events: bytes) -> bytes:
    """Return events of the Messages API as a stream's bytes."""
    return b"".join(b"event: x\ndata: " + event + b"\n\n" for event in events)


START = (
    b'{"type":"message_start","message":{"id":"m","type":"message","role":"assistant",'
    b'"model":"claude-sonnet-5","content":[],"usage":{"input_tokens":1000,"output_tokens":1,'
    b'"cache_read_input_tokens":2000,"cache_creation_input_tokens":300,'
    b'"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":200}}}}'
)
DELTA = b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi."}}'
END = b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":50}}'
STOP = b'{"type":"message_stop"}'
WHOLE = sse(START, DELTA, END, STOP)
COST = (3 * (1000 + 1.25 * 100 + 2 * 200 + 0.1 * 2000) + 15 * 50) / 1e6
"""What `WHOLE` costs: the API's own counts at claude-sonnet-5's price."""

EVENT_STREAM: Pairs = [(b"content-type", b"text/event-stream; charset=utf-8")]


async def answer_whole(_seen: Seen, reply: Reply) -> None:
    await reply.head(200, EVENT_STREAM)
    await reply.part(WHOLE)
    await reply.end()
