"""Time for which the model has said nothing although it is its turn: a fold over events."""

from __future__ import annotations

from ctui.claude.protocol import events
from ctui.claude.protocol.content import ToolResult, ToolUse

SILENT_SECONDS = 10
"""Seconds of silence from which a person is told."""

_MODEL_SPEAKS = (events.Part, events.ApiRetry, events.Status, events.SessionState, events.Init)


class Silence:
    """Account of whose turn it is. While a tool runs or something is asked, it is not the model's.

    A subagent is a conversation of its own: while it works, its caller has an open call.
    """

    def __init__(self) -> None:
        self._open: dict[str, set[str]] = {}
        """Conversation ("" is the main one) -> the tool calls that it waits for."""
        self._last: float | None = None

    def feed(self, event: events.Event, now: float) -> None:
        """Take the next event of the journal, which came at `now` (seconds of any clock)."""
        match event:
            case events.AssistantMessage():
                calls = {block.id for block in event.blocks if isinstance(block, ToolUse)}
                self._open.setdefault(event.parent, set()).update(calls)
            case events.UserMessage():
                self._heard(event)
            case events.SessionState(state="idle") | events.Result():
                self._open.clear()
            case events.RelayLine(what="started" | "exited") | events.DriverNotice(kind="ended"):
                self._open.clear()
            case events.SessionState(state="running"):
                self._open.setdefault("", set())
            case _ if not isinstance(event, _MODEL_SPEAKS):
                return
        self._last = now

    def seconds(self, now: float) -> int:
        """Return the seconds for which the model has been silent; 0 while it is not its turn."""
        waited_for = any(not calls for calls in self._open.values())
        return int(now - self._last) if waited_for and self._last is not None else 0

    def _heard(self, event: events.UserMessage) -> None:
        if event.is_replay:
            self._open.setdefault("", set())
        for block in event.blocks:
            if isinstance(block, ToolResult):
                self._open.pop(block.tool_use_id, None)  # its subagent is done
                for calls in self._open.values():
                    calls.discard(block.tool_use_id)


def silence_text(seconds: int) -> str:
    """Return what a person is told of a silence; "" while it is short."""
    return f"the model has said nothing for {seconds} s" if seconds >= SILENT_SECONDS else ""
