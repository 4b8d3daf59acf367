"""The CLI's tools, as far as the transcript knows them: their subjects and shapes of results."""

from __future__ import annotations

import json
import re
from typing import Any

from ctui.claude.protocol import fields
from ctui.claude.protocol.fields import JsonObject
from ctui.claude.protocol.todos import change_of
from ctui.claude.transcript.blocks import Hunk, ToolOutput
from ctui.paths import WORKSPACE
from ctui.text import one_line, sanitise

SUBJECT_WIDTH = 200

_SYMBOLS = {
    "Agent": "📋",
    "Bash": "💻",
    "Edit": "✏️",
    "Glob": "🔍",
    "Grep": "🔎",
    "MultiEdit": "✏️",
    "NotebookEdit": "📓",
    "Read": "📖",
    "Task": "📋",
    "TaskCreate": "📝",
    "TaskUpdate": "📝",
    "TodoWrite": "📝",
    "WebFetch": "🌐",
    "WebSearch": "🔍",
    "Write": "📝",
}

_SUBJECT_KEYS = (
    "command",
    "file_path",
    "notebook_path",
    "url",
    "query",
    "subject",
    "description",
    "question",
    "message",
    "plan",
    "path",
    "prompt",
)
"""Keys in this order: the first that the input has says best what the call is about."""

_EXIT_CODE = re.compile(r"(?:Error: )?Exit code (\d{1,3})\b\n?")


def subject_of(name: str, given: JsonObject, width: int = SUBJECT_WIDTH) -> str:
    """Return one sanitised line that says what a tool is used on, such as `src/main.py`."""
    if (change := change_of(name, given)) is not None:
        text = change.words
    elif name == "ExitPlanMode":
        text = ""  # its record shows the plan
    elif questions := fields.mappings(given, "questions"):
        text = " · ".join(fields.text(item, "question") for item in questions[:4])
    elif name in {"Grep", "Glob"}:
        place = fields.text(given, "path").removeprefix(f"{WORKSPACE}/")
        pattern = fields.text(given, "pattern")
        text = f"{pattern!r} in {place}" if place else repr(pattern)
    else:
        found = (fields.text(given, key) for key in _SUBJECT_KEYS)
        text = next((item for item in found if item), "").removeprefix(f"{WORKSPACE}/")
        if not text and given:
            text = json.dumps(dict(given), ensure_ascii=False)
    return one_line(text, width)


def tool_title(
    name: str, given: JsonObject, width: int = SUBJECT_WIDTH, *, ascii_only: bool = False
) -> str:
    """Return one sanitised line for a tool call, such as `📖 Read: src/main.py`."""
    subject = subject_of(name, given, width)
    words = f"{name}: {subject}" if subject else name
    return one_line(words if ascii_only else f"{_SYMBOLS.get(name, '🔧')} {words}", width)


def output_of(text: str, result: Any, *, is_error: bool) -> ToolOutput:
    """Return the output of a call.

    Args:
        text: what the model reads.
        result: the CLI's `tool_use_result`, whose shape is the tool's own.
        is_error: True if it failed; then `result` is only a text.
    """
    if is_error:
        found = _EXIT_CODE.match(text)
        code = int(found.group(1)) if found else None
        return ToolOutput(text=sanitise(text[found.end() :] if found else text), exit_code=code)
    if not isinstance(result, dict):
        return ToolOutput(text=sanitise(text))
    if isinstance(result.get("stdout"), str) and not fields.text(result, "backgroundTaskId"):
        stdout, stderr = (sanitise(fields.text(result, key)) for key in ("stdout", "stderr"))
        return ToolOutput(stdout=stdout, stderr=stderr, exit_code=0)
    return ToolOutput(text=sanitise(text), hunks=_hunks(result))


def _hunks(result: JsonObject) -> tuple[Hunk, ...]:
    return tuple(
        Hunk(
            old_start=fields.integer(item, "oldStart"),
            new_start=fields.integer(item, "newStart"),
            lines=tuple(sanitise(line) for line in fields.texts(item, "lines")),
        )
        for item in fields.mappings(result, "structuredPatch")
    )


_VERBS = {
    "Edit": "edit",
    "Glob": "search",
    "Grep": "search",
    "MultiEdit": "edit",
    "NotebookEdit": "edit",
    "Read": "read",
    "WebFetch": "fetch",
    "WebSearch": "search",
    "Write": "write",
}


def tool_request(tool: str) -> str:
    """Return a request in words, `Bash wants to run`; the name is not sanitised."""
    return f"{tool} wants to {_VERBS.get(tool, 'run')}"
