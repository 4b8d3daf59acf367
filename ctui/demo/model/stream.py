"""Events of Anthropic's streaming Messages API, made from the steps of a call.

The order of events is the API's: `message_start`, for each content block `content_block_start`,
deltas and `content_block_stop`, then `message_delta` with the reason and the usage, `message_stop`
(https://docs.claude.com/en/docs/build-with-claude/streaming).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .steps import Cut, Fail, Hang, Limit, Pace, Say, Step, Think, Tool, Usage, Wait

Event = dict[str, Any]

_CHARACTERS_PER_TOKEN = 4
"""Characters of a token, a rule of thumb for English; the real tokenizer is not public."""

_SMALL_DELTA, _LARGE_DELTA, _LARGE_TEXT = 24, 4096, 10_000
"""Characters: a text of more than `_LARGE_TEXT` is sent in large deltas."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause of so many milliseconds."""

    milliseconds: int


Stop = Fail | Limit | Cut | Wait | Hang | Pause
"""Action of the connection between two events."""


@dataclass(slots=True)
class Message:
    """One message of the model, made from its steps.

    Attributes:
        model: the name that the request gave.
        usage: the input side of the message's `usage`.
    """

    model: str
    usage: dict[str, int]
    _open: str = ""
    _index: int = -1
    _started: bool = False
    _pace: Pace | None = None
    _characters: int = 0
    _output_tokens: int | None = None
    _stop_reason: str = field(default="end_turn")

    def play(self, steps: Sequence[Step]) -> Iterator[Event | Stop]:
        """Yield the events of the message, and what holds or ends the connection between them."""
        for step in steps:
            if isinstance(step, Usage):
                self.usage = {**dict.fromkeys(self.usage, 0), "input_tokens": step.input_tokens}
                self._output_tokens = step.output_tokens
        for step in steps:
            match step:
                case Say(text):
                    yield from self._say(text)
                case Think(text):
                    yield from self._think(text)
                case Tool(name, value):
                    yield from self._request_tool(name, value)
                case Pace():
                    self._pace = step
                case Usage():
                    pass
                case Fail() | Limit() | Cut() | Wait() | Hang():
                    yield step
        yield from self._end()

    def _say(self, text: str) -> Iterator[Event | Stop]:
        if self._open == "text":
            text = f"\n{text}"
        else:
            yield from self._start("text", {"type": "text", "text": ""})
        yield from self._deltas("text_delta", "text", text)

    def _think(self, text: str) -> Iterator[Event | Stop]:
        yield from self._start("thinking", {"type": "thinking", "thinking": "", "signature": ""})
        yield from self._deltas("thinking_delta", "thinking", text)
        digest = hashlib.sha512(text.encode("utf-8", "replace")).digest()
        signature = base64.b64encode(digest * 3).decode("ascii")
        yield self._delta({"type": "signature_delta", "signature": signature})

    def _request_tool(self, name: str, value: dict[str, Any]) -> Iterator[Event | Stop]:
        self._stop_reason = "tool_use"
        block = {"type": "tool_use", "id": _identifier("toolu"), "name": name, "input": {}}
        yield from self._start("tool_use", block)
        yield from self._deltas("input_json_delta", "partial_json", json.dumps(value))

    def _start(self, kind: str, block: dict[str, Any]) -> Iterator[Event]:
        if not self._started:
            self._started = True
            yield {"type": "message_start", "message": self._empty_message()}
        yield from self._stop_block()
        self._open, self._index = kind, self._index + 1
        yield {"type": "content_block_start", "index": self._index, "content_block": block}
        if self._index == 0:
            yield {"type": "ping"}

    def _stop_block(self) -> Iterator[Event]:
        if self._open:
            self._open = ""
            yield {"type": "content_block_stop", "index": self._index}

    def _deltas(self, kind: str, key: str, text: str) -> Iterator[Event | Stop]:
        self._characters += len(text)
        size = _SMALL_DELTA if len(text) <= _LARGE_TEXT else _LARGE_DELTA
        if self._pace:
            size = self._pace.characters
        for start in range(0, len(text), size):
            yield self._delta({"type": kind, key: text[start : start + size]})
            if self._pace and self._pace.pause:
                yield Pause(self._pace.pause)

    def _delta(self, delta: dict[str, Any]) -> Event:
        return {"type": "content_block_delta", "index": self._index, "delta": delta}

    def _end(self) -> Iterator[Event]:
        if not self._started:
            yield from self._start("text", {"type": "text", "text": ""})
        yield from self._stop_block()
        tokens = self._output_tokens
        if tokens is None:
            tokens = 1 + self._characters // _CHARACTERS_PER_TOKEN
        delta = {"stop_reason": self._stop_reason, "stop_sequence": None}
        usage = {**self.usage, "output_tokens": tokens}
        yield {"type": "message_delta", "delta": delta, "usage": usage}
        yield {"type": "message_stop"}

    def _empty_message(self) -> dict[str, Any]:
        return {
            "id": _identifier("msg"),
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {**self.usage, "output_tokens": 1},
        }


def input_usage(request: dict[str, Any], size: int) -> dict[str, int]:
    """Return the input side of a `usage` object, for a request of `size` bytes.

    Where the request asks for caching, everything before its last message counts as read from
    the cache.
    """
    total = max(1, size // _CHARACTERS_PER_TOKEN)
    messages = request.get("messages")
    last = json.dumps(messages[-1:]) if isinstance(messages, list) else ""
    fresh = min(total, 1 + len(last) // _CHARACTERS_PER_TOKEN)
    cached = "cache_control" in last or "cache_control" in json.dumps(request.get("system"))
    return {
        "input_tokens": fresh if cached else total,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": total - fresh if cached else 0,
    }


def whole_message(events: Iterable[Event]) -> dict[str, Any]:
    """Return the answer without streaming: the message that a client makes of these events."""
    message: dict[str, Any] = {}
    parts: list[str] = []
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                message["content"].append(event["content_block"])
                parts = []
            case "content_block_delta":
                _add_delta(message["content"][-1], event["delta"], parts)
            case "content_block_stop":
                _finish_block(message["content"][-1], "".join(parts))
            case "message_delta":
                message.update(event["delta"], usage=event["usage"])
    return message


def _add_delta(block: dict[str, Any], delta: dict[str, Any], parts: list[str]) -> None:
    if delta["type"] == "signature_delta":
        block["signature"] = delta["signature"]
    else:
        parts.append(delta.get("text") or delta.get("thinking") or delta.get("partial_json") or "")


def _finish_block(block: dict[str, Any], text: str) -> None:
    if block["type"] == "tool_use":
        block["input"] = json.loads(text)
    else:
        block[block["type"]] = text


def _identifier(kind: str) -> str:
    return f"{kind}_01{secrets.token_hex(11)}"
