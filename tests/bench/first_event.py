"""How soon the CLI begins: by `ctui run` and from the dashboard, beside a bare `docker run`."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ctui.claude.protocol import control
from ctui.claude.task_home import RunOptions, first_line, task_home
from ctui.client.client import Client
from ctui.config import ImageConfig, load_config
from ctui.demo.model.script import fenced
from ctui.demo.world import World, demo_world
from ctui.sandbox.docker.container_body import create_body
from ctui.sandbox.docker.image import image_tag
from ctui.sandbox.spec import HOME, LABEL_INSTANCE, Mount, SandboxSpec
from ctui.tasks.calls import StopTask
from tests.bench.figures import ratio
from tests.bench.terminal import Pty
from tests.conftest import make_repository

_CTUI = str(Path(sys.executable).with_name("ctui"))
_ROUNDS = 6
_SLOTS = 2 * _ROUNDS
"""Bare runs: one beside each of both ways."""

_DRAIN_SECONDS = 4.0
_PATIENCE_SECONDS = 40.0
_PROMPT = "Hi.\n" + fenced("say Hi.")
_INITIALIZE = (
    b'{"type":"control_request","request_id":"1","request":{"subtype":"initialize","hooks":null}}\n'
)
"""Without ctui's tools, whose handshake nobody would answer here."""


async def run() -> None:
    """From the start of the command to the CLI's init event, a driver running."""
    async with demo_world() as world:
        repository = make_repository(world.folder)
        _make_worktree(world, repository)
        try:
            await _compare(world, repository)
        finally:
            _remove_volumes(world)


async def _compare(world: World, repository: Path) -> None:
    ours, theirs = [], []
    for number in range(_ROUNDS):
        ours.append(await until_init(_ctui_run(), b"", world, repository))
        theirs.append(await _bare(world, repository, number))
    # The first pair also starts the driver.
    ratio("ctui run / docker run, to init", "<= 1.4", ours[1:], theirs[1:])
    ratio("  the same with the driver's start", "-", ours[:1], theirs[:1])
    ours, theirs = await _from_dashboard(world, repository)
    ratio("key / docker run, to init", "<= 1.15", ours[1:], theirs[1:])


def _make_worktree(world: World, repository: Path) -> None:
    subprocess.run(
        [_CTUI, "worktree", "create", "bench"],
        cwd=repository,
        env=dict(world.environ),
        check=True,
        stdout=subprocess.DEVNULL,
    )


async def _from_dashboard(world: World, repository: Path) -> tuple[list[float], list[float]]:
    """From the key that starts a task in the highlighted worktree to init at another front end."""
    ours, theirs = [], []
    app = Pty([sys.executable, "-m", "ctui", str(repository)], world.environ)
    try:
        await asyncio.to_thread(app.until, "bench")
        for number in range(_ROUNDS):
            ours.append(await _until_key_did(app, f"key-{number}", world))
            theirs.append(await _bare(world, repository, _ROUNDS + number))
    finally:
        app.close()
    return ours, theirs


async def _until_key_did(app: Pty, name: str, world: World) -> float:
    """Seconds from ctrl+s in the form to the init event as this process gets it."""
    await _typed(app, b"n")
    await _typed(app, f"\x1b[200~{name}\n\n{fenced('say Hi.')}\x1b[201~".encode())
    pressed = app.press(b"\x13")
    draining = asyncio.create_task(asyncio.to_thread(app.drain, _DRAIN_SECONDS))
    async with Client(world.paths, world.environ) as client:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            task = await _begun(client, name)
            async for batch in client.follow(task):
                if any('"subtype":"init"' in entry.line[:200] for entry in batch):
                    break
        took = time.perf_counter() - pressed
        await draining
        await client.call(StopTask(task))
    return took


async def _begun(client: Client, name: str) -> str:
    """The id of the task with that prompt as soon as there is one."""
    async for update in client.watch():
        if update.task is not None and update.task.prompt.startswith(name):
            return update.task.id
    raise SystemExit(f"no task {name} began")


async def _typed(app: Pty, keys: bytes) -> None:
    app.press(keys)
    await asyncio.to_thread(app.drain, 1.0)


def _remove_volumes(world: World) -> None:
    """Those of the bare runs: `docker run` makes them, and nobody else knows of them."""
    names = [f"ctui-bench-{world.paths.instance}-{number}" for number in range(_SLOTS)]
    command = ["docker", "volume", "rm", "--force", *names]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _ctui_run() -> list[str]:
    return [_CTUI, "run", "--worktree", "bench", "--json", _PROMPT]


async def _bare(world: World, repository: Path, number: int) -> float:
    spec, line = _bare_spec(world, repository, number)
    return await until_init(_docker_run(spec), line, world, repository)


def _bare_spec(world: World, repository: Path, number: int) -> tuple[SandboxSpec, bytes]:
    session = f"00000000-0000-4000-8000-{number:012}"
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
    message = control.user_message(_PROMPT, session)
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


async def until_init(command: Sequence[str], stdin: bytes, world: World, repository: Path) -> float:
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
