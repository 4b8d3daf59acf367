"""Lines of the CLI, of the relay and of the driver; and lines that only look like it."""

from __future__ import annotations

import json
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from ctui.claude.protocol import control, events
from ctui.claude.protocol.content import Other, Text, Thinking, ToolResult, ToolUse
from ctui.claude.protocol.decode import decode
from ctui.claude.protocol.events import Stream, is_partial
from tests.claude import lines

JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
TYPES = [
    "system",
    "assistant",
    "user",
    "stream_event",
    "result",
    "control_request",
    "control_cancel_request",
    "control_response",
]
KEYS = [
    *("subtype", "message", "event", "request", "response", "request_id", "error", "errors"),
    *("usage", "permission_denials", "uuid", "parent_tool_use_id", "tool_use_result", "result"),
    *("compact_metadata", "patch", "mcp_servers", "tools", "total_cost_usd", "num_turns", "status"),
]
SUBTYPES = ["init", "status", "api_retry", "compact_boundary", "task_updated", "permission_denied"]


@given(st.binary(max_size=200), st.sampled_from(["out", "err", "ctui"]))
def test_no_bytes_are_an_error(line: bytes, stream: Stream) -> None:
    assert isinstance(decode(line, stream), events.Event)


@given(
    st.sampled_from(TYPES),
    st.dictionaries(st.sampled_from(KEYS), JSON_VALUE | st.sampled_from(SUBTYPES), max_size=6),
)
@settings(max_examples=300)
def test_no_field_of_a_wrong_type_is_an_error(kind: str, facts: dict[str, Any]) -> None:
    assert isinstance(decode(lines.line(**{"type": kind, **facts})), events.Event)


@pytest.mark.parametrize(
    "line", ["", "not json", "[1,2]", '"text"', "null", "{", "[" * 100_000, '{"a":1e999}', "NaN"]
)
def test_what_is_no_object_is_stray_and_kept(line: str) -> None:
    assert decode(line) == events.Stray(line)
    assert decode(line.encode()) == events.Stray(line)


def test_a_type_of_a_later_version_is_ignored() -> None:
    assert decode(b'{"type":"news","subtype":"x"}') == events.Ignored("news", "x")
    assert decode(lines.system("post_turn_summary")) == events.Ignored(
        "system", "post_turn_summary"
    )


@pytest.mark.parametrize(
    ("escaped", "read"),
    [
        (rb"cut \ud83d", "cut \ufffd"),
        (rb"\ude00 alone", "\ufffd alone"),
        (rb"\ud83d\ude00 whole", "\U0001f600 whole"),
        (rb"\\ud83d text", r"\ud83d text"),
    ],
)
def test_a_character_that_was_cut_in_two_loses_only_itself(escaped: bytes, read: str) -> None:
    event = decode(b'{"type":"result","subtype":"success","result":"' + escaped + b'"}')
    assert isinstance(event, events.Result)
    assert event.text == read


def test_parts_are_told_by_their_beginning_and_are_never_anything_else() -> None:
    part = lines.message_start("m1")
    assert is_partial(part)
    assert decode(part) == events.MessageStarted("m1", "")
    assert not is_partial(lines.assistant("m1", lines.text("x")))
    for disguised in (
        b'{"type":"stream_event","type":"result","is_error":true}',
        b'{"type":"stream_event" broken',
        b'{"type":"stream_event","event":7}',
    ):
        assert is_partial(disguised)
        assert isinstance(decode(disguised), events.Part)


def test_content_blocks_are_read_one_by_one() -> None:
    blocks = [
        lines.text("hi"),
        {"type": "text", "text": None},
        "garbage",
        {"no": "type"},
        {"type": "hologram", "depth": 3},
        lines.tool_use("t1", "Bash", command="ls"),
        {"type": "redacted_thinking", "data": "…"},
        {
            "type": "tool_result",
            "tool_use_id": "t1",
            "content": [lines.text("a"), {"type": "image"}, lines.text("b")],
        },
    ]
    event = decode(lines.line(type="assistant", message={"id": "m1", "content": blocks}))
    assert isinstance(event, events.AssistantMessage)
    assert event.blocks == (
        Text("hi"),
        Text(""),
        Other("hologram"),
        ToolUse("t1", "Bash", {"command": "ls"}),
        Thinking(""),
        ToolResult("t1", "a\n[image]\nb", is_error=False),
    )


def test_numbers_and_strings_may_stand_for_each_other() -> None:
    event = decode(lines.result("0.5", duration_ms="12", num_turns=2.0, api_error_status="429"))  # type: ignore[arg-type]
    assert isinstance(event, events.Result)
    assert (event.total_cost_usd, event.duration_ms, event.turns) == (0.5, 12, 2)
    assert event.api_status == 429
    cancelled = decode(b'{"type":"control_cancel_request","request_id":7}')
    assert cancelled == events.RequestCancelled("7")


def test_a_failed_turn_is_told_by_is_error_and_not_by_its_subtype() -> None:
    said = "API Error: 429 · slow down"
    event = decode(lines.result(is_error=True, result=said, api_error_status=429))
    assert isinstance(event, events.Result)
    assert (event.subtype, event.is_error, event.text) == ("success", True, said)
    stopped = decode(lines.result(subtype="error_during_execution", is_error=True, errors=["e", 1]))
    assert isinstance(stopped, events.Result)
    assert stopped.errors == ("e",)


def test_the_answer_to_initialize_carries_what_is_still_open() -> None:
    pending = json.loads(lines.can_use_tool("r9", "t1", "Bash", command="ls"))
    outer = {"subtype": "success", "request_id": "h1", "pending_permission_requests": [pending]}
    event = decode(lines.line(type="control_response", response=outer))
    assert isinstance(event, events.Response)
    (request,) = event.pending
    assert (request.request_id, request.tool, request.given) == ("r9", "Bash", {"command": "ls"})


def test_an_unknown_request_can_be_refused_by_its_id() -> None:
    line = lines.line(type="control_request", request_id="r1", request={"subtype": "dance"})
    assert decode(line) == events.OtherRequest("r1", "dance", {"subtype": "dance"})
    assert decode(b'{"type":"control_request","request_id":"r1"}') == events.OtherRequest("r1", "")


def test_the_relay_is_heard_on_stderr_only() -> None:
    line = lines.relay("exited", code=0)
    assert decode(line, "err") == events.RelayLine("exited", code=0)
    assert decode(lines.relay("dropped", bytes=7), "err") == events.RelayLine("dropped", size=7)
    assert decode(line, "out") == events.Ignored("")
    assert decode(b"Warning: careful", "err") == events.Stray("Warning: careful")
    assert decode(b'{"ctui_relay": torn', "err") == events.Stray('{"ctui_relay": torn')


def test_the_driver_is_heard_on_its_own_stream_only() -> None:
    line = b'{"kind":"notified","text":"hello","urgent":true}'
    assert decode(line, "ctui") == events.DriverNotice("notified", "hello", urgent=True)
    assert decode(line, "err") == events.Stray(line.decode())
    assert decode(line, "out") == events.Ignored("")


def test_a_line_that_is_longer_than_the_clis_is_not_taken_apart() -> None:
    """As objects it would take many times its size; the longest that we cause are read."""
    item = b"{},"
    line = b'{"type":"user","x":[' + item * ((18 << 20) // len(item)) + b"{}]}"
    event = decode(line)
    assert isinstance(event, events.Stray)
    assert event.text.startswith('{"type":"user","x":[{},{}')
    assert event.text.endswith("(a line of 18 MiB)")
    assert len(event.text) < 2100
    assert decode(line.decode()) == event
    assert decode(b'{"type":"stream_event"' + line[1:]) == events.PartIgnored()
    assert isinstance(decode(b'{"ctui_relay":"home",' + line[1:], "err"), events.Stray)

    spoken = json.loads(control.user_message("x" * (control.MAX_LINE - 1000), "u1"))
    echo = decode(json.dumps({**spoken, "isReplay": True, "session_id": "s" * 36}))
    assert isinstance(echo, events.UserMessage)
    assert echo.is_replay
