"""The log's framing against a server that speaks as the engine does, and breaks off anywhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.errors import Unavailable
from ctui.sandbox.docker.endpoint import Endpoint
from ctui.sandbox.docker.stream import Chunks, follow_log
from ctui.sandbox.runner import LogDamaged, LogLine

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
TIME = 1_767_323_045_000_000_007


def frame(payload: bytes, stream: int = 1) -> bytes:
    data = b"2026-01-02T03:04:05.000000007Z " + payload
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


@asynccontextmanager
async def engine_that_sends(folder: Path, body: bytes) -> AsyncIterator[Endpoint]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + body)
        await writer.drain()
        writer.close()

    path = str(folder / "engine.sock")
    async with await asyncio.start_unix_server(answer, path):
        yield Endpoint("unix", path)


async def read(endpoint: Endpoint, into: list[LogLine]) -> None:
    async for batch in follow_log(endpoint, "x"):
        into.extend(batch)


async def test_frames_and_lines_may_be_cut_anywhere_by_chunks(tmp_path: Path) -> None:
    data = frame(b"one\ntw") + frame(b"err\n", stream=2) + frame(b"o\nrest")
    body = b"".join(chunk(data[at : at + 1]) for at in range(len(data))) + END
    lines: list[LogLine] = []
    async with engine_that_sends(tmp_path, body) as endpoint:
        await read(endpoint, lines)
    assert lines == [
        LogLine(TIME, "out", b"one"),
        LogLine(TIME, "err", b"err"),
        LogLine(TIME, "out", b"two"),
        LogLine(TIME, "out", b"rest", complete=False),
    ]


@pytest.mark.parametrize(
    "cut",
    [b"", b"5", chunk(frame(b"x\n"))[:-20], b"not a size\r\n", b"-5\r\n", b"0" * (1 << 17)],
    ids=["between chunks", "in a size", "in a chunk", "in nonsense", "below 0", "in no end"],
)
async def test_a_connection_cut_before_the_log_s_end_is_not_its_end(
    tmp_path: Path, cut: bytes
) -> None:
    lines: list[LogLine] = []
    async with engine_that_sends(tmp_path, chunk(frame(b"hello\n")) + cut) as endpoint:
        with pytest.raises(Unavailable, match="broke off"):
            await read(endpoint, lines)
    assert LogLine(TIME, "out", b"hello") in lines


@given(st.lists(st.binary(min_size=1)), st.lists(st.integers(min_value=0, max_value=2000)))
def test_chunks_may_be_cut_anywhere_by_reads(chunks: list[bytes], cuts: list[int]) -> None:
    body = b"".join(map(chunk, chunks)) + END
    places = sorted({0, len(body), *(cut for cut in cuts if cut < len(body))})
    splitter, content = Chunks(), b""
    for start, end in pairwise(places):
        assert splitter.ended == (start >= len(body) - len(b"\r\n"))  # the size 0 was read
        content += splitter.feed(body[start:end])
    assert content == b"".join(chunks)
    assert (splitter.ended, splitter.broken) == (True, False)


async def test_a_flood_of_chunks_comes_in_few_batches(tmp_path: Path) -> None:
    body = b"".join(chunk(frame(b"%d\n" % number)) for number in range(2000)) + END
    async with engine_that_sends(tmp_path, body) as endpoint:
        batches = [batch async for batch in follow_log(endpoint, "x")]
    assert [line.data for batch in batches for line in batch] == [b"%d" % n for n in range(2000)]
    assert len(batches) < 100


async def test_what_the_engine_cannot_read_is_no_output(tmp_path: Path) -> None:
    """S18, beside it: behind a record that a full disk cut off, the engine reads nothing."""
    said = b"Error grabbing logs: unexpected EOF\n"
    words = bytes([3, 0, 0, 0]) + len(said).to_bytes(4, "big") + said
    lines: list[LogLine] = []
    body = chunk(frame(b"hello\n") + words + frame(b"later\n")) + END
    async with engine_that_sends(tmp_path, body) as endpoint:
        with pytest.raises(LogDamaged, match="grabbing logs: unexpected EOF"):
            await read(endpoint, lines)
    assert lines == [LogLine(TIME, "out", b"hello")]
