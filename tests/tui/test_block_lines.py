"""Single blocks as a person reads them."""

from __future__ import annotations

from ctui.claude.transcript.blocks import (
    Block,
    Hunk,
    LongText,
    Notice,
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
