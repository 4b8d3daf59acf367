"""The real engine behind TCP, TLS and `docker system dial-stdio`."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
import trustme

from ctui.config import ImageConfig
from ctui.errors import Unavailable
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import Endpoint, Tls, resolve_endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.docker.stream import Stdin
from tests.sandbox.containers import all_said, plain_spec

pytestmark = pytest.mark.engine

ECHO = "import sys\nsys.stdout.write(sys.stdin.readline())"


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def tcp_in_front_of_the_engine(context: ssl.SSLContext | None) -> AsyncIterator[int]:
    """A port of this machine that leads to the engine's socket; yields its number."""
    socket = resolve_endpoint().address

    opened: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        inner_reader, inner_writer = await asyncio.open_unix_connection(socket)
        opened.append(inner_writer)
        await asyncio.gather(_pipe(reader, inner_writer), _pipe(inner_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in opened:
            writer.close()
        for writer in opened:
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 5)


def certificates(folder: Path) -> tuple[ssl.SSLContext, Tls]:
    """The server's side of a mutual TLS connection, and the client's files."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    mine = authority.issue_cert("person@example.org")
    files = Tls(*(str(folder / name) for name in ("ca.pem", "cert.pem", "key.pem")))
    authority.cert_pem.write_to_path(files.ca)
    mine.cert_chain_pems[0].write_to_path(files.certificate)
    mine.private_key_pem.write_to_path(files.key)
    return server, files


async def a_line_there_and_back(engine: Engine, endpoint: Endpoint) -> list[bytes]:
    """Start a container by `engine`, say a line to it and read its log by `endpoint`."""
    image = await require_image(engine, ImageConfig())
    name = f"ctui-test-way-{secrets.token_hex(6)}"
    labels = {"ctui.test": "way"}
    made = await engine.create(plain_spec(name, image, "python3", "-c", ECHO, labels=labels))
    try:
        await engine.start(made)
        stdin = await Stdin.open(endpoint, made)
        await stdin.send(b"there and back\n")
        lines = [line.data for line in await all_said(endpoint, made)]
        stdin.close()
        return lines
    finally:
        await engine.remove(made)


@pytest.mark.parametrize("secure", [False, True])
async def test_an_engine_behind_tcp(tmp_path: Path, secure: bool) -> None:
    context, files = certificates(tmp_path) if secure else (None, None)
    async with tcp_in_front_of_the_engine(context) as port:
        endpoint = Endpoint("tcp", f"127.0.0.1:{port}", files)
        engine = await Engine.connect(endpoint)
        assert await a_line_there_and_back(engine, endpoint) == [b"there and back"]
        await engine.close()


async def test_an_engine_that_hangs_up_is_noticed_without_a_write() -> None:
    engine = await Engine.connect(resolve_endpoint())
    image = await require_image(engine, ImageConfig())
    name = f"ctui-test-way-{secrets.token_hex(6)}"
    spec = plain_spec(name, image, "python3", "-c", ECHO, labels={"ctui.test": "way"})
    made = await engine.create(spec)
    try:
        async with tcp_in_front_of_the_engine(None) as port:
            stdin = await Stdin.open(Endpoint("tcp", f"127.0.0.1:{port}"), made)
        async with asyncio.timeout(10):
            while not stdin.broken:  # noqa: ASYNC110 - the loop tells nobody
                await asyncio.sleep(0.02)
        stdin.close()
    finally:
        await engine.remove(made)
        await engine.close()


async def test_an_engine_whose_certificate_nobody_vouches_for_is_not_used(tmp_path: Path) -> None:
    context, _ = certificates(tmp_path)
    (other := tmp_path / "other").mkdir()
    _, files = certificates(other)
    async with tcp_in_front_of_the_engine(context) as port:
        endpoint = Endpoint("tcp", f"127.0.0.1:{port}", files)
        with pytest.raises(Unavailable):
            await Engine.connect(endpoint)
        with pytest.raises(Unavailable):
            await Stdin.open(endpoint, "anything")


async def test_an_engine_behind_a_command() -> None:
    docker = shutil.which("docker")
    assert docker is not None
    there = resolve_endpoint()
    command = (docker, "--host", there.url, "system", "dial-stdio")
    engine = await Engine.connect()
    dialled = Endpoint("dial", "ssh://elsewhere", None, command)
    assert await a_line_there_and_back(engine, dialled) == [b"there and back"]
    await engine.close()


async def test_only_the_disk_of_an_engine_of_this_machine_is_known() -> None:
    engine = await Engine.connect()
    root = (await engine.info()).root
    free = await DockerRunner(engine, "instance").free_space()
    assert free is not None
    assert free[1] == root
    assert 0 < free[0] < shutil.disk_usage(root).total
    await engine.close()
    async with tcp_in_front_of_the_engine(None) as port:
        engine = await Engine.connect(Endpoint("tcp", f"127.0.0.1:{port}"))
        assert await DockerRunner(engine, "instance").free_space() is None
        await engine.close()
