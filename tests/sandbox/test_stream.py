"""Logs and stdin against the real engine."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from ctui.config import ImageConfig
from ctui.errors import NotFound, Unavailable
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.seccomp import profile
from ctui.sandbox.docker.stream import Stdin, follow_log
from ctui.sandbox.runner import LogLine
from tests.sandbox.containers import all_said, follow, plain_spec

pytestmark = pytest.mark.engine

LABELS = {"ctui.test": f"stream-{os.getpid()}"}
"""Of this process: others may run these tests at the same time."""


@pytest_asyncio.fixture
async def engine() -> AsyncIterator[Engine]:
    made = await Engine.connect()
    yield made
    for container in await made.find(LABELS):
        await made.remove(container.id)
    await made.close()


async def container(engine: Engine, program: str) -> str:
    """A container with a Python program in the relay's place, created and not started."""
    image = await require_image(engine, ImageConfig())
    name = f"ctui-test-{secrets.token_hex(6)}"
    return await engine.create(plain_spec(name, image, "python3", "-c", program, labels=LABELS))


async def read(engine: Engine, made: str) -> list[LogLine]:
    return await all_said(engine.endpoint, made)


async def test_stdout_and_stderr_are_kept_apart_and_in_order(engine: Engine) -> None:
    program = (
        "import sys\n"
        "for n in range(2000):\n"
        "    print('o%d' % n, flush=True); print('e%d' % n, file=sys.stderr, flush=True)\n"
        "sys.stdout.write('last')"
    )
    made = await container(engine, program)
    await engine.start(made)
    followed = [line for line in await follow(engine.endpoint, made) if line.complete]
    lines = await read(engine, made)
    assert followed == [line for line in lines if line.complete][: len(followed)]
    out = [line.data.decode() for line in lines if line.stream == "out"]
    err = [line.data.decode() for line in lines if line.stream == "err"]
    assert out == [*(f"o{n}" for n in range(2000)), "last"]
    assert err == [f"e{n}" for n in range(2000)]
    assert [line.complete for line in lines if line.data == b"last"] == [False]


async def test_a_line_of_five_megabytes_arrives_whole_both_ways(engine: Engine) -> None:
    program = "import sys\nline = sys.stdin.buffer.readline()\nsys.stdout.buffer.write(line)"
    made = await container(engine, program)
    stdin = await Stdin.open(engine.endpoint, made)
    await engine.start(made)
    assert not stdin.broken
    sent = json.dumps({"x": "é" * 1_000_000, "y": "z" * 1_000_000}).encode()
    await stdin.send(sent)
    lines = await read(engine, made)
    assert [line.data for line in lines] == [sent]
    stdin.close()


async def test_leaving_does_not_close_the_container_s_stdin(engine: Engine) -> None:
    program = "import sys\nfor _ in range(2): print(sys.stdin.readline().strip(), flush=True)"
    made = await container(engine, program)
    await engine.start(made)
    for word in (b"one", b"two"):
        stdin = await Stdin.open(engine.endpoint, made)
        await stdin.send(word)
        stdin.close()
    assert [line.data for line in await read(engine, made)] == [b"one", b"two"]


async def test_what_a_dead_writer_left_is_ended_by_the_next(engine: Engine) -> None:
    program = (
        "import sys\nbegun = sys.stdin.read(1)\nprint('begun', flush=True)\n"
        "print(repr(begun + sys.stdin.readline()), flush=True)\nprint(repr(sys.stdin.readline()))"
    )
    made = await container(engine, program)
    await engine.start(made)
    first = await Stdin.open(engine.endpoint, made)
    first._connection.writer.write(b'{"torn": ')
    await first._connection.writer.drain()
    async with aclosing(follow_log(engine.endpoint, made)) as log:
        await anext(log)  # it has come, and cannot come behind what another writer sends
    first.close()
    second = await Stdin.open(engine.endpoint, made)
    await second.terminate_torn_line()
    await second.send(b"{}")
    said = [line.data for line in await read(engine, made)]
    second.close()
    assert said == [b"begun", b"'{\"torn\": \\n'", b"'{}\\n'"]


async def test_a_container_that_is_gone_is_not_found(engine: Engine) -> None:
    with pytest.raises(NotFound):
        await read(engine, "0" * 64)


async def test_an_engine_that_is_gone_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="no Docker engine answers"):
        await Stdin.open(Endpoint("unix", "/nonexistent/docker.sock"), "x")


async def test_the_sandbox_is_sealed(engine: Engine) -> None:
    made = await container(engine, "pass")
    import asyncio

    process = await asyncio.create_subprocess_exec(
        "docker", "inspect", made, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    (found,) = json.loads(output)
    host = found["HostConfig"]
    assert host["CapDrop"] == ["ALL"]
    assert host["ReadonlyRootfs"] is True
    privileges, calls = host["SecurityOpt"]
    assert privileges == "no-new-privileges"
    assert calls == f"seccomp={profile(debugger=False)}"
    assert host["PidsLimit"] == 2048
    assert host["LogConfig"]["Type"] == "json-file"
    assert found["Config"]["StdinOnce"] is False
    assert found["Config"]["User"] == "65534:65534"
