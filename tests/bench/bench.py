"""`make bench`: speed as ratios, the two sides of each in turn in one run.

    python -m tests.bench.bench [start] [task-list] [run] [replay] [paint] [keys] [open]
                                [proofs] [many] [mcp] [followers]

Absolute times depend on the machine; only the ratios are promised.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from ctui.claude.login.credentials import Redactor
from ctui.claude.protocol import control
from ctui.claude.task_home import RunOptions, first_line, task_home
from ctui.client.client import _Tail
from ctui.config import ImageConfig, load_config
from ctui.demo.model.script import fenced
from ctui.demo.repository import make_demo_repository
from ctui.demo.world import World, demo_world
from ctui.paths import Paths
from ctui.sandbox.docker.container_body import create_body
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, Mount, SandboxSpec
from ctui.tasks.driver.server import _Viewer
from ctui.tasks.journal.archive import FILE_NAME, Journal
from tests.bench import web
from tests.bench.figures import ratio
from tests.bench.many import many
from tests.bench.mcp_server import mcp
from tests.bench.screen import first_paint, live_keys, opening
from tests.bench.worktrees import proofs
from tests.sandbox.containers import plain_spec

PYTHON = sys.executable
CTUI = str(Path(sys.executable).with_name("ctui"))
REPLAY_BYTES = 200_000_000
_INITIALIZE = (
    b'{"type":"control_request","request_id":"1","request":{"subtype":"initialize","hooks":null}}\n'
)
"""Without ctui's tools, whose handshake nobody would answer here."""


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


async def run() -> None:
    """From the start of the command to the CLI's init event, a driver running."""
    async with demo_world() as world:
        repository = make_demo_repository(world.folder / "repository")
        subprocess.run(
            [CTUI, "worktree", "create", "bench"],
            cwd=repository,
            env=dict(world.environ),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        ours, theirs = [], []
        for number in range(6):
            ours.append(await _until_init(_ctui_run(repository), b"", world, repository))
            spec, line = _bare_spec(world, repository, number)
            theirs.append(await _until_init(_docker_run(spec), line, world, repository))
        _remove_volumes(world)
        # The first pair also starts the driver.
        ratio("ctui run / docker run, to init", "<= 1.4", ours[1:], theirs[1:])
        ratio("  the same with the driver's start", "-", ours[:1], theirs[:1])


def _remove_volumes(world: World) -> None:
    """Those of the bare runs: `docker run` makes them, and nobody else knows of them."""
    names = [f"ctui-bench-{world.paths.instance}-{number}" for number in range(6)]
    command = ["docker", "volume", "rm", "--force", *names]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _ctui_run(repository: Path) -> list[str]:
    del repository
    return [CTUI, "run", "--worktree", "bench", "--json", "Hi.\n" + fenced("say Hi.")]


def _bare_spec(world: World, repository: Path, number: int) -> tuple[SandboxSpec, bytes]:

    session = f"00000000-0000-4000-8000-00000000000{number}"
    options = RunOptions(session=session, resume=False, branch="bench")
    config = load_config(world.paths, {})
    home = task_home(options)
    volume = f"ctui-bench-{world.paths.instance}-{number}"
    (worktree,) = (world.paths.worktrees).glob("*/bench")
    owner = worktree.stat()
    spec = SandboxSpec(
        name=volume,
        image=image_tag(ImageConfig()),
        command=home.arguments,
        uid=owner.st_uid,
        gid=owner.st_gid,
        env={**home.env, "ANTHROPIC_BASE_URL": config.claude.base_url},
        mounts=(
            Mount(str(worktree), "/workspace"),
            Mount(f"{repository}/.git/objects", f"{repository}/.git/objects", read_only=True),
            Mount(volume, HOME, kind="volume"),
        ),
        network=config.sandbox.network,
        labels={LABEL_INSTANCE: world.paths.instance},
    )
    line = first_line(home, {"ANTHROPIC_API_KEY": world.credential})
    message = control.user_message("Hi.\n" + fenced("say Hi."), session)
    return spec, line + _INITIALIZE + message


def _docker_run(spec: SandboxSpec) -> list[str]:
    host = create_body(spec)["HostConfig"]
    command = ["docker", "run", "--rm", "-i", "--read-only", "--cap-drop=ALL"]
    command += ["--security-opt=no-new-privileges", f"--memory={host['Memory']}"]
    command += [f"--memory-swap={host['MemorySwap']}", f"--cpus={spec.limits.cpus}"]
    command += [f"--pids-limit={spec.limits.pids}", f"--network={spec.network}"]
    command += [f"--tmpfs=/tmp:{host['Tmpfs']['/tmp']}", f"--user={spec.uid}:{spec.gid}"]
    for name, value in {**spec.env, "HOME": HOME}.items():
        command.append(f"--env={name}={value}")
    for name, value in spec.labels.items():
        command.append(f"--label={name}={value}")
    for mount in spec.mounts:
        read_only = ",readonly" if mount.read_only else ""
        command.append(
            f"--mount=type={mount.kind},source={mount.source},target={mount.target}{read_only}"
        )
    return [*command, spec.image, *spec.command]


async def _until_init(
    command: Sequence[str], stdin: bytes, world: World, repository: Path
) -> float:
    """Seconds from the start of the process to the CLI's init line on its stdout."""
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=repository,
        env=dict(world.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=1 << 24,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(stdin)
    took = 0.0
    while line := await process.stdout.readline():
        if not took and b'"subtype":"init"' in line[:200]:
            took = time.perf_counter() - begun
        if b'"type":"result"' in line[:200]:
            break
    process.stdin.close()
    if stdin:
        process.terminate()  # the relay outlives its stdin
    await process.stdout.read()
    await process.wait()
    return took


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
    for name in arguments or BENCHES:
        await BENCHES[name]()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
