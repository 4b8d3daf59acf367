"""Decoder of a line into its event.

`decode` never raises. Every line is hostile input, because a process in the sandbox can write to
the CLI's stdout; and every line may come from another version of the CLI. So a missing or mistyped
field reads as empty, an unknown type becomes `Ignored`, and what is not a JSON object `Stray`, as
well as a line that is longer than the CLI's: as objects it would take many times its size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from ctui.claude.protocol import control, fields
from ctui.claude.protocol.content import content_blocks, content_of
from ctui.claude.protocol.events import (
    ApiRetry,
    AssistantMessage,
    BackgroundTask,
    BlockDelta,
    BlockStarted,
    CommandOutput,
    Compacted,
    DriverNotice,
    Elicitation,
    Event,
    HookCallback,
    Ignored,
    Init,
    McpMessage,
    MessageStarted,
    OtherRequest,
    PartIgnored,
    PermissionDenied,
    PermissionRequest,
    RelayLine,
    RequestCancelled,
    Response,
    Result,
    SessionState,
    Status,
    Stray,
    Stream,
    UsageLimit,
    UserMessage,
    is_partial,
)
from ctui.claude.protocol.fields import JsonObject

_RELAY = '{"ctui_relay"'
_LONGEST = control.MAX_LINE + control.MARGIN
_SHOWN = 2000
"""Characters of a longer line that are passed on."""


def decode(line: str | bytes, stream: Stream = "out") -> Event:
    """Return the event of a journal line. Never raises, whatever the line holds."""
    if len(line) > _LONGEST:
        return _too_long(line)
    if stream == "out":
        return _stdout(line)
    text = line if isinstance(line, str) else line.decode("utf-8", "replace")
    if stream == "ctui":
        value = fields.json_object(text)
        return Stray(text) if value is None else _driver_notice(value)
    value = fields.json_object(text) if text.startswith(_RELAY) else None
    return Stray(text) if value is None else _relay_line(value)


def _stdout(line: str | bytes) -> Event:
    head = line[:64].encode("utf-8", "replace") if isinstance(line, str) else line
    value = fields.json_object(line)
    if is_partial(head):
        # An archive leaves such lines out, so they must never be anything but parts.
        return PartIgnored() if value is None else _part(value)
    if value is None:
        return Stray(line if isinstance(line, str) else line.decode("utf-8", "replace"))
    make = _TYPES.get(fields.text(value, "type"))
    return _ignored(value) if make is None else make(value)


def _too_long(line: str | bytes) -> Event:
    head = line[:_SHOWN]
    raw = head.encode("utf-8", "replace") if isinstance(head, str) else head
    if is_partial(raw):
        return PartIgnored()
    return Stray(f"{raw.decode('utf-8', 'replace')}… (a line of {len(line) >> 20} MiB)")


def _ignored(value: JsonObject) -> Event:
    return Ignored(fields.text(value, "type"), fields.text(value, "subtype"))


def _system(value: JsonObject) -> Event:
    make = _SYSTEM.get(fields.text(value, "subtype"))
    return _ignored(value) if make is None else make(value)


def _init(value: JsonObject) -> Event:
    servers = fields.mappings(value, "mcp_servers")
    return Init(
        session=fields.text(value, "session_id"),
        model=fields.text(value, "model"),
        permission_mode=fields.text(value, "permissionMode"),
        cwd=fields.text(value, "cwd"),
        version=fields.text(value, "claude_code_version"),
        tools=fields.texts(value, "tools"),
        failed_servers=tuple(
            fields.text(item, "name") for item in servers if item.get("status") == "failed"
        ),
        commands=fields.texts(value, "slash_commands"),
    )


def _status(value: JsonObject) -> Event:
    return Status(
        status=fields.text(value, "status"),
        permission_mode=fields.text(value, "permissionMode"),
        compact_result=fields.text(value, "compact_result"),
        compact_error=fields.text(value, "compact_error"),
    )


def _api_retry(value: JsonObject) -> Event:
    return ApiRetry(
        attempt=fields.integer(value, "attempt"),
        max_retries=fields.integer(value, "max_retries"),
        delay_ms=fields.integer(value, "retry_delay_ms"),
        status=fields.optional_integer(value, "error_status"),
        error=fields.text(value, "error"),
    )


def _usage_limit(value: JsonObject) -> Event:
    facts = fields.mapping(value, "rate_limit_info")
    return UsageLimit(fields.text(facts, "status"), fields.integer(facts, "resetsAt"))


def _permission_denied(value: JsonObject) -> Event:
    return PermissionDenied(
        tool=fields.text(value, "tool_name"),
        tool_use_id=fields.text(value, "tool_use_id"),
        message=fields.text(value, "message"),
    )


def _compacted(value: JsonObject) -> Event:
    facts = fields.mapping(value, "compact_metadata")
    return Compacted(
        trigger=fields.text(facts, "trigger"),
        before_tokens=fields.integer(facts, "pre_tokens"),
        after_tokens=fields.integer(facts, "post_tokens"),
    )


def _background(phase: Literal["started", "updated", "ended"]) -> Callable[[JsonObject], Event]:
    def make(value: JsonObject) -> Event:
        patch = fields.mapping(value, "patch")
        return BackgroundTask(
            phase=phase,
            id=fields.text(value, "task_id"),
            kind=fields.text(value, "task_type"),
            tool_use_id=fields.text(value, "tool_use_id"),
            description=fields.text(value, "description"),
            status=fields.text(value, "status") or fields.text(patch, "status"),
            summary=fields.text(value, "summary"),
        )

    return make


def _assistant(value: JsonObject) -> Event:
    message = fields.mapping(value, "message")
    return AssistantMessage(
        message_id=fields.text(message, "id"),
        parent=fields.text(value, "parent_tool_use_id"),
        error=fields.text(value, "error"),
        blocks=content_blocks(message.get("content")),
    )


def _user(value: JsonObject) -> Event:
    message = fields.mapping(value, "message")
    return UserMessage(
        uuid=fields.text(value, "uuid"),
        parent=fields.text(value, "parent_tool_use_id"),
        is_replay=value.get("isReplay") is True,
        blocks=content_blocks(message.get("content")),
        tool_use_result=value.get("tool_use_result"),
    )


def _result(value: JsonObject) -> Event:
    usage = fields.mapping(value, "usage")
    return Result(
        subtype=fields.text(value, "subtype"),
        is_error=value.get("is_error") is True,
        text=fields.text(value, "result"),
        errors=fields.texts(value, "errors"),
        api_status=fields.optional_integer(value, "api_error_status"),
        reason=fields.text(value, "terminal_reason"),
        denials=len(fields.mappings(value, "permission_denials")),
        turns=fields.integer(value, "num_turns"),
        duration_ms=fields.integer(value, "duration_ms"),
        total_cost_usd=fields.number(value, "total_cost_usd"),
        input_tokens=fields.integer(usage, "input_tokens"),
        output_tokens=fields.integer(usage, "output_tokens"),
    )


def _part(value: JsonObject) -> Event:
    part, parent = fields.mapping(value, "event"), fields.text(value, "parent_tool_use_id")
    index = fields.integer(part, "index")
    match part.get("type"):
        case "message_start":
            return MessageStarted(fields.text(fields.mapping(part, "message"), "id"), parent)
        case "content_block_start":
            block = content_of(fields.mapping(part, "content_block"))
            return PartIgnored() if block is None else BlockStarted(parent, index, block)
        case "content_block_delta":
            delta = fields.mapping(part, "delta")
            text = next((delta[key] for key in _DELTAS if isinstance(delta.get(key), str)), "")
            return BlockDelta(parent, index, text) if text else PartIgnored()
        case "ctui_output":
            return CommandOutput(fields.text(part, "call"), fields.text(part, "text"))
    return PartIgnored()


def control_request(value: JsonObject) -> Event:
    """Return a request of the CLI as an event."""
    request_id, request = fields.text(value, "request_id"), fields.mapping(value, "request")
    match request.get("subtype"):
        case "can_use_tool":
            return _permission_request(request_id, request)
        case "mcp_message":
            message = fields.mapping(request, "message")
            return McpMessage(request_id, fields.text(request, "server_name"), message)
        case "elicitation":
            return Elicitation(
                request_id,
                server=fields.text(request, "mcp_server_name"),
                message=fields.text(request, "message"),
                schema=fields.mapping(request, "requested_schema"),
            )
        case "hook_callback":
            return HookCallback(request_id)
    return OtherRequest(request_id, fields.text(request, "subtype"), request)


def _permission_request(request_id: str, request: JsonObject) -> PermissionRequest:
    return PermissionRequest(
        request_id=request_id,
        tool=fields.text(request, "tool_name"),
        tool_use_id=fields.text(request, "tool_use_id"),
        given=fields.mapping(request, "input"),
        suggestions=tuple(fields.mappings(request, "permission_suggestions")),
        reason=fields.text(request, "decision_reason"),
        blocked_path=fields.text(request, "blocked_path"),
        description=fields.text(request, "description"),
        agent=fields.text(request, "agent_id"),
    )


def _control_response(value: JsonObject) -> Event:
    outer = fields.mapping(value, "response")
    failed = fields.text(outer, "subtype") == "error"
    return Response(
        request_id=fields.text(outer, "request_id"),
        error=(fields.text(outer, "error") or "failed") if failed else "",
        response=fields.mapping(outer, "response"),
        pending=tuple(
            _permission_request(fields.text(item, "request_id"), fields.mapping(item, "request"))
            for item in fields.mappings(outer, "pending_permission_requests")
        ),
    )


def _relay_line(value: JsonObject) -> Event:
    return RelayLine(
        what=fields.text(value, "ctui_relay"),
        code=fields.optional_integer(value, "code"),
        size=fields.integer(value, "bytes"),
        files=fields.integer(value, "files"),
        paths=fields.texts(value, "paths"),
        reason=fields.text(value, "reason"),
    )


def _driver_notice(value: JsonObject) -> Event:
    urgent = value.get("urgent") is True
    return DriverNotice(fields.text(value, "kind"), fields.text(value, "text"), urgent)


_DELTAS = ("text", "thinking", "partial_json")

_SYSTEM: dict[str, Callable[[JsonObject], Event]] = {
    "init": _init,
    "status": _status,
    "api_retry": _api_retry,
    "permission_denied": _permission_denied,
    "compact_boundary": _compacted,
    "session_state_changed": lambda value: SessionState(fields.text(value, "state")),
    "task_started": _background("started"),
    "task_updated": _background("updated"),
    "task_notification": _background("ended"),
}

_TYPES: dict[str, Callable[[JsonObject], Event]] = {
    "system": _system,
    "assistant": _assistant,
    "user": _user,
    "result": _result,
    "stream_event": _part,
    "control_request": control_request,
    "control_cancel_request": lambda value: RequestCancelled(fields.text(value, "request_id")),
    "control_response": _control_response,
    "rate_limit_event": _usage_limit,
}
