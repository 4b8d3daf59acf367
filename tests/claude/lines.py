"""Lines as the CLI writes them, made small: what the tests of this folder feed in."""

from __future__ import annotations

import json
from typing import Any


def line(**value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def system(subtype: str, **facts: Any) -> bytes:
    return line(type="system", subtype=subtype, **facts)


def init(session: str = "s1", mode: str = "default") -> bytes:
    return system("init", session_id=session, permissionMode=mode, model="m", tools=["Bash"])


def part(parent: str | None = None, **event: Any) -> bytes:
    return line(type="stream_event", event=event, parent_tool_use_id=parent)


def message_start(message: str, parent: str | None = None) -> bytes:
    return part(parent, type="message_start", message={"id": message})


def deltas(index: int, block: dict[str, Any], pieces: list[str], parent: str | None) -> list[bytes]:
    """A block's parts: its start, its pieces and, as the CLI does it, no word of its end yet."""
    kind, key = {
        "text": ("text_delta", "text"),
        "thinking": ("thinking_delta", "thinking"),
        "tool_use": ("input_json_delta", "partial_json"),
    }[block["type"]]
    empty = {**block, key: ""} if key in block else {**block, "input": {}}
    start = part(parent, type="content_block_start", index=index, content_block=empty)
    grown = [
        part(parent, type="content_block_delta", index=index, delta={"type": kind, key: piece})
        for piece in pieces
    ]
    return [start, *grown]


def text(value: str) -> dict[str, Any]:
    return {"type": "text", "text": value}


def thinking(value: str) -> dict[str, Any]:
    return {"type": "thinking", "thinking": value, "signature": "c2ln"}


def tool_use(call: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": given}


def assistant(message: str, block: dict[str, Any], parent: str | None = None) -> bytes:
    return line(
        type="assistant", message={"id": message, "content": [block]}, parent_tool_use_id=parent
    )


def tool_result(
    call: str, output: str, data: Any = None, *, error: bool = False, parent: str | None = None
) -> bytes:
    block = {"type": "tool_result", "tool_use_id": call, "content": output, "is_error": error}
    return line(
        type="user",
        message={"role": "user", "content": [block]},
        tool_use_result=data,
        parent_tool_use_id=parent,
    )


def echo(uuid: str, said: str) -> bytes:
    return line(type="user", message={"role": "user", "content": said}, uuid=uuid, isReplay=True)


def can_use_tool(request: str, call: str, tool: str, **given: Any) -> bytes:
    return line(
        type="control_request",
        request_id=request,
        request={
            "subtype": "can_use_tool",
            "tool_name": tool,
            "input": given,
            "tool_use_id": call,
            "decision_reason": "This command requires approval",
        },
    )


def answer_echo(request: str, **response: Any) -> bytes:
    return line(
        type="control_response",
        response={"subtype": "success", "request_id": request, "response": response},
    )


def result(cost: float = 0.01, **facts: Any) -> bytes:
    usual = {"subtype": "success", "is_error": False, "result": "", "duration_ms": 1200}
    return line(type="result", total_cost_usd=cost, **{**usual, **facts})


def relay(what: str, **facts: Any) -> bytes:
    return line(ctui_relay=what, **facts)
