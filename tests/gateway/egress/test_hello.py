"""The name in a TLS ClientHello, as real clients write it and as nobody should."""

from __future__ import annotations

import contextlib
import ssl
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctui.gateway.egress.hello import LONGEST, Hello, Incomplete, Unreadable


def hello(name: str | None) -> bytes:
    """Return what Python's own client says first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if name is None:
        context.check_hostname = False
    out = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return out.read()


HELLO = hello("example.org")


def name_in(data: bytes) -> str | None:
    return Hello().name(data)


def cut(record: bytes, size: int) -> bytes:
    """Return a record as several, each of so many bytes."""
    body = record[5:]
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(record[:3] + len(one).to_bytes(2) + one for one in parts)


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_the_name_is_found_however_it_is_cut(size: int) -> None:
    data = cut(hello("Example.org"), size)
    assert name_in(data) == "example.org"
    assert name_in(data + b"more") == "example.org"
    for end in (0, 1, 4, 5, len(data) - 1):
        with pytest.raises(Incomplete):
            name_in(data[:end])


def test_one_in_as_many_records_as_it_has_bytes_is_read_once() -> None:
    """Whoever says it byte by byte costs the others no more than its bytes."""
    body = b"\x01" + LONGEST.to_bytes(3) + bytes(LONGEST)
    data = cut(HELLO[:5] + body, 1)
    reader, began = Hello(), time.process_time()
    for end in range(1, len(data), 7):
        with pytest.raises(Incomplete):
            reader.name(data[:end])
    with pytest.raises(Unreadable):
        reader.name(data)
    assert time.process_time() - began < 5  # by a look at all of it each time: minutes


def test_without_a_name_there_is_none() -> None:
    assert name_in(hello(None)) is None
    for other in (b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\n", b"\x80\x2e\x01", b"\x16\x02"):
        assert name_in(other) is None


def test_a_name_that_is_none_is_not_passed_over() -> None:
    data = hello("example.org")
    for wrong in (b"exam\0le.org", b"exam le.org", b"..........."):
        with pytest.raises(Unreadable):
            name_in(data.replace(b"example.org", wrong))
    with pytest.raises(Unreadable):
        name_in(data.replace(b"\0\0\0\x10\0\x0e\0\0\x0b", b"\0\0\0\x10\0\x0e\0\0\xff"))
    with pytest.raises(Unreadable):
        name_in(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00")  # a ServerHello
    with pytest.raises(Unreadable):
        name_in(b"\x16\x03\x01\x00\x04\x01\xff\xff\xff")  # sixteen million bytes
    with pytest.raises(Unreadable):
        name_in(b"\x16\x03\x01\x00\x00\x16")  # records without end


@given(st.integers(0, 400), st.integers(0, 255))
def test_no_byte_breaks_it(at: int, value: int) -> None:
    data = bytearray(HELLO)
    data[at % len(data)] = value
    with contextlib.suppress(Incomplete, Unreadable):
        found = name_in(bytes(data))
        assert found is None or found.isascii()
