"""Tool calls, from their use to their result."""

from __future__ import annotations

import re
from typing import Any

from ctui.claude.protocol.content import ToolResult, ToolUse
from ctui.claude.protocol.events import CommandOutput
from ctui.claude.transcript.blocks import Block, ToolCall, ToolState, sanitised
from ctui.claude.transcript.cursor import Cursor
from ctui.claude.transcript.tools import output_of, subject_of
from ctui.text import one_line, sanitise

_AGENTS = {"Agent", "Task"}
_FOR_THE_MODEL = re.compile(r"^agentId: ", re.MULTILINE)
"""Beginning of what the CLI writes for the model behind a subagent's words."""

_GROWING = 4096
"""Characters of what a running command has printed that are shown."""


class ToolCalls:
    """The calls that have no result yet."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._open: dict[str, ToolCall] = {}
        self._denied: set[str] = set()

    def used(self, content: ToolUse, parent: str, block: Block | None) -> None:
        """Settle a call that is complete; `block` showed its beginning, if anybody saw it."""
        cursor = self._cursor
        if isinstance(block, ToolCall):
            call = block
        else:
            call = ToolCall(**cursor.origin(parent), call_id=content.id, name="")
        call.name, call.time = one_line(content.name), cursor.time
        call.subject = subject_of(content.name, content.given)
        call.given = sanitised(dict(content.given))
        call.state = ToolState.STOPPED if cursor.run_over else ToolState.RUNNING
        self._stop(self._open.get(content.id))
        self._open[content.id] = call
        cursor.begin_call(content.id, parent)
        cursor.ledger.settle(call)

    def returned(self, content: ToolResult, result: Any) -> None:
        """Complete a call by its result. A second one, or one of an unknown call, is ignored."""
        call = self._open.pop(content.tool_use_id, None)
        if call is None:
            return
        text = content.text
        if call.name in _AGENTS:
            theirs, *for_the_model = _FOR_THE_MODEL.split(text, maxsplit=1)
            text = theirs.rstrip("\n") if for_the_model else text
        call.output = output_of(text, result, is_error=content.is_error)
        call.finished, call.growing = self._cursor.time, ""
        call.state = ToolState.OK
        if content.is_error:
            denied = content.tool_use_id in self._denied
            call.state = ToolState.DENIED if denied else ToolState.ERROR
        self._denied.discard(content.tool_use_id)
        self._cursor.ledger.touch(call)

    def grows(self, event: CommandOutput) -> None:
        """Show the last lines of a call that runs."""
        call = self._open.get(event.call)
        if call is not None and call.state is ToolState.RUNNING:
            call.growing = sanitise(event.text[-_GROWING:])
            self._cursor.ledger.touch(call)

    def waited(self, call_id: str, time: int) -> None:
        """Add the nanoseconds that the person took to answer what a call asked."""
        if (call := self._open.get(call_id)) is not None:
            call.waited += time
            self._cursor.ledger.touch(call)

    def denied(self, call_id: str) -> None:
        """Note that a call was denied: its result will be the refusal."""
        if call_id in self._open:
            self._denied.add(call_id)

    def waits_for(self, call_id: str) -> bool:
        """Return True while a call runs in the foreground: its end is its own result."""
        call = self._open.get(call_id)
        return call is not None and not call.given.get("run_in_background")

    def stop_all(self) -> None:
        """Stop all calls with their run. A result that comes behind its last words still counts."""
        for call in self._open.values():
            self._stop(call)

    def _stop(self, call: ToolCall | None) -> None:
        if call is not None and call.state is ToolState.RUNNING:
            call.state, call.finished = ToolState.STOPPED, self._cursor.time
            call.growing = ""
            self._cursor.ledger.touch(call)
