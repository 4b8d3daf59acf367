"""Secrets in the parts of blocks: each part is a line of its own, and cuts a secret anywhere.

What could be the beginning of a secret is held back until the next part, or the block's end, says
what it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from ctui.redaction.redactor import Redactor, without

_OPEN_LIMIT = 500
"""Blocks at once of which something is held back; nothing ends those that were cut off."""

_HELD_LIMIT = 4096
"""Bytes that are held back of one block."""

_Key = tuple[str | None, int]


class _Delta(msgspec.Struct):
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None

    def said(self) -> tuple[str, str] | None:
        for field in ("text", "thinking", "partial_json"):
            if (value := getattr(self, field)) is not None:
                return field, value
        return None


class _Event(msgspec.Struct):
    type: str = ""
    index: int = 0
    delta: _Delta | None = None


class _Line(msgspec.Struct):
    event: _Event
    parent_tool_use_id: str | None = None


class _Held(NamedTuple):
    """The state of one block."""

    data: bytes
    """Text that may begin a secret, and is not published yet."""
    rest: bytes
    """Rest of a secret that was found, without separators."""
    line: bytes
    field: str


_decode = msgspec.json.Decoder(_Line).decode


class Deltas:
    """The open blocks of a journal."""

    def __init__(self, redactor: Redactor, held: dict[_Key, _Held] | None = None) -> None:
        self._redactor = redactor
        self._held = held or {}

    def clone(self) -> Deltas:
        """Return a copy that can change apart: lines that cannot be stored come again."""
        return Deltas(self._redactor, dict(self._held))

    def forget(self) -> None:
        """Forget all blocks, which will never close."""
        self._held.clear()

    def redact(self, line: bytes) -> Iterator[bytes]:
        """Yield the lines to publish instead of a part of a block."""
        try:
            found = _decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            yield self._redactor.redact(line)
            return
        event = found.event
        key = (found.parent_tool_use_id, event.index)
        said = event.delta.said() if event.delta is not None else None
        if event.type == "content_block_delta" and said is not None:
            yield self._part(key, line, *said)
            return
        if event.type == "content_block_stop":
            held = self._held.pop(key, None)
            if held is not None and held.data:
                yield _with_text(held.line, held.field, held.data)
        elif event.type == "message_start":
            for other in [one for one in self._held if one[0] == found.parent_tool_use_id]:
                del self._held[other]
        yield self._redactor.redact(line)

    def _part(self, key: _Key, line: bytes, field: str, said: str) -> bytes:
        held = self._held.pop(key, None)
        new = said.encode()
        data = (held.data if held is not None else b"") + new
        if held is not None and held.rest:
            data, rest = self._redactor.without_rest(data, held.rest)
            if rest:
                self._hold(key, _Held(b"", rest, line, field))
                return _with_text(line, field, b"")
        spans = self._redactor.spans(data)
        last = spans[-1].end if spans else 0
        cut = last + self._redactor.unfinished(data[last:])
        shown = without(data[:cut], spans)
        rest = spans[-1].rest if spans and cut == len(data) else b""
        if len(data) - cut > _HELD_LIMIT:
            shown, cut = shown + data[cut:], len(data)  # so much white space divides no secret
        if cut < len(data) or rest:
            self._hold(key, _Held(data[cut:], rest, line, field))
        return line if shown == new else _with_text(line, field, shown)

    def _hold(self, key: _Key, held: _Held) -> None:
        while len(self._held) >= _OPEN_LIMIT:
            del self._held[next(iter(self._held))]
        self._held[key] = held


def _with_text(line: bytes, field: str, data: bytes) -> bytes:
    """Return a line with another text in its delta."""
    value = json.loads(line)
    value["event"]["delta"][field] = data.decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
