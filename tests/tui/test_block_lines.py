"""Single blocks as a person reads them."""

from __future__ import annotations

from ctui.claude.transcript.blocks import (
    AskOutcome,
    Block,
    Hunk,
    LongText,
    Notice,
    PlanRecord,
    RunMark,
    ToolCall,
    ToolOutput,
    ToolState,
    TurnEnd,
)
from ctui.tui.transcript.block_lines import block_body
from tests.tui.shape import shown, styled


def _call(waited: int = 0) -> ToolCall:
    return ToolCall(
        run=1,
        time=0,
        call_id="c",
        name="Write",
        subject="a.txt",
        state=ToolState.OK,
        finished=41_500_000_000,
        waited=waited,
    )


def _rows(block: Block) -> list[str]:
    return shown(block_body(block, unfolded=False).lines)


def test_an_interrupted_turn_is_said_once_and_not_as_a_failure() -> None:
    end = TurnEnd(run=1, time=0, ok=False, interrupted=True, duration_ms=28_900)
    (line, _) = block_body(end, unfolded=False).lines
    assert shown([line]) == ["■ interrupted  28.9 s"]
    assert (line.style, styled(line)) == ("dim", [("■ interrupted", "dim")])
    assert _rows(Notice(run=1, time=0, kind="interrupted", text=LongText("interrupted"))) == []


def test_the_time_of_a_tool_is_without_the_persons() -> None:
    assert _rows(_call())[0] == "✓ Write a.txt  41.5 s"
    assert _rows(_call(waited=39_000_000_000))[0] == "✓ Write a.txt  2.5 s"
    assert _rows(_call(waited=41_000_000_000))[0] == "✓ Write a.txt"


def test_of_a_huge_text_both_ends_become_lines() -> None:
    call = _call()
    call.name = "Bash"
    call.output = ToolOutput(stdout="row\n" * 1_000_000)
    body = block_body(call, unfolded=True)
    assert len(body.lines) == 50_004
    assert "  │ … 3,800,000 more characters: too many to be shown here …" in shown(body.lines)
    call.output = ToolOutput(hunks=(Hunk(1, 1, (" a",) * 1_000_000),))
    assert len(block_body(call, unfolded=True).lines) < 100_000
    assert len(block_body(call, unfolded=False).lines) == 9


def test_of_a_failed_command_the_end_is_shown_and_long_lines_count_as_rows() -> None:
    call = _call()
    call.name, call.state = "Bash", ToolState.ERROR
    output = "".join(f"line {number}\n" for number in range(20))
    call.output = ToolOutput(text=f"{output}AssertionError", exit_code=1)
    rows = _rows(call)
    assert rows[1] == "  … 15 more lines"
    assert rows[2:8] == [*(f"  │ line {number}" for number in range(15, 20)), "  │ AssertionError"]
    call.state, call.output = ToolState.OK, ToolOutput(stdout=f"{'x' * 1000}\n" * 5)
    assert len(_rows(call)) == 4  # the title, one long line, how many there are, a blank


def test_a_plan_is_in_the_transcript_once_it_is_decided_about() -> None:
    plan = PlanRecord(run=1, time=0, request_id="r", text="1. Look")
    assert _rows(plan) == ["? A plan", "  waits for an answer", ""]
    plan.outcome = AskOutcome.ALLOWED
    assert "  1. Look" in _rows(plan)
    call = _call()
    call.name, call.subject, call.given = "ExitPlanMode", "", {"plan": "1. Look"}
    call.output = ToolOutput(text="User has approved your plan. ## Plan 1. Look")
    assert _rows(call) == ["✓ ExitPlanMode  41.5 s", ""]


def test_runs_are_told_in_plain_words() -> None:
    assert _rows(RunMark(run=1, time=0, what="started"))[0] == "── begins"
    assert _rows(RunMark(run=2, time=0, what="started"))[0] == "── goes on"
    ended = RunMark(run=2, time=0, what="exited", code=1)
    assert _rows(ended)[0] == "── Claude Code has ended with exit code 1"
