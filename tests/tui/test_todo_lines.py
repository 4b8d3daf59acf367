"""Calls that keep a to-do list, in a transcript: never as JSON."""

from __future__ import annotations

from typing import Any

import pytest

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.blocks import ToolCall
from ctui.claude.transcript.transcript import Transcript
from ctui.tui.text.tool_lines import tool_lines
from tests.claude import lines
from tests.tui.shape import assert_well_formed, shown

TODOS = [
    {"content": "Find them", "status": "completed", "activeForm": "Finding them"},
    {"content": "Replace them", "status": "in_progress", "activeForm": "Replacing them"},
    {"content": "Test them", "status": "pending", "activeForm": "Testing them"},
]


def shown_call(name: str, result: str = "ok", **given: Any) -> list[str]:
    transcript = Transcript()
    for line in (
        lines.init(),
        lines.assistant("m", lines.tool_use("c", name, **given)),
        lines.tool_result("c", result, {}),
    ):
        transcript.feed(decode(line), run=1, time=0)
    [call] = [block for block in transcript.blocks if isinstance(block, ToolCall)]
    found, _ = tool_lines(call, unfolded=False)
    assert_well_formed(found)
    return shown(found)


def test_a_list_is_written_as_its_steps() -> None:
    assert shown_call("TodoWrite", "Todos have been modified", todos=TODOS) == [
        "✓ TodoWrite 2/3 Replacing them",
        "  ✓ Find them",
        "  ▶ Replace them",
        "  ○ Test them",
    ]


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("TaskCreate", {"subject": "Find", "description": "all"}, "✓ TaskCreate Find"),
        ("TaskUpdate", {"taskId": "2", "status": "in_progress"}, "✓ TaskUpdate #2 in progress"),
    ],
)
def test_a_step_is_one_line(name: str, given: dict[str, str], expected: str) -> None:
    assert shown_call(name, "Task #2 updated", **given) == [expected]


def test_several_edits_of_a_file_are_shown_as_changes() -> None:
    edits = [{"old_string": "a", "new_string": "b"}, {"old_string": "c", "new_string": "d"}]
    found = shown_call("MultiEdit", file_path="/workspace/x.txt", edits=edits)
    assert [line[2:] for line in found[1:5]] == ["- a", "+ b", "- c", "+ d"]
