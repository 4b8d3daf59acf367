"""A transcript's blocks as lines. Pure: the same block gives the same lines.

What a block has can be longer than what anybody wants to read: then its first lines are shown, and
the rest when it is unfolded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

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
    TurnEnd,
)
from ctui.claude.transcript.tools import tool_request
from ctui.humanize import compact, duration
from ctui.tui.text.lines import BLANK, Line, Span, shortened
from ctui.tui.text.markdown import markdown_lines, plain_lines
from ctui.tui.text.tool_lines import fold_mark, folded, tool_lines

_PROMPT_LINES = 12
_THOUGHT_LINES = 2
_PLAN_LINES = 60
_MOST_MARKDOWN = 500_000
_MOST_MARKDOWN_ROWS = 5_000
"""Longer texts are shown as they were written: to parse them could take seconds."""

_INDENT = "  "

_MARKS = {
    "started": "begins",
    "exited": "Claude Code has ended",
    "failed": "Claude Code could not start",
    "ended": "the sandbox has ended",
    "dropped": "a line was lost",
}

_OUTCOMES = {
    AskOutcome.OPEN: ("waits for an answer", "ask"),
    AskOutcome.ALLOWED: ("allowed", "ok"),
    AskOutcome.DENIED: ("denied", "error"),
    AskOutcome.CANCELLED: ("taken back", "dim"),
    AskOutcome.EXPIRED: ("not answered", "dim"),
}


class Body(NamedTuple):
    """A block's lines."""

    lines: list[Line]
    folded: int = 0
    """Lines that are left out; unfolding shows them."""


def block_body(block: Block, *, unfolded: bool) -> Body:
    """Return all lines of a block, with a blank one behind it."""
    match block:
        case ToolCall():
            lines, folded = tool_lines(block, unfolded=unfolded)
        case Prompt():
            lines, folded = _folded(_prompt(block), _PROMPT_LINES, unfolded=unfolded)
        case Thought():
            lines, folded = _folded(_thought(block), _THOUGHT_LINES, unfolded=unfolded)
        case PlanRecord():
            lines, folded = _folded(_plan(block), _PLAN_LINES, unfolded=unfolded)
        case _:
            lines, folded = list(_lines(block)), 0
    if block.depth:
        lines = [indented(line, _INDENT * block.depth) for line in lines]
    return Body([*lines, BLANK] if lines else [], folded)


def indented(line: Line, indent: str) -> Line:
    return line._replace(first=indent + line.first, rest=indent + line.rest)


def _lines(block: Block) -> Iterable[Line]:
    match block:
        case Speech():
            return _speech(block)
        case AskRecord():
            return _ask(block)
        case Notice():
            return _notice(block)
        case TurnEnd():
            return _turn_end(block)
        case RunMark():
            return _run_mark(block)
    return ()


def _prompt(block: Prompt) -> Iterator[Line]:
    for number, text in enumerate(shortened(block.text).split("\n")):
        yield Line(text, style="prompt", first="  " if number else "› ", rest="  ")
    if not block.delivered:
        yield Line("not delivered yet", style="dim", first="  ", rest="  ")


def _speech(block: Speech) -> list[Line]:
    lines = _prose(str(block.text))
    return [line._replace(style="error") for line in lines] if block.error else lines


def _prose(text: str) -> list[Line]:
    if len(text) > _MOST_MARKDOWN or text.count("\n") > _MOST_MARKDOWN_ROWS:
        return plain_lines(shortened(text))
    return markdown_lines(text)


def _thought(block: Thought) -> Iterator[Line]:
    for number, text in enumerate(shortened(str(block.text)).strip("\n").split("\n")):
        yield Line(text, style="thought", first="  " if number else "✻ ", rest="  ")


def _ask(block: AskRecord) -> Iterator[Line]:
    match block:
        case PermissionRecord():
            if block.outcome is AskOutcome.ALLOWED and not block.granted:
                return  # the tool call in front of it says all there is to say
            wanted = f"{tool_request(block.tool)} {block.subject}".rstrip()
            yield Line(wanted, style="ask", first="? ", rest="  ")
        case QuestionRecord():
            for item in block.questions:
                yield Line(item.text, style="ask", first="? ", rest="  ")
                if answer := block.answers.get(item.text):
                    yield Line(answer, style="prompt", first="› ", rest="  ")
            if block.answers:
                return
        case FormRecord():
            yield Line(f"{block.server}: {block.text}", style="ask", first="? ", rest="  ")
    yield _outcome(block)


def _outcome(block: AskRecord) -> Line:
    said, style = _OUTCOMES[block.outcome]
    if isinstance(block, PermissionRecord) and block.granted:
        said = f"{said}: {block.granted}"
    if block.message:
        said = f"{said}: {block.message}"
    return Line(said.replace("\n", " "), style=style, first="  ", rest="  ")


def _plan(block: PlanRecord) -> Iterator[Line]:
    yield Line("A plan", style="ask", first="? ", rest="  ")
    if block.outcome is not AskOutcome.OPEN:  # the panel shows it where it is decided about
        for line in _prose(block.text):
            yield indented(line, "  ")
    yield _outcome(block)


def _notice(block: Notice) -> Iterator[Line]:
    if block.kind == "interrupted" and not block.parent:
        return  # so the turn's end says, which follows
    style = "urgent" if block.urgent else "error" if block.kind == "stderr" else "notice"
    for number, text in enumerate(shortened(str(block.text)).strip("\n").split("\n")):
        yield Line(text, style=style, first="  " if number else "· ", rest="  ")


def _turn_end(block: TurnEnd) -> Iterator[Line]:
    for text in block.text.split("\n") if block.text else ():
        yield Line(text, style="error", first="✗ ", rest="  ")
    facts = [duration(block.duration_ms / 1000)]
    if block.cost_usd:
        facts.append(f"${block.cost_usd:.4f}")
    if block.input_tokens or block.output_tokens:
        facts.append(f"{compact(block.input_tokens)} in, {compact(block.output_tokens)} out")
    if block.denials:
        facts.append(f"{block.denials} denied")
    if block.interrupted:
        word, style = "■ interrupted", "dim"
    else:
        word, style = ("✓ done", "ok") if block.ok else ("✗ failed", "error")
    text = f"{word}  {' · '.join(facts)}"
    yield Line(text, (Span(0, len(word), style),), style="dim")


def _run_mark(block: RunMark) -> Iterator[Line]:
    text = _MARKS.get(block.what, block.what)
    if block.what == "started" and block.run > 1:
        text = "goes on"
    if block.code:
        text += f" with exit code {block.code}"
    if block.text:
        text += f": {block.text}"
    yield Line(text.replace("\n", " "), style="rule", first="── ", rest="   ")


def _folded(lines: Iterable[Line], limit: int, *, unfolded: bool) -> tuple[list[Line], int]:
    found = list(lines)
    if unfolded:
        return found, 0
    shown, left_out = folded(found, limit)
    return [*shown, *([fold_mark(left_out)] if left_out else [])], left_out
