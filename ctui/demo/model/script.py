"""The script language: text that says, one step per line, what the model does in a turn.

A prompt carries its script in a fenced block with the info string `script`. The steps of a script
are grouped into calls: a tool request ends the answer to one API call, and what follows it is the
answer to the next one. docs/scripted-model.md describes every step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from .steps import Call, Say, Tool
from .verbs import BadStep, split, step_of

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`\s]*)[^`]*$")
_HEREDOC = re.compile(r"^(.*?)[ \t]*<<([A-Z][A-Z0-9_]*)$")


class ScriptError(Exception):
    """A line that is not a step; its text says which line and what is wrong with it."""

    def __init__(self, line: int, text: str, problem: str) -> None:
        shown = text.strip() if len(text) <= 80 else f"{text.strip()[:79]}…"
        super().__init__(f"line {line} of the script (`{shown}`): {problem}")
        self.line = line


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
            except BadStep as error:
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
        raise BadStep(f"no line `{heredoc[2]}` ends the text")

    def _add(self, line: str, body: str | None) -> None:
        verb, argument = split(line)
        if verb == "also":
            self._add_tool_beside(argument, body)
        elif verb == "on-error":
            self._add_on_error(argument, body)
        else:
            step = step_of(verb, argument, body)
            if self.open.tools:
                self.done.append(self.open)
                self.open = Call()
            self.open = replace(self.open, steps=(*self.open.steps, step))

    def _add_tool_beside(self, line: str, body: str | None) -> None:
        step = step_of(*split(line), body)
        if not isinstance(step, Tool):
            raise BadStep("`also` stands before a tool request")
        if not self.open.tools:
            raise BadStep("`also` follows a tool request")
        *before, last = self.open.steps
        if isinstance(last, Tool) and step.name == last.name == "AskUserQuestion":
            questions = [*last.input["questions"], *step.input["questions"]]
            steps = (*before, Tool(last.name, {"questions": questions}))
        else:
            steps = (*self.open.steps, step)
        self.open = replace(self.open, steps=steps)

    def _add_on_error(self, line: str, body: str | None) -> None:
        step = step_of(*split(line), body)
        if not isinstance(step, Say):
            raise BadStep("`on-error` is followed by `say`")
        if not self.open.tools:
            raise BadStep("`on-error` follows a tool request")
        text = "\n".join(filter(None, (self.open.on_error, step.text)))
        self.open = replace(self.open, on_error=text)
