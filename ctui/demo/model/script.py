"""The script language: text that describes a model's turn, one step a line.

A prompt carries its script in a fenced block with the info string `script`. The steps of a script
are grouped into calls: a tool request ends the answer to one API call, and what follows it is the
answer to the next one. docs/scripted-model.md describes every step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .steps import Call, Say, Step, Tool
from .verbs import BadStep, split, step_of

_FENCE = re.compile(r"^([ \t]*)(`{3,}|~{3,})[ \t]*([^`\s]*)(?:\s[^`]*)?$")
_END_WORD = re.compile(r"[A-Z][A-Z0-9_]*")


class ScriptError(Exception):
    """Error in a script; its text names the line and the reason."""


def scripts_in(text: str) -> list[str]:
    """Return the sources of all scripts in a prompt, in order.

    Raises:
        ScriptError: a script's block is not closed.
    """
    found: list[str] = []
    for info, body, closed in _blocks(text):
        if info == "script":
            if not closed:
                raise ScriptError("the script's block is not closed")
            found.append("\n".join(body))
    return found


def without_blocks(text: str) -> str:
    """Return the text outside all fenced blocks."""
    return "\n".join(line for info, body, _ in _blocks(text) if info is None for line in body)


def fenced(*steps: str) -> str:
    """Return the prompt text that carries these lines as a script."""
    source = "\n".join(steps)
    longest = max((len(run) for run in re.findall(r"`+", source)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}script\n{source}\n{fence}"


def parse(source: str) -> tuple[Call, ...]:
    """Return the calls of a script.

    Raises:
        ScriptError: a line is not a step.
    """
    return _Parser(source.split("\n")).calls()


def _blocks(text: str) -> Iterator[tuple[str | None, list[str], bool]]:
    """Yield the parts of a text: info string, lines, and False if the text ends before the part.

    A part between blocks has None for its info string. Fences follow CommonMark 4.5: a block ends
    with a fence that is at least as long as its first one, a fence inside a longer one is text, and
    an indented block's lines lose that indentation.
    """
    opening: re.Match[str] | None = None
    body: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        fence = _FENCE.match(line)
        if fence and opening is None:
            yield None, body, True
            opening, body = fence, []
        elif fence and opening and not fence[3] and fence[2].startswith(opening[2]):
            yield opening[3], body, True
            opening, body = None, []
        else:
            body.append(_unindent(line, len(opening[1]) if opening else 0))
    yield opening and opening[3], body, False


def _unindent(line: str, width: int) -> str:
    return line[min(width, len(line) - len(line.lstrip(" \t"))) :]


@dataclass
class _Parser:
    lines: Sequence[str]
    finished: list[Call] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    on_error: list[str] = field(default_factory=list)

    def calls(self) -> tuple[Call, ...]:
        index = 0
        while index < len(self.lines):
            line = self.lines[index].strip()
            index += 1
            if not line or line.startswith("#"):
                continue
            number = index
            try:
                head, body, index = self._with_body(line, index)
                self._add(head, body)
            except BadStep as problem:
                shown = line if len(line) <= 80 else f"{line[:79]}…"
                raise ScriptError(f"line {number} of the script (`{shown}`): {problem}") from None
        self._finish_call()
        return tuple(self.finished)

    def _with_body(self, line: str, index: int) -> tuple[str, str | None, int]:
        """Return the line without its `<<END`, the lines up to END, and the index after them."""
        head, mark, word = line.rpartition("<<")
        if not mark or _END_WORD.fullmatch(word) is None:
            return line, None, index
        for end in range(index, len(self.lines)):
            if self.lines[end].strip() == word:
                return head.rstrip(), "\n".join(self.lines[index:end]), end + 1
        raise BadStep(f"no line `{word}` ends the text")

    def _add(self, line: str, body: str | None) -> None:
        verb, argument = split(line)
        if verb == "also":
            self._add_tool_beside(argument, body)
        elif verb == "on-error":
            self._add_on_error(argument, body)
        else:
            step = step_of(verb, argument, body)
            if self._last_tool() is not None:
                self._finish_call()
            self.steps.append(step)

    def _add_tool_beside(self, line: str, body: str | None) -> None:
        step, last = step_of(*split(line), body), self._last_tool()
        if not isinstance(step, Tool):
            raise BadStep("`also` stands before a tool request")
        if last is None:
            raise BadStep("`also` follows a tool request")
        if step.name == last.name == "AskUserQuestion":
            last.input["questions"].extend(step.input["questions"])
        else:
            self.steps.append(step)

    def _add_on_error(self, line: str, body: str | None) -> None:
        step = step_of(*split(line), body)
        if not isinstance(step, Say):
            raise BadStep("`on-error` is followed by `say`")
        if self._last_tool() is None:
            raise BadStep("`on-error` follows a tool request")
        self.on_error.append(step.text)

    def _last_tool(self) -> Tool | None:
        last = self.steps[-1] if self.steps else None
        return last if isinstance(last, Tool) else None

    def _finish_call(self) -> None:
        if self.steps:
            self.finished.append(Call(tuple(self.steps), "\n".join(self.on_error)))
        self.steps, self.on_error = [], []
