"""Blocks as plain text, for a pipe or a terminal without a screen. No colours, no cursor."""

from __future__ import annotations

from collections.abc import Iterator

from ctui.claude.transcript.blocks import (
    AskOutcome,
    AskRecord,
    Block,
    FormRecord,
    Notice,
    PermissionRecord,
    PlanRecord,
    Prompt,
    QuestionRecord,
    RunMark,
    Speech,
    Thought,
    ToolCall,
    ToolOutput,
    ToolState,
    TurnEnd,
)
from ctui.claude.transcript.tools import tool_title
from ctui.text import one_line

_OUTPUT_LINES = 8
_DIFF_LINES = 40
_INDENT = "  "

_CALL_MARKS = {
    ToolState.ERROR: " ✗",
    ToolState.DENIED: " ✗ denied",
    ToolState.STOPPED: " ✗ stopped",
}
_OUTCOMES = {
    AskOutcome.OPEN: "waits for an answer",
    AskOutcome.ALLOWED: "allowed",
    AskOutcome.DENIED: "denied",
    AskOutcome.CANCELLED: "taken back",
    AskOutcome.EXPIRED: "not answered",
}


def render_block(block: Block, width: int) -> list[str]:
    """Return the lines of a block, indented below its subagent's call.

    What the model said is kept whole, because its lines may be code; everything else is cut to
    `width` columns' worth of characters, and long output to its first lines.
    """
    indent = _INDENT * block.depth
    return [indent + line for line in _lines(block, max(20, width - len(indent)))]


def render_output(output: ToolOutput, width: int, *, failed: bool = False) -> list[str]:
    """Return a tool's result: a diff with `-` and `+` lines, or the beginning of its text."""
    mark = "✗" if failed or output.exit_code else "│"
    if output.hunks:
        lines, limit = list(_diff(output)), _DIFF_LINES
    else:
        texts = (output.stdout, output.stderr, output.text)
        lines = [line for text in texts for line in text.strip("\n").splitlines()]
        limit = _OUTPUT_LINES
    shown = [f"{_INDENT}{mark} {_cut(line, width)}" for line in lines[:limit]]
    if len(lines) > limit:
        shown.append(f"{_INDENT}{mark} … {len(lines) - limit} more lines")
    if output.exit_code:
        shown.append(f"{_INDENT}{mark} exit status {output.exit_code}")
    return shown


def _lines(block: Block, width: int) -> list[str]:
    match block:
        case Prompt():
            waits = "" if block.delivered else " (not delivered yet)"
            return [f"> {line}" for line in (block.text + waits).splitlines()]
        case Speech():
            return str(block.text).splitlines()
        case Thought():
            return [one_line(f"💭 {block.text.head(width * 8)}", width)]
        case ToolCall():
            return _tool_call(block, width)
        case AskRecord():
            return _ask(block, width)
        case Notice():
            mark = "!" if block.kind == "stderr" else "*"
            return [f"{mark} {_cut(line, width)}" for line in str(block.text).splitlines()]
        case TurnEnd():
            return _turn_end(block, width)
        case RunMark():
            return [_run_mark(block, width)]
    return []


def _tool_call(block: ToolCall, width: int) -> list[str]:
    title = tool_title(block.name, block.given, width)
    lines = [title + _CALL_MARKS.get(block.state, "")]
    if block.output is not None:
        failed = block.state in {ToolState.ERROR, ToolState.DENIED}
        lines += render_output(block.output, width, failed=failed)
    return lines


def _ask(block: AskRecord, width: int) -> list[str]:
    outcome = _OUTCOMES[block.outcome]
    match block:
        case PermissionRecord():
            lines = [one_line(f"? {block.tool}: {block.subject}", width)]
            outcome = ", ".join(text for text in (outcome, block.granted) if text)
        case QuestionRecord():
            lines = [one_line(f"? {item.text}", width) for item in block.questions]
            answers = [one_line(f"= {answer}", width) for answer in block.answers.values()]
            if answers and block.outcome is AskOutcome.ALLOWED:
                return lines + [_INDENT + answer for answer in answers]
        case PlanRecord():
            lines = ["? a plan:", *(_INDENT + line for line in block.text.splitlines())]
        case FormRecord():
            lines = [one_line(f"? {block.server}: {block.text}", width)]
        case _:
            lines = []
    reason = f": {one_line(block.message, width)}" if block.message else ""
    return [*lines, f"{_INDENT}= {outcome}{reason}"]


def _turn_end(block: TurnEnd, width: int) -> list[str]:
    facts = [f"{block.duration_ms / 1000:.1f} s", f"${block.cost_usd:.4f} so far"]
    if block.denials:
        facts.append(f"{block.denials} denied")
    mark = "■ interrupted" if block.interrupted else "✓ done" if block.ok else "✗ failed"
    lines = [_cut(line, width) for line in block.text.splitlines()]
    return [*lines, f"{mark} ({', '.join(facts)})"]


def _run_mark(block: RunMark, width: int) -> str:
    code = "" if block.code is None else f" with status {block.code}"
    text = f": {block.text}" if block.text else ""
    return one_line(f"── run {block.run} {block.what}{code}{text}", width)


def _diff(output: ToolOutput) -> Iterator[str]:
    for hunk in output.hunks:
        old = sum(not line.startswith("+") for line in hunk.lines)
        new = sum(not line.startswith("-") for line in hunk.lines)
        yield f"@@ -{hunk.old_start},{old} +{hunk.new_start},{new} @@"
        yield from hunk.lines


def _cut(line: str, width: int) -> str:
    """Cut a line to its width, but keep the indentation: it is code or a table as often as not."""
    return line if len(line) <= width else line[: width - 1] + "…"
