"""Our lines to the CLI: each function returns one whole line of JSON with its newline.

A line that is not JSON, or of a known type without its fields, ends the CLI. So lines are made
here and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ctui.errors import InvalidInput

MAX_LINE = 16 << 20
"""Bytes that the CLI reads in one line."""

TOOL_SERVER = "ctui"
MODES = frozenset({"default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"})
"""The CLI accepts any word as a mode and says success, so it is checked here."""


def initialize(request_id: str) -> bytes:
    """The first request: declares the tool server that answers over this channel."""
    return _request(request_id, subtype="initialize", hooks=None, sdkMcpServers=[TOOL_SERVER])


def user_message(text: str, message_id: str) -> bytes:
    """What the person says. The CLI echoes the id, and runs a repeated one only once."""
    return _line(
        {
            "type": "user",
            "message": {"role": "user", "content": text},
            "parent_tool_use_id": None,
            "session_id": "default",
            "uuid": message_id,
        }
    )


def interrupt(request_id: str) -> bytes:
    return _request(request_id, subtype="interrupt")


def set_permission_mode(request_id: str, mode: str) -> bytes:
    if mode not in MODES:
        raise InvalidInput(f"{mode!r} is no permission mode", hint=f"use one of {sorted(MODES)}")
    return _request(request_id, subtype="set_permission_mode", mode=mode)


def allow(
    request_id: str, given: Mapping[str, Any], *, permissions: Sequence[Mapping[str, Any]] = ()
) -> bytes:
    """Let a tool run with exactly this input, and perhaps without asking again."""
    answer: dict[str, Any] = {"behavior": "allow", "updatedInput": dict(given)}
    if permissions:
        answer["updatedPermissions"] = [dict(item) for item in permissions]
    return _response(request_id, answer)


def deny(request_id: str, message: str) -> bytes:
    """Refuse a tool call; the model reads the message, and the turn goes on."""
    return _response(request_id, {"behavior": "deny", "message": message})


def answer_questions(
    request_id: str, given: Mapping[str, Any], answers: Mapping[str, str]
) -> bytes:
    """Answer AskUserQuestion: a question's text -> a label or a free text."""
    return allow(request_id, {**given, "answers": dict(answers)})


def answer_elicitation(request_id: str, action: str, content: Mapping[str, Any]) -> bytes:
    """Answer an MCP server's form: accept with its content, decline or cancel."""
    answer: dict[str, Any] = {"action": action}
    if action == "accept":
        answer["content"] = dict(content)
    return _response(request_id, answer)


def mcp_reply(request_id: str, message: Mapping[str, Any]) -> bytes:
    """A JSON-RPC message of the tool server."""
    return _response(request_id, {"mcp_response": dict(message)})


def no_opinion(request_id: str) -> bytes:
    """The answer to a hook that nobody registered."""
    return _response(request_id, {})


def refuse(request_id: str, error: str) -> bytes:
    """The answer to a request that this program does not know."""
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "error", "request_id": request_id, "error": error},
        }
    )


def session_permissions(suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The CLI's own suggestions, for this session only.

    With another destination the CLI would write them into a file of the worktree.
    """
    known = {"addRules", "addDirectories", "setMode"}
    return [
        {**item, "destination": "session"}
        for item in suggestions
        if item.get("type") in known
        and (item.get("type") != "setMode" or item.get("mode") == "acceptEdits")
    ]


def session_label(suggestions: Sequence[Mapping[str, Any]]) -> str:
    """What allowing for the session really allows, or "" if nothing was suggested."""
    for item in session_permissions(suggestions):
        if item["type"] == "setMode":
            return "accept all edits in this task"
        if item["type"] == "addRules" and isinstance(item.get("rules"), list):
            rules = [_rule(rule) for rule in item["rules"] if isinstance(rule, dict)]
            return f"allow {', '.join(rules)} in this task"
    return ""


def _rule(rule: Mapping[str, Any]) -> str:
    content = rule.get("ruleContent")
    return f"{rule.get('toolName')}({content})" if content else str(rule.get("toolName"))


def _request(request_id: str, **request: Any) -> bytes:
    return _line({"type": "control_request", "request_id": request_id, "request": request})


def _response(request_id: str, response: Mapping[str, Any]) -> bytes:
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "success", "request_id": request_id, "response": response},
        }
    )


def _line(value: Mapping[str, Any]) -> bytes:
    # ASCII escapes keep every character that JSON can say, lone surrogates included, on one line.
    line = json.dumps(value).encode() + b"\n"
    if len(line) > MAX_LINE:
        raise InvalidInput(
            f"that is {len(line) >> 20} MB, more than Claude Code reads in one message",
            hint="put it into a file of the worktree and name the file",
        )
    return line
