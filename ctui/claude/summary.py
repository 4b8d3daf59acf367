"""The CLI's lines as the few words that a person follows on a plain terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ctui.text import one_line, sanitise

_SYMBOLS = {
    "Bash": "💻",
    "Edit": "✏️",
    "Glob": "🔎",
    "Grep": "🔎",
    "MultiEdit": "✏️",
    "NotebookEdit": "✏️",
    "Read": "📖",
    "Agent": "🤖",
    "Task": "🤖",
    "TaskCreate": "📋",
    "TaskUpdate": "📋",
    "WebFetch": "🌐",
    "WebSearch": "🌐",
    "Write": "📝",
}
_SUBJECTS = ("command", "file_path", "notebook_path", "pattern", "url", "query", "description")
_WIDTH = 160
_RESULT_LINES = 8


def tool_title(name: str, given: Mapping[str, Any], width: int = _WIDTH) -> str:
    """One line for a tool call, such as `📖 Read: src/main.py`."""
    subject = next((text for key in _SUBJECTS if (text := _text(given.get(key)))), "")
    if not subject and given:
        subject = json.dumps(given, ensure_ascii=False)
    symbol = _SYMBOLS.get(name, "🔧")
    return one_line(f"{symbol} {name}: {subject}" if subject else f"{symbol} {name}", width)


def describe(line: str) -> list[str]:
    """The plain, sanitised lines that stand for one line of the CLI; often none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return [one_line(line, _WIDTH)] if line.strip() else []
    if not isinstance(event, dict):
        return []
    match event.get("type"):
        case "assistant":
            return [text for block in _blocks(event) for text in _assistant(block)]
        case "user":
            return _user(event)
        case "result":
            return _result(event)
        case "system":
            return _system(event)
    return []


def _assistant(block: Mapping[str, Any]) -> list[str]:
    match block.get("type"):
        case "text":
            return sanitise(_text(block.get("text"))).splitlines()
        case "thinking":
            return [one_line(f"💭 {_text(block.get('thinking'))}", _WIDTH)]
        case "tool_use":
            given = block.get("input")
            given = given if isinstance(given, dict) else {}
            return [tool_title(_text(block.get("name")), given)]
    return []


def _user(event: Mapping[str, Any]) -> list[str]:
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    if isinstance(content, str):
        return [one_line(f"> {content}", _WIDTH)]
    lines: list[str] = []
    for block in _blocks(event):
        if block.get("type") == "text":
            lines.append(one_line(f"> {_text(block.get('text'))}", _WIDTH))
        elif block.get("type") == "tool_result":
            lines += _tool_result(block)
    return lines


def _tool_result(block: Mapping[str, Any]) -> list[str]:
    content = block.get("content")
    if isinstance(content, list):
        parts = [_text(item.get("text")) for item in content if isinstance(item, dict)]
        content = "\n".join(parts)
    lines = sanitise(_text(content)).splitlines()
    mark = "✗" if block.get("is_error") is True else "│"
    shown = [f"  {mark} {one_line(line, _WIDTH)}" for line in lines[:_RESULT_LINES]]
    if len(lines) > _RESULT_LINES:
        shown.append(f"  {mark} … {len(lines) - _RESULT_LINES} more lines")
    return shown


def _result(event: Mapping[str, Any]) -> list[str]:
    cost, seconds = event.get("total_cost_usd"), event.get("duration_ms")
    facts = []
    if isinstance(seconds, int | float):
        facts.append(f"{seconds / 1000:.1f} s")
    if isinstance(cost, int | float):
        facts.append(f"${cost:.4f}")
    mark = "✗ failed" if event.get("is_error") is True else "✓ done"
    lines = [f"{mark} ({', '.join(facts)})" if facts else mark]
    if event.get("is_error") is True and isinstance(event.get("result"), str):
        lines.insert(0, one_line(event["result"], _WIDTH))
    return lines


def _system(event: Mapping[str, Any]) -> list[str]:
    match event.get("subtype"):
        case "api_retry":
            return [f"↻ the API answered {event.get('error_status')}, trying again"]
        case "permission_denied":
            return [one_line(f"✗ {event.get('tool_name')}: denied by a rule", _WIDTH)]
        case "compact_boundary":
            return ["≡ the conversation was compacted"]
    return []


def _blocks(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return (
        [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
