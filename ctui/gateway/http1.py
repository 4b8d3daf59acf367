"""HTTP/1.1 on a socket, by h11: one side of a connection, and an exchange between two of them.

Both sides are parsed and written anew, so that what one of them reads is what the other one meant:
no header, length or chunk is passed on as it came.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable

import h11

from ctui.daemon.heads import is_too_long
from ctui.gateway.channel import Channel, PlainChannel

_HEAD_LIMIT = 1 << 16
"""Bytes of a request's or a response's head."""
_LINGER_SECONDS = 2.0
_VERSION = b"HTTP/1."
_HOP = {
    *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization"),
    *(b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
}
"""Headers about one connection and not about the message (RFC 9110, 7.6.1)."""

ECHOES = {b"TRACE", b"TRACK"}
"""Methods by which a server sends back what it was sent (RFC 9110, 9.3.8; IIS had the other)."""

Headers = list[tuple[bytes, bytes]]
Event = (
    h11.Request
    | h11.InformationalResponse
    | h11.Response
    | h11.Data
    | h11.EndOfMessage
    | h11.ConnectionClosed
    | type[h11.PAUSED]
)


class Gone(Exception):
    """The other side closed the connection before it had said everything."""


class Peer:
    """One side of a connection that speaks HTTP/1.1.

    Attributes:
        received: bytes that came from there.
        sent: bytes that went there.
    """

    def __init__(
        self,
        connection: socket.socket,
        role: type[h11.CLIENT | h11.SERVER],
        channel: Channel | None = None,
    ) -> None:
        """Speak with the other side of a connection.

        Args:
            connection: that leads there.
            role: `h11.SERVER` with who asks, and `h11.CLIENT` with who is asked.
            channel: what is spoken inside of the connection; by default on it.
        """
        self.socket = connection
        self.channel = channel or PlainChannel(connection)
        self.received = self.sent = 0
        self.http = h11.Connection(role, max_incomplete_event_size=_HEAD_LIMIT)

    async def event(self) -> Event:
        """Return what comes next; bodies come in portions.

        Raises:
            h11.RemoteProtocolError: it is no HTTP/1.1, or could be read in two ways.
            OSError: the connection broke.
        """
        self._refuse_long()
        while (event := self.http.next_event()) is h11.NEED_DATA:
            data = await self._received()
            self.received += len(data)
            self.http.receive_data(data)
            self._refuse_others()
            self._refuse_long()
        if isinstance(event, h11.Request | h11.Response):
            _refuse_odd(event)
        return event  # type: ignore[return-value]  # h11 says that it is one of these

    def _refuse_long(self) -> None:
        """Raise where the next head has too many lines, before it is taken apart."""
        if is_too_long(self.http):
            raise h11.RemoteProtocolError("too many headers")

    def _refuse_others(self) -> None:
        """Raise at once where the first bytes of an answer are none of HTTP; no more may come."""
        if self.http.their_role is h11.SERVER and self.http.their_state is h11.SEND_RESPONSE:
            begun = self.http.trailing_data[0][: len(_VERSION)]
            if begun != _VERSION[: len(begun)]:
                raise h11.RemoteProtocolError("no answer of HTTP")

    async def send(self, *events: h11.Event) -> None:
        """Say it, and return when the kernel has taken all of it."""
        data = b"".join(self.http.send(event) or b"" for event in events)
        if data:
            await self.channel.sendall(data)
            self.sent += len(data)
            await asyncio.sleep(0)

    def early(self) -> bytes:
        """Return what was read beyond the end of HTTP, after a switch of protocols."""
        return self.http.trailing_data[0]

    async def gone(self) -> None:
        """Return when the other side closes; never if it says something more before."""
        if not await self.channel.ends():
            await asyncio.get_running_loop().create_future()

    async def answer(self, status: int, reason: str, text: str, headers: Headers = []) -> None:  # noqa: B006 - never changed
        """Send a whole answer of one line, after which the connection is closed."""
        body = text.encode() + b"\n"
        head: Headers = [
            (b"Content-Type", b"text/plain; charset=utf-8"),
            (b"Content-Length", str(len(body)).encode()),
            (b"X-Content-Type-Options", b"nosniff"),
            (b"Cache-Control", b"no-store"),
            (b"Connection", b"close"),
            *headers,
        ]
        response = h11.Response(status_code=status, reason=reason.encode(), headers=head)
        with contextlib.suppress(h11.LocalProtocolError, OSError):
            await self.send(response, h11.Data(data=body), h11.EndOfMessage())
            await self._linger()

    async def _linger(self) -> None:
        """Let the other side close first: what it still sends would else take the answer away."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_SECONDS):
                await self.channel.shutdown()
                while await self._received():
                    pass

    async def _received(self) -> bytes:
        """Return what came; all others have their turn first, as much as one side may say."""
        await asyncio.sleep(0)
        return await self.channel.recv()


def _refuse_odd(event: h11.Request | h11.Response) -> None:
    """Raise for a head that others read in another way: of HTTP/2, or with two lengths."""
    if event.http_version not in {b"1.0", b"1.1"}:
        raise h11.RemoteProtocolError("only HTTP/1.1 is spoken here")
    names = {name for name, _ in event.headers}
    if {b"content-length", b"transfer-encoding"} <= names:
        raise h11.RemoteProtocolError("both a length and an encoding of a body")


def end_to_end(headers: Iterable[tuple[bytes, bytes]], *dropped: bytes) -> Headers:
    """Return the headers that go on, as they were written: those about the message.

    Args:
        headers: h11's, or pairs of raw names and values.
        dropped: names, in lower case, of others that do not go on.
    """
    pairs = list(headers.raw_items()) if hasattr(headers, "raw_items") else list(headers)
    named = {
        token.strip().lower()
        for name, value in pairs
        if name.lower() == b"connection"
        for token in value.split(b",")
    }
    # What frames the body decides how it is read: no `Connection` takes it away.
    leave = (named - {b"content-length", b"host"}) | _HOP | set(dropped)
    return [(name, value) for name, value in pairs if name.lower() not in leave]


def upgrade(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the headers that ask for another protocol, if they do, or agree to it."""
    wanted = [value for name, value in headers if name.lower() == b"upgrade"]
    if len(wanted) != 1:
        return []
    return [(b"Connection", b"Upgrade"), (b"Upgrade", wanted[0])]


def framing(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Return the header that says a body comes in chunks, if it does; its length is end to end."""
    chunked = any(
        name.lower() == b"transfer-encoding" and value.lower() == b"chunked"
        for name, value in headers
    )
    return [(b"Transfer-Encoding", b"chunked")] if chunked else []


async def exchange(
    asking: Peer,
    asked: Peer,
    request: h11.Request,
    response: Callable[[h11.Response], h11.Response],
    *,
    patience: float,
    interim: Callable[[h11.InformationalResponse], h11.InformationalResponse] = lambda it: it,
) -> bool:
    """Pass one request and its answer on; return True if both now speak another protocol.

    Args:
        asking: has sent the request's head; its body is read from there.
        asked: gets `request`, and the body.
        request: the head as it is to be sent.
        response: makes of the answer's head the one that is passed on.
        patience: seconds in which something has to be said, or taken.
        interim: makes the same of what comes before an answer, such as a switch of protocols.

    Raises:
        Gone: one of them closed the connection too early.
        TimeoutError: one of them says nothing, or takes nothing.
        h11.RemoteProtocolError: one of them does not speak HTTP/1.1.
    """
    await asked.send(request)
    upload = asyncio.ensure_future(_pass_body(asking, asked, patience))
    download = asyncio.ensure_future(_pass_answer(asking, asked, response, interim, patience))
    gone = asyncio.ensure_future(_after(upload, asking))
    tasks = (upload, download, gone)
    try:
        await asyncio.wait({download, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not download.done():
            gone.result()
        return download.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _after(upload: asyncio.Future[None], asking: Peer) -> None:
    """Raise Gone when who asks closes before the answer has come."""
    try:
        await upload
    except OSError:
        # The asked side wants no more of the body: what it has to say may still come.
        await asyncio.get_running_loop().create_future()
    await asking.gone()
    raise Gone


def _without_trailers(event: h11.Event) -> h11.Event:
    """Return an event without what follows a body, which others could take for headers."""
    return h11.EndOfMessage() if isinstance(event, h11.EndOfMessage) else event


async def _pass_body(asking: Peer, asked: Peer, patience: float) -> None:
    while True:
        async with asyncio.timeout(patience):
            event = await asking.event()
            if not isinstance(event, h11.Data | h11.EndOfMessage):
                raise Gone
            await asked.send(_without_trailers(event))
        if isinstance(event, h11.EndOfMessage):
            return


async def _pass_answer(
    asking: Peer,
    asked: Peer,
    response: Callable[[h11.Response], h11.Response],
    interim: Callable[[h11.InformationalResponse], h11.InformationalResponse],
    patience: float,
) -> bool:
    while True:
        async with asyncio.timeout(patience):
            event = await asked.event()
            if isinstance(event, h11.ConnectionClosed | type):
                raise Gone
            if isinstance(event, h11.Response):
                event = response(event)
            elif isinstance(event, h11.InformationalResponse):
                event = interim(event)
            await asking.send(_without_trailers(event))
        if isinstance(event, h11.InformationalResponse) and event.status_code == 101:
            return True
        if isinstance(event, h11.EndOfMessage):
            return False
