"""World of a demo: its own folders, a sealed network, and the scripted model on it."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from ctui.client.connection import stop_driver
from ctui.config import ImageConfig
from ctui.errors import Conflict, CtuiError, Unavailable
from ctui.gateway.finding import end_gateway
from ctui.paths import Paths, private_folder
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT, image_names
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import LABEL_INSTANCE, LABEL_TASK, Limits, Mount, SandboxSpec

_PORT = 8000
_MODEL_START_SECONDS = 60
_CLEANINGS = 3
"""Number of attempts: what is being made at the same time is only seen by a later one."""

_PAUSE_SECONDS = 0.3
_NOBODY = 65534
_KEPT = "CTUI_SCREEN_"
"""Prefix of variables that are kept, as the dashboard's looks are the person's own also here."""


class World(NamedTuple):
    """Running demo world."""

    folder: Path
    paths: Paths
    engine: Engine
    environ: Mapping[str, str]
    """Environment of every process of this world."""
    credential: str
    """Login for the scripted model, which accepts any."""


@asynccontextmanager
async def demo_world(model: str = "") -> AsyncIterator[World]:
    """Make a world, and leave nothing of it behind.

    Args:
        model: host and port of a scripted model that runs already, as the gateway reaches it;
            "" starts one on the engine.

    Raises:
        Unavailable: there is no engine or no image.
        Refused: no task could work on this engine.
    """
    engine = await Engine.connect()
    folder = Path(tempfile.mkdtemp(prefix="ctui-demo-"))
    credential = f"sk-ant-demo-{secrets.token_hex(16)}"
    environ = _environment(folder / "home", credential)
    paths = Paths.from_environment(environ)
    try:
        await engine.info()  # refuses one on which no task could work
        network = f"ctui-demo-{paths.instance}"
        labels = {LABEL_INSTANCE: paths.instance}
        await engine.ensure_network(network, labels, internal=True)
        model = model or f"{await start_model(engine, paths, network)}:{_PORT}"
        private_folder(paths.config)
        paths.config_file.write_text(
            f'[sandbox]\nnetwork = "{network}"\n\n[network]\nports = {_free_port()}\n\n'
            f'[claude]\nbase_url = "http://{model}"\n',
            encoding="utf-8",
        )
        yield World(folder, paths, engine, environ, credential)
    finally:
        await asyncio.shield(clean_up(engine, paths))
        await engine.close()
        await asyncio.to_thread(shutil.rmtree, folder)


def _free_port() -> int:
    """Return a port that nobody has: the usual one may be the person's own ctui's."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def start_model(engine: Engine, paths: Paths, network: str) -> str:
    """Start the scripted model on the network, and return its address there.

    The gateway reaches it from this machine, and a task that is on the network as well.
    """
    name = f"ctui-model-{paths.instance}"
    spec = SandboxSpec(
        name=name,
        image=await require_image(engine, ImageConfig()),
        entrypoint=("python3", "-I", "/ctui/model"),
        command=("--host", "0.0.0.0", "--port", str(_PORT)),  # noqa: S104 - of the internal network
        uid=_NOBODY,
        gid=_NOBODY,
        env={"PYTHONUNBUFFERED": "1"},
        mounts=(Mount(str(Path(__file__).parent / "model"), "/ctui/model", read_only=True),),
        network=network,
        labels={LABEL_INSTANCE: paths.instance, LABEL_TASK: ""},
        limits=Limits(memory=1 << 30),
    )
    container = await engine.create(spec)
    await engine.start(container)
    async with asyncio.timeout(_MODEL_START_SECONDS):
        # Its first line says that it listens.
        async for batch in follow_log(engine.endpoint, container):
            if batch:
                return await engine.address(container, network)
    raise Unavailable("the scripted model died at its start", hint=f"docker logs {name}")


async def clean_up(engine: Engine, paths: Paths) -> None:
    """Stop the driver, and remove all that the engine has of this instance."""
    for _ in range(_CLEANINGS):
        with suppress(Conflict):  # a container of an unfinished start has it
            await _clean_up_once(engine, paths)
        if not await leftovers(engine, paths):
            return
        await asyncio.sleep(_PAUSE_SECONDS)


async def _clean_up_once(engine: Engine, paths: Paths) -> None:
    with suppress(CtuiError, OSError):
        await stop_driver(paths)
    with suppress(CtuiError, OSError):
        await end_gateway(paths)
    labels = {LABEL_INSTANCE: paths.instance}
    for container in await engine.find(labels):
        await engine.remove(container.id)
    for volume in await engine.volumes(labels):
        await engine.remove_volume(volume)
    for network in await engine.networks(labels):
        await engine.remove_network(network)
    for image in await _images(engine, paths):
        await engine.remove_image(image)


async def leftovers(engine: Engine, paths: Paths) -> list[str]:
    """Return everything of this instance that the engine still has."""
    labels = {LABEL_INSTANCE: paths.instance}
    found = [f"container {item.name}" for item in await engine.find(labels)]
    found += [f"volume {name}" for name in await engine.volumes(labels)]
    found += [f"network {name}" for name in await engine.networks(labels)]
    found += [f"image {name}" for name in await _images(engine, paths)]
    return found


async def _images(engine: Engine, paths: Paths) -> list[str]:
    """Return the images of this instance's environments."""
    labels = [LABEL_ENVIRONMENT, f"{LABEL_INSTANCE}={paths.instance}"]
    found = await engine.ask(lambda client: client.images(filters={"label": labels}))
    return [name for item in found for name in image_names(item)]


def _environment(home: Path, credential: str) -> dict[str, str]:
    """Return this environment without any login or setting that would reach beyond the demo."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CTUI_", "ANTHROPIC_", "CLAUDE_")) or name.startswith(_KEPT)
    }
    return {**kept, "CTUI_HOME": str(home), "ANTHROPIC_API_KEY": credential}
