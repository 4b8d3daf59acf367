"""Containers as tasks are, with nothing but loopback and a folder of sockets."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from ctui.config import ImageConfig
from ctui.paths import WORKSPACE
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import Stdin, follow_log
from ctui.sandbox.spec import LABEL_INSTANCE, Mount, SandboxSpec

UID = 54321

PROXY = "http://127.0.0.1:3128"
ENVIRONMENT = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), PROXY),
    **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
}


class Box:
    """One container, whose program writes JSON lines."""

    def __init__(self, engine: Engine, container: str) -> None:
        self._engine = engine
        self._container = container
        self._lines = self._read()

    async def _read(self) -> AsyncIterator[dict[str, Any]]:
        async for batch in follow_log(self._engine.endpoint, self._container):
            for line in batch:
                if line.stream == "err":
                    continue
                yield json.loads(line.data)

    async def said(self) -> dict[str, Any]:
        """Return the next line of its program."""
        return await anext(self._lines)


@asynccontextmanager
async def boxes(config: ImageConfig | None = None) -> AsyncIterator[Any]:
    """Give a function that starts a container with a folder of sockets and a program."""
    engine = await Engine.connect()
    image = await require_image(engine, config or ImageConfig())
    mark = uuid.uuid4().hex[:16]

    async def start(
        gateway: Path,
        program: str,
        env: dict[str, str],
        workspace: Path | None = None,
        mounts: tuple[Mount, ...] = (),
    ) -> Box:
        # As a run's folder is: whoever gets below its parent may enter it.
        gateway.chmod(0o755)
        accounts = gateway.parent / "passwd"
        accounts.write_text(f"task:x:{UID}:{UID}::/tmp:/bin/sh\n")
        spec = SandboxSpec(
            name=f"{mark}-{uuid.uuid4().hex[:8]}",
            image=image,
            command=("python3", "-c", program),
            uid=UID,
            gid=UID,
            env={**ENVIRONMENT, **env},
            mounts=(
                Mount(str(gateway), "/ctui/gw", read_only=True),
                Mount(str(accounts), "/etc/passwd", read_only=True),
                *((Mount(str(workspace), WORKSPACE),) if workspace else ()),
                *mounts,
            ),
            network="none",
            resolver="127.0.0.1",
            labels={LABEL_INSTANCE: mark},
        )
        container = await engine.create(spec)
        stdin = await Stdin.open(engine.endpoint, container)
        await engine.start(container)
        await stdin.send(b'{"env": {"HOME": "/tmp"}}')
        stdin.close()
        return Box(engine, container)

    try:
        yield start
    finally:
        for found in await engine.find({LABEL_INSTANCE: mark}):
            await engine.remove(found.id)
        await engine.close()
