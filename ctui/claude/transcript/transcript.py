"""Fold of events into blocks, without side effects.

Live, replayed, or from an archive that has no streamed parts: the same lines give the same blocks.
So whatever a part says is provisional, until a whole line says it again or the run is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from ctui.claude.protocol import events
from ctui.claude.protocol.content import Content, Other, Text, Thinking, ToolResult, ToolUse
from ctui.claude.transcript.ask_records import AskRecords
from ctui.claude.transcript.blocks import (
    AskOutcome,
    AskRecord,
    Block,
    LongText,
    Notice,
    PermissionRecord,
    Prompt,
    RunMark,
    Speech,
    Thought,
    TurnEnd,
)
from ctui.claude.transcript.cursor import Cursor
from ctui.claude.transcript.ledger import NOTHING, Changes, Ledger
from ctui.claude.transcript.notices import Notices
from ctui.claude.transcript.open_parts import OpenParts
from ctui.claude.transcript.prompts import Prompts
from ctui.claude.transcript.tool_calls import ToolCalls
from ctui.text import one_line, sanitise

_COMMAND_OUTPUT = ("<local-command-stdout>", "</local-command-stdout>")
_INTERRUPTED = "[Request interrupted by user"


class Transcript:
    """Blocks that a person reads of one task, over all its runs."""

    def __init__(self, echoed: Iterable[str] = ()) -> None:
        """Begin with nothing read.

        Args:
            echoed: ids of messages that were echoed before; one that was sent again is echoed once
                more, and not shown.
        """
        self._ledger = Ledger()
        self._cursor = cursor = Cursor(self._ledger)
        self._parts = OpenParts(cursor)
        self._calls = ToolCalls(cursor)
        self._asks = AskRecords(cursor)
        self._prompts = Prompts(cursor, echoed)
        self._notices = Notices(cursor)
        self._cost = 0.0

    @classmethod
    def behind(
        cls, end: events.Result, *, run: int, session: str, echoed: Iterable[str] = ()
    ) -> Transcript:
        """Return a transcript that begins in the middle of a journal, behind a turn's end.

        There no call or ask is open, so the rest folds to the blocks that the whole would have.

        Args:
            end: the turn's end.
            run: its run.
            session: the CLI's session id then.
            echoed: as for the constructor.
        """
        made = cls(echoed)
        made._cursor.begin_run(run)
        made._notices.go_on(session)
        made._cost = end.total_cost_usd
        return made

    @property
    def blocks(self) -> Sequence[Block]:
        """Return all blocks in the order in which they are read; not to be changed."""
        return self._ledger.blocks

    def block(self, block_id: int) -> Block | None:
        return self._ledger.get(block_id)

    def feed(self, event: events.Event, *, run: int, time: int) -> Changes:
        """Take the next event of the journal, and return what it changed.

        Args:
            event: what `decode` made of the line.
            run: the number of its run, from 1.
            time: when it was read, in nanoseconds since the epoch.
        """
        self._cursor.time = time
        if run > self._cursor.run:
            if isinstance(event, events.Part):
                # An archive does not have it, so it must not be what a run begins with.
                return NOTHING
            self._begin_run(run)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(self, event)
        return self._ledger.take_changes()

    def expect(self, uuid: str, text: str, *, time: int) -> Changes:
        """Show what the person said, as not delivered, until the CLI echoes it."""
        self._prompts.expect(uuid, text, time)
        return self._ledger.take_changes()

    # -- runs

    def _begin_run(self, run: int) -> None:
        if self._cursor.run:
            self._end_run()
        self._cursor.begin_run(run)
        self._notices.begin_run()
        self._cost = 0.0
        self._ledger.settle(RunMark(**self._cursor.origin(), what="started"))

    def _end_run(self) -> None:
        self._parts.drop_all()
        self._asks.close_all()
        self._calls.stop_all()
        self._cursor.run_over = True

    def _relay_line(self, event: events.RelayLine) -> None:
        what, text = one_line(event.what), one_line(event.reason)
        if what == "dropped":
            text = f"{event.size} bytes that were no whole message"
        elif what in {"exited", "failed"}:
            self._end_run()
        elif said := event.start_failure:
            self._cursor.notice("environment", said)
            return
        else:
            return
        mark = RunMark(**self._cursor.origin(), what=what, text=text, code=event.code)
        self._ledger.settle(mark)

    def _driver_notice(self, event: events.DriverNotice) -> None:
        if event.kind == "ended":
            self._end_run()
            self._ended(sanitise(event.text))
        elif event.kind != "started":
            self._cursor.notice(event.kind, event.text, urgent=event.urgent)

    def _ended(self, text: str) -> None:
        """Settle the driver's word on a run's end, where the relay could not say as much."""
        last = self._ledger.last
        if isinstance(last, RunMark) and last.what in {"exited", "failed"}:
            if last.code is None:
                last.text = last.text or text
                self._ledger.touch(last)
        else:
            self._ledger.settle(RunMark(**self._cursor.origin(), what="ended", text=text))

    # -- the conversation

    def _assistant(self, event: events.AssistantMessage) -> None:
        for content in event.blocks:
            block = self._parts.take(event.parent, event.message_id, content)
            match content:
                case Text() if content.text:
                    self._speech(event, content, block)
                case Thinking() if content.text:
                    self._thought(event, content, block)
                case ToolUse():
                    self._calls.used(content, event.parent, block)
                case _ if block is not None:
                    self._ledger.drop(block)

    def _speech(self, event: events.AssistantMessage, content: Text, block: Block | None) -> None:
        text, error = LongText(sanitise(content.text)), one_line(event.error)
        if not isinstance(block, Speech):
            block = Speech(**self._cursor.origin(event.parent), text=text)
        block.text, block.error, block.open = text, error, False
        block.time = self._cursor.time
        self._ledger.settle(block)

    def _thought(
        self, event: events.AssistantMessage, content: Thinking, block: Block | None
    ) -> None:
        text = LongText(sanitise(content.text))
        if not isinstance(block, Thought):
            block = Thought(**self._cursor.origin(event.parent), text=text)
        block.text, block.open, block.time = text, False, self._cursor.time
        self._ledger.settle(block)

    def _user(self, event: events.UserMessage) -> None:
        said: list[Content] = []
        for content in event.blocks:
            if isinstance(content, ToolResult):
                self._calls.returned(content, event.tool_use_result)
                self._asks.close_call(content.tool_use_id)
            elif not (event.is_replay and isinstance(content, Other)):  # its text names them
                said.append(content)
        if said:
            self._said(event, "\n".join(_plain(content) for content in said))

    def _said(self, event: events.UserMessage, text: str) -> None:
        before, behind = _COMMAND_OUTPUT
        if text.startswith(before):
            output = text.removeprefix(before).removesuffix(behind)
            self._cursor.notice("command", output, event.parent)
        elif event.is_replay:
            self._prompts.echoed(event.uuid, text, event.parent)
        elif text.startswith(_INTERRUPTED):
            self._cursor.notice("interrupted", "interrupted", event.parent)
        elif event.parent:
            origin = self._cursor.origin(event.parent)
            self._ledger.settle(Prompt(**origin, uuid=event.uuid, text=sanitise(text)))
        else:
            self._cursor.notice("context", text)

    def _result(self, event: events.Result) -> None:
        self._parts.drop_all()
        text = sanitise(event.text or _errors(event))
        last = self._ledger.last
        repeated = isinstance(last, Speech | Notice) and str(last.text).strip() == text.strip()
        self._ledger.settle(
            TurnEnd(
                **self._cursor.origin(),
                ok=not event.is_error,
                interrupted=event.interrupted,
                text=text if event.is_error and not repeated else "",
                cost_usd=max(0.0, event.total_cost_usd - self._cost),
                duration_ms=event.duration_ms,
                turns=event.turns,
                denials=event.denials,
                input_tokens=event.input_tokens,
                output_tokens=event.output_tokens,
            )
        )
        self._cost = max(self._cost, event.total_cost_usd)

    # -- asks

    def _permission_denied(self, event: events.PermissionDenied) -> None:
        self._calls.denied(event.tool_use_id)
        self._notices.permission_denied(event)

    def _response(self, event: events.Response) -> None:
        self._closed(self._asks.answered(event))

    def _request_cancelled(self, event: events.RequestCancelled) -> None:
        self._closed(self._asks.cancelled(event.request_id))

    def _closed(self, record: AskRecord | None) -> None:
        if record is not None:
            self._calls.waited(record.call_id, self._cursor.time - record.time)
        if isinstance(record, PermissionRecord) and record.outcome is not AskOutcome.ALLOWED:
            self._calls.denied(record.call_id)

    _handlers: ClassVar[dict[type[events.Event], Callable[[Transcript, Any], None]]] = {
        events.RelayLine: _relay_line,
        events.DriverNotice: _driver_notice,
        events.MessageStarted: lambda self, event: self._parts.start_message(event),
        events.BlockStarted: lambda self, event: self._parts.start_block(event),
        events.BlockDelta: lambda self, event: self._parts.grow(event),
        events.CommandOutput: lambda self, event: self._calls.grows(event),
        events.AssistantMessage: _assistant,
        events.UserMessage: _user,
        events.Result: _result,
        events.Init: lambda self, event: self._notices.init(event),
        events.Status: lambda self, event: self._notices.status(event),
        events.ApiRetry: lambda self, event: self._notices.api_retry(event),
        events.PermissionDenied: _permission_denied,
        events.Compacted: lambda self, event: self._notices.compacted(event),
        events.BackgroundTask: lambda self, event: self._notices.background(event),
        events.PermissionRequest: lambda self, event: self._asks.permission(event),
        events.Elicitation: lambda self, event: self._asks.form(event),
        events.McpMessage: lambda self, event: self._asks.tool_server(event),
        events.RequestCancelled: _request_cancelled,
        events.Response: _response,
        events.Stray: lambda self, event: self._notices.stray(event),
    }


def _errors(event: events.Result) -> str:
    """Return the errors without the CLI's notes to its own makers, else the kind of failure."""
    errors = [error for error in event.errors if not error.startswith("[ede_diagnostic]")]
    says_more = event.is_error and not event.interrupted
    return "\n".join(errors) or (event.subtype if says_more else "")


def _plain(content: Content) -> str:
    if isinstance(content, Text):
        return content.text
    return f"[{content.type}]" if isinstance(content, Other) else ""
