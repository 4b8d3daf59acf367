"""Our lines to the CLI: each function returns one whole line of JSON with its newline.

A line that is not JSON, or of a known type without its fields, ends the CLI. So lines are made
here and nowhere else. Every function raises `InvalidInput` where its line would be too long, or
holds what JSON cannot say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from ctui.claude.protocol import fields
from ctui.claude.protocol.fields import JsonObject
from ctui.errors import InvalidInput
from ctui.text import one_line

MAX_LINE = 16 << 20
"""Bytes in one line that every reader on the way is made for."""
MARGIN = 1 << 20
"""Bytes that an echo or an answer may have beside what it repeats."""

TOOL_SERVER = "ctui"
MODES = frozenset({"default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"})
"""Permission modes. The CLI accepts any word and says success, so it is checked here."""

ACCEPT_EDITS: JsonObject = {"type": "setMode", "mode": "acceptEdits", "destination": "session"}

_RULE_WIDTH = 120
_ENCODER = json.JSONEncoder(allow_nan=False)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_END = b"}}}\n"
"""End of a response whose last member is an object in an object."""


def initialize(request_id: str) -> bytes:
    """Return the first request, which declares the tool server that answers over this channel.

    It may be sent again at any time; its answer then lists the permissions that are still open.
    """
    return _request(request_id, subtype="initialize", hooks=None, sdkMcpServers=[TOOL_SERVER])


def user_message(text: str, message_id: str, media: Sequence[JsonObject] = ()) -> bytes:
    """Return a message of the person. The CLI echoes the id, and runs a repeated one only once.

    Its images and documents stand before the text.
    """
    content = [*media, {"type": "text", "text": text}] if media else text
    return _line(
        {
            "type": "user",
            "message": {"role": "user", "content": content},
            "parent_tool_use_id": None,
            "session_id": "default",
            "uuid": message_id,
        }
    )


def command_output(call: str, text: str) -> bytes:
    """Return what a command has printed so far as a part, in the form of the CLI's own parts.

    It is no line to the CLI, and none of its: the driver tells it those who follow a task.
    """
    event = {"type": "ctui_output", "call": call, "text": text}
    line = {"type": "stream_event", "event": event, "parent_tool_use_id": None}
    return json.dumps(line, separators=(",", ":")).encode()


def commands_of(response: JsonObject) -> frozenset[str]:
    """Return the names and aliases of the CLI's commands, from its answer to `initialize`.

    Commands of MCP servers come later: they are in the `slash_commands` of `Init`.
    """
    commands = fields.mappings(response, "commands")
    names = {fields.text(command, "name") for command in commands}
    aliases = {alias for command in commands for alias in fields.texts(command, "aliases")}
    return frozenset(names | aliases) - {""}


def as_cli_text(text: str, commands: Collection[str]) -> str:
    """Return a message so that the CLI takes it as text, unless it is one of its commands.

    The CLI swallows `/users returns 500` as an unknown command, and reports success. A blank in
    front makes it text for the model.
    """
    word = text.split(maxsplit=1)[0] if text.strip() else ""
    is_command = text.startswith("/") and word[1:] in commands
    return text if is_command or not text.startswith("/") else f" {text}"


def as_said(text: str) -> str:
    """Return an echoed message as the person wrote it, without the blank of `as_cli_text`."""
    return text[1:] if text.startswith(" /") else text


def interrupt(request_id: str) -> bytes:
    """End the turn. A message that waits behind it begins the next one."""
    return _request(request_id, subtype="interrupt")


def set_permission_mode(request_id: str, mode: str) -> bytes:
    if mode not in MODES:
        raise InvalidInput(f"{mode!r} is no permission mode", hint=f"use one of {sorted(MODES)}")
    return _request(request_id, subtype="set_permission_mode", mode=mode)


def allow(
    request_id: str,
    given: Mapping[str, Any] | msgspec.Raw,
    *,
    permissions: Sequence[Mapping[str, Any]] = (),
) -> bytes:
    """Let a tool run with exactly this input, and perhaps without asking again.

    The input, or members of it, can be JSON already: it is passed on as it is, whatever it holds.
    """
    answer: dict[str, Any] = {"behavior": "allow"}
    if permissions:
        answer["updatedPermissions"] = [dict(item) for item in permissions]
    line = respond(request_id, answer)
    return _short_enough(line[: -len(_END)] + b', "updatedInput": ' + _input(given) + _END)


def deny(request_id: str, message: str, *, interrupt: bool = False) -> bytes:
    """Refuse a tool call; the model reads the message, and the turn goes on.

    With `interrupt` the turn ends, and nobody reads the message.
    """
    answer: dict[str, Any] = {"behavior": "deny", "message": message}
    if interrupt:
        answer["interrupt"] = True
    return respond(request_id, answer)


def answer_questions(
    request_id: str,
    given: Mapping[str, Any],
    answers: Mapping[str, str],
    notes: Mapping[str, str] | None = None,
) -> bytes:
    """Answer AskUserQuestion: a question's text -> a label, several as `A, B`, or a free text.

    `notes` are what the person adds to an answer, by the question's text as well.
    """
    answered = {**given, "answers": dict(answers)}
    if notes:
        answered["annotations"] = {question: {"notes": note} for question, note in notes.items()}
    return allow(request_id, answered)


def approve_plan(request_id: str, given: Mapping[str, Any], *, accept_edits: bool = False) -> bytes:
    """Leave plan mode and begin, perhaps without asking before each edit.

    The plan itself is not sent back: the CLI would tell the model that the person edited it. Nor
    is an empty input, which stands for the whole one.
    """
    kept = {key: value for key, value in given.items() if key != "plan"} or {"planFilePath": ""}
    return allow(request_id, kept, permissions=[ACCEPT_EDITS] if accept_edits else ())


def answer_elicitation(request_id: str, action: str, content: Mapping[str, Any]) -> bytes:
    """Answer an MCP server's form: `accept` with its content, `decline` or `cancel`."""
    if action not in {"accept", "decline", "cancel"}:
        raise InvalidInput(f"{action!r} is no answer to a form", hint="accept, decline or cancel")
    answer: dict[str, Any] = {"action": action}
    if action == "accept":
        answer["content"] = dict(content)
    return respond(request_id, answer)


def mcp_reply(request_id: str, message: Mapping[str, Any]) -> bytes:
    """Return a JSON-RPC message of the tool server."""
    return respond(request_id, {"mcp_response": dict(message)})


def no_opinion(request_id: str) -> bytes:
    """Answer a hook that nobody registered."""
    return respond(request_id, {})


def respond(request_id: str, response: Mapping[str, Any]) -> bytes:
    """Answer a request with an object, in the form that its subtype wants."""
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "success", "request_id": request_id, "response": response},
        }
    )


def refuse(request_id: str, error: str) -> bytes:
    """Refuse a request that this program does not know."""
    return _line(
        {
            "type": "control_response",
            "response": {"subtype": "error", "request_id": request_id, "error": error},
        }
    )


def session_permissions(suggestions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the CLI's own suggestions, for this session only.

    With another destination the CLI would write them into a file of the worktree. Suggestions are
    hostile input: each is made anew from the fields that `session_label` speaks of, and one that
    would do more than allow (another mode, another behaviour, an unknown type) is left out.
    """
    found = (_suggestion(item) for item in suggestions)
    return [{**item, "destination": "session"} for item in found if item]


def session_label(suggestions: Sequence[Mapping[str, Any]]) -> str:
    """Return all that `session_permissions` allows, in the person's words; "" for nothing."""
    label = label_of_permissions(session_permissions(suggestions))
    return f"{label} in this task" if label else ""


def label_of_permissions(permissions: Sequence[Mapping[str, Any]]) -> str:
    """Return what permissions allow, each in a few sanitised words, such as `accept all edits`."""
    words = [word for item in permissions for word in _words(item)]
    return ", ".join(dict.fromkeys(words))


def _suggestion(item: JsonObject) -> dict[str, Any] | None:
    match item.get("type"):
        case "setMode" if item.get("mode") == "acceptEdits":
            return {"type": "setMode", "mode": "acceptEdits"}
        case "addDirectories" if folders := fields.texts(item, "directories"):
            return {"type": "addDirectories", "directories": list(folders)}
        case "addRules" if item.get("behavior") == "allow":
            rules = [_rule(rule) for rule in fields.mappings(item, "rules")]
            known = [rule for rule in rules if rule["toolName"]]
            return {"type": "addRules", "rules": known, "behavior": "allow"} if known else None
    return None


def _rule(rule: JsonObject) -> dict[str, str]:
    name, content = fields.text(rule, "toolName"), fields.text(rule, "ruleContent")
    return {"toolName": name, "ruleContent": content} if content else {"toolName": name}


def _words(item: JsonObject) -> list[str]:
    match item.get("type"):
        case "setMode" if item.get("mode") == "acceptEdits":
            return ["accept all edits"]
        case "setMode":
            return [one_line(f"switch to mode {fields.text(item, 'mode')}", _RULE_WIDTH)]
        case "addDirectories":
            folders = fields.texts(item, "directories")
            return [one_line(f"work in {folder}", _RULE_WIDTH) for folder in folders]
        case "addRules":
            return [_rule_words(rule) for rule in fields.mappings(item, "rules")]
    return []


def _rule_words(rule: JsonObject) -> str:
    name, content = fields.text(rule, "toolName"), fields.text(rule, "ruleContent")
    if name == "Bash":
        words = f"always run `{content}`" if content else "always run any command"
    else:
        words = f"always allow {name}({content})" if content else f"always allow {name}"
    return one_line(words, _RULE_WIDTH)


def escaped(raw: bytes) -> bytes:
    """Return JSON with escapes for all that is not ASCII, and nothing else changed."""
    return _NOT_ASCII.sub(lambda run: json.dumps(run.group())[1:-1], raw.decode()).encode()


def _input(given: Mapping[str, Any] | msgspec.Raw) -> bytes:
    if isinstance(given, msgspec.Raw):
        return escaped(bytes(given))
    members = (_json(key) + b": " + _member(value) for key, value in given.items())
    return b"{" + b", ".join(members) + b"}"


def _member(value: object) -> bytes:
    return escaped(bytes(value)) if isinstance(value, msgspec.Raw) else _json(value)


def _request(request_id: str, **request: Any) -> bytes:
    return _line({"type": "control_request", "request_id": request_id, "request": request})


def _line(value: JsonObject) -> bytes:
    return _short_enough(_json(value) + b"\n")


def _json(value: object) -> bytes:
    try:
        # ASCII escapes keep every character that JSON can say, lone surrogates included, on one
        # line; NaN is no JSON, and the CLI would end with it.
        return _ENCODER.encode(value).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidInput(
            "that cannot be said as JSON", hint="leave out what is no text"
        ) from error


def _short_enough(line: bytes) -> bytes:
    if len(line) > MAX_LINE:
        raise InvalidInput(
            f"that is {len(line) >> 20} MB, more than Claude Code reads in one message",
            hint="put it into a file of the worktree and name the file",
        )
    return line
