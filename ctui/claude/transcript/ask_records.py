"""Records of what a task asked and what came of it, as its own lines tell: not the asks themselves.

The driver's store says what is really open, and what was really answered; a process in the sandbox
can write each of these lines.
"""

from __future__ import annotations

from collections.abc import Mapping

from ctui.claude.protocol import fields
from ctui.claude.protocol.content import plain_text
from ctui.claude.protocol.control import label_of_permissions
from ctui.claude.protocol.events import Elicitation, McpMessage, PermissionRequest, Response
from ctui.claude.protocol.fields import JsonObject
from ctui.claude.transcript.blocks import (
    AskOutcome,
    AskRecord,
    FormRecord,
    PermissionRecord,
    PlanRecord,
    QuestionItem,
    QuestionRecord,
)
from ctui.claude.transcript.cursor import Cursor
from ctui.claude.transcript.tools import SUBJECT_WIDTH, subject_of
from ctui.text import one_line, sanitise

_MOST_QUESTIONS = 16
_MOST_OPTIONS = 32


class AskRecords:
    """Records of the requests, each closed by the echo of its answer."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self._open: dict[str, AskRecord] = {}

    def permission(self, event: PermissionRequest) -> None:
        given = event.given
        if event.tool == "AskUserQuestion" and (items := fields.mappings(given, "questions")):
            record: AskRecord = QuestionRecord(
                **self._cursor.origin(),
                request_id=event.request_id,
                call_id=event.tool_use_id,
                questions=tuple(_question(item) for item in items[:_MOST_QUESTIONS]),
            )
        elif event.tool == "ExitPlanMode":
            plan = sanitise(fields.text(given, "plan"))
            record = PlanRecord(
                **self._cursor.origin(),
                request_id=event.request_id,
                call_id=event.tool_use_id,
                text=plan,
            )
        else:
            record = PermissionRecord(
                **self._cursor.origin(),
                request_id=event.request_id,
                call_id=event.tool_use_id,
                tool=one_line(event.tool),
                subject=subject_of(event.tool, given),
                reason=one_line(event.reason, SUBJECT_WIDTH),
            )
        self._add(record)

    def form(self, event: Elicitation) -> None:
        self._add(
            FormRecord(
                **self._cursor.origin(),
                request_id=event.request_id,
                server=one_line(event.server),
                text=sanitise(event.message),
            )
        )

    def tool_server(self, event: McpMessage) -> None:
        """Record a call of `ask_user`; every other message of the tool server shows nothing."""
        params = fields.mapping(event.message, "params")
        arguments = fields.mapping(params, "arguments")
        if event.message.get("method") != "tools/call" or params.get("name") != "ask_user":
            return
        item = QuestionItem(
            text=sanitise(fields.text(arguments, "question")),
            options=tuple(
                one_line(text, SUBJECT_WIDTH) for text in fields.texts(arguments, "options")
            )[:_MOST_OPTIONS],
        )
        self._add(
            QuestionRecord(
                **self._cursor.origin(),
                request_id=event.request_id,
                call_id=fields.text(fields.mapping(params, "_meta"), "claudecode/toolUseId"),
                questions=(item,),
            )
        )

    def answered(self, event: Response) -> AskRecord | None:
        """Close and return the record that an echoed answer belongs to; None if none is open."""
        record = self._open.pop(event.request_id, None)
        if record is None:
            return None
        if event.error:
            record.outcome, record.message = AskOutcome.DENIED, sanitise(event.error)
        elif "mcp_response" in event.response:
            _toolbox_answer(record, fields.mapping(event.response, "mcp_response"))
        elif "action" in event.response:
            accepted = event.response.get("action") == "accept"
            declined = AskOutcome.DENIED if event.response.get("action") == "decline" else None
            record.outcome = AskOutcome.ALLOWED if accepted else declined or AskOutcome.CANCELLED
        else:
            _decision(record, event.response)
        self._cursor.ledger.touch(record)
        return record

    def cancelled(self, request_id: str) -> AskRecord | None:
        """Close and return the record of a request that the CLI took back; None if none is open."""
        return self._close(request_id, AskOutcome.CANCELLED)

    def close_call(self, call_id: str) -> None:
        """Let the open permission of a tool call that is over expire."""
        for record in list(self._open.values()):
            if isinstance(record, PermissionRecord) and record.call_id == call_id:
                self._close(record.request_id, AskOutcome.EXPIRED)

    def close_all(self) -> None:
        for request_id in list(self._open):
            self._close(request_id, AskOutcome.EXPIRED)

    def _close(self, request_id: str, outcome: AskOutcome) -> AskRecord | None:
        record = self._open.pop(request_id, None)
        if record is not None:
            record.outcome = outcome
            self._cursor.ledger.touch(record)
        return record

    def _add(self, record: AskRecord) -> None:
        if record.request_id not in self._open:
            self._open[record.request_id] = record
            self._cursor.ledger.settle(record)
        if self._cursor.run_over:
            self._close(record.request_id, AskOutcome.EXPIRED)


def _question(item: JsonObject) -> QuestionItem:
    options = (fields.text(option, "label") for option in fields.mappings(item, "options"))
    return QuestionItem(
        text=sanitise(fields.text(item, "question")),
        header=one_line(fields.text(item, "header")),
        options=tuple(one_line(label, SUBJECT_WIDTH) for label in options)[:_MOST_OPTIONS],
        multiple=item.get("multiSelect") is True,
    )


def _toolbox_answer(record: AskRecord, message: JsonObject) -> None:
    result = fields.mapping(message, "result")
    text = sanitise(plain_text(result.get("content")))
    refused = result.get("isError") is True or "error" in message
    record.outcome = AskOutcome.DENIED if refused else AskOutcome.ALLOWED
    if isinstance(record, QuestionRecord) and not refused:
        record.answers = {record.questions[0].text: text}
    else:
        record.message = text


def _decision(record: AskRecord, response: JsonObject) -> None:
    if response.get("behavior") != "allow":
        record.outcome = AskOutcome.DENIED
        record.message = sanitise(fields.text(response, "message"))
        return
    record.outcome = AskOutcome.ALLOWED
    if isinstance(record, PermissionRecord):
        record.granted = label_of_permissions(fields.mappings(response, "updatedPermissions"))
    elif isinstance(record, QuestionRecord):
        answers: Mapping[str, object] = fields.mapping(
            fields.mapping(response, "updatedInput"), "answers"
        )
        record.answers = {
            sanitise(question): sanitise(answer)
            for question, answer in answers.items()
            if isinstance(answer, str)
        }
