"""The way out of one run: a proxy for HTTP on a unix socket of its own.

`CONNECT` makes a tunnel, which is looked into only for the name that a TLS client says first; where
the person has a credential for its host, it is opened instead (`opened`). What comes for port 80 is
HTTP, request by request, whoever asks for it: the host in each is the one that was decided about. A
connection serves one request or one tunnel.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

import h11
import msgspec

from ctui.files import replace_file
from ctui.gateway.egress.attempt import Pace, Tracked
from ctui.gateway.egress.dial import Dialler, Unreachable, Way
from ctui.gateway.egress.gate import Ask, Gate
from ctui.gateway.egress.hello import Foreign, NameCheck
from ctui.gateway.egress.names import BadName, Target, target_of
from ctui.gateway.egress.opened.credential import Credential, credential_for
from ctui.gateway.egress.opened.tunnel import OpenedTunnel, Opener
from ctui.gateway.egress.policy import (
    ONCE,
    PRIVATE,
    Policy,
    Record,
    Verdict,
    decide,
    named_ports,
)
from ctui.gateway.egress.refusals import ALERT_NAME, line
from ctui.gateway.egress.requests import (
    BadRequest,
    other_host,
    passed_on,
    path_of,
    program_of,
    split,
)
from ctui.gateway.egress.upstream import Upstreams
from ctui.gateway.http1 import Gone, Peer, end_to_end, exchange, framing
from ctui.gateway.pump import Pump
from ctui.gateway.sockets import Acceptor, listen_unix
from ctui.host_port import HTTP

PORTS_FILE = "names.json"
"""File beside the socket, for the task's side."""
CONNECTIONS = 256
"""Of one run at the same time."""
HEAD_SECONDS = 20.0
"""Seconds for the head of a request to come."""
IDLE_SECONDS = 1800.0
"""Seconds of silence after which a tunnel is closed: a shell by ssh may say nothing for long."""
_FULL = (
    b"HTTP/1.1 503 ctui: too many connections of this task are open\r\n"
    b"Retry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


class _Standing(NamedTuple):
    """Reasons for which a connection is open: it is cut when one of them is taken back."""

    verdict: Verdict
    lent: bool
    """True where the run has a credential for the host, or signs in there by ssh."""

    def outlives(self, now: _Standing) -> bool:
        """Return True if what has this standing may stay when another one counts."""
        if now.verdict.what != "allow":
            return now.verdict.what == "ask" and self.verdict == ONCE and now.lent >= self.lent
        return now.verdict.private >= self.verdict.private and now.lent >= self.lent


class EgressServer:
    """The way out of one run: a socket that `start` makes and `close` removes."""

    def __init__(
        self,
        path: Path,
        policy: Callable[[], Policy],
        ask: Ask,
        record: Callable[[Record], None],
        *,
        credentials: Callable[[], Collection[Credential]] = tuple,
        opener: Opener | None = None,
        upstreams: Upstreams = Upstreams(),  # noqa: B008 - frozen
        own_ports: Collection[int] = (),
        connections: int = CONNECTIONS,
        idle: float = IDLE_SECONDS,
        head: float = HEAD_SECONDS,
    ) -> None:
        """Serve what a policy allows.

        Args:
            path: of the socket, whose folder is the run's own.
            policy: what the run may reach, asked for at each connection.
            ask: whether somebody allows what nobody named; waited for as long as the policy says.
            record: takes what was decided and what came of it; it must not wait.
            credentials: of the person's for other services, asked for at each tunnel.
            opener: what tunnels to these are opened with.
            upstreams: the person's proxies.
            own_ports: ports of this machine that are not reached even where somebody named them.
            connections: how many there may be at the same time.
            idle: seconds of silence after which one is closed.
            head: seconds in which one has to say what it wants.
        """
        self._path = path
        self._record = record
        self._policy = policy
        self._credentials, self._opener = credentials, opener
        self._gate = Gate(policy, ask)
        self._pace = Pace()
        self._said = b""
        self._under_way: dict[Tracked, tuple[_Standing, asyncio.Task[object] | None]] = {}
        self._dialler = Dialler(upstreams, own_ports)
        self._connections = connections
        self._idle, self._head = idle, head
        self._acceptor: Acceptor | None = None

    @property
    def open(self) -> int:
        """Number of connections that are open."""
        return self._acceptor.open if self._acceptor else 0

    def recheck(self) -> None:
        """Act on other rules: what is open, and would not be by these, is cut."""
        self._tell_ports()
        for attempt, (before, serving) in list(self._under_way.items()):
            now = self._standing(attempt.target, decide(self._policy(), attempt.target))
            if not before.outlives(now):
                if serving is not None:
                    serving.cancel()
            elif now.verdict.what == "allow":
                self._under_way[attempt] = now, serving

    def _standing(self, target: Target, verdict: Verdict) -> _Standing:
        lent = credential_for(self._credentials(), target) is not None
        return _Standing(verdict, lent or target in self._policy().sign)

    async def start(self) -> None:
        """Make the socket and serve.

        Raises:
            Unavailable: the socket cannot be made.
        """
        listener = listen_unix(self._path)
        self._tell_ports()
        self._acceptor = Acceptor(listener, self._serve, limit=self._connections, full=_FULL)

    async def close(self) -> None:
        """Remove the socket, and cut every connection."""
        for path in (self._path, self._path.with_name(PORTS_FILE)):
            with contextlib.suppress(OSError):
                path.unlink()
        if self._acceptor is not None:
            await self._acceptor.close()
        await self._gate.close()
        self._dialler.close()

    def _tell_ports(self) -> None:
        """Let the task's side know at which ports names are to answer, beside the usual ones."""
        said = msgspec.json.encode({"ports": named_ports(self._policy())})
        if said != self._said:
            with contextlib.suppress(OSError):  # programs that know a proxy need none of it
                replace_file(self._path.with_name(PORTS_FILE), said, mode=0o644, sync=False)
                self._said = said

    # -- one connection

    async def _serve(self, connection: socket.socket) -> None:
        peer = Peer(connection, h11.SERVER)
        try:
            async with asyncio.timeout(self._head):
                request = await peer.event()
            if isinstance(request, h11.Request):
                await self._request(peer, request)
        except TimeoutError:
            await peer.answer(408, "ctui: no request", "ctui: no request came in time")
        except (h11.RemoteProtocolError, BadRequest, BadName) as error:
            await peer.answer(400, "ctui: no request", f"ctui: this cannot be read: {error}")

    async def _request(self, peer: Peer, request: h11.Request) -> None:
        tunnel = request.method == b"CONNECT"
        if tunnel:
            target, path = target_of(request.target.decode("ascii")), b""
        else:
            target, path = split(request)
        attempt = Tracked(self._record, target, program_of(request.headers))
        try:
            way = await self._way(peer, attempt, plain=not tunnel)
            if way is None:
                return
            with way.socket:
                if tunnel:
                    await self._tunnel(peer, attempt, way)
                else:
                    await self._exchange(peer, request, path, attempt, way)
        finally:
            self._under_way.pop(attempt, None)
            attempt.failed("it was cut off")  # unless something else was said before

    async def _way(self, peer: Peer, attempt: Tracked, *, plain: bool) -> Way | None:
        """Return the connection outside, or None after saying why there is none."""
        target = attempt.target
        verdict = await self._verdict(peer, attempt)
        if verdict is None:
            return None
        if verdict.what == "allow":
            self._under_way[attempt] = self._standing(target, verdict), asyncio.current_task()
            try:
                way = await self._dialler.dial(target, verdict, plain=plain)
            except Unreachable as error:
                if not error.refused:
                    attempt.failed(str(error))
                    text = f"ctui: {target}: {error}"
                    await peer.answer(502, text, text)
                    return None
                verdict = PRIVATE
            else:
                attempt.began(verdict.rule)
                return way
        await asyncio.sleep(self._pace.delay())
        attempt.refused(verdict.rule)
        text = line(target, verdict)
        await peer.answer(403, text, text, [(b"X-Ctui", verdict.why.encode())])
        return None

    async def _verdict(self, peer: Peer, attempt: Tracked) -> Verdict | None:
        """Return the decision, or None if whoever asked has left meanwhile."""
        decided = asyncio.ensure_future(self._gate.decide(attempt.target, attempt.program))
        gone = asyncio.ensure_future(peer.gone())
        try:
            await asyncio.wait({decided, gone}, return_when=asyncio.FIRST_COMPLETED)
            return decided.result() if decided.done() else None
        finally:
            for task in (decided, gone):
                task.cancel()
            await asyncio.gather(decided, gone, return_exceptions=True)

    async def _tunnel(self, peer: Peer, attempt: Tracked, way: Way) -> None:
        await peer.send(h11.Response(status_code=200, headers=[], reason=b"Connected"))
        early = peer.early()
        credential = credential_for(self._credentials(), attempt.target)
        if credential is not None and self._opener is not None:
            opened = OpenedTunnel(self._opener, credential, attempt, self._idle)
            await opened.run(peer.socket, early, way.socket)
            return
        if attempt.target.port != HTTP:
            await self._pump(peer, attempt, way, early, check=NameCheck(attempt.target.host))
            return
        inner = Peer(peer.socket, h11.SERVER)
        if early:
            inner.http.receive_data(early)
        try:
            async with asyncio.timeout(self._idle):
                request = await inner.event()
            if isinstance(request, h11.Request):
                path = path_of(request)
                await self._exchange(inner, request, path, attempt, way)
        except (TimeoutError, h11.RemoteProtocolError, BadRequest):
            attempt.failed("no request of HTTP came")
            await inner.answer(400, "ctui: no request", "ctui: only HTTP is spoken on port 80")

    async def _exchange(
        self, peer: Peer, request: h11.Request, path: bytes, attempt: Tracked, way: Way
    ) -> None:
        """Pass on one request, whose `Host` must be the one that was decided about."""
        other = other_host(request, attempt.target)
        if other:
            attempt.failed("another host in a request", anomaly=f"Host: {other}")
            text = f"ctui: this connection is for {attempt.target} and no other host"
            await peer.answer(403, text, text)
            return
        asked = Peer(way.socket, h11.CLIENT)
        head = passed_on(request, path, attempt.target, way.proxy)
        try:
            switched = await exchange(peer, asked, head, _response, patience=self._idle)
        except (Gone, TimeoutError, OSError, h11.ProtocolError):
            attempt.failed("it broke off", asked.sent, asked.received)
            text = f"ctui: {attempt.target} broke off"
            await peer.answer(502, text, text)
            return
        if switched:
            early = peer.early()
            await self._pump(peer, attempt, way, early, early_down=asked.early())
        attempt.finished(asked.sent, asked.received)

    async def _pump(
        self,
        peer: Peer,
        attempt: Tracked,
        way: Way,
        early: bytes,
        *,
        early_down: bytes = b"",
        check: Callable[[bytes], bool] | None = None,
    ) -> None:
        pump = Pump(
            peer.socket,
            way.socket,
            idle=self._idle,
            check=check,
            early=early,
            early_down=early_down,
        )
        try:
            await pump.run()
            attempt.finished(pump.up, pump.down)
        except Foreign as error:
            attempt.failed("another name in a connection", anomaly=str(error))
            with contextlib.suppress(OSError):
                peer.socket.send(ALERT_NAME)
        finally:
            attempt.failed("it was cut off", pump.up, pump.down)


def _response(event: h11.Response) -> h11.Response:
    headers = [*end_to_end(event.headers), *framing(event.headers), (b"Connection", b"close")]
    return h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)
