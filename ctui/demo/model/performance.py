"""Performance of one call of `/v1/messages`: its steps, played on its connection."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from .answer import answer_to
from .exchange import Exchange, Gone, Rejected
from .stage import Stage
from .steps import Cut, Fail, Hang, Limit, Wait
from .stream import Event, Message, Pause, Stop, input_usage, whole_message

_POLL_SECONDS, _PING_SECONDS = 0.2, 5.0
"""Seconds between two checks of a held stream's client, each with a `ping`."""


class Performance:
    """Answer to one request, whose facts are taken when it is made.

    Args:
        exchange: the connection that it is played on.
        stage: what it shares with all others.
        request: the body of the request, and `size` its length in bytes.
    """

    def __init__(
        self, exchange: Exchange, stage: Stage, request: dict[str, Any], size: int
    ) -> None:
        self._exchange = exchange
        self._stage = stage
        self._streams = request.get("stream") is True
        self._credentials = _credentials(exchange)
        turn, number, steps = answer_to(request)
        self._key = f"{turn.key}:{number}"
        self._stops = 0
        message = Message(str(request.get("model")), input_usage(request, size))
        self._items = message.play(steps)
        self._record = {
            **_facts(request),
            "credentials": [_fingerprint(kind, value) for kind, value in self._credentials],
            "user_agent": exchange.headers.get("user-agent", ""),
            "prompt": turn.prompts[-1][:2000] if turn.prompts else "",
            "call": number,
        }

    def play(self) -> None:
        """Send the answer.

        Raises:
            Rejected: the answer is an error.
            Gone: the connection is closed.
        """
        self._stage.add_call(self._record)
        status = 0
        try:
            _check(self._credentials)
            if self._streams:
                self._stream()
            else:
                self._exchange.send_json(HTTPStatus.OK, whole_message(self._events()))
            status = HTTPStatus.OK
        except Rejected as rejected:
            status = rejected.status
            raise
        finally:
            self._stage.finish_call(self._record, status)

    def _stream(self) -> None:
        for event in self._events():
            if not self._exchange.streaming:
                self._exchange.begin_stream()
            self._exchange.send_event(event)
        self._exchange.end_stream()

    def _events(self) -> Iterator[Event]:
        for item in self._items:
            if isinstance(item, dict):
                yield item
            else:
                self._stop(item)

    def _stop(self, stop: Stop) -> None:
        self._stops += 1
        key = f"{self._key}:{self._stops}"
        match stop:
            case Pause(milliseconds):
                time.sleep(milliseconds / 1000)
            case Wait(name):
                self._hold(name)
            case Hang():
                self._hang()
            case Cut(times) if self._stage.use_up(key, times):
                self._exchange.hang_up()
                raise Gone
            case Fail(status, times) if self._stage.use_up(key, times):
                raise Rejected(status, f"the script says {status}")
            case Limit(seconds) if reset := self._stage.limited_until(seconds):
                raise Rejected(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "This request would exceed your account's rate limit. Please try again later.",
                    {
                        "anthropic-ratelimit-unified-status": "rejected",
                        "anthropic-ratelimit-unified-reset": str(reset),
                        "anthropic-ratelimit-unified-representative-claim": "five_hour",
                    },
                )

    def _hold(self, name: str) -> None:
        """Wait for a name, and send a `ping` now and then, as the API does."""
        gate = self._stage.gate(name)
        pinged = time.monotonic()
        with self._stage.waiting_for(name):
            while not gate.wait(_POLL_SECONDS):
                self._look_for_client()
                if self._exchange.streaming and time.monotonic() - pinged > _PING_SECONDS:
                    pinged = time.monotonic()
                    self._exchange.send_event({"type": "ping"})

    def _hang(self) -> None:
        with self._stage.waiting_for("(hang)"):
            while True:
                self._look_for_client()
                time.sleep(_POLL_SECONDS)

    def _look_for_client(self) -> None:
        if self._exchange.is_abandoned():
            raise Gone


def _facts(request: dict[str, Any]) -> dict[str, Any]:
    """Return what tests want to know about a request, none of it secret or large."""
    system, tools = request.get("system"), request.get("tools")
    if isinstance(system, list):
        system = "\n".join(str(part.get("text")) for part in system if isinstance(part, dict))
    names = [tool.get("name") for tool in tools or [] if isinstance(tool, dict)]
    return {
        "model": request.get("model"),
        "stream": request.get("stream") is True,
        "system": str(system or "")[-4000:],
        "messages": len(request["messages"]),
        "media": [*_media(request["messages"])],
        "tools": names,
    }


def _media(messages: list[Any]) -> Iterator[dict[str, str]]:
    """Yield the images and documents of a conversation, by what they are and a sum of them."""
    contents = (message.get("content") for message in messages if isinstance(message, dict))
    for block in (one for content in contents if isinstance(content, list) for one in content):
        source = block.get("source") if isinstance(block, dict) else None
        if isinstance(source, dict):
            digest = hashlib.sha256(str(source.get("data")).encode()).hexdigest()
            kind = str(source.get("media_type"))
            yield {"type": str(block.get("type")), "media_type": kind, "sha256": digest}


def _credentials(exchange: Exchange) -> list[tuple[str, str]]:
    """Return kind and value of each credential that came with a request."""
    found = []
    if key := exchange.headers.get("x-api-key"):
        found.append(("api-key", key))
    scheme, _, token = exchange.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        oauth = "oauth-" in exchange.headers.get("anthropic-beta", "")
        found.append(("oauth" if oauth else "bearer", token.strip()))
    return found


def _fingerprint(kind: str, value: str) -> dict[str, str]:
    return {"kind": kind, "sha256": hashlib.sha256(value.encode("utf-8", "replace")).hexdigest()}


def _check(credentials: list[tuple[str, str]]) -> None:
    if not credentials:
        raise Rejected(HTTPStatus.UNAUTHORIZED, "x-api-key header is required")
    if any("expired" in value for _, value in credentials):
        raise Rejected(HTTPStatus.UNAUTHORIZED, "the credential has expired")
