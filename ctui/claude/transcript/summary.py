"""The CLI's lines in a few words: progress of a task, one sanitised line each."""

from __future__ import annotations

from ctui.claude.protocol import events
from ctui.claude.protocol.content import Content, Text, Thinking, ToolResult, ToolUse
from ctui.claude.protocol.fields import JsonObject
from ctui.claude.transcript.blocks import AskRecord, RunMark
from ctui.claude.transcript.render import render_block, render_output
from ctui.claude.transcript.tools import output_of, subject_of, tool_title
from ctui.claude.transcript.transcript import Transcript
from ctui.text import one_line

WIDTH = 160

__all__ = ["WIDTH", "describe", "progress", "tool_title"]


def progress(event: events.Event, width: int = WIDTH, *, ascii_only: bool = False) -> str:
    """Return what an event means for somebody who only wants to know how it goes; "" if nothing.

    At most `width` characters, such as `📖 Read: src/main.py`, or `Read: src/main.py` where only
    ASCII symbols are wanted.
    """

    def say(symbol: str, plain: str, text: str) -> str:
        return one_line(f"{plain if ascii_only else symbol} {text}", width)

    match event:
        case events.AssistantMessage():
            found = (_content(content, width, ascii_only=ascii_only) for content in event.blocks)
            return next((text for text in found if text), "")
        case events.PermissionRequest():
            return say("❓", "?", f"{event.tool}: {subject_of(event.tool, event.given)}")
        case events.Elicitation():
            return say("❓", "?", f"{event.server}: {event.message}")
        case events.ApiRetry():
            return say("↻", "~", f"the API failed ({event.error}), try {event.attempt}")
        case events.Status(status="compacting"):
            return say("≡", "=", "compacting the conversation")
        case events.PermissionDenied():
            return say("✗", "x", f"{event.tool}: denied by a rule")
        case events.Result(interrupted=True):
            return say("■", "-", "interrupted")
        case events.Result():
            return say("✗", "x", "failed") if event.is_error else say("✓", "+", "done")
    return ""


def describe(event: events.Event, transcript: Transcript | None = None) -> list[str]:
    """Return the plain lines that stand for one line of the CLI's stdout; often none.

    What is asked is left out: whoever follows a task learns that from the driver.

    Args:
        event: of the line.
        transcript: knows what was said before; without one the line stands alone.
    """
    transcript = transcript or Transcript()
    added = transcript.feed(event, run=1, time=0).added
    blocks = [block for block in map(transcript.block, added) if block is not None]
    shown = [block for block in blocks if not isinstance(block, AskRecord | RunMark)]
    return [*_results(event), *(text for block in shown for text in render_block(block, WIDTH))]


def _results(event: events.Event) -> list[str]:
    if not isinstance(event, events.UserMessage):
        return []
    lines: list[str] = []
    for content in event.blocks:
        if isinstance(content, ToolResult):
            failed = content.is_error
            output = output_of(content.text, event.tool_use_result, is_error=failed)
            lines += render_output(output, WIDTH, failed=failed)
    return lines


def _content(content: Content, width: int, *, ascii_only: bool) -> str:
    match content:
        case Text():
            return one_line(content.text, width)
        case Thinking():
            return one_line(f"{'...' if ascii_only else '💭'} {content.text}", width)
        case ToolUse():
            given: JsonObject = content.given
            return tool_title(content.name, given, width, ascii_only=ascii_only)
    return ""
