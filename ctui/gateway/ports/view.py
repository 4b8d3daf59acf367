"""The ports of all tasks in a browser: `http://PORT.LABEL.localhost:GATE`, by one listener.

From elsewhere they are reached by TLS below a domain of the person's, by a proxy that leads here.

Each port of each task is an origin of its own, and each task a site of its own. What gets in has a
cookie for exactly that port; an address with a key that works once is exchanged for it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode, urlsplit

import h11

from ctui.errors import CtuiError, NotFound
from ctui.gateway.http1 import Gone, Headers, Peer, end_to_end, exchange, framing, upgrade
from ctui.gateway.ports.addresses import Addresses, from_a_sibling
from ctui.gateway.ports.admission import Admission, Place, cookies, own_site_only
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.pump import Pump
from ctui.gateway.sockets import Acceptor, listen_local

KEY = "ctui-key"
"""Name of the key in an address."""
_CONNECTIONS = 512
_HEAD_SECONDS = 20.0
_REST_SECONDS = 75.0
"""Seconds for which a browser's connection may wait for its next request."""
_REUSE_SECONDS = 2.0
"""Seconds after which a connection to a server is not used again: it may be closing it."""
_SILENT_SECONDS = 3600.0
"""Seconds in which a server has to say something: events can be rare."""
_USED = "ctui: this address was used already, or is older than a minute"
_NOT_ADMITTED = "ctui: this page needs an address of yours: ctui task open NAME {port}"


class PortView:
    """The listener; what it shows is looked up by label at each request."""

    def __init__(
        self,
        port: int,
        hub_of: Callable[[str], PortsHub | None],
        *,
        elsewhere: str = "",
        secret: bytes | None = None,
    ) -> None:
        """Show ports of tasks.

        Args:
            port: of 127.0.0.1; 0 takes one that is free.
            hub_of: returns the hub of the run of the task with this label, None without one.
            elsewhere: domain, with its port where that is not TLS's own, below which addresses are
                that lead here from other machines; "" has none.
            secret: of the cookies; a new one makes those of before useless.
        """
        self.port = port
        self._hub_of = hub_of
        self._addresses = Addresses(elsewhere)
        self._admission = Admission(secret)
        self._acceptor: Acceptor | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            Unavailable: another program has the port.
        """
        listener = listen_local(self.port)
        self.port = listener.getsockname()[1]
        self._acceptor = Acceptor(listener, self._serve, limit=_CONNECTIONS)

    async def close(self) -> None:
        """Listen no more, and cut every connection."""
        if self._acceptor is not None:
            await self._acceptor.close()

    def link(self, label: str, port: int, *, elsewhere: bool = False) -> str:
        """Return an address of a port that a browser can open once, within a minute.

        Args:
            label: of the task.
            port: of the task.
            elsewhere: the browser may be on another machine, if there is a domain for that.

        Raises:
            NotFound: the task does not run, or nothing listens there.
        """
        hub = self._hub_of(label)
        if hub is None:
            raise NotFound("the task is not running", hint="send it a message, then try again")
        if port not in hub.ports:
            open_ports = ", ".join(map(str, hub.ports)) or "none"
            raise NotFound(
                f"nothing listens on port {port} of the task",
                hint=f"start the server in the task; ports that listen: {open_ports}",
            )
        place = Place(label, port)
        url = self._addresses.url(place, self.port, elsewhere=elsewhere)
        return f"{url}/?{KEY}={self._admission.key(place)}"

    # -- one connection of a browser

    async def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        visit = _Visit(Peer(connection, h11.SERVER))
        patience = _HEAD_SECONDS
        try:
            while True:
                async with asyncio.timeout(patience):
                    request = await visit.peer.event()
                if not isinstance(request, h11.Request) or not await self._request(visit, request):
                    return
                visit.peer.http.start_next_cycle()
                patience = _REST_SECONDS
        except TimeoutError:
            return
        except (h11.RemoteProtocolError, ValueError):  # `//[` is no address that can be read
            await visit.peer.answer(400, "Bad Request", "ctui: this is no request")
        finally:
            visit.leave()

    async def _request(self, visit: _Visit, request: h11.Request) -> bool:
        """Serve a request; return True if the connection can serve another one."""
        peer = visit.peer
        host = _host(request)
        place = self._addresses.place(host)
        if place is None or request.target[:1] != b"/":
            await peer.answer(403, "Forbidden", "ctui: this is no address of a task's port")
            return False
        elsewhere = self._addresses.is_elsewhere(host)
        sibling = elsewhere and from_a_sibling(dict(request.headers))
        if sibling or not self._own_origin(request, place):
            await peer.answer(403, "Forbidden", "ctui: another site has no access to this port")
            return False
        ours, theirs = cookies(b";".join(_values(request, b"cookie")))
        admitted = any(self._admission.admits(value, place) for value in ours)
        if (key := _key(request)) is not None:
            right = self._admission.use(key, place)
            if not (right or admitted):
                await peer.answer(403, "Forbidden", _USED)
                return False
            headers = [(b"Location", _without_key(request)), (b"Referrer-Policy", b"no-referrer")]
            if right:
                headers.append((b"Set-Cookie", self._admission.set_cookie(place, tls=elsewhere)))
            await peer.answer(303, "See Other", "ctui: this way", headers)
            return False
        if not admitted:
            await peer.answer(403, "Forbidden", _NOT_ADMITTED.format(port=place.port))
            return False
        return await self._show(visit, request, place, theirs)

    def _own_origin(self, request: h11.Request, place: Place) -> bool:
        """Return True unless a page of somebody else asks; a websocket always says whose it is."""
        origins = [value.decode("latin-1") for value in _values(request, b"origin")]
        if not origins:
            return b"websocket" not in {one.lower() for one in _values(request, b"upgrade")}
        try:
            parts = urlsplit(origins[0])
        except ValueError:
            return False
        found = self._addresses.place(parts.hostname or "")
        return len(origins) == 1 and found is not None and found.label == place.label

    async def _show(self, visit: _Visit, request: h11.Request, place: Place, theirs: bytes) -> bool:
        """Pass a request on to the port, and its answer back."""
        peer = visit.peer
        try:
            asked = await visit.reach(self._hub_of(place.label), place)
        except CtuiError as error:
            await peer.answer(502, "Bad Gateway", f"ctui: {error.one_line()}")
            return False
        head = _passed_on(request, theirs)
        before = asked.received
        try:
            switched = await exchange(
                peer, asked, head, _response, patience=_SILENT_SECONDS, interim=_interim
            )
        except (Gone, TimeoutError, OSError, h11.ProtocolError) as error:
            await peer.answer(502, "Bad Gateway", _trouble(place, error, asked.received > before))
            return False
        if switched:
            early = peer.early()
            pump = Pump(
                peer.socket,
                asked.socket,
                idle=_SILENT_SECONDS * 24,
                early=early,
                early_down=asked.early(),
            )
            await pump.run()
            return False
        return visit.rest()


class _Visit:
    """A browser's connection, and the one to a port that its requests go on by."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self._asked: Peer | None = None
        self._place: Place | None = None
        self._since = 0.0

    async def reach(self, hub: PortsHub | None, place: Place) -> Peer:
        """Return the connection to a port, a new one unless there is one that can be used again.

        Raises:
            CtuiError: there is no way there.
        """
        if self._asked is not None and self._place == place and self._usable(self._asked):
            return self._asked
        self.leave()
        if hub is None:
            raise NotFound("the task is not running", hint="send it a message, then reload")
        self._asked, self._place = Peer(await hub.open(place.port), h11.CLIENT), place
        return self._asked

    def rest(self) -> bool:
        """Return True if both sides can go on with another request."""
        asked = self._asked
        if asked is not None and asked.http.our_state is asked.http.their_state is h11.DONE:
            asked.http.start_next_cycle()
            self._since = asyncio.get_running_loop().time()
        else:
            self.leave()
        return self.peer.http.our_state is self.peer.http.their_state is h11.DONE

    def leave(self) -> None:
        """Close the connection to the port."""
        if self._asked is not None:
            self._asked.socket.close()
            self._asked = None

    def _usable(self, asked: Peer) -> bool:
        if asyncio.get_running_loop().time() - self._since > _REUSE_SECONDS:
            return False
        try:
            asked.socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            pass
        return False  # it was closed, or says something that nobody asked for


def _trouble(place: Place, error: Exception, said: bool) -> str:
    if said and isinstance(error, h11.RemoteProtocolError):
        return f"ctui: port {place.port} speaks no HTTP; for what it speaks: ctui task forward"
    if isinstance(error, TimeoutError):
        return f"ctui: port {place.port} has not answered for too long"
    why = "if it speaks TLS or something else: ctui task forward"
    return f"ctui: port {place.port} closed the connection without an answer; {why}"


def _host(request: h11.Request) -> str:
    """Return the name in a request's `Host`, which h11 has looked for: there is one at most."""
    [host] = _values(request, b"host") or [b""]
    return host.decode("latin-1").lower().partition(":")[0].removesuffix(".")


def _values(request: h11.Request, name: bytes) -> list[bytes]:
    return [value for other, value in request.headers if other == name]


def _key(request: h11.Request) -> str | None:
    query = urlsplit(request.target.decode("ascii")).query
    return dict(parse_qsl(query, keep_blank_values=True)).get(KEY)


def _without_key(request: h11.Request) -> bytes:
    """Return the address without its key, always one of this host: `//` would begin another."""
    parts = urlsplit("http://x/" + request.target.decode("ascii").lstrip("/\\"))
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != KEY]
    return f"{parts.path}{'?' + urlencode(query) if query else ''}".encode()


def _passed_on(request: h11.Request, theirs: bytes) -> h11.Request:
    headers = [
        *end_to_end(request.headers, b"cookie"),
        *([(b"Cookie", theirs)] if theirs else []),
        *framing(request.headers),
        *upgrade(request.headers),
    ]
    return h11.Request(method=request.method, target=request.target, headers=headers)


def _response(event: h11.Response) -> h11.Response:
    headers = [*_own_only(end_to_end(event.headers)), *framing(event.headers)]
    return h11.Response(status_code=event.status_code, headers=headers, reason=event.reason)


def _interim(event: h11.InformationalResponse) -> h11.InformationalResponse:
    headers = [*_own_only(end_to_end(event.headers)), *upgrade(event.headers)]
    return h11.InformationalResponse(
        status_code=event.status_code, headers=headers, reason=event.reason
    )


def _own_only(headers: Headers) -> Headers:
    """Return the headers without what would be about other ports, tasks and ctui's own pages.

    To a browser they are one site, of which `Clear-Site-Data` takes all cookies away.
    """
    kept: Headers = []
    for name, value in headers:
        own = own_site_only(value) if name.lower() == b"set-cookie" else value
        if own is not None and name.lower() != b"clear-site-data":
            kept.append((name, own))
    return kept
