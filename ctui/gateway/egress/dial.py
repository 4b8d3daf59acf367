"""The way to a host that was allowed: looked up once, every address checked, that one dialled."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from ctui.gateway.egress.addresses import is_own, is_public
from ctui.gateway.egress.names import Target, is_address
from ctui.gateway.egress.policy import OWN_MACHINE, Verdict
from ctui.gateway.egress.upstream import Upstream, Upstreams

LOOKUP_SECONDS = 10.0
_SHORT_SECONDS = 2.0
"""Seconds for a lookup that a proxy of the person does itself as well."""
CONNECT_SECONDS = 10.0
_STAGGER_SECONDS = 0.25
"""Seconds after which the next address of a name is tried as well."""
_ADDRESSES = 8
"""Addresses of a name that are tried."""
_OWN = ("127.0.0.1", "::1")


class Unreachable(Exception):
    """There is no way there; `refused` is True where a rule, and not the network, is why."""

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused


class Way(NamedTuple):
    """A connection to a host."""

    socket: socket.socket
    proxy: Upstream | None = None
    """The person's proxy for HTTP that it leads to, which wants the whole address of a request."""


class Dialler:
    """Lookups and connections for one run.

    Lookups run in threads of their own: names that nobody answers hold up no other run's.
    """

    def __init__(self, upstreams: Upstreams, own_ports: Collection[int]) -> None:
        """Dial by these proxies, and never one of the gateway's own ports on this machine."""
        self.upstreams = upstreams
        self._own_ports = own_ports
        self._lookups = ThreadPoolExecutor(4, "lookup")

    def close(self) -> None:
        """Wait for no lookup any more."""
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def dial(self, target: Target, verdict: Verdict, *, plain: bool = False) -> Way:
        """Return a connection to a target that may be reached.

        Args:
            target: where.
            verdict: what was decided about it.
            plain: HTTP without TLS is spoken there.

        Raises:
            Unreachable: it has no address, one that is not public, or does not answer.
        """
        proxy = None if verdict.private else self.upstreams.of(target, plain=plain)
        addresses = await self._addresses(target, verdict, by_name=proxy is not None)
        if proxy is None:
            return Way(await _first(addresses, target.port))
        # Who named a host named it for the proxy as well. For any other one the proxy gets the
        # address that was checked: it could find another one for the name, inside its own network.
        host = target.host if verdict.named else addresses[0]
        if plain and proxy.kind == "http" and verdict.named:
            return Way(await _proxy_itself(proxy), proxy)
        return Way(await _through(proxy, Target(host, target.port)))

    async def _addresses(self, target: Target, verdict: Verdict, *, by_name: bool) -> list[str]:
        if target.host == OWN_MACHINE:
            found = list(_OWN)
        elif is_address(target.host):
            found = [target.host]
        else:
            # A network with a proxy may have no names of others at all, or nobody who answers.
            left_to_proxy = by_name and verdict.named
            found = await self._look_up(target, _SHORT_SECONDS if left_to_proxy else LOOKUP_SECONDS)
            if not found and left_to_proxy:
                return []
        if not found:
            raise Unreachable("there is no such name")
        if not verdict.private and not all(map(_may_be_dialled, found)):
            raise Unreachable("it leads to this machine or into a private network", refused=True)
        if target.port in self._own_ports and any(map(_is_this_machine, found)):
            raise Unreachable("this port is ctui's own", refused=True)
        return found[:_ADDRESSES]

    async def _look_up(self, target: Target, patience: float) -> list[str]:
        """Return the addresses of a name; none where nobody knows it, or answers in time."""
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._lookups, _resolve, target)
        try:
            return list(dict.fromkeys(await asyncio.wait_for(answer, patience)))
        except TimeoutError:
            return []


def _resolve(target: Target) -> list[str]:
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [str(one[4][0]) for one in found]


def _may_be_dialled(address: str) -> bool:
    return is_public(address) and not is_own(address)


def _is_this_machine(address: str) -> bool:
    return address in _OWN or address.startswith("127.") or is_own(address)


async def _first(addresses: list[str], port: int) -> socket.socket:
    """Return a connection to the first address that answers.

    Each further one is tried a moment later: a network whose IPv6 leads nowhere is only a little
    slower (RFC 8305).
    """
    tries: list[asyncio.Task[socket.socket]] = []
    left = list(addresses)
    try:
        while left or not all(one.done() for one in tries):
            if left:
                tries.append(asyncio.ensure_future(_connect(left.pop(0), port)))
            pending = [one for one in tries if not one.done()]
            patience = _STAGGER_SECONDS if left else None
            done, _ = await asyncio.wait(
                pending, timeout=patience, return_when=asyncio.FIRST_COMPLETED
            )
            for one in done:
                if one.exception() is None:
                    tries.remove(one)
                    return one.result()
    finally:
        for one in tries:
            one.cancel()
        for found in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(found, socket.socket):
                found.close()
    raise Unreachable("it does not answer")


async def _connect(address: str, port: int) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    try:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(CONNECT_SECONDS):
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
    except BaseException:
        connection.close()
        raise
    return connection


async def _proxy_itself(proxy: Upstream) -> socket.socket:
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM)
        return await _first([str(one[4][0]) for one in found], proxy.port)
    except (OSError, Unreachable):
        raise Unreachable(f"the proxy {proxy!r} does not answer") from None


async def _through(proxy: Upstream, target: Target) -> socket.socket:
    """Return a connection that a proxy of the person made."""
    from python_socks import ProxyError, ProxyTimeoutError, ProxyType
    from python_socks.async_.asyncio import Proxy

    kind = ProxyType.HTTP if proxy.kind == "http" else ProxyType.SOCKS5
    way = Proxy(kind, proxy.host, proxy.port, proxy.user or None, proxy.password or None, rdns=True)
    try:
        connection: socket.socket = await way.connect(*target, timeout=CONNECT_SECONDS)
    except ProxyError as error:
        raise Unreachable(f"the proxy {proxy!r} says: {str(error)[:200]}") from None
    except (OSError, ProxyTimeoutError, TimeoutError):
        raise Unreachable(f"the proxy {proxy!r} does not answer") from None
    return connection
