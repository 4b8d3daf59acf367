"""Counting what a call used from a copy of the bytes that pass; nothing here can hold them up."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from ctui.gateway.api.event_stream import EventStream
from ctui.gateway.books.rows import Usage

_MOST_LINE = 1 << 20
"""Bytes of an event that is looked at; those with the usage are small."""
_MOST_JSON = 16 << 20


class _Created(msgspec.Struct):
    ephemeral_5m_input_tokens: int | None = 0
    ephemeral_1h_input_tokens: int | None = 0


class _Server(msgspec.Struct):
    web_search_requests: int | None = 0


class _Iteration(msgspec.Struct):
    type: str = ""
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0


class _Usage(msgspec.Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_creation: _Created | None = None
    server_tool_use: _Server | None = None
    speed: str | None = None
    iterations: list[_Iteration] | None = None


class _Message(msgspec.Struct):
    model: str = ""
    usage: _Usage | None = None


class _Event(msgspec.Struct):
    type: str = ""
    message: _Message | None = None
    usage: _Usage | None = None


_event = msgspec.json.Decoder(_Event)
_message = msgspec.json.Decoder(_Message)


class Counter:
    """Reader of one answer: server-sent events, frames of Bedrock, or one JSON object.

    Attributes:
        usage: as far as it is known.
        model: that answered; "" while it has not said so.
        begun: True once the answer has said what its input was.
        whole: True once the usage is the API's last word.
        size: bytes so far.
    """

    def __init__(self, content_type: str, begins: Callable[[Usage], None]) -> None:
        self.usage = Usage()
        self.model = ""
        self.begun = self.whole = False
        self.size = 0
        self._answer = self._beside = Usage()
        self._begins = begins
        self._rest = bytearray()
        self._skipping = False
        kind = content_type.partition(";")[0].strip().lower()
        self._frames = EventStream() if kind == "application/vnd.amazon.eventstream" else None
        self._lines = kind == "text/event-stream"

    def feed(self, data: bytes) -> None:
        """Look at the next bytes of the answer."""
        self.size += len(data)
        if self._frames is not None:
            for payload in self._frames.feed(data):
                self._look(payload)
        elif self._lines:
            self._feed_lines(data)
        elif len(self._rest) + len(data) <= _MOST_JSON:
            self._rest += data

    def end(self) -> None:
        """Look at an answer that is no stream, when all of it has come."""
        if self._frames is not None or self._lines or not self._rest:
            return
        try:
            found = _message.decode(self._rest)
        except msgspec.DecodeError:
            return
        if found.usage is not None:
            self._take(found, found.usage)
            self.whole = True

    def _feed_lines(self, data: bytes) -> None:
        begin = 0
        while (end := data.find(b"\n", begin)) >= 0:
            if self._rest or self._skipping:
                self._rest += data[begin:end]
                line = b"" if self._skipping else bytes(self._rest)
                self._rest.clear()
                self._skipping = False
            else:
                line = data[begin:end]
            begin = end + 1
            if line.startswith(b"data:"):
                self._look(line[5:])
        self._rest += data[begin:]
        if len(self._rest) > _MOST_LINE:
            self._rest.clear()
            self._skipping = True

    def _look(self, payload: bytes) -> None:
        if b'"message_start"' not in payload and b'"message_delta"' not in payload:
            return
        try:
            event = _event.decode(payload)
        except msgspec.DecodeError:
            return
        if event.type == "message_start" and event.message and event.message.usage:
            self._take(event.message, event.message.usage)
            self._begins(self.usage)
        elif event.type == "message_delta" and event.usage is not None:
            self._add(event.usage)
            self.whole = True

    def _take(self, message: _Message, usage: _Usage) -> None:
        self.model = message.model
        self._add(usage)
        self.begun = True

    def _add(self, usage: _Usage) -> None:
        self._answer = _merged(self._answer, usage)
        if usage.iterations is not None:
            self._beside = _beside(usage.iterations)
        self.usage = _sum(self._answer, self._beside)


def _beside(iterations: Iterable[_Iteration]) -> Usage:
    """Return what was read and written beside the answer, which its own counts leave out.

    A request can have the API sum the conversation up first, or have another model advise
    (platform.claude.com, compaction and advisor: both are paid, and only in `iterations`).
    """
    others = [one for one in iterations if one.type not in {"", "message"}]
    return Usage(
        input_tokens=sum(one.input_tokens or 0 for one in others),
        output_tokens=sum(one.output_tokens or 0 for one in others),
        cache_read=sum(one.cache_read_input_tokens or 0 for one in others),
        cache_write=sum(one.cache_creation_input_tokens or 0 for one in others),
    )


def _sum(answer: Usage, beside: Usage) -> Usage:
    return msgspec.structs.replace(
        answer,
        input_tokens=answer.input_tokens + beside.input_tokens,
        output_tokens=answer.output_tokens + beside.output_tokens,
        cache_read=answer.cache_read + beside.cache_read,
        cache_write=answer.cache_write + beside.cache_write,
    )


def _merged(before: Usage, now: _Usage) -> Usage:
    """Return the later word where there is one: counts of a stream are of all of it so far."""
    new: dict[str, Any] = {}
    if now.input_tokens is not None:
        new["input_tokens"] = now.input_tokens
    if now.output_tokens is not None:
        new["output_tokens"] = now.output_tokens
    if now.cache_read_input_tokens is not None:
        new["cache_read"] = now.cache_read_input_tokens
    if now.cache_creation_input_tokens is not None:
        written, hour = now.cache_creation_input_tokens, before.cache_write_1h
        if now.cache_creation is not None:
            hour = now.cache_creation.ephemeral_1h_input_tokens or 0
        hour = min(hour, written)
        new["cache_write"], new["cache_write_1h"] = written - hour, hour
    if now.server_tool_use is not None:
        new["searches"] = now.server_tool_use.web_search_requests or 0
    if now.speed is not None:
        new["fast"] = now.speed == "fast"
    return msgspec.structs.replace(before, **new)
