"""A task on a plain terminal: short, readable and safe."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.render import render_block
from ctui.claude.transcript.summary import describe, progress, tool_title
from tests.claude import lines
from tests.claude.fold import JournalLine, fold, out


@pytest.mark.parametrize(
    ("name", "given_input", "title"),
    [
        ("Read", {"file_path": "/workspace/src/main.py"}, "📖 Read: src/main.py"),
        ("Bash", {"command": "npm test\n--all", "description": "x"}, "💻 Bash: npm test --all"),
        ("Grep", {"pattern": "TODO", "path": "/workspace/src/"}, "🔎 Grep: 'TODO' in src/"),
        ("Glob", {"pattern": "**/*.py"}, "🔍 Glob: '**/*.py'"),
        (
            "WebFetch",
            {"url": "https://example.org", "prompt": "p"},
            "🌐 WebFetch: https://example.org",
        ),
        ("Agent", {"description": "look", "prompt": "p"}, "📋 Agent: look"),
        ("AskUserQuestion", {"questions": [{"question": "Which?"}]}, "🔧 AskUserQuestion: Which?"),
        ("mcp__db__query", {"n": 1}, '🔧 mcp__db__query: {"n": 1}'),
        ("Odd", {}, "🔧 Odd"),
        ("Bash", {"command": ["not", "text"]}, '💻 Bash: {"command": ["not", "text"]}'),
        ("Bash", {"command": "\x1b[2J\u202eevil"}, "💻 Bash: \ufffdevil"),
    ],
)
def test_a_call_is_one_line(name: str, given_input: dict[str, object], title: str) -> None:
    assert tool_title(name, given_input) == title


def test_without_emoji_the_words_are_the_same() -> None:
    assert tool_title("Read", {"file_path": "a"}, ascii_only=True) == "Read: a"
    event = decode(lines.assistant("m", lines.tool_use("t", "Bash", command="ls")))
    assert progress(event) == "💻 Bash: ls"
    assert progress(event, ascii_only=True) == "Bash: ls"


def test_progress_tells_what_happens_and_is_silent_about_the_rest() -> None:
    told = [
        lines.assistant("m", lines.text("I will\nlook.")),
        lines.assistant("m", lines.thinking("hm")),
        lines.can_use_tool("r", "t", "Bash", command="ls"),
        lines.system("status", status="compacting"),
        lines.result(),
        lines.result(is_error=True),
    ]
    assert [progress(decode(line)) for line in told] == [
        "I will look.",
        "💭 hm",
        "❓ Bash: ls",
        "≡ compacting the conversation",
        "✓ done",
        "✗ failed",
    ]
    for line in (lines.init(), lines.message_start("m"), lines.tool_result("t", "x"), b"stray"):
        assert progress(decode(line)) == ""


@given(st.text(max_size=400), st.integers(20, 100))
def test_no_progress_is_wider_than_asked(text: str, width: int) -> None:
    for block in (lines.text(text), lines.tool_use("t", text, command=text)):
        shown = progress(decode(lines.assistant("m", block)), width)
        assert len(shown) <= width
        assert "\x1b" not in shown
        assert "\n" not in shown


def rendered(journal: list[JournalLine]) -> list[str]:
    return [line for block in fold(journal).blocks for line in render_block(block, 60)]


def test_a_conversation_reads_from_top_to_bottom() -> None:
    patch = [{"oldStart": 1, "newStart": 1, "lines": [" a", "-b", "+c", "+d"]}]
    journal = out(
        [
            lines.echo("u1", "please\ndo"),
            lines.assistant("m1", lines.thinking("I wonder")),
            lines.assistant("m1", lines.text("Looking:\n\n    code stays")),
            lines.assistant("m1", lines.tool_use("t1", "Bash", command="seq 20")),
            lines.can_use_tool("r1", "t1", "Bash", command="seq 20"),
            lines.answer_echo("r1", behavior="allow", updatedInput={}),
            lines.tool_result(
                "t1", "", {"stdout": "\n".join(map(str, range(1, 21))), "stderr": "end"}
            ),
            lines.assistant("m2", lines.tool_use("t2", "Edit", file_path="/workspace/f")),
            lines.tool_result("t2", "ok", {"structuredPatch": patch}),
            lines.assistant("m3", lines.tool_use("t3", "Bash", command="false")),
            lines.tool_result("t3", "Exit code 1\nno", error=True),
            lines.result(0.0123),
        ]
    )
    assert rendered(journal) == [
        "── run 1 started",
        "> please",
        "> do",
        "💭 I wonder",
        "Looking:",
        "",
        "    code stays",
        "💻 Bash: seq 20",
        *(f"  │ {number}" for number in range(1, 9)),
        "  │ … 13 more lines",
        "? Bash: seq 20",
        "  = allowed",
        "✏️ Edit: f",
        "  │ @@ -1,2 +1,3 @@",
        "  │  a",
        "  │ -b",
        "  │ +c",
        "  │ +d",
        "💻 Bash: false ✗",
        "  ✗ no",
        "  ✗ exit status 1",
        "✓ done (1.2 s, $0.0123 so far)",
    ]


def test_a_subagents_lines_are_indented_below_it() -> None:
    journal = out(
        [
            lines.assistant("m1", lines.tool_use("t1", "Agent", description="look")),
            lines.assistant("m2", lines.text("found it"), "t1"),
        ]
    )
    assert rendered(journal)[1:] == ["📋 Agent: look", "  found it"]


def test_questions_plans_and_ends_are_readable() -> None:
    question = {"question": "Which?", "options": [{"label": "Blue"}]}
    journal: list[JournalLine] = [
        *out(
            [
                lines.can_use_tool("r1", "t1", "AskUserQuestion", questions=[question]),
                lines.answer_echo(
                    "r1", behavior="allow", updatedInput={"answers": {"Which?": "Red"}}
                ),
                lines.can_use_tool("r2", "t2", "ExitPlanMode", plan="1. a\n2. b"),
                lines.answer_echo("r2", behavior="deny", message="smaller"),
                lines.result(is_error=True, result="API Error: 500"),
            ]
        ),
        ("err", 1, b"boom"),
        ("err", 1, lines.relay("exited", code=1)),
    ]
    assert rendered(journal)[1:] == [
        "? Which?",
        "  = Red",
        "? a plan:",
        "  1. a",
        "  2. b",
        "  = denied: smaller",
        "API Error: 500",
        "✗ failed (1.2 s, $0.0100 so far)",
        "! boom",
        "── run 1 exited with status 1",
    ]


def test_one_line_of_the_cli_can_be_described_alone() -> None:
    assert describe(decode(lines.echo("u", "go"))) == ["> go"]
    assert describe(decode(lines.tool_result("t", "no", error=True))) == ["  ✗ no"]
    assert describe(decode(lines.can_use_tool("r", "t", "Bash", command="ls"))) == []
    assert describe(decode(lines.init())) == []
    assert describe(decode(b"not\x1b[31m json")) == ["! not json"]
    assert describe(decode(b"")) == []
