"""`make bench`: speed as ratios, the two sides of each in turn in one run.

    python -m tests.bench.bench [start] [task-list] [run] [replay] [paint] [keys] [open]
                                [proofs] [many] [mcp] [followers] [flood]
                                [task-history] [full-home] [memory] [worktree-commands] [shell]
                                [environment] [gateway-api] [network] [review]

Absolute times depend on the machine; only the ratios are promised.
"""

from __future__ import annotations

import asyncio
import compileall
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import ctui
from ctui.client.client import _Tail
from ctui.config import ImageConfig
from ctui.demo.world import World, demo_world
from ctui.paths import Paths
from ctui.redaction.redactor import Redactor
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import LABEL_INSTANCE
from ctui.tasks.driver.server import _Viewer
from ctui.tasks.journal.archive import FILE_NAME, Journal
from tests.bench import web
from tests.bench.environment import environment
from tests.bench.figures import ratio
from tests.bench.first_event import run
from tests.bench.flood import flood
from tests.bench.gateway_api import gateway_api
from tests.bench.homes import full_home, task_history
from tests.bench.many import many
from tests.bench.mcp_server import mcp
from tests.bench.memory import memory
from tests.bench.network import run as network
from tests.bench.review import review
from tests.bench.screen import first_paint, live_keys, opening
from tests.bench.shell import shell
from tests.bench.worktree_commands import worktree_commands
from tests.bench.worktrees import proofs
from tests.sandbox.containers import plain_spec

PYTHON = sys.executable
CTUI = str(Path(sys.executable).with_name("ctui"))
REPLAY_BYTES = 200_000_000


def timed(command: Sequence[str], environ: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


async def start() -> None:
    _pairs("ctui --version / import click", "<= 1.6", [CTUI, "--version"])


async def task_list() -> None:
    _pairs("ctui task list / import click", "<= 3.0", [CTUI, "task", "list"])


def _pairs(name: str, limit: str, command: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "CTUI_HOME": home}
        other = [PYTHON, "-c", "import click"]
        timed(command, environ)
        timed(other, environ)
        ours, theirs = [], []
        for _ in range(15):
            ours.append(timed(command, environ))
            theirs.append(timed(other, environ))
        ratio(name, limit, ours, theirs)


async def replay() -> None:
    """A finished log of 200 MB: engine, journal, socket, another process; against `docker logs`."""
    async with demo_world() as world:
        container = await _big_log(world)
        ours, theirs = [], []
        for number in range(3):
            with tempfile.TemporaryDirectory() as folder:
                begun = time.perf_counter()
                with (Path(folder) / "log").open("wb") as file:
                    subprocess.run(["docker", "logs", container], stdout=file, check=True)
                theirs.append(time.perf_counter() - begun)
            ours.append(await _replay_once(world, container, number))
        # Speed is the inverse of time.
        ratio("docker logs / replay, in time", ">= 0.6", theirs, ours)


async def _big_log(world: World) -> str:
    program = (
        "import json, sys\nsize = n = 0\n"
        f"while size < {REPLAY_BYTES}:\n"
        "    line = json.dumps({'type': 'user', 'n': n, 'x': 'y' * (700 + n * 7919 % 99_000)})\n"
        "    sys.stdout.write(line + '\\n'); size += len(line); n += 1\n"
    )
    name, labels = f"ctui-bench-log-{world.paths.instance}", {LABEL_INSTANCE: world.paths.instance}
    image = image_tag(ImageConfig())
    spec = plain_spec(name, image, "python3", "-c", program, labels=labels)
    container = await world.engine.create(spec)
    await world.engine.start(container)
    async for _ in follow_log(world.engine.endpoint, container):
        pass
    return container


async def _replay_once(world: World, container: str, number: int) -> float:
    task = f"replay-{number}"
    journal = Journal(world.paths.task(task), Redactor(["sk-ant-not-in-there"]))
    connected: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()
    socket = world.folder / f"{number}.sock"

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set_result(writer)

    server = await asyncio.start_unix_server(serve, path=socket)
    subscriber = await asyncio.create_subprocess_exec(
        *(PYTHON, "-m", "tests.bench.bench", "subscribe", str(socket), task),
        env={**world.environ, **world.paths.environment()},
        stdout=asyncio.subprocess.PIPE,
    )
    writer = await connected
    journal.follow(_Viewer(journal, writer))
    begun = time.perf_counter()
    lines = 0
    async for batch in follow_log(world.engine.endpoint, container, follow=False):
        journal.append(1, batch)
        lines += len(batch)
        await asyncio.sleep(0)
    writer.write(b"S%d\n" % journal.size)
    await writer.drain()
    writer.write_eof()
    output, _ = await subscriber.communicate()
    took = time.perf_counter() - begun
    server.close()
    if int(output) != lines:
        raise SystemExit(f"the subscriber saw {int(output)} of {lines} lines")
    (world.paths.task(task) / FILE_NAME).unlink()
    return took


async def subscribe(socket: str, task: str) -> None:
    """The other process: counts the entries that it gets."""
    reader, _ = await asyncio.open_unix_connection(socket, limit=1 << 20)
    tail = _Tail(Paths.from_environment(), task, 0)
    count = 0
    while data := await reader.read(1 << 18):
        count += sum(len(batch) for batch in tail.take(data))
    print(count)


BENCHES: dict[str, Callable[[], Awaitable[None]]] = {
    "start": start,
    "task-list": task_list,
    "run": run,
    "replay": replay,
    "paint": first_paint,
    "keys": live_keys,
    "open": opening,
    "proofs": proofs,
    "many": many,
    "mcp": mcp,
    "followers": web.followers,
    "flood": flood,
    "task-history": task_history,
    "full-home": full_home,
    "memory": memory,
    "worktree-commands": worktree_commands,
    "shell": shell,
    "environment": environment,
    "gateway-api": gateway_api,
    "network": network,
    "review": review,
}


async def main(arguments: Sequence[str]) -> None:
    if arguments[:1] == ["subscribe"]:
        await subscribe(*arguments[1:])
        return
    if arguments[:1] == ["drive"]:
        await web.drive(*arguments[1:])
        return
    if arguments[:1] == ["crowd"]:
        await web.crowd(*arguments[1:])
        return
    # As an installed one is, also where PYTHONDONTWRITEBYTECODE is set.
    compileall.compile_dir(Path(ctui.__file__).parent, quiet=2)
    for name in arguments or BENCHES:
        await BENCHES[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
