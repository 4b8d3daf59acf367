"""What the gateway costs on the way to the model, beside a straight call in the same run."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import ctui.demo.model
from ctui.demo.model.script import fenced
from ctui.gateway.model import Login
from tests.bench.figures import ratio
from tests.gateway.living import Home, home, linked

_RUNS = 16
_FIRST, _STREAMS = 60, 5
_REQUEST_BYTES = 85_000
"""Of a request of the CLI's."""
_IDLE_SECONDS = 10
_STREAM = ("slow 8 800", "flood 200000")
"""200 KB in 250 parts, two seconds long."""


async def gateway_api() -> None:
    """Compare first bytes and streams in turn; then look at what 16 idle runs take."""
    async with _model() as port, home() as made:
        login = Login("the key", "api-key", "k", base_url=f"http://127.0.0.1:{port}")
        accesses = [made.access(f"t{number}") for number in range(_RUNS)]
        async with linked(made, accesses, [login]):
            socket = str(made.root / "t0" / "api.sock")
            short, long = _call("say Hi."), _call(*_STREAM)
            through, straight = await _in_turn(socket, port, short, _FIRST)
            more = statistics.median(through) - statistics.median(straight)
            # Where other work runs, a call waits for its turn more often than a straight one.
            quiet = statistics.quantiles(through, n=10)[0] - statistics.quantiles(straight, n=10)[0]
            print(
                f"{'gateway, to the first byte':<34} +{more * 1000:4.1f} ms (wanted <= 3)   "
                f"{statistics.median(through) * 1000:.1f} / "
                f"{statistics.median(straight) * 1000:.1f} ms, n={len(through)}; "
                f"the quickest tenth +{quiet * 1000:.1f} ms"
            )
            ours, theirs = await _in_turn(socket, port, long, _STREAMS, whole=True)
            ratio("gateway, stream of 200 KB / straight", "<= 1.02", ours, theirs)
            await _idle(made)


async def _in_turn(
    socket: str, port: int, request: bytes, rounds: int, *, whole: bool = False
) -> tuple[list[float], list[float]]:
    ours, theirs = [], []
    for number in range(rounds + 3):
        reader, writer = await asyncio.open_unix_connection(socket)
        through = await _seconds(reader, writer, request, whole=whole)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        straight = await _seconds(reader, writer, request, whole=whole)
        if number >= 3 or whole:  # the first ones warm both up
            ours.append(through)
            theirs.append(straight)
    return ours, theirs


async def _seconds(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, *, whole: bool
) -> float:
    """Return how long an answer's first byte takes, or its last."""
    begun = time.perf_counter()
    writer.write(request)
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(1)
    took = time.perf_counter() - begun
    while await reader.read(1 << 16):
        took = time.perf_counter() - begun if whole else took
    writer.close()
    return took


def _call(*steps: str) -> bytes:
    text = "x" * _REQUEST_BYTES + "\n" + fenced(*steps)
    asked = {"model": "claude-sonnet-5", "max_tokens": 9, "stream": True}
    tools = [{"name": "Bash"}]
    messages = [{"role": "user", "content": text}]
    body = json.dumps({**asked, "tools": tools, "messages": messages}).encode()
    return (
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nconnection: close\r\n"
        b"content-length: %d\r\n\r\n%b" % (len(body), body)
    )


async def _idle(made: Home) -> None:
    process = Path(f"/proc/{await made.pid()}")
    before = _ticks(process)
    await asyncio.sleep(_IDLE_SECONDS)
    used = (_ticks(process) - before) / os.sysconf("SC_CLK_TCK") / _IDLE_SECONDS
    kilobytes = next(
        int(line.split()[1])
        for line in (process / "status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    print(
        f"{f'gateway, {_RUNS} idle runs':<34} {kilobytes / 1024:5.1f} MB (wanted < 80)   "
        f"{used * 100:.2f} % of a core (wanted < 2, with the driver)"
    )


def _ticks(process: Path) -> int:
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@asynccontextmanager
async def _model() -> AsyncIterator[int]:
    folder = str(Path(ctui.demo.model.__file__).parent)
    argv = [sys.executable, "-I", folder, "--port", "0"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline().rpartition(":")[2])
        finally:
            process.terminate()
