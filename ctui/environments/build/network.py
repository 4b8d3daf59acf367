"""The network of a build: none but the gateway's sockets, which one container has for all steps.

A build of the engine's and a set-up join that container's loopback, where its proxy and its
resolver are; what they reach is what the repository's tasks reach, and nobody is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.paths import Paths
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.environment_image import LABEL_ENVIRONMENT
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import follow_log
from ctui.sandbox.spec import (
    GATEWAY_FOLDER,
    LABEL_INSTANCE,
    LABEL_TASK,
    NO_NETWORK,
    Limits,
    Mount,
    SandboxSpec,
)

CONTAINER = "container:"
"""Beginning of the engine's name for the network that a container has."""
_NOBODY = 65534
_MEMORY = 256 << 20
_PIDS = 256
_SECONDS = 30.0
_CODE = (
    "import os, sys, threading; from pathlib import Path; sys.path.insert(0, '/ctui/bin/relay');"
    " from network.main import main; read, write = os.pipe();"
    " threading.Thread(target=lambda: (os.read(read, 1), print('ready', flush=True))).start();"
    " main(Path(sys.argv[1]), write)"
)


@asynccontextmanager
async def sealed_network(
    engine: Engine, paths: Paths, image: ImageConfig, plan: str, sockets: Path
) -> AsyncIterator[str]:
    """Have a network with nothing but the gateway in it, and yield what the engine calls it.

    Args:
        engine: that builds.
        paths: whose instance it is.
        image: of tasks, which has the gateway's other end.
        plan: the environment's id.
        sockets: folder of the access that was lent for it.

    Raises:
        Unavailable: it does not come up.
    """
    spec = SandboxSpec(
        name=f"ctui-{paths.instance[:8]}-network-{plan}",
        image=await require_image(engine, image),
        entrypoint=("/ctui/tree/bin/python3", "-I", "-S", "-c", _CODE),
        command=(GATEWAY_FOLDER,),
        uid=_NOBODY,
        gid=_NOBODY,
        env={},
        mounts=(Mount(str(sockets), GATEWAY_FOLDER, read_only=True),),
        network=NO_NETWORK,
        resolver="127.0.0.1",
        labels={LABEL_INSTANCE: paths.instance, LABEL_ENVIRONMENT: plan, LABEL_TASK: ""},
        limits=Limits(memory=_MEMORY, cpus=1.0, pids=_PIDS, tmp=_MEMORY // 4),
    )
    await engine.remove(spec.name)  # what a killed build left
    container = await engine.create(spec)
    try:
        await engine.start(container)
        await _ready(engine, container)
        yield f"{CONTAINER}{spec.name}"
    finally:
        await asyncio.shield(engine.remove(container))


async def _ready(engine: Engine, container: str) -> None:
    try:
        async with asyncio.timeout(_SECONDS):
            async for lines in follow_log(engine.endpoint, container):
                if any(line.stream == "out" for line in lines):
                    return
    except TimeoutError:
        pass
    raise Unavailable("the network of the build does not come up", hint="`ctui doctor`")
