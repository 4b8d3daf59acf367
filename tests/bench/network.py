"""The way out of a task and the way in, beside the straight ones: downloads, refusals, pages."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from ctui.gateway.egress.policy import Policy
from ctui.gateway.ports.hub import PortsHub
from ctui.gateway.ports.view import PortView
from tests.bench.figures import ratio
from tests.gateway.egress.outside import certificates, private, serving, way_out
from tests.gateway.inside import Inside, inside
from tests.gateway.ports.views import Browser

_SIZE = 200 << 20
_ROUNDS = 3
_PAGES = 40
_PAGE = 20_000
_REFUSALS = 30

_SERVER = """
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def serve(plain):
    with context.wrap_socket(plain, server_side=True) as one:
        size = int(one.recv(65536).split()[1][1:])
        one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % size)
        block = bytes(1 << 18)
        for _ in range(0, size, len(block)):
            one.sendall(block)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""


async def run() -> None:
    """Measure all of it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with inside(folder) as task:
            await _downloads(folder, task)
            await _refusals(folder, task)
            await _pages(folder)


async def _downloads(folder: Path, task: Inside) -> None:
    """curl gets 200 MB by HTTPS, straight and through the task's proxy."""
    tls = certificates(folder, "localhost")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _SERVER, str(tls.chain)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    port = int(await server.stdout.readline())
    try:
        async with way_out(folder, private(port)):
            straight, through = [], []
            for _ in range(_ROUNDS):
                straight.append(await _curl(tls.bundle, port, "--noproxy", "*"))
                proxy = ("--noproxy", "", "-x", f"http://127.0.0.1:{task.proxy}")
                through.append(await _curl(tls.bundle, port, *proxy))
            ratio("straight / through the gateway, 200 MB", ">= 0.7", straight, through)
    finally:
        server.kill()
        await server.wait()


async def _curl(bundle: Path, port: int, *options: str) -> float:
    begun = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *("curl", "-sS", "-o", os.devnull, "--cacert", str(bundle), *options),
        f"https://localhost:{port}/{_SIZE}",
    )
    assert await process.wait() == 0
    return time.perf_counter() - begun


async def _refusals(folder: Path, task: Inside) -> None:
    """A host that nobody named, through the task's proxy, until the 403 is there."""
    took = []
    async with way_out(folder, Policy()):
        for number in range(_REFUSALS):
            begun = time.perf_counter()
            reader, writer = await asyncio.open_connection("127.0.0.1", task.proxy)
            writer.write(f"CONNECT n{number}.example:443 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert b" 403 " in await reader.readline()
            took.append(time.perf_counter() - begun)
            writer.close()
    ratio("a refused host / 50 ms", "<= 1", took, [0.05] * len(took))


async def _pages(folder: Path) -> None:
    """Requests of one connection for a page of 20 KB, straight and through the port view."""
    told = asyncio.Event()
    hub = PortsHub(folder / "ports.sock", told.set)
    await hub.start()
    view = PortView(0, {"t": hub}.get)
    await view.start()
    try:
        async with serving(_page) as port:
            while port not in hub.ports:
                told.clear()
                await told.wait()
            browser = Browser(view)
            await browser.enter(view.link("t", port))
            [(host, cookie)] = browser.cookies.items()
            straight, through = [], []
            for _ in range(_ROUNDS):
                straight.append(await _load(port, f"localhost:{port}", ""))
                through.append(await _load(view.port, host, cookie))
            ratio("a page through the view / straight", "<= 1.5", through, straight)
    finally:
        await view.close()
        await hub.close()


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve as a development server does, which takes some time for each module."""
    while await reader.readuntil(b"\r\n\r\n"):
        await asyncio.sleep(0.005)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % _PAGE + bytes(_PAGE))


async def _load(port: int, host: str, cookie: str) -> float:
    begun = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(_PAGES):
        writer.write(f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(_PAGE)
    writer.close()
    return time.perf_counter() - begun
