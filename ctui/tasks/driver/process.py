"""The driver: the one background process of a user, which runs all of their tasks.

    python -P -m ctui.tasks.driver.process --ready FD

Any front end starts it on demand. It says `ready` (or what is wrong, as a `Failure`) on FD, serves
its socket, and exits when nothing ran and nobody was connected for a minute. `kill -9` is fine at
any moment: the next driver adopts everything.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable

from ctui.claude.login.login import LoginSearch
from ctui.claude.login.named import NamedSearch
from ctui.daemon.life import IDLE_SECONDS, live
from ctui.daemon.listener import Listener
from ctui.gateway.egress.opened.authority import certificate_of
from ctui.gateway.link import Link
from ctui.gateway.model import FromGateway
from ctui.paths import Paths
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.tasks.driver.server import Server
from ctui.tasks.engine import TaskEngine
from ctui.tasks.environments import LocalEnvironments
from ctui.tasks.journal.archives import Journals
from ctui.tasks.journal.service_logs import ServiceLogs
from ctui.tasks.mailbox.ports import Account, Services
from ctui.tasks.network.desk import NetworkDesk
from ctui.tasks.network.lent import lent_by
from ctui.tasks.runs.logins import Logins, Sources
from ctui.tasks.secrets.values import read_values
from ctui.tasks.settings import Settings
from ctui.tasks.store import Store, now
from ctui.tasks.workspace import LocalWorkspace

_BUSY_SECONDS = 0.2
"""Time limit of waiting for a locked store at the start; later no step waits for it."""


class Driver:
    """Holder of the parts from start to exit."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._over = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until told to stop, or idle for long enough."""
        store = Store(self.paths.database, busy_seconds=_BUSY_SECONDS)
        endpoint = resolve_endpoint()
        logins = self._logins()
        runner = DockerRunner(
            await Engine.connect(endpoint),
            self.paths.instance,
            self.paths.state / "accounts",
            ServiceLogs(self.paths, logins.redactor).keep,
        )
        server = Server(self._over.set, self._watch_idle, engine=endpoint.identity)
        link = Link(self.paths, self._heard)
        tasks = TaskEngine(self._services(store, runner, server, logins, link), self._taken_ids())
        server.tasks, server.commands = tasks, DockerCommands(endpoint)
        self._server, self._tasks = server, tasks
        self._desk.tell = tasks.tell
        self._desk.take_over()
        tasks.adopt()
        listener = Listener(self.paths.driver_socket, server.serve)
        await listener.open()
        ready()
        self._watch_idle()
        await self._over.wait()
        listener.close()
        # Before whoever waits for us to go hears of it: they may end the gateway next, and a link
        # that is still there would start it anew.
        await link.close()
        await server.hang_up()
        await tasks.detach()
        await runner.close()
        store.close()

    def _heard(self, event: FromGateway) -> None:
        self._desk.hear(event)

    def _logins(self) -> Logins:
        search = LoginSearch(self.paths)
        names = NamedSearch(self.paths)
        config = Settings(self.paths)
        sources = Sources(
            own=lambda but: Account(search.find(but=but), config().claude.base_url),
            stored=lambda but: search.kept(but=but),
            named=lambda name, but: Account(names.find(name, but=but), config().claude.base_url),
            secrets=lambda names, environ: read_values(self.paths, names, environ),
            lent=lambda environ: lent_by(self.paths, config(), environ),
        )
        return Logins(sources)

    def _services(
        self, store: Store, runner: DockerRunner, server: Server, logins: Logins, link: Link
    ) -> Services:
        config, folder = Settings(self.paths), self.paths.gateway_folders
        self._desk = NetworkDesk(link, folder, store, logins, config)
        return Services(
            store=store,
            runner=runner,
            workspace=LocalWorkspace(self.paths, store, logins.shell, config),
            logins=logins,
            journals=Journals(self.paths, store, logins.redactor),
            network=self._desk,
            sockets=folder,
            instance=self.paths.instance,
            config=config,
            publish=server.publish,
            now=now,
            config_folder=self.paths.config,
            authority=lambda: certificate_of(self.paths.authority).decode(),
            environments=LocalEnvironments(self.paths, self._desk.lend),
            booted=_booted(),
        )

    def _taken_ids(self) -> set[str]:
        folder = self.paths.state / "tasks"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()

    def stop(self) -> None:
        self._over.set()

    def _watch_idle(self) -> None:
        """Start the idle time anew, at whose end an idle driver exits."""
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._exit_if_idle)

    def _exit_if_idle(self) -> None:
        if self._tasks.busy or self._server.connections or self._desk.lends:
            self._watch_idle()
        else:
            self._over.set()


def _booted() -> int:
    """Return when this machine was started, in nanoseconds since the epoch; 0 if unknown."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return now() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def main() -> int:
    paths = Paths.from_environment()

    def run(ready: Callable[[], None]) -> None:
        asyncio.run(_serve(Driver(paths), ready))

    return live("driver", paths.driver_log, paths.driver_lock, paths, run)


async def _serve(driver: Driver, ready: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, driver.stop)
    await driver.run(ready)


if __name__ == "__main__":
    sys.exit(main())
