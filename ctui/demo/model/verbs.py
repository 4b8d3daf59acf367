"""Verbs of the script language: each makes one step of a line and its text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from .steps import Cut, Fail, Hang, Limit, Pace, Say, Step, Think, Tool, Usage, Wait

_LARGEST_FLOOD = 16_000_000
"""Characters. The CLI writes a text block as one line, and lines of up to 16 MB are supported."""

_LONGEST_PAUSE = 60_000
"""Milliseconds between two deltas."""

_NAME = re.compile(r"^[A-Za-z0-9._-]{1,100}$")


class BadStep(Exception):
    """Line that is not a step; its text names the reason."""


def split(line: str) -> tuple[str, str]:
    """Return the first word of a line, and the rest."""
    verb, _, argument = line.partition(" ")
    return verb, argument.strip()


def step_of(verb: str, argument: str, body: str | None) -> Step:
    """Return the step of a line.

    Args:
        verb: the line's first word.
        argument: the rest of the line.
        body: the text that the line's `<<END` announced, or None where there was none.

    Raises:
        BadStep: it says none.
    """
    if verb in _WITH_TEXT:
        return _WITH_TEXT[verb](_text(argument, body))
    if verb in _WITH_NAME_AND_TEXT:
        name, rest = split(argument)
        if not name:
            raise BadStep("a name or path is missing")
        return _WITH_NAME_AND_TEXT[verb](name, _text(rest, body))
    if verb not in _WITH_LINE:
        raise BadStep(f"`{verb}` is not a step")
    if body is not None:
        raise BadStep(f"`{verb}` takes no <<TEXT")
    return _WITH_LINE[verb](argument)


def _text(argument: str, body: str | None) -> str:
    if argument and body is not None:
        raise BadStep("give the text on the line or with <<TEXT, not both")
    return argument if body is None else body


def _needed(argument: str, what: str) -> str:
    if not argument:
        raise BadStep(f"{what} is missing")
    return argument


def _number(text: str, what: str, largest: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > largest:
        raise BadStep(f"{what} is a number from 0 to {largest}")
    return int(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BadStep("this is not JSON") from None


def _say_json(argument: str) -> Say:
    text = _json(argument)
    if not isinstance(text, str):
        raise BadStep('`say-json` takes a JSON string such as "\\u001b[31m"')
    return Say(text)


def _bash(command: str) -> Tool:
    return Tool("Bash", {"command": _needed(command, "the command")})


def _read(path: str) -> Tool:
    return Tool("Read", {"file_path": _needed(path, "the path")})


def _write(path: str, text: str) -> Tool:
    return Tool("Write", {"file_path": path, "content": text if not text else f"{text}\n"})


def _edit(path: str, change: str) -> Tool:
    old, arrow, new = change.partition("\n=>\n" if "\n" in change else " => ")
    if not arrow or not old:
        raise BadStep("an edit is `OLD => NEW`")
    return Tool("Edit", {"file_path": path, "old_string": old, "new_string": new})


def _tool(name: str, text: str) -> Tool:
    value = _json(text) if text else {}
    if not isinstance(value, dict):
        raise BadStep("a tool's input is a JSON object")
    return Tool(name, value)


def _plan(text: str) -> Tool:
    return Tool("ExitPlanMode", {"plan": _needed(text, "the plan")})


def _question(text: str, *, multiple: bool) -> Tool:
    question, *rest = (part.strip() for part in text.split("|"))
    if len(rest) < 3 or not question or not all(rest):
        raise BadStep("a question is `QUESTION | HEADER | OPTION: MEANING | OPTION: MEANING`")
    header, *options = rest
    choices = [
        {"label": label.strip(), "description": meaning.strip()}
        for label, _, meaning in (option.partition(":") for option in options)
    ]
    asked = {
        "question": question,
        "header": header,
        "options": choices,
        "multiSelect": multiple,
    }
    return Tool("AskUserQuestion", {"questions": [asked]})


def _flood(argument: str) -> Say:
    size, _, unit = argument.partition(" ")
    if unit == "lines":
        count = _number(size, "the number of lines", _LARGEST_FLOOD // 16)
        return Say("\n".join(f"line {number}" for number in range(1, count + 1)))
    if unit not in {"", "characters"}:
        raise BadStep("a flood is of `characters` or `lines`")
    count = _number(size, "the number of characters", _LARGEST_FLOOD)
    words = "the quick brown fox jumps over the lazy dog\n"
    return Say((words * (count // len(words) + 1))[:count])


def _times(text: str) -> int | None:
    if text == "always":
        return None
    return _number(text, "how often", 1_000_000) if text else 1


def _fail(argument: str) -> Fail:
    status, _, times = argument.partition(" ")
    code = _number(status, "the status", 599)
    if code < 400:
        raise BadStep("the status is a number from 400 to 599")
    return Fail(code, _times(times.strip()))


def _limit(argument: str) -> Limit:
    return Limit(_number(argument, "the time until the reset", 1_000_000))


def _slow(argument: str) -> Pace:
    pause, _, characters = argument.partition(" ")
    size = _number(characters.strip() or "24", "the size of a delta", _LARGEST_FLOOD)
    return Pace(_number(pause, "the pause", _LONGEST_PAUSE), max(1, size))


def _wait(name: str) -> Wait:
    if not _NAME.match(name):
        raise BadStep("a name has letters, digits and . _ - only")
    return Wait(name)


def _hang(argument: str) -> Hang:
    if argument:
        raise BadStep("`hang` stands alone")
    return Hang()


def _usage(argument: str) -> Usage:
    counts = argument.split()
    if len(counts) != 2:
        raise BadStep("usage is `INPUT OUTPUT`, in tokens")
    return Usage(*(_number(count, "a count", 1_000_000_000) for count in counts))


_WITH_TEXT: dict[str, Callable[[str], Step]] = {
    "say": Say,
    "think": Think,
    "bash": _bash,
    "plan": _plan,
}
_WITH_NAME_AND_TEXT: dict[str, Callable[[str, str], Step]] = {
    "write": _write,
    "edit": _edit,
    "tool": _tool,
}
_WITH_LINE: dict[str, Callable[[str], Step]] = {
    "say-json": _say_json,
    "read": _read,
    "ask": lambda text: _question(text, multiple=False),
    "ask-many": lambda text: _question(text, multiple=True),
    "flood": _flood,
    "fail": _fail,
    "limit": _limit,
    "cut": lambda times: Cut(_times(times)),
    "slow": _slow,
    "wait": _wait,
    "hang": _hang,
    "usage": _usage,
}
