"""The task's end of its network, started as the relay does, but at ports that are free here."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ctui.paths import resource

_CODE = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from network.main import main
proxy, resolver, ports = json.loads(sys.argv[4])
main(Path(sys.argv[2]), int(sys.argv[3]), proxy=("127.0.0.1", proxy),
     resolver=("127.0.0.1", resolver), ports=tuple(ports))
"""


class Inside(NamedTuple):
    """Where it answers."""

    proxy: int
    resolver: int
    process: asyncio.subprocess.Process


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(type=kind) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@asynccontextmanager
async def inside(folder: Path, *ports: int) -> AsyncIterator[Inside]:
    """Run it on the sockets in a folder; names answer at these ports."""
    proxy, resolver = free_port(), free_port(socket.SOCK_DGRAM)
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-S", "-c", _CODE, str(resource("docker") / "relay")),
        *(str(folder), str(writing), str([proxy, resolver, list(ports)])),
        pass_fds=[writing],
    )
    os.close(writing)
    try:
        assert await asyncio.to_thread(os.read, reading, 1) == b""
        yield Inside(proxy, resolver, process)
    finally:
        os.close(reading)
        if process.returncode is None:
            process.kill()
        await process.wait()


def part(name: str) -> Any:
    """Return a module of the task's end that imports no other one of it."""
    file = resource("docker") / "relay/network" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"network_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
