"""A real gateway in a process of its own, and a driver's side of it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import httpx2
import msgspec

from ctui import rpc
from ctui.gateway.egress.policy import Policy
from ctui.gateway.link import Link
from ctui.gateway.model import Access, FromGateway, Login
from ctui.paths import Paths, private_folder

WAIT_SECONDS = 30.0
T = TypeVar("T")
Event = TypeVar("Event", bound=FromGateway)


class Home:
    """Folders of a person, with runs' folders below a short path."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.paths = Paths.from_environment({"CTUI_HOME": str(root / "home")})
        private_folder(self.paths.state)
        self.environ: Mapping[str, str] | None = None
        """Of a gateway that is started; None is this process's own."""
        self.events: list[FromGateway] = []
        self._came = asyncio.Condition()

    def access(self, task: str = "a", **more: object) -> Access:
        folder = self.root / task
        folder.mkdir(exist_ok=True)
        given: dict[str, object] = {"egress": Policy(), "login": "the key", **more}
        return Access(f"{task}/1", task, task, str(folder), **given)  # type: ignore[arg-type]

    def take(self, event: FromGateway) -> None:
        self.events.append(event)
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._came:
            self._came.notify_all()

    async def event(
        self, kind: type[Event], seen: Callable[[Event], bool] = lambda _: True
    ) -> Event:
        """The first event of a kind that is so, as soon as it is there."""

        def found() -> list[Event]:
            return [one for one in self.events if isinstance(one, kind) and seen(one)]

        async with asyncio.timeout(WAIT_SECONDS), self._came:
            await self._came.wait_for(lambda: bool(found()))
        return found()[0]

    def client(self, task: str = "a") -> httpx2.AsyncClient:
        transport = httpx2.AsyncHTTPTransport(uds=str(self.root / task / "api.sock"), verify=False)
        return httpx2.AsyncClient(
            transport=transport, base_url="http://api.anthropic.com", timeout=WAIT_SECONDS
        )

    async def pid(self) -> int:
        """The gateway's process, by its own word."""
        reader, writer = await asyncio.open_unix_connection(self.paths.gateway_socket)
        hello = msgspec.json.decode(await rpc.read_line(reader), type=rpc.Hello)
        writer.close()
        return hello.pid

    async def kill(self) -> int:
        """End the gateway as a full machine does, and return who it was."""
        pid = await self.pid()
        os.kill(pid, signal.SIGKILL)
        await gone(pid)
        return pid

    def log(self) -> str:
        return self.paths.gateway_log.read_text()


async def gone(pid: int) -> None:
    """Wait until a process has ended, whether or not somebody has asked how."""
    async with asyncio.timeout(WAIT_SECONDS):
        while _lives(pid):  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def booked(read: Callable[[], T], seen: Callable[[T], bool]) -> T:
    """What is in the books, as soon as it is so: they are written a moment after it was said."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not seen(found := read()):  # noqa: ASYNC110 - of a file
            await asyncio.sleep(0.02)
    return found


@asynccontextmanager
async def home() -> AsyncIterator[Home]:
    """Make a home, and end the gateway of it afterwards."""
    root = Path(tempfile.mkdtemp(prefix="ctui-gw-"))
    made = Home(root)
    try:
        yield made
    finally:
        with suppress(OSError, msgspec.DecodeError, ProcessLookupError):
            pid = await made.pid()
            os.kill(pid, signal.SIGTERM)
            await gone(pid)
        shutil.rmtree(root, ignore_errors=True)


@asynccontextmanager
async def linked(
    made: Home, accesses: Iterable[Access] = (), logins: Iterable[Login] = ()
) -> AsyncIterator[Link]:
    """Be a driver that has pushed a table."""
    async with Link(made.paths, made.take, made.environ) as link:
        assert await link.serve(accesses, logins) == {}
        yield link
