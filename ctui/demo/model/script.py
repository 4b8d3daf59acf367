"""The script language: text that says, one step per line, what the model does in a turn.

A prompt carries its script in a fenced block with the info string `script`. The steps of a script
are grouped into calls: a tool request ends the answer to one API call, and what follows it is the
answer to the next one. docs/scripted-model.md describes every step.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_LARGEST_FLOOD = 16_000_000
"""Characters: the CLI writes a text block as one line, and 16 MB is the longest one we promise."""

_LONGEST_PAUSE = 60_000
"""Milliseconds between two deltas."""

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$")
_HEREDOC = re.compile(r"^(.*?)[ \t]*<<([A-Z][A-Z0-9_]*)$")
_NAME = re.compile(r"^[A-Za-z0-9._-]{1,100}$")


class ScriptError(Exception):
    """A line that is not a step; its text says which line and what is wrong with it."""

    def __init__(self, line: int, text: str, problem: str) -> None:
        shown = text.strip() if len(text) <= 80 else f"{text.strip()[:79]}…"
        super().__init__(f"line {line} of the script (`{shown}`): {problem}")
        self.line = line


@dataclass(frozen=True, slots=True)
class Say:
    """Text of the answer; steps that follow each other are the lines of one text block."""

    text: str


@dataclass(frozen=True, slots=True)
class Think:
    """One thinking block."""

    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool request."""

    name: str
    input: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer the next `times` calls with this HTTP status; None means every call."""

    status: int
    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection here, in the next `times` calls; None means in every call."""

    times: int | None = 1


@dataclass(frozen=True, slots=True)
class Pace:
    """From here on: pause so many milliseconds after each delta of so many characters."""

    pause: int
    characters: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold the stream until this name is released."""

    name: str


@dataclass(frozen=True, slots=True)
class Hang:
    """Hold the stream until the client goes away."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Report these token counts for this call instead of those of the texts."""

    input_tokens: int
    output_tokens: int


Step = Say | Think | Tool | Fail | Cut | Pace | Wait | Hang | Usage


@dataclass(frozen=True, slots=True)
class Call:
    """What the model does in one API call.

    Attributes:
        steps: in order; tool requests stand at the end.
        on_error: what ends the turn if one of the tools was denied or failed, or "".
    """

    steps: tuple[Step, ...] = ()
    on_error: str = ""

    @property
    def tools(self) -> int:
        return sum(isinstance(step, Tool) for step in self.steps)


def scripts_in(text: str) -> list[str]:
    """The sources of all scripts in a prompt, in order.

    Fences follow CommonMark 4.5: a block ends with a fence that is at least as long as its first
    one, a fence inside a longer one is text, and an indented block's lines lose that indentation.

    Raises:
        ScriptError: a script's block is not closed.
    """
    found: list[str] = []
    opening: re.Match[str] | None = None
    body: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        fence = _FENCE.match(line)
        if opening is None:
            opening, body = fence, []
        elif fence and not fence[3] and fence[2].startswith(opening[2]):
            if opening[3] == "script":
                found.append("\n".join(body))
            opening = None
        else:
            body.append(_unindent(line, len(opening[1])))
    if opening is not None and opening[3] == "script":
        raise ScriptError(0, opening[0], f"there is no closing {opening[2]}")
    return found


def fenced(*steps: str) -> str:
    """The prompt text that carries these lines as a script."""
    source = "\n".join(steps)
    longest = max((len(run) for run in re.findall(r"`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}script\n{source}\n{fence}"


def parse(source: str) -> tuple[Call, ...]:
    """The calls of a script.

    Raises:
        ScriptError: a line is not a step.
    """
    parser = _Parser(source.split("\n"))
    return parser.calls()


def _unindent(line: str, width: int) -> str:
    return line[min(width, len(line) - len(line.lstrip(" \t"))) :]


@dataclass
class _Parser:
    lines: Sequence[str]
    done: list[Call] = field(default_factory=list)
    open: Call = field(default_factory=Call)

    def calls(self) -> tuple[Call, ...]:
        index = 0
        while index < len(self.lines):
            number, line = index + 1, self.lines[index].strip()
            index += 1
            if not line or line.startswith("#"):
                continue
            try:
                line, body, index = self._with_body(line, index)
                self._add(line, body)
            except ValueError as error:
                raise ScriptError(number, line, str(error)) from None
        return (*self.done, self.open) if self.open.steps else tuple(self.done)

    def _with_body(self, line: str, index: int) -> tuple[str, str | None, int]:
        """The line without its `<<END`, the lines up to END, and the index behind them."""
        heredoc = _HEREDOC.match(line)
        if heredoc is None:
            return line, None, index
        for end in range(index, len(self.lines)):
            if self.lines[end].strip() == heredoc[2]:
                return heredoc[1], "\n".join(self.lines[index:end]), end + 1
        raise ValueError(f"no line `{heredoc[2]}` ends the text")

    def _add(self, line: str, body: str | None) -> None:
        verb, argument = _split(line)
        if verb == "also":
            self._add_tool_beside(argument, body)
        elif verb == "on-error":
            self._add_on_error(argument, body)
        else:
            step = _step(verb, argument, body)
            if self.open.tools:
                self.done.append(self.open)
                self.open = Call()
            self.open = replace(self.open, steps=(*self.open.steps, step))

    def _add_tool_beside(self, line: str, body: str | None) -> None:
        step = _step(*_split(line), body)
        if not isinstance(step, Tool):
            raise ValueError("`also` stands before a tool request")
        if not self.open.tools:
            raise ValueError("`also` follows a tool request")
        *before, last = self.open.steps
        if isinstance(last, Tool) and step.name == last.name == "AskUserQuestion":
            questions = [*last.input["questions"], *step.input["questions"]]
            steps = (*before, Tool(last.name, {"questions": questions}))
        else:
            steps = (*self.open.steps, step)
        self.open = replace(self.open, steps=steps)

    def _add_on_error(self, line: str, body: str | None) -> None:
        step = _step(*_split(line), body)
        if not isinstance(step, Say):
            raise ValueError("`on-error` is followed by `say`")
        if not self.open.tools:
            raise ValueError("`on-error` follows a tool request")
        text = "\n".join(filter(None, (self.open.on_error, step.text)))
        self.open = replace(self.open, on_error=text)


def _split(line: str) -> tuple[str, str]:
    verb, _, argument = line.partition(" ")
    return verb, argument.strip()


def _step(verb: str, argument: str, body: str | None) -> Step:
    if verb in _WITH_TEXT:
        return _WITH_TEXT[verb](_text(argument, body))
    if verb in _WITH_NAME_AND_TEXT:
        name, rest = _split(argument)
        if not name:
            raise ValueError("a name or path is missing")
        return _WITH_NAME_AND_TEXT[verb](name, _text(rest, body))
    if verb not in _WITH_LINE:
        raise ValueError(f"`{verb}` is not a step")
    if body is not None:
        raise ValueError(f"`{verb}` takes no <<TEXT")
    return _WITH_LINE[verb](argument)


def _text(argument: str, body: str | None) -> str:
    if argument and body is not None:
        raise ValueError("give the text on the line or with <<TEXT, not both")
    return argument if body is None else body


def _needed(argument: str, what: str) -> str:
    if not argument:
        raise ValueError(f"{what} is missing")
    return argument


def _number(text: str, what: str, largest: int) -> int:
    if not (text.isascii() and text.isdigit()) or int(text[:12]) > largest:
        raise ValueError(f"{what} is a number from 0 to {largest}")
    return int(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("this is not JSON") from None


def _say_json(argument: str) -> Say:
    text = _json(argument)
    if not isinstance(text, str):
        raise ValueError('`say-json` takes a JSON string such as "\\u001b[31m"')  # noqa: TRY004 - one kind of error for one line of a script
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
        raise ValueError("an edit is `OLD => NEW`")
    return Tool("Edit", {"file_path": path, "old_string": old, "new_string": new})


def _tool(name: str, text: str) -> Tool:
    value = _json(text) if text else {}
    if not isinstance(value, dict):
        raise ValueError("a tool's input is a JSON object")  # noqa: TRY004 - one kind of error for one line of a script
    return Tool(name, value)


def _plan(text: str) -> Tool:
    return Tool("ExitPlanMode", {"plan": _needed(text, "the plan")})


def _question(text: str, *, multiple: bool) -> Tool:
    question, *rest = (part.strip() for part in text.split("|"))
    if len(rest) < 3 or not question or not all(rest):
        raise ValueError("a question is `QUESTION | HEADER | OPTION: MEANING | OPTION: MEANING`")
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
    if unit not in {"", "characters", "lines"}:
        raise ValueError("a flood is of `characters` or `lines`")
    count = _number(size, "the size", _LARGEST_FLOOD)
    if unit == "lines":
        text = "\n".join(f"line {number}" for number in range(1, count + 1))
    else:
        words = "the quick brown fox jumps over the lazy dog\n"
        text = (words * (count // len(words) + 1))[:count]
    if len(text) > _LARGEST_FLOOD:
        raise ValueError(f"a flood has at most {_LARGEST_FLOOD} characters")
    return Say(text)


def _times(text: str) -> int | None:
    if text == "always":
        return None
    return _number(text, "how often", 1_000_000) if text else 1


def _fail(argument: str) -> Fail:
    status, _, times = argument.partition(" ")
    code = _number(status, "the status", 599)
    if code < 400:
        raise ValueError("the status is a number from 400 to 599")
    return Fail(code, _times(times.strip()))


def _slow(argument: str) -> Pace:
    pause, _, characters = argument.partition(" ")
    size = _number(characters.strip() or "24", "the size of a delta", _LARGEST_FLOOD)
    return Pace(_number(pause, "the pause", _LONGEST_PAUSE), max(1, size))


def _wait(name: str) -> Wait:
    if not _NAME.match(name):
        raise ValueError("a name has letters, digits and . _ - only")
    return Wait(name)


def _hang(argument: str) -> Hang:
    if argument:
        raise ValueError("`hang` stands alone")
    return Hang()


def _usage(argument: str) -> Usage:
    counts = argument.split()
    if len(counts) != 2:
        raise ValueError("usage is `INPUT OUTPUT`, in tokens")
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
    "cut": lambda times: Cut(_times(times)),
    "slow": _slow,
    "wait": _wait,
    "hang": _hang,
    "usage": _usage,
}
