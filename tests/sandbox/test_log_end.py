"""A journal that was followed to its end is read again only where something is missing."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ctui.config import ImageConfig
from ctui.sandbox.docker.docker_runner import DockerRunner
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.engine import Engine
from ctui.sandbox.docker.image import require_image
from ctui.sandbox.runner import NOTHING, Seen
from tests.sandbox.containers import plain_spec
from tests.sandbox.test_log_framing import END, HEAD, chunk, frame

_LONG = b"x" * (1 << 14)


class _Engine:
    """An engine with one log, of which it may keep the end back from who follows it."""

    def __init__(self, *pieces: bytes, kept_back: int = 0) -> None:
        self._pieces = pieces
        self._kept_back = kept_back
        self.asked: list[str] = []
        """What was asked for beside the whole log."""

    @asynccontextmanager
    async def runner(self, folder: Path) -> AsyncIterator[DockerRunner]:
        path = str(folder / "engine.sock")
        async with await asyncio.start_unix_server(self._answer, path):
            engine = SimpleNamespace(endpoint=Endpoint("unix", path))
            yield DockerRunner(cast("Engine", engine), "instance")

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        pieces = self._pieces
        if b"follow=1" in request:
            pieces = pieces[: len(pieces) - self._kept_back]
        elif b"tail=1" in request:
            pieces = pieces[-1:]
            self.asked.append("its end")
        else:
            self.asked.append("all")
        writer.write(HEAD + b"".join(map(chunk, pieces)) + END)
        await writer.drain()
        writer.close()


async def _read(runner: DockerRunner, after: Seen, *, follow: bool) -> list[bytes]:
    log = runner.journal("box", after, follow=follow)
    return [line.data for batch in [batch async for batch in log] for line in batch]


@pytest.mark.parametrize(
    "pieces",
    [
        (frame(b"one\n"), frame(b"two\n")),
        (frame(b"one\n"), frame(_LONG), frame(_LONG), frame(b"end\n")),
        (frame(b"one\n"), frame(b"two\n", stream=2)),
    ],
    ids=["lines", "a line in pieces", "stderr"],
)
async def test_what_was_read_to_its_end_is_not_read_again(
    tmp_path: Path, pieces: tuple[bytes, ...]
) -> None:
    engine = _Engine(*pieces)
    async with engine.runner(tmp_path) as runner:
        lines = await _read(runner, NOTHING, follow=True)
        assert len(lines) == 2
        seen = Seen(1, 1) if pieces[-1][0] == 2 else Seen(2, 0)
        assert await _read(runner, seen, follow=False) == []
        assert engine.asked == ["its end"]
        assert await _read(runner, Seen(1, 0), follow=False) == lines[1:]
        assert engine.asked == ["its end", "all"]


@pytest.mark.parametrize("more", [b"two\n", b"one\n", b"ne\n", b"no end"])
async def test_an_end_that_was_not_told_is_read(tmp_path: Path, more: bytes) -> None:
    """An engine that is busy ends the stream before it has told the last lines."""
    engine = _Engine(frame(b"one\n"), _later(frame(more)), kept_back=1)
    async with engine.runner(tmp_path) as runner:
        assert await _read(runner, NOTHING, follow=True) == [b"one"]
        rest = await _read(runner, Seen(1, 0), follow=False)
    assert rest == [line for line in [more[:-1]] if more.endswith(b"\n")]
    assert engine.asked == ["its end", "all"]


def _later(piece: bytes) -> bytes:
    return piece.replace(b".000000007Z", b".000000008Z")


@pytest.mark.engine
async def test_a_real_engine_tells_the_end_of_a_log() -> None:
    engine = await Engine.connect()
    runner = DockerRunner(engine, "none")
    program = "import sys\nfor n in range(300): print('o', n); print('e', n, file=sys.stderr)\n"
    program += "print('x' * 100_000)"
    image = await require_image(engine, ImageConfig())
    name, labels = f"ctui-test-{secrets.token_hex(6)}", {"ctui.test": "end"}
    box = await runner.create(plain_spec(name, image, "python3", "-c", program, labels=labels))
    try:
        await runner.start(box)
        while (state := await runner.state(box)) is None or state.running:  # noqa: ASYNC110 - the engine's
            await asyncio.sleep(0.05)
        lines = [
            line async for batch in runner.journal(box, NOTHING, follow=True) for line in batch
        ]
        assert len(lines) == 601
        assert await runner._is_at_end(box, Seen(301, 300))
        assert not await runner._is_at_end(box, Seen(300, 300))
        log = runner.journal(box, Seen(300, 300), follow=False)
        assert [line async for batch in log for line in batch] == [
            line for line in lines if line.stream == "out"
        ][300:]
    finally:
        await runner.remove(box)
        await engine.close()
