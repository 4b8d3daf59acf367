"""A tool call as lines: what it does, what it changed or printed, how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ctui.claude.protocol import fields
from ctui.claude.protocol.todos import TOOLS as TODO_TOOLS
from ctui.claude.protocol.todos import change_of
from ctui.claude.transcript.blocks import ToolCall, ToolOutput, ToolState
from ctui.paths import WORKSPACE
from ctui.tui.text.code import code_lines, diff_lines, language_of
from ctui.tui.text.highlight_budget import HighlightBudget
from ctui.tui.text.lines import Line, Span, Wrap, shortened

_OUTPUT_LINES = 6
_CHANGE_LINES = 24
_LONGEST_SUBJECT = 400
_ROW = 100
"""Characters that about fill a row: a line of thousands fills a screen."""

_SAYS_NOTHING_NEW = {"AskUserQuestion", "ExitPlanMode", "Read", "Write", *TODO_TOOLS}
"""Tools whose good result repeats what is shown of the call, or what nobody reads here."""

_MARKS = {
    ToolState.PREPARING: ("…", "dim"),
    ToolState.RUNNING: ("●", "ask"),
    ToolState.OK: ("✓", "ok"),
    ToolState.ERROR: ("✗", "error"),
    ToolState.DENIED: ("✗", "error"),
    ToolState.STOPPED: ("■", "dim"),
}

_TODO_MARKS = {"completed": ("✓", "dim"), "in_progress": ("▶", "ask"), "pending": ("○", "output")}


def tool_lines(call: ToolCall, *, unfolded: bool) -> tuple[list[Line], int]:
    """Return a tool call's lines, and how many more there are when it is unfolded."""
    limit = _CHANGE_LINES if _is_change(call) else _OUTPUT_LINES
    body = list(_body(call, HighlightBudget() if unfolded else HighlightBudget(rows=limit)))
    title = title_line(call)
    if unfolded:
        return [title, *body], 0
    if call.state is ToolState.ERROR and not _is_change(call):
        # Why it failed is what was said last.
        shown, left_out = folded(body[::-1], limit)
        shown.reverse()
        return [title, *([fold_mark(left_out)] if left_out else []), *shown], left_out
    shown, left_out = folded(body, limit)
    return [title, *shown, *([fold_mark(left_out)] if left_out else [])], left_out


def folded(lines: Sequence[Line], limit: int) -> tuple[list[Line], int]:
    """Return the first lines, about as many as fill so many rows, and how many are left out."""
    rows = 0
    for count, line in enumerate(lines):
        rows += 1 + len(line.text) // _ROW
        if rows > limit and count and len(lines) - count > 1:
            return list(lines[:count]), len(lines) - count
    return list(lines), 0


def fold_mark(left_out: int) -> Line:
    """Return the line that stands for those that are left out."""
    return Line(f"… {left_out} more lines", style="dim", first="  ", rest="  ")


def title_line(call: ToolCall) -> Line:
    """Return a line that says what the call does, and how it ended."""
    mark, style = _MARKS[call.state]
    subject = (call.subject or _path(call))[:_LONGEST_SUBJECT]
    text = f"{call.name} {subject}".rstrip()
    spans = [Span(0, len(call.name), "tool")]
    if subject:
        spans.append(Span(len(call.name) + 1, len(text), "subject"))
    if end := _end(call):
        spans.append(Span(len(text) + 2, len(text) + 2 + len(end), style))
        text = f"{text}  {end}"
    return Line(text, tuple(spans), first=f"{mark} ", rest="  ")


def _end(call: ToolCall) -> str:
    """Return how it ended: a word, an exit code, a duration worth mentioning."""
    facts: list[str] = []
    if call.state in {ToolState.DENIED, ToolState.STOPPED}:
        facts.append(str(call.state))
    if call.output is not None and call.output.exit_code:
        facts.append(f"exit code {call.output.exit_code}")
    if call.finished is not None:
        seconds = (call.finished - call.time - call.waited) / 1e9
        facts += [f"{seconds:.1f} s"] if seconds >= 1 else []
    return " · ".join(facts)


def _body(call: ToolCall, budget: HighlightBudget) -> Iterator[Line]:
    output = call.output
    language = language_of(_path(call))
    if output is not None and output.hunks:
        for hunk in output.hunks:
            shown = shortened("\n".join(hunk.lines)).split("\n")
            yield from diff_lines(shown, language, hunk.old_start, hunk.new_start, budget)
        return
    yield from _given(call, language, budget)
    if call.growing:
        for line in call.growing.expandtabs(4).split("\n")[-_OUTPUT_LINES:]:
            yield Line(line, style="dim", first="  ┊ ", rest="  ┊ ", wrap=Wrap.CELLS)
    if output is not None and not (call.state is ToolState.OK and call.name in _SAYS_NOTHING_NEW):
        yield from _output(output, failed=call.state is not ToolState.OK)


def _given(call: ToolCall, language: str, budget: HighlightBudget) -> Iterable[Line]:
    """Return the part of the input that its one-line subject cannot show."""
    given = call.given
    match call.name:
        case "TodoWrite":
            return _todo_lines(call)
        case "MultiEdit" if isinstance(given.get("edits"), list):
            return [
                line
                for edit in fields.mappings(given, "edits")
                for line in _replacement(
                    edit.get("old_string"), edit.get("new_string"), language, budget
                )
            ]
        case "Edit" if isinstance(given.get("old_string"), str):
            return _replacement(given.get("old_string"), given.get("new_string"), language, budget)
        case "Write" if isinstance(given.get("content"), str):
            return code_lines(shortened(given["content"]), language, budget, first="  ")
        case "Bash" if "\n" in str(given.get("command", "")):
            return code_lines(shortened(str(given["command"])), "bash", budget, first="  ")
    return ()


def _todo_lines(call: ToolCall) -> Iterator[Line]:
    change = change_of(call.name, call.given)
    for todo in change.todos if change is not None else ():
        mark, style = _TODO_MARKS[todo.state]
        yield Line(todo.text, style=style, first=f"  {mark} ", rest="    ")


def _replacement(old: object, new: object, language: str, budget: HighlightBudget) -> list[Line]:
    removed = [f"-{line}" for line in shortened(str(old)).split("\n")] if old else []
    new = shortened(new) if isinstance(new, str) else ""
    added = [f"+{line}" for line in new.split("\n")] if new else []
    return diff_lines([*removed, *added], language, 1, 1, budget)


def _output(output: ToolOutput, *, failed: bool) -> Iterator[Line]:
    for text, style in (
        (output.stdout, "output"),
        (output.stderr, "error"),
        (output.text, "error" if failed else "output"),
    ):
        stripped = shortened(text).strip("\n")
        for line in stripped.expandtabs(4).split("\n") if stripped else ():
            yield Line(line, style=style, first="  │ ", rest="  │ ", wrap=Wrap.CELLS)


def _is_change(call: ToolCall) -> bool:
    return call.name in {"Edit", "MultiEdit", "Write", "NotebookEdit"}


def _path(call: ToolCall) -> str:
    found = call.given.get("file_path") or call.given.get("notebook_path") or ""
    return found.removeprefix(f"{WORKSPACE}/") if isinstance(found, str) else ""
