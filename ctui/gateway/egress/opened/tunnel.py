"""An opened tunnel: requests of a task, one after the other, that a host gets with a credential.

Both ends are parsed and written anew (`http1`), so that no request hides in another one, and no
protocol is spoken that is not looked into: HTTP/1.1, and a websocket once the host agrees to it.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import h11

from ctui.errors import Unavailable
from ctui.gateway.channel import PORTION, TlsChannel, join
from ctui.gateway.egress.attempt import Tracked
from ctui.gateway.egress.hello import Foreign, NameCheck
from ctui.gateway.egress.opened.authority import Authority
from ctui.gateway.egress.opened.credential import (
    Credential,
    Forbidden,
    interim_without_sessions,
    with_credential,
    without_sessions,
)
from ctui.gateway.egress.refusals import ALERT_NAME
from ctui.gateway.egress.requests import BadRequest, other_host, path_of
from ctui.gateway.http1 import Gone, Peer, exchange
from ctui.text import one_line

_HANDSHAKE_SECONDS = 20.0
_REASON_WIDTH = 200
_NEXT_SECONDS = 120.0
"""Seconds for the next request of a connection to come."""


class Opener(NamedTuple):
    """Parts that opened tunnels are made with."""

    authority: Authority
    trust: Callable[[], ssl.SSLContext]
    """Returns whom the gateway trusts outside."""


class Refused(Exception):
    """An answer of the gateway's own to a request, after which the tunnel is closed."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(one_line(reason, _REASON_WIDTH))  # which may quote what was said
        self.status = status


class OpenedTunnel:
    """One connection of a task to a host that has a credential."""

    def __init__(
        self, opener: Opener, credential: Credential, attempt: Tracked, idle: float
    ) -> None:
        """Prepare it.

        Args:
            opener: what it is made with.
            credential: that its requests get.
            attempt: is told what comes of it.
            idle: seconds in which something of an answer has to come, or to be taken.
        """
        self._opener = opener
        self._credential = credential
        self._attempt = attempt
        self._idle = idle
        self._target = credential.target

    async def run(self, task: socket.socket, early: bytes, host: socket.socket) -> None:
        """Serve the task until one of the two ends.

        Args:
            task: its connection.
            early: what was read of that already.
            host: the connection outside.
        """
        try:
            asking = await self._with_task(task, early)
        except Foreign as error:
            self._attempt.failed("another name in a connection", anomaly=str(error))
            with suppress(OSError):
                task.send(ALERT_NAME)
            return
        except (Gone, TimeoutError):
            self._attempt.failed("no request came")
            return
        except ssl.SSLError:
            self._attempt.failed("the task and the gateway agree on no TLS")
            return
        except Unavailable as error:
            self._attempt.failed(error.message)
            return
        asked: Peer | None = None
        try:
            asked = await self._with_host(host)
            while await self._next(asking, asked):
                asking.http.start_next_cycle()
                asked.http.start_next_cycle()
        except Refused as refused:
            self._attempt.failed(str(refused), *_counts(asked))
            text = f"ctui: {self._target}: {refused}"
            await asking.answer(refused.status, text, text)
        except (Gone, TimeoutError, OSError, h11.ProtocolError):
            self._attempt.failed("it broke off", *_counts(asked))
            text = f"ctui: {self._target} broke off"
            await asking.answer(502, text, text)
        else:
            self._attempt.finished(*_counts(asked))
            with suppress(OSError):  # it may take no more
                async with asyncio.timeout(_NEXT_SECONDS):
                    await asking.channel.shutdown()

    # -- both ends

    async def _with_task(self, connection: socket.socket, early: bytes) -> Peer:
        """Be the host for the task, which must ask for that one.

        Raises:
            Foreign: it asks for another one.
            Gone: it has left.
            TimeoutError, ssl.SSLError: it does not come to an agreement.
            Unavailable: the gateway cannot be the host.
        """
        loop = asyncio.get_running_loop()
        names_it = NameCheck(self._target.host)
        context = await asyncio.to_thread(self._opener.authority.context, self._target.host)
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            while not early or not names_it(early):
                data = await loop.sock_recv(connection, PORTION)
                if not data:
                    raise Gone
                early += data
            channel = TlsChannel(connection, context, early=early)
            await channel.handshake()
        return Peer(connection, h11.SERVER, channel)

    async def _with_host(self, connection: socket.socket) -> Peer:
        """Speak with the host, which must be that one.

        Raises:
            Refused: it is not.
        """
        if not self._credential.value:
            # The reason has words of the person's own commands and folders: it is for their log.
            self._attempt.failed(self._credential.problem or "its credential is not known")
            raise Refused(503, f"{self._credential.name} cannot be had: ctui network log says why")
        channel = TlsChannel(connection, self._opener.trust(), server=self._target.host)
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                await channel.handshake()
        except ssl.SSLCertVerificationError as error:
            why = f"its certificate is not accepted: {error.verify_message}"
            raise Refused(502, why) from None
        except (OSError, TimeoutError):
            raise Refused(502, "it agrees on no TLS") from None
        return Peer(connection, h11.CLIENT, channel)

    # -- one request

    async def _next(self, asking: Peer, asked: Peer) -> bool:
        """Pass on the next request; return True where another one may come behind it.

        Raises:
            Refused: it is not passed on.
            Gone, TimeoutError, OSError, h11.ProtocolError: one of the two breaks off.
        """
        request = await self._request(asking, asked)
        if request is None:
            return False
        head = self._head(request)
        self._attempt.lend(self._credential.name)
        last = False

        def response(event: h11.Response) -> h11.Response:
            nonlocal last
            last = _is_last(event)
            return without_sessions(event, last=last)

        if await exchange(
            asking,
            asked,
            head,
            response,
            patience=self._idle,
            interim=interim_without_sessions,
        ):
            await asked.channel.sendall(asking.early())
            await asking.channel.sendall(asked.early())
            up, down = await join(asking.channel, asked.channel, idle=self._idle)
            asked.sent, asked.received = asked.sent + up, asked.received + down
            return False
        states = {asking.http.our_state, asking.http.their_state}
        return not last and states | {asked.http.our_state, asked.http.their_state} == {h11.DONE}

    async def _request(self, asking: Peer, asked: Peer) -> h11.Request | None:
        """Return the head of the next request; None where one of the two ends before.

        Raises:
            Refused: it cannot be read.
        """
        coming = asyncio.ensure_future(asking.event())
        # Whatever a host says that nobody has asked for would be taken for the next answer.
        ends = asyncio.ensure_future(asked.channel.ends())
        try:
            await asyncio.wait(
                {coming, ends}, timeout=_NEXT_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            event = coming.result() if coming.done() and not ends.done() else None
        except h11.RemoteProtocolError as error:
            raise Refused(400, f"this cannot be read: {error}") from None
        finally:
            for task in (coming, ends):
                task.cancel()
            await asyncio.gather(coming, ends, return_exceptions=True)
        return event if isinstance(event, h11.Request) else None

    def _head(self, request: h11.Request) -> h11.Request:
        """Return the head of a request as the host gets it.

        Raises:
            Refused: it does not get it.
        """
        try:
            path = path_of(request)
            if other := other_host(request, self._target):
                self._attempt.failed("another host in a request", anomaly=f"Host: {other}")
                raise Refused(403, "this connection is for it and for no other host")
            return with_credential(request, path, self._credential)
        except BadRequest as error:
            raise Refused(400, f"this cannot be read: {error}") from None
        except Forbidden as error:
            raise Refused(405, str(error)) from None


def _is_last(response: h11.Response) -> bool:
    """Return True where a host says that it closes the connection behind an answer."""
    said = {
        token.strip().lower()
        for name, value in response.headers
        if name == b"connection"
        for token in value.split(b",")
    }
    return b"close" in said or response.http_version < b"1.1"


def _counts(asked: Peer | None) -> tuple[int, int]:
    return (asked.sent, asked.received) if asked else (0, 0)
