"""One process, from its start to its end: what goes in and comes out, and what is left of it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ctui.git.process.process import communicate

_MEGABYTES = 5


async def _run(
    *argv: str, given: bytes | None = None, heard: Callable[[str], None] | None = None
) -> tuple[bytes | None, bytes, int]:
    return await communicate(argv, dict(os.environ), given, nice=False, heard=heard)


async def test_more_goes_through_than_pipes_hold() -> None:
    given = os.urandom(1 << 20) * _MEGABYTES
    assert await _run("cat", given=given) == (given, b"", 0)


async def test_what_nobody_reads_is_no_error() -> None:
    said, complaint, code = await _run("sh", "-c", "echo why >&2; exit 3", given=b"x" * (1 << 20))
    assert (said, complaint, code) == (b"", b"why\n", 3)


async def test_without_input_stdin_is_at_its_end() -> None:
    assert await _run("cat") == (b"", b"", 0)


async def test_lines_are_told_also_where_one_writes_over_the_last() -> None:
    heard: list[str] = []
    await _run("printf", "1 of 2\\r2 of 2\\nno end", heard=heard.append)
    assert heard == []  # that was stdout
    await _run("sh", "-c", "printf '1 of 2\\r2 of 2\\nno end' >&2", heard=heard.append)
    assert heard == ["1 of 2", "2 of 2"]


async def test_the_end_of_a_long_complaint_is_kept() -> None:
    program = "import sys; sys.stderr.write('y' * 100_000 + 'x' * 8192)"
    _, kept, _ = await _run(sys.executable, "-c", program)
    assert kept == b"x" * 8192


async def test_a_listener_that_fails_ends_the_process() -> None:
    def fail(_: str) -> None:
        raise ValueError("not this")

    async with asyncio.timeout(30):
        with pytest.raises(ValueError, match="not this"):
            await _run("sh", "-c", "echo said >&2; exec sleep 1000", heard=fail)


async def test_more_than_can_be_kept_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctui.git.process.process._STDOUT_LIMIT", 1 << 20)
    async with asyncio.timeout(30):
        said, _, code = await _run("yes")
    assert (said, code) == (None, -9)


async def test_a_cancellation_ends_the_whole_group(tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    # The child has the pipe open for as long as it lives.
    run = asyncio.create_task(_run("sh", "-c", f'sleep 1000 >"{pipe}" & wait'))
    reader = await asyncio.to_thread(os.open, pipe, os.O_RDONLY)
    run.cancel()
    await asyncio.wait([run])
    assert run.cancelled()
    assert await asyncio.wait_for(asyncio.to_thread(os.read, reader, 1), 30) == b""
    os.close(reader)


async def test_many_at_a_time_keep_their_pipes_apart() -> None:
    texts = [str(number).encode() * 20_000 for number in range(20)]
    found = await asyncio.gather(*(_run("cat", given=text) for text in texts))
    assert found == [(text, b"", 0) for text in texts]


async def test_it_is_waited_for_where_the_kernel_tells_of_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    assert await _run("sh", "-c", "exec >&- 2>&-; exit 5") == (b"", b"", 5)
