"""The `ctui` tools inside a task: a Model Context Protocol server over the CLI's own stdio.

The CLI sends each JSON-RPC message of its MCP client as an `mcp_message` request and takes the
reply as the answer to that request. Five methods are all that it uses, so they are served here by
hand. Protocol: modelcontextprotocol.io/specification/2025-11-25.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from ctui import __version__

SERVER = "ctui"
PROTOCOL_VERSION = "2025-11-25"
_INSTRUCTIONS = (
    "ask_user puts a question to the person who runs this task and waits for the answer. "
    "notify_user tells that person something and does not wait. "
    "resolve_comment answers a comment of their review."
)


class AskUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The input of `ask_user`."""

    question: str
    options: list[str] = []
    timeout_seconds: int | None = None
    priority: Literal["normal", "urgent"] = "normal"


class NotifyUser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The input of `notify_user`."""

    message: str
    priority: Literal["normal", "urgent"] = "normal"


class ResolveComment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The input of `resolve_comment`."""

    number: int
    text: str


class Respond(msgspec.Struct, frozen=True):
    """A JSON-RPC message to send back at once."""

    message: dict[str, Any]


class AskPerson(msgspec.Struct, frozen=True):
    """A question to the person; the call stays open until it is answered."""

    call: int | str
    """The JSON-RPC id of the call."""
    question: AskUser


class NotifyPerson(msgspec.Struct, frozen=True):
    """Words for the person, and a response to send at once."""

    call: int | str
    note: NotifyUser
    response: dict[str, Any]


class AnswerComment(msgspec.Struct, frozen=True):
    """An answer to a comment of the person's review, and a response if it can be kept."""

    call: int | str
    answer: ResolveComment
    response: dict[str, Any]


class Withdraw(msgspec.Struct, frozen=True):
    """The end of a call, by its JSON-RPC id, on which the CLI gave up."""

    call: int | str
    response: dict[str, Any]


Outcome = Respond | AskPerson | NotifyPerson | AnswerComment | Withdraw

_ASK_USER: dict[str, Any] = {
    "name": "ask_user",
    "description": (
        "Ask the person who runs this task a question and wait for the answer. Use it for a "
        "decision that only they can make. Returns the answer as text."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "question": {
                "type": "string",
                "minLength": 1,
                "maxLength": 2000,
                "description": "The question, complete in itself.",
            },
            "options": {
                "type": "array",
                "items": {"type": "string", "maxLength": 200},
                "maxItems": 8,
                "description": "Answers to choose from; a free text stays possible.",
            },
            "timeout_seconds": {
                "type": "integer",
                "minimum": 60,
                "maximum": 7200,
                "description": "Give up after this long. Without it the question waits.",
            },
            "priority": {"type": "string", "enum": ["normal", "urgent"]},
        },
        "required": ["question"],
        "additionalProperties": False,
    },
    "annotations": {"title": "Ask the person", "readOnlyHint": True},
}

_NOTIFY_USER: dict[str, Any] = {
    "name": "notify_user",
    "description": "Tell the person who runs this task something. Does not wait for an answer.",
    "inputSchema": {
        "type": "object",
        "properties": {
            "message": {"type": "string", "minLength": 1, "maxLength": 2000},
            "priority": {"type": "string", "enum": ["normal", "urgent"]},
        },
        "required": ["message"],
        "additionalProperties": False,
    },
    "annotations": {"title": "Notify the person", "readOnlyHint": True},
}

_RESOLVE_COMMENT: dict[str, Any] = {
    "name": "resolve_comment",
    "description": (
        "Answer a comment of the person's review by its number: what you changed for it, or why "
        "you changed nothing. The answer appears under the comment."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "number": {"type": "integer", "minimum": 1, "description": "Such as 12 for #12."},
            "text": {"type": "string", "minLength": 1, "maxLength": 2000},
        },
        "required": ["number", "text"],
        "additionalProperties": False,
    },
    "annotations": {"title": "Answer a review comment", "readOnlyHint": True},
}

TOOLS = (_ASK_USER, _NOTIFY_USER, _RESOLVE_COMMENT)


def handle(message: Mapping[str, Any]) -> Outcome:
    """Decide what a JSON-RPC message from the CLI leads to. Never raises on hostile input."""
    method, call = message.get("method"), message.get("id")
    params = message.get("params")
    params = params if isinstance(params, dict) else {}
    if isinstance(call, bool) or not isinstance(call, int | str):
        return _notification(method, params)
    if method == "initialize":
        return Respond(_result(call, _introduction()))
    if method == "ping":
        return Respond(_result(call, {}))
    if method == "tools/list":
        return Respond(_result(call, {"tools": list(TOOLS)}))
    if method == "tools/call":
        return _tool_call(call, params)
    return Respond(_error(call, -32601, "this server has tools and nothing else"))


def answered(call: int | str, response: str, *, timed_out: bool = False) -> dict[str, Any]:
    """Return the result of an `ask_user` call."""
    facts = {"response": response, "timed_out": timed_out}
    text = response if not timed_out else "Nobody answered in time. Go on without an answer."
    return _result(call, {"content": [{"type": "text", "text": text}], "structuredContent": facts})


def refused(call: int | str, reason: str) -> dict[str, Any]:
    """Return a tool error: the model reads `reason` and goes on."""
    return _result(call, {"content": [{"type": "text", "text": reason}], "isError": True})


def _told(call: int | str, text: str) -> dict[str, Any]:
    return _result(call, {"content": [{"type": "text", "text": text}]})


def _notification(method: object, params: Mapping[str, Any]) -> Outcome:
    # The CLI wants an answer to notifications too, and takes this one.
    acknowledgement = _result(0, {})
    cancelled = params.get("requestId")
    if method == "notifications/cancelled" and isinstance(cancelled, int | str):
        return Withdraw(cancelled, acknowledgement)
    return Respond(acknowledgement)


def _tool_call(call: int | str, params: Mapping[str, Any]) -> Outcome:
    name, arguments = params.get("name"), params.get("arguments", {})
    try:
        if name == "ask_user":
            question = msgspec.convert(arguments, AskUser)
            return (
                Respond(refused(call, wrong))
                if (wrong := _wrong(question))
                else AskPerson(call, question)
            )
        if name == "notify_user":
            note = msgspec.convert(arguments, NotifyUser)
            if not 1 <= len(note.message) <= 2000:
                return Respond(refused(call, "message must have 1 to 2000 characters"))
            return NotifyPerson(call, note, _told(call, "told"))
        if name == "resolve_comment":
            answer = msgspec.convert(arguments, ResolveComment)
            if not 1 <= len(answer.text.strip()) <= 2000 or not 1 <= answer.number < 1 << 63:
                return Respond(
                    refused(call, "it needs a number and a text of 1 to 2000 characters")
                )
            return AnswerComment(call, answer, _told(call, f"#{answer.number} is answered"))
    except msgspec.ValidationError as error:
        return Respond(refused(call, f"{name}: {error}"))
    return Respond(_error(call, -32602, f"there is no tool {str(name)[:80]!r}"))


def _wrong(question: AskUser) -> str:
    if not 1 <= len(question.question) <= 2000:
        return "question must have 1 to 2000 characters"
    if len(question.options) > 8 or any(not 1 <= len(text) <= 200 for text in question.options):
        return "options must be at most 8 texts of 1 to 200 characters"
    timeout = question.timeout_seconds
    if timeout is not None and not 60 <= timeout <= 7200:
        return "timeout_seconds must be 60 to 7200"
    return ""


def _introduction() -> dict[str, Any]:
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": SERVER, "version": __version__},
        "instructions": _INSTRUCTIONS,
    }


def _result(call: int | str, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call, "result": result}


def _error(call: int | str, code: int, text: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call, "error": {"code": code, "message": text}}
