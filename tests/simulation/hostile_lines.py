"""Generated lines that a hostile process may write in the CLI's name or in the relay's."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from tests.tasks.generators import JSON, TEXT, requests, some

Line = tuple[str, bytes]
"""The stream, and what is written there."""

_ID = st.sampled_from(["toolu-1", "toolu-2", "ask-1", "ask-2", "message-1", "x" * 300]) | TEXT
_NUMBER = st.integers() | st.floats() | st.sampled_from([-1, 10**18, 1e308, -0.0, "NaN", "1e400"])
_UUID = st.sampled_from(["00000000-0000-4000-8000-000000000001", "no uuid"])
_MODE = st.sampled_from(["default", "acceptEdits", "bypassPermissions", "plan", "auto", "dontAsk"])
_USE = some(type=st.just("tool_use"), id=_ID, name=TEXT, input=JSON)
_TOLD = some(type=st.just("tool_result"), tool_use_id=_ID, content=JSON)
_BLOCK = _USE | _TOLD | some(type=st.sampled_from(["text", "image", "thinking"]), text=TEXT)
_MESSAGE = some(id=_ID, role=TEXT, content=st.lists(_BLOCK, max_size=3))
_REQUEST = (
    requests()
    | some(
        subtype=st.just("can_use_tool"),
        tool_name=st.sampled_from(["Bash", "ask_user", "AskUserQuestion", "ExitPlanMode"]),
        tool_use_id=st.just("toolu-1"),
        input=some(command=TEXT),
    )
    | some(subtype=st.sampled_from(["hook_callback", "initialize", "interrupt"]))
)
_SYSTEM = some(
    type=st.just("system"),
    subtype=st.sampled_from(
        ["init", "status", "api_retry", "permission_denied", "compact_boundary",
         "session_state_changed", "task_started", "task_updated", "task_notification"]
    ),
    state=st.sampled_from(["running", "idle", "requires_action"]),
    session_id=_UUID,
    permissionMode=_MODE,
    attempt=_NUMBER,
    error=st.sampled_from(["authentication_failed", "rate_limit"]),
    slash_commands=st.lists(TEXT, max_size=3),
    task_id=_ID,
    task_type=TEXT,
    description=TEXT,
    status=st.sampled_from(["completed", "running"]),
    patch=JSON,
)  # fmt: skip
_RESULT = some(
    type=st.just("result"),
    subtype=st.sampled_from(["success", "error_during_execution", "error_max_budget_usd"]),
    is_error=st.booleans(),
    result=TEXT | st.sampled_from(["limit reached|1700003600", "limit · resets 25:70 (Europe)"]),
    errors=st.lists(TEXT, max_size=2),
    api_error_status=st.sampled_from([401, 403, 429, 500]) | _NUMBER,
    terminal_reason=st.sampled_from(["completed", "aborted_tools"]),
    total_cost_usd=_NUMBER,
    usage=some(input_tokens=_NUMBER, output_tokens=_NUMBER),
    permission_denials=JSON,
)
_OBJECT = st.one_of(
    _SYSTEM,
    _RESULT,
    some(type=st.just("assistant"), error=TEXT, message=_MESSAGE, parent_tool_use_id=TEXT),
    some(type=st.just("user"), uuid=_ID, isReplay=st.booleans(), message=_MESSAGE),
    some(type=st.just("stream_event"), event=JSON, parent_tool_use_id=TEXT),
    some(type=st.just("control_request"), request_id=_ID, request=_REQUEST),
    some(type=st.just("control_cancel_request"), request_id=_ID),
    some(
        type=st.just("control_response"),
        response=some(
            subtype=st.sampled_from(["success", "error"]),
            request_id=_ID,
            response=some(commands=st.lists(some(name=TEXT, aliases=JSON), max_size=2)),
            pending_permission_requests=JSON,
        ),
    ),
    JSON,
)
_RELAY = some(
    ctui_relay=st.sampled_from(["started", "dropped", "exited", "failed", "set_aside", "home"]),
    code=_NUMBER,
    bytes=_NUMBER,
    files=_NUMBER,
    reason=TEXT,
    paths=st.lists(TEXT, max_size=3),
)


def written(value: Any) -> bytes:
    """Return a value as the CLI writes it; lone surrogates stay escapes."""
    return json.dumps(value, separators=(",", ":")).encode()


LINES: st.SearchStrategy[Line] = st.one_of(
    st.tuples(st.just("out"), _OBJECT.map(written)),
    st.tuples(st.just("out"), _OBJECT.map(written)),
    st.tuples(st.just("err"), _RELAY.map(written)),
    st.tuples(
        st.sampled_from(["out", "err"]),
        st.binary(max_size=30).map(lambda raw: raw.replace(b"\n", b" ")),
    ),
)
