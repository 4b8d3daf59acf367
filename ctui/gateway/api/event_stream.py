"""Frames of Bedrock's streams (AWS event stream encoding), as far as usage needs them; pure."""

from __future__ import annotations

import binascii
import struct
from collections.abc import Iterator

import msgspec

_PRELUDE = struct.Struct(">III")
"""Length of the frame, of its headers, and a checksum of these two."""
_CHECKSUM = 4
_LARGEST = 16 << 20
"""Bytes: a frame's largest length that AWS allows (its SDKs refuse more)."""


class _Chunk(msgspec.Struct):
    bytes: str = ""


_chunk = msgspec.json.Decoder(_Chunk)


class EventStream:
    """Reader of the frames in a stream: of each, the event of the Messages API that it carries.

    A frame is a prelude, headers, a payload and a checksum; the payload of one that carries a part
    of the answer is `{"bytes": "<base64 of the event>", …}`. What is no such stream yields nothing.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._lost = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the events that are whole with these bytes."""
        if self._lost:
            return
        self._rest += data
        while len(self._rest) >= _PRELUDE.size:
            length, headers, check = _PRELUDE.unpack_from(self._rest)
            begin = _PRELUDE.size + headers
            if (
                binascii.crc32(self._rest[:8]) != check
                or length > _LARGEST
                or begin + _CHECKSUM > length
            ):
                self._lost = True
                self._rest.clear()
                return
            if len(self._rest) < length:
                return
            payload = bytes(self._rest[begin : length - _CHECKSUM])
            del self._rest[:length]
            yield from _event(payload)


def _event(payload: bytes) -> Iterator[bytes]:
    try:
        yield binascii.a2b_base64(_chunk.decode(payload).bytes)
    except (msgspec.DecodeError, binascii.Error, ValueError):
        return
