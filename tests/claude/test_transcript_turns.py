"""What a person reads of turns and runs: what they cost, how they ended, and what came between."""

from __future__ import annotations

from ctui.claude.protocol.decode import decode
from ctui.claude.transcript.blocks import (
    Notice,
    Prompt,
    RunMark,
    Speech,
    ToolCall,
    ToolState,
    TurnEnd,
)
from ctui.claude.transcript.render import render_block
from ctui.claude.transcript.summary import progress
from tests.claude import lines
from tests.claude.fold import fold, only, out


def test_a_turn_costs_what_it_added_to_the_process() -> None:
    first = out([lines.result(0.10), lines.result(0.25)])
    transcript = fold([*first, *out([lines.result(0.05)], run=2)])
    assert [round(end.cost_usd, 4) for end in only(transcript, TurnEnd)] == [0.10, 0.15, 0.05]


def test_an_api_failure_is_a_failed_turn_and_says_so_once() -> None:
    said = "API Error: 429 slow down"
    failure = lines.result(is_error=True, result=said, api_error_status=429)
    (end,) = only(fold(out([failure])), TurnEnd)
    assert (end.ok, end.text) == (False, said)
    (end,) = only(fold(out([lines.assistant("m", lines.text(said)), failure])), TurnEnd)
    assert (end.ok, end.text) == (False, "")


def test_a_turn_that_the_person_ended_is_no_failure() -> None:
    said = lines.line(type="user", message={"content": "[Request interrupted by user]"})
    end = lines.result(
        subtype="error_during_execution",
        is_error=True,
        errors=["[ede_diagnostic] x"],
        terminal_reason="aborted_streaming",
        duration_ms=28_900,
    )
    transcript = fold(out([said, end]))
    (turn,) = only(transcript, TurnEnd)
    assert (turn.interrupted, turn.text) == (True, "")
    assert render_block(turn, 80) == ["■ interrupted (28.9 s, $0.0100 so far)"]
    assert progress(decode(end)) == "■ interrupted"


def test_the_time_of_a_call_is_not_that_of_the_person() -> None:
    ask_user = lines.line(
        type="control_request",
        request_id="r3",
        request={
            "subtype": "mcp_message",
            "message": {
                "method": "tools/call",
                "params": {
                    "name": "ask_user",
                    "arguments": {"question": "q"},
                    "_meta": {"claudecode/toolUseId": "c3"},
                },
            },
        },
    )
    calls = [lines.assistant("m", lines.tool_use(f"c{n}", "Bash", command="x")) for n in (1, 2, 3)]
    asked = [lines.can_use_tool(f"r{n}", f"c{n}", "Bash", command="x") for n in (1, 2)]
    answered = [
        lines.answer_echo("r1", behavior="allow"),
        lines.line(type="control_cancel_request", request_id="r2"),
        lines.answer_echo("r3", mcp_response={"result": {}}),
    ]
    given = [*calls, *asked, ask_user, *answered]
    found = only(fold(out(given)), ToolCall)
    # A line's place stands for its time.
    assert [call.waited for call in found] == [3, 3, 3]


def test_tries_of_one_call_are_one_notice() -> None:
    tries = [
        lines.system("api_retry", attempt=n, max_retries=10, error_status=529, error="overloaded")
        for n in (1, 2, 3)
    ]
    (notice,) = only(fold(out(tries)), Notice)
    assert str(notice.text) == "the API answered 529 (overloaded): trying again, 3 of 10"


def test_a_mode_is_told_only_when_it_changes() -> None:
    journal = out(
        [
            lines.init(mode="default"),
            lines.system("status", status="requesting"),
            lines.system("status", status=None, permissionMode="default"),
            lines.system("status", status=None, permissionMode="plan"),
            lines.init(mode="plan"),
        ]
    )
    assert [str(notice.text) for notice in only(fold(journal), Notice)] == ["permission mode: plan"]


def test_a_second_run_continues_the_transcript() -> None:
    first = out(
        [lines.echo("u1", "go"), lines.assistant("m1", lines.tool_use("t1", "Bash", command="x"))]
    )
    second = out([lines.echo("u1", "go"), lines.assistant("m2", lines.text("on"))], run=2)
    transcript = fold([*first, *second])
    assert [type(block) for block in transcript.blocks] == [
        RunMark,
        Prompt,
        ToolCall,
        RunMark,
        Speech,
    ]
    assert only(transcript, ToolCall)[0].state is ToolState.STOPPED


def test_the_drivers_word_on_an_end_joins_the_relays() -> None:
    journal = [
        ("out", 1, lines.init()),
        ("err", 1, lines.relay("exited", code=1)),
        ("ctui", 1, lines.line(kind="ended", text="run 1 ended")),
        ("ctui", 1, lines.line(kind="imported", text="3 commits")),
    ]
    transcript = fold(journal)  # type: ignore[arg-type]
    (mark,) = [mark for mark in only(transcript, RunMark) if mark.what == "exited"]
    assert (mark.code, mark.text) == (1, "")
    assert [(n.kind, str(n.text)) for n in only(transcript, Notice)] == [("imported", "3 commits")]


def test_stderr_lines_that_follow_each_other_are_one_block() -> None:
    journal = [("err", 1, b"warning: \x1b]0;owned\x07one"), ("err", 1, b"two"), ("err", 1, b"")]
    (notice,) = only(fold(journal), Notice)  # type: ignore[arg-type]
    assert str(notice.text) == "warning: one\ntwo"


def test_a_command_of_the_start_that_failed_is_a_notice() -> None:
    line = lines.relay("start_failed", code=3, reason="service db\x1b[31m start")
    (notice,) = only(fold([("err", 1, line)]), Notice)
    assert notice.kind == "environment"
    assert str(notice.text) == "a command of the start failed (exit code 3): service db start"


def test_a_relay_line_on_stdout_is_not_believed() -> None:
    call = lines.assistant("m1", lines.tool_use("t1", "Bash", command="x"))
    transcript = fold(out([call, lines.relay("exited", code=0)]))
    assert only(transcript, ToolCall)[0].state is ToolState.RUNNING


def test_a_message_that_was_sent_again_is_shown_once() -> None:
    """S6: after a crash the next driver sends what has no echo; the CLI echoes it once more."""
    journal = [
        lines.echo("a", "first"),
        lines.echo("a", "first"),
        lines.tool_result("t1", "out"),
        lines.echo("a", "first"),
        lines.assistant("m1", lines.text("Done.")),
        lines.echo("a", "first"),
    ]
    assert [block.text for block in only(fold(out(journal)), Prompt)] == ["first"]


def test_one_that_was_sent_again_is_no_part_of_the_next() -> None:
    """S6, beside it: the CLI merges the repeated message with the next one."""
    journal = [
        lines.echo("a", "first"),
        lines.tool_result("t1", "out"),
        lines.echo("a", "first"),
        lines.echo("b", "first\nsecond"),
    ]
    assert [block.text for block in only(fold(out(journal)), Prompt)] == ["first", "second"]


def test_a_slash_that_was_made_text_is_shown_as_it_was_written() -> None:
    """T9: the blank that tells the CLI so is nobody's business."""
    journal = [lines.echo("a", "first"), lines.echo("b", "first\n /users is gone")]
    assert [block.text for block in only(fold(out(journal)), Prompt)] == ["first", "/users is gone"]
