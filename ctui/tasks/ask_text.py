"""An ask in full, as plain lines: nobody should allow what they have not seen."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from ctui.claude import control, fields
from ctui.claude.wishes import wish
from ctui.paths import WORKSPACE
from ctui.tasks.asks import PermissionDetails
from ctui.tasks.model import Ask, AskKind
from ctui.tasks.questions import Question, question_items
from ctui.text import sanitise

_MOST_LINES = 400
"""Of one ask; what is left out is said, and `ctui task show --json` has it."""

_LEAST_LINES = 20
_MOST_CHARACTERS = 40_000
_LONGEST_LINE = 6000
"""Characters; a screen lays out no more of them without being felt to wait."""

_INDENT = "    "


def ask_lines(ask: Ask) -> list[str]:
    """Everything that an ask shows, sanitised; the first line says what it is about."""
    given = fields.json_object(bytes(ask.input)) or {}
    body: Iterable[str]
    match ask.kind:
        case AskKind.QUESTION:
            return cut(_questions(ask), ask)
        case AskKind.PLAN:
            head, body = "? Claude has a plan:", _text(fields.text(given, "plan"))
        case AskKind.ELICITATION:
            return cut([*form_heading(ask), *_fields(ask)], ask)
        case AskKind.PERMISSION:
            head, body = f"? {wish(ask.tool)}:", _input(ask.tool, given)
    return cut([head, *(_INDENT + line for line in body), *_reasons(ask)], ask)


def session_words(ask: Ask) -> str:
    """What an answer for the session allows, beyond this once; "" if nothing."""
    if ask.kind is AskKind.PLAN:
        return "approve, and accept all edits in this task"
    if ask.kind is not AskKind.PERMISSION:
        return ""
    details = msgspec.json.decode(ask.details, type=PermissionDetails)
    return control.session_label(details.suggestions)


def _questions(ask: Ask) -> Iterator[str]:
    for question in question_items(ask):
        yield f"? {sanitise(question.text)}"
        for number, option in enumerate(question.options, 1):
            described = f" - {sanitise(option.description)}" if option.description else ""
            yield f"{_INDENT}{number}  {sanitise(option.label)}{described}"


def _input(tool: str, given: Mapping[str, Any]) -> Iterator[str]:
    """A tool's input: what it does first, in the form in which a person reads it."""
    rest = dict(given)
    match tool:
        case "Bash":
            yield from _text(_taken(rest, "command"))
        case "Write":
            yield _one(_taken(rest, "file_path"))
            yield from (f"+ {line}" for line in _rows(_taken(rest, "content")))
        case "Edit":
            yield _one(_taken(rest, "file_path"))
            yield from _change(rest)
        case "MultiEdit":
            yield _one(_taken(rest, "file_path"))
            for edit in rest.pop("edits", None) or []:
                yield from _change(dict(edit)) if isinstance(edit, dict) else ()
    for key, value in rest.items():
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        first, *more = list(_text(shown)) or [""]
        yield f"{_one(key)}: {first}"
        yield from (_INDENT + line for line in more)


def _change(edit: dict[str, Any]) -> Iterator[str]:
    old, new = _taken(edit, "old_string"), _taken(edit, "new_string")
    # That only one of them ends a line is a part of the change.
    alike = not (old and new) or old.endswith("\n") == new.endswith("\n")
    rows = _rows if alike else _text
    yield from (f"- {line}" for line in rows(old))
    yield from (f"+ {line}" for line in rows(new))


def form_heading(ask: Ask) -> list[str]:
    """Which server wants a form filled in, and why."""
    given = fields.json_object(bytes(ask.input)) or {}
    message = (_INDENT + line for line in _text(fields.text(given, "message")))
    return cut([f"? {ask.tool} wants to know:", *message], ask)


def _fields(ask: Ask) -> Iterator[str]:
    for field in question_items(ask):
        name = f"{field.text}{_if_left(field)}"
        yield _INDENT + _one(f"{name}: {field.about}" if field.about else name)
        for number, option in enumerate(field.options, 1):
            yield f"{_INDENT * 2}{number}  {_one(option.label)}"


def _if_left(field: Question) -> str:
    if field.default:
        return f" (if it is left: {field.default})"
    return " (may be left out)" if field.optional else ""


def _reasons(ask: Ask) -> Iterator[str]:
    if ask.kind is not AskKind.PERMISSION:
        return
    details = msgspec.json.decode(ask.details, type=PermissionDetails)
    if details.reason:
        yield f"  because: {details.reason}"
    where = posixpath.normpath(details.blocked_path) if details.blocked_path else WORKSPACE
    if where != WORKSPACE and not where.startswith(f"{WORKSPACE}/"):
        yield f"  outside the worktree: {details.blocked_path}"


def cut(lines: Iterable[str], ask: Ask) -> list[str]:
    """What a person can be shown of these lines: both ends, and how much is left out between."""
    shown = [shortened(line) for line in lines]
    most = _MOST_LINES
    while most > _LEAST_LINES and sum(map(len, _ends(shown, most))) > _MOST_CHARACTERS:
        most //= 2
    if len(shown) <= most:
        return shown
    half = most // 2
    left_out = len(shown) - 2 * half
    note = f"… {left_out} lines are not shown: `ctui task show {ask.task} --json` has them …"
    return [*shown[:half], note, *shown[-half:]]


def _ends(lines: list[str], most: int) -> list[str]:
    return lines if len(lines) <= most else lines[: most // 2] + lines[-(most // 2) :]


def shortened(line: str, longest: int = _LONGEST_LINE) -> str:
    """Both ends of a line that nobody could read: what matters may stand in either."""
    left_out = len(line) - longest
    if left_out <= 0:
        return line
    half = longest // 2
    return f"{line[:half]} … {left_out:,} characters are not shown … {line[-half:]}"


def _taken(values: dict[str, Any], key: str) -> str:
    """A text, taken out; anything else stays, to be shown as it is."""
    value = values.get(key)
    if not isinstance(value, str):
        return ""
    del values[key]
    return value


def _text(text: str) -> list[str]:
    return sanitise(text).split("\n") if text else []


def _rows(text: str) -> list[str]:
    """Lines of a file: the end of its last one begins no other."""
    lines = _text(text)
    return lines if not lines or lines[-1] else lines[:-1]


def _one(text: str) -> str:
    return sanitise(text).replace("\n", "⏎")
