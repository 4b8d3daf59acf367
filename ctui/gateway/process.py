"""The gateway's process: one for each home, which outlives every driver.

    python -P -m ctui.gateway.process --ready FD

A driver starts it, and tells it over its control socket what to serve (`link`). It holds every
login in its memory only, and forgets them when it ends. `kill -9` is fine at any moment: the next
one is told everything again, makes the sockets anew, and ends in the books what was under way. It
ends by itself a minute after the last driver has gone, if there is no run and no call any more.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sys
from collections.abc import Callable

from ctui.daemon.life import IDLE_SECONDS, live
from ctui.daemon.listener import Listener
from ctui.errors import InvalidInput
from ctui.gateway.api.app import Api
from ctui.gateway.api.call import estimate
from ctui.gateway.api.exchange import Shared
from ctui.gateway.api.place import held_by_all
from ctui.gateway.api.server import api_config, quiet_libraries
from ctui.gateway.api.upstream import Upstream
from ctui.gateway.asks import Asks
from ctui.gateway.books.books import Books
from ctui.gateway.control import Control, Hands
from ctui.gateway.egress.names import BadName
from ctui.gateway.egress.opened.authority import Authority
from ctui.gateway.egress.upstream import Upstreams, upstreams_of
from ctui.gateway.logins import Logins
from ctui.gateway.openings import Openings
from ctui.gateway.site import Parts, Site
from ctui.gateway.table import Table
from ctui.paths import Paths

log = logging.getLogger(__name__)

_LEAVE_SECONDS = 30.0
"""For which calls that are under way may go on when another version takes over."""
_LOOK_SECONDS = 0.1
_MOST_FILES = 65_536


class Gateway:
    """Holder of the parts from start to exit."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._over = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._control = Control(self.watch_idle)

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to stop, or not needed for long enough."""
        books = await Books.open(self._paths.network_books, estimate)
        upstream = Upstream(os.environ)
        logins, asks = Logins(self._control.tell), Asks(self._control.tell)
        self._api = Api(Shared(books, logins, upstream, self._control.tell))
        own_ports: set[int] = set()
        parts = Parts(
            config=api_config(self._api),
            books=books,
            asks=asks,
            held=held_by_all(),
            proxies=_proxies(),
            authority=Authority(self._paths.authority),
            own_ports=own_ports,
            tell=self._control.tell,
        )
        openings = Openings(self._paths.ports_secret, own_ports)
        self._table = Table(logins, openings, lambda access: Site(parts, access))
        self._control.use(Hands(self._table, asks, self._leave))
        listener = Listener(self._paths.gateway_socket, self._control.serve)
        await listener.open()
        ready()
        self.watch_idle()
        await self._over.wait()
        listener.close()
        self._control.hang_up()
        await self._table.close()
        await upstream.close()
        await books.close()

    def stop(self) -> None:
        self._over.set()

    def watch_idle(self) -> None:
        """Start the idle time anew, at whose end a gateway that nobody needs exits."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._exit_if_idle)

    def _exit_if_idle(self) -> None:
        if self._control.connections or self._table.sites:
            self.watch_idle()
        else:
            log.info("nobody needs the gateway any more")
            self._over.set()

    def _leave(self) -> None:
        """Make room for another version, as soon as no call is under way."""
        self._api.leaving = True
        self._leaving = asyncio.create_task(self._left(), name="leaving")

    async def _left(self) -> None:
        deadline = asyncio.get_running_loop().time() + _LEAVE_SECONDS
        while any(site.place.calls for site in self._table.sites):
            if asyncio.get_running_loop().time() >= deadline:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        self._over.set()


def _proxies() -> Upstreams:
    """Return the person's proxies; with one that cannot be used nothing leads anywhere."""
    try:
        return upstreams_of(os.environ)
    except BadName as error:
        raise InvalidInput(
            f"the proxies of the environment cannot be used: {error}",
            hint="mend HTTPS_PROXY, HTTP_PROXY or ALL_PROXY, then stop the driver",
        ) from error


def main() -> int:
    paths = Paths.from_environment()
    # Nothing that it writes is for others, and its memory is for nobody.
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _allow_many_files()
    # The thread of the books must not keep the loop waiting: 5 ms are more than a call may cost.
    sys.setswitchinterval(0.0005)
    quiet_libraries()

    def run(ready: Callable[[], None]) -> None:
        asyncio.run(_serve(Gateway(paths), ready))

    return live("gateway", paths.gateway_log, paths.gateway_lock, paths, run)


async def _serve(gateway: Gateway, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, gateway.stop)
    await gateway.run(ready)


def _allow_many_files() -> None:
    """Take as many descriptors as may be had: each connection of a task is one or two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if most == resource.RLIM_INFINITY else min(most, _MOST_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


if __name__ == "__main__":
    sys.exit(main())
