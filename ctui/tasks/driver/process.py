"""The driver: the one background process of a user, which runs all of their tasks.

    python -P -m ctui.tasks.driver.process --ready FD

Any front end starts it on demand. It says `ready` (or what is wrong, as a `Failure`) on FD, serves
its socket, and exits when nothing ran and nobody was connected for a minute. `kill -9` is fine at
any moment: the next driver adopts everything.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from ctui import __version__, rpc
from ctui.claude.login.login import LoginSearch
from ctui.claude.login.named import NamedSearch
from ctui.errors import CtuiError
from ctui.file_lock import FileLock
from ctui.paths import Paths, private_folder, refuse_network_file_system
from ctui.sandbox.docker.docker_commands import DockerCommands
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import resolve_endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.tasks.driver.listener import Listener
from ctui.tasks.driver.server import Server
from ctui.tasks.engine import TaskEngine
from ctui.tasks.environments import LocalEnvironments
from ctui.tasks.journal.archives import Journals
from ctui.tasks.mailbox.ports import Account, Services
from ctui.tasks.runs.logins import Logins, Sources
from ctui.tasks.secrets.values import read_values
from ctui.tasks.settings import Settings
from ctui.tasks.store import Store, now
from ctui.tasks.workspace import LocalWorkspace

log = logging.getLogger(__name__)

IDLE_SECONDS = 60.0
_BUSY_SECONDS = 0.2
"""Time limit of waiting for a locked store at the start; later no step waits for it."""
BUSY = "busy"
"""Line to whoever starts a driver: another one holds the lock already."""


class Driver:
    """Holder of the parts from start to exit."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self._over = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None

    async def run(self, ready: int) -> None:
        """Serve until told to stop, or idle for long enough."""
        store = Store(self.paths.database, busy_seconds=_BUSY_SECONDS)
        endpoint = resolve_endpoint()
        runner = DockerRunner(
            await Engine.connect(endpoint), self.paths.instance, self.paths.state / "accounts"
        )
        server = Server(self._over.set, self._watch_idle, engine=endpoint.identity)
        tasks = TaskEngine(self._services(store, runner, server), self._taken_ids())
        server.tasks, server.commands = tasks, DockerCommands(endpoint)
        self._server, self._tasks = server, tasks
        tasks.adopt()
        listener = Listener(self.paths.driver_socket, server.serve)
        await listener.open()
        _say(ready, "ready")
        self._watch_idle()
        await self._over.wait()
        listener.close()
        await server.hang_up()
        await tasks.detach()
        await runner.close()
        store.close()

    def _services(self, store: Store, runner: DockerRunner, server: Server) -> Services:
        search = LoginSearch(self.paths)
        names = NamedSearch(self.paths)
        config = Settings(self.paths)
        sources = Sources(
            own=lambda but: Account(search.find(but=but), config().claude.base_url),
            stored=lambda but: search.kept(but=but),
            named=lambda name, but: Account(names.find(name, but=but), config().claude.base_url),
            secrets=lambda names, environ: read_values(self.paths, names, environ),
        )
        logins = Logins(sources)
        return Services(
            store=store,
            runner=runner,
            workspace=LocalWorkspace(self.paths, store, logins.shell),
            logins=logins,
            journals=Journals(self.paths, store, logins.redactor),
            instance=self.paths.instance,
            config=config,
            publish=server.publish,
            now=now,
            config_folder=self.paths.config,
            environments=LocalEnvironments(self.paths),
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
        if self._tasks.busy or self._server.connections:
            self._watch_idle()
        else:
            self._over.set()


def _booted() -> int:
    """Return when this machine was started, in nanoseconds since the epoch; 0 if unknown."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0
    return now() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def main() -> int:
    parser = argparse.ArgumentParser(prog="ctui.tasks.driver.process")
    parser.add_argument("--ready", type=int, required=True)
    ready: int = parser.parse_args().ready
    if os.fork():
        # The driver must not be the child of the front end that happens to start it.
        os._exit(0)
    os.setsid()
    paths = Paths.from_environment()
    try:
        private_folder(paths.state)
        refuse_network_file_system(paths.state)
        _log_to(paths.driver_log)
        return _hold_lock_and_run(paths, ready)
    except CtuiError as error:
        _say(ready, msgspec.json.encode(rpc.failure_of(error)).decode())
        return 1


def _hold_lock_and_run(paths: Paths, ready: int) -> int:
    lock = FileLock(paths.driver_lock)
    if not lock.acquire(0):
        _say(ready, BUSY)
        return 0
    with lock:
        asyncio.run(_serve(Driver(paths), ready))
    return 0


async def _serve(driver: Driver, ready: int) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, driver.stop)
    await driver.run(ready)


def _say(ready: int, text: str) -> None:
    """Write one line to whoever started us, and close the descriptor."""
    with suppress(OSError):
        os.write(ready, text.encode() + b"\n")
        os.close(ready)


def _log_to(path: Path) -> None:
    handler = logging.FileHandler(path, encoding="utf-8")
    path.chmod(0o600)
    logging.basicConfig(
        level=logging.INFO, handlers=[handler], format="%(asctime)s %(levelname)s %(message)s"
    )
    logging.getLogger(__name__).info("driver %s, pid %d", __version__, os.getpid())


if __name__ == "__main__":
    sys.exit(main())
